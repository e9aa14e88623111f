"""The controls of "what if": budget, worth of the benefits, and each scope factor on its own scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django import forms

from assessments.scoring.changes import Inputs
from assessments.scoring.scope import Factor
from assessments.selectors.what_if import Turned

#: The budget's slider ends here; its last place means "no limit".
LEAST_END = 150.0


class Slider(forms.NumberInput):
    """A range control with where it stands in words; without script the form's button sends it."""

    input_type = "range"
    template_name = "assessments/_slider.html"
    #: Puts a place of the slider into words.
    say: Callable[[Any], str] = str

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["says"] = self.say(value)
        return context


class WhatIfForm(forms.Form):
    """Sliders that begin at the saved values. A control left where it stands changes nothing."""

    def __init__(self, *args: Any, inputs: Inputs, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inputs = inputs
        settings = inputs.settings
        self.budget_end = max(LEAST_END, 2 * (settings.budget_days or 0))
        worth = settings.full_benefit_days
        budget = self.budget_end if settings.budget_days is None else settings.budget_days
        self.fields["worth"] = _slider("Worth of all benefits", worth, 0, max(900.0, 2 * worth), 1)
        self.fields["budget"] = _slider("Budget", budget, 0, self.budget_end, 0.5)
        if inputs.planned:
            self.fields["plan"] = _slider("On the way to the planned scope", 0, 0, 100, 5)
        for factor in settings.factors:
            position = self.saved_position(factor)
            if position is not None:
                self.fields[factor.name] = _slider(factor.title, position, 0, 100, 1)
        self.fields["first_version"] = forms.TypedChoiceField(
            choices=[("no", "is out"), ("yes", "is not out yet")],
            required=False,
            label="First version",
            initial="yes" if inputs.scope.first_version else "no",
        )
        for name, field in self.fields.items():
            if isinstance(field.widget, Slider):
                field.widget.say = partial(self._say, name)

    def saved_position(self, factor: Factor) -> int | None:
        """Place of the saved value on the factor's slider, 0 to 100; None where nothing is known."""
        value = self.inputs.scope.value(factor.name, self.inputs.settings.telemetry_rule)
        return None if value is None else round(100 * factor.position(value))

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """The sliders that are always in view."""
        return [self[name] for name in ("worth", "budget", "plan") if name in self.fields]

    @property
    def scope_fields(self) -> list[forms.BoundField]:
        """The sliders of the scope factors, and whether the first version is out."""
        return [self[name] for name in self.fields if name not in ("worth", "budget", "plan")]

    @property
    def standing(self) -> list[tuple[str, str]]:
        """Where each slider stands: id of its control, and in words."""
        return [
            (field.id_for_label, field.field.widget.say(field.value()))
            for field in self
            if isinstance(field.field.widget, Slider)
        ]

    def _say(self, name: str, given: Any) -> str:
        try:
            value = float(given)
        except (TypeError, ValueError):
            return ""
        if not 0 <= value <= (self.fields[name].max_value or 0):  # type: ignore[attr-defined]
            return ""  # refused beside the field
        if name == "worth":
            return f"{value:g} days a year"
        if name == "budget":
            return "no limit" if value >= self.budget_end else f"{value:g} days"
        if name == "plan":
            return {0.0: "as today", 100.0: "as planned"}.get(value, f"{value:g} % of the way")
        factor = next(one for one in self.inputs.settings.factors if one.name == name)
        saved = self.inputs.scope.value(name, self.inputs.settings.telemetry_rule)
        at = saved if value == self.saved_position(factor) else factor.reached(value / 100, rising=value >= 50)
        return "" if at is None else factor.say(at)

    @property
    def turned(self) -> Turned:
        """What was turned, once the form is valid."""
        said: Mapping[str, Any] = self.cleaned_data
        budget, worth, first = said.get("budget"), said.get("worth"), said.get("first_version")
        positions = {}
        for factor in self.inputs.settings.factors:
            place = said.get(factor.name)
            if place is not None and place != self.saved_position(factor):
                positions[factor.name] = place / 100
        return Turned(
            worth=self.inputs.settings.full_benefit_days if worth is None else worth,
            budget=None if budget is None or budget >= self.budget_end else budget,
            part=(said.get("plan") or 0) / 100,
            positions=positions,
            first_version=self.inputs.scope.first_version if not first else first == "yes",
        )


def _slider(label: str, value: float, low: float, high: float, step: float) -> forms.FloatField:
    # A saved value that lies between two steps must stay sendable, so the browser is given no step to round to.
    exact = step if (value - low) % step == 0 else "any"
    return forms.FloatField(
        required=False, min_value=low, max_value=high, label=label, initial=value, widget=Slider({"step": exact})
    )
