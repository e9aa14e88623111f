"""Starting a comparison of models, and a sweep over the parameters of one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.forms import BoundField

from models_registry.forms.judging import JudgingForm
from models_registry.forms.runs import LARGEST_SEED, MODE_HELP, MODES
from models_registry.learning.errors import SpecError
from models_registry.learning.parameters import Setting, list_settings
from models_registry.learning.spec import validate
from models_registry.learning.sweeps import draw_specs, make_grid
from models_registry.models import RegisteredModel, Run
from models_registry.selectors.pipelines import describe_value
from models_registry.services.comparisons import MOST_CANDIDATES, say_how_many
from models_registry.services.runs import MOST_RUNS_AT_WORK, PUBLISH_EVERY
from ops_portal.forms import ChoiceList, Segmented

GRID, RANDOM = "grid", "random"
#: More values than this for one parameter are a slip.
MOST_VALUES = 50


class PassForm(JudgingForm):
    """What every comparison takes: how far to learn, with which seed, how often a version is kept, how it is judged."""

    mode = forms.ChoiceField(
        label="How far to learn", choices=MODES, initial=Run.Mode.REPLAY, widget=ChoiceList(helps=MODE_HELP)
    )
    publish_every = forms.IntegerField(
        label="Publish a version every",
        min_value=0,
        max_value=100_000_000,
        initial=PUBLISH_EVERY,
        help_text="Events between two versions of each candidate; 0 publishes only at the end.",
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_SEED,
        help_text="All candidates get the same one. Empty: drawn at random and recorded.",
    )

    def pass_options(self, drift: bool | dict[str, Any]) -> dict[str, Any]:
        """Return what the services take, with what watches the error."""
        options = {name: self.cleaned_data[name] for name in ("mode", "publish_every", "seed")}
        return options | {"judging": self.judging(drift)}


class ComparisonForm(PassForm):
    """Several models of a project, to learn the same events in one pass."""

    models = forms.ModelMultipleChoiceField(
        RegisteredModel.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=f"2 to {MOST_CANDIDATES}. Each event is read once and learned by all of them.",
        error_messages={"required": "Choose at least two models."},
    )
    name = forms.CharField(
        required=False, max_length=80, help_text="Empty: the names of the models, one against the other."
    )

    field_order = ("models", "name", "mode", "publish_every", "seed")

    def __init__(self, *args: Any, models: QuerySet[RegisteredModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["models"].queryset = models

    def clean_models(self) -> list[RegisteredModel]:
        """Return the models, or say how many there may be."""
        models = list(self.cleaned_data["models"])
        if not 2 <= len(models) <= MOST_CANDIDATES:
            raise forms.ValidationError(f"Choose 2 to {MOST_CANDIDATES} models; {len(models)} are chosen.")
        return models


@dataclass(frozen=True)
class Row:
    """A parameter that may be varied, with its fields."""

    setting: Setting
    values: BoundField
    low: BoundField | None
    high: BoundField | None
    log: BoundField | None

    @property
    def errors(self) -> list[str]:
        """What is wrong with any of them."""
        fields = (self.values, self.low, self.high, self.log)
        return [str(error) for field in fields if field is not None for error in field.errors]

    @property
    def now(self) -> str:
        """The value that the model has."""
        return describe_value(self.setting.value)


class SweepForm(PassForm):
    """Values or ranges for the parameters of a model: a grid of them, or random draws.

    `rows` gives a parameter and its fields together; those left empty stay as the model has them.
    """

    how = forms.ChoiceField(
        label="Candidates",
        choices=[(GRID, "Every combination"), (RANDOM, "Random draws")],
        initial=GRID,
        widget=Segmented,
    )
    count = forms.IntegerField(
        label="How many draws",
        required=False,
        min_value=2,
        max_value=MOST_CANDIDATES,
        initial=8,
        help_text=f"At most {MOST_CANDIDATES}; equal draws count once.",
    )

    def __init__(self, *args: Any, model: RegisteredModel, at_work: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, project=model.project, **kwargs)
        self.fields["seed"].help_text = (
            "All candidates get the same one, and random draws are made with it. "
            "Empty: drawn at random and recorded; the draws are made with seed 0."
        )
        self.model, self.at_work = model, at_work
        self.settings = [setting for setting in list_settings(model.spec) if _kinds(setting)]
        self.specs: dict[str, dict[str, Any]] = {}
        for index, setting in enumerate(self.settings):
            self.fields[f"values_{index}"] = forms.CharField(
                required=False,
                max_length=500,
                label=f"Values of {setting.name}",
                widget=forms.TextInput(attrs={"placeholder": _example(setting), "autocomplete": "off"}),
            )
            if _is_numeric(setting):
                for name, words in (("low", "from"), ("high", "to")):
                    self.fields[f"{name}_{index}"] = forms.FloatField(
                        required=False,
                        label=f"{setting.name}, {words}",
                        widget=forms.TextInput(_NUMERIC | {"placeholder": words}),
                    )
                self.fields[f"log_{index}"] = forms.BooleanField(required=False, label="by size")

    def rows(self) -> Iterator[Row]:
        """Give each parameter with its fields."""
        for index, setting in enumerate(self.settings):
            numeric = _is_numeric(setting)
            low, high, log = (self[f"{name}_{index}"] if numeric else None for name in ("low", "high", "log"))
            yield Row(setting, self[f"values_{index}"], low, high, log)

    def clean(self) -> dict[str, Any]:
        """Make the candidates, and say at which field something is wrong with them."""
        given = super().clean() or self.cleaned_data
        choices = {place: what for index in range(len(self.settings)) for place, what in self._read(index)}
        if self.errors:
            return given
        if not choices:
            raise forms.ValidationError("Give at least one parameter more than one value.", code="nothing")
        self._make(choices)
        if self.at_work + len(self.specs) > MOST_RUNS_AT_WORK:
            raise forms.ValidationError(
                f"{self.at_work} runs of this project are at work; with {len(self.specs)} more there would be over "
                f"{MOST_RUNS_AT_WORK}. Wait, or pause or cancel some."
            )
        return given

    def _read(self, index: int) -> Iterator[tuple[str, Any]]:
        """Give the values or the range of one parameter, by its place; nothing where it is left as it is."""
        given, setting = self.cleaned_data, self.settings[index]
        low, high = given.get(f"low_{index}"), given.get(f"high_{index}")
        if given.get("how") == RANDOM and (low is not None or high is not None):
            if low is None or high is None or not (math.isfinite(low) and math.isfinite(high) and low < high):
                self.add_error(f"low_{index}", "Give both ends of the range, the smaller one first.")
            elif given.get(f"log_{index}") and low <= 0:
                self.add_error(f"low_{index}", "A range by size starts above 0.")
            else:
                whole = "integer" in _kinds(setting) and "number" not in _kinds(setting)
                yield setting.place, {"low": low, "high": high, "log": bool(given.get(f"log_{index}")), "whole": whole}
            return
        words = [word.strip() for word in (given.get(f"values_{index}") or "").split(",") if word.strip()]
        if len(words) > MOST_VALUES:
            self.add_error(f"values_{index}", f"{len(words)} values; at most {MOST_VALUES} are taken.")
        elif words:
            values = [_read_value(word, setting) for word in words]
            yield setting.place, {"values": list(dict.fromkeys(values))}

    def _make(self, choices: dict[str, Any]) -> None:
        given = self.cleaned_data
        spec = self.model.spec
        try:
            if given.get("how") == RANDOM:
                draws = given.get("count") or 8
                self.specs = draw_specs(spec, choices, draws, seed=given.get("seed") or 0)
            else:
                total = math.prod(len(what["values"]) for what in choices.values())
                if not 2 <= total <= MOST_CANDIDATES:
                    raise forms.ValidationError(say_how_many(total), code="wrong_count")
                self.specs = make_grid(spec, {place: what["values"] for place, what in choices.items()})
            for variant in self.specs.values():
                validate(variant, self.model.project.task)
        except SpecError as wrong:
            self._blame(wrong)
        else:
            if not 2 <= len(self.specs) <= MOST_CANDIDATES:
                raise forms.ValidationError(say_how_many(len(self.specs)), code="wrong_count")

    def _blame(self, wrong: SpecError) -> None:
        """Put a fault to the field of its place."""
        self.specs = {}
        for index, setting in enumerate(self.settings):
            if wrong.place.startswith(setting.place):
                self.add_error(f"values_{index}", wrong.message)
                return
        self.add_error(None, str(wrong))


_NUMERIC = {"inputmode": "decimal", "autocomplete": "off"}


def _kinds(setting: Setting) -> list[str]:
    """Return the kinds of plain values that a parameter takes."""
    return [one["type"] for one in setting.param.accepts if one["type"] in ("number", "integer", "boolean", "choice")]


def _is_numeric(setting: Setting) -> bool:
    return any(kind in ("number", "integer") for kind in _kinds(setting))


def _example(setting: Setting) -> str:
    for one in setting.param.accepts:
        if one["type"] == "choice":
            return ", ".join(str(choice) for choice in one["choices"][:3])
        if one["type"] == "boolean":
            return "true, false"
    value = setting.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "10, 20" if "integer" in _kinds(setting) else "0.01, 0.1"
    if value == 0:
        return "0, 0.01, 0.1" if "number" in _kinds(setting) else "0, 1, 2"
    shown = (value, value * 2) if isinstance(value, int) else (value / 10, value, value * 10)
    return ", ".join(f"{each:g}" for each in shown)


def _read_value(word: str, setting: Setting) -> Any:
    """Read one value as people write it; what it may not be is told by the check of the spec."""
    kinds = _kinds(setting)
    if "boolean" in kinds and word.lower() in ("true", "false"):
        return word.lower() == "true"
    if setting.param.nullable and word.lower() in ("none", "null"):
        return None
    for kind, read in (("integer", int), ("number", float)):
        if kind in kinds and len(word) < 40:
            try:
                value = read(word)
            except ValueError:
                continue
            if math.isfinite(value):
                return value
    return word
