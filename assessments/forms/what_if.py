"""The controls of "what if": budget, worth of the benefits, and each scope factor on its own scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from assessments.scoring.changes import Inputs
from assessments.scoring.scope import Factor
from assessments.selectors.what_if import Turned

#: The budget's slider ends here; its last place means "no limit".
LEAST_END = 150.0


class Slider(forms.NumberInput):
    """A range control; without script the form's button sends it."""

    input_type = "range"


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
            self.fields["plan"] = _slider("On the way to the planned scope, %", 0, 0, 100, 5)
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
