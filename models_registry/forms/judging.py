"""How runs are to be judged: metrics, rolling window and baseline, chosen where they start."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.forms.boundfield import BoundWidget
from django.utils.html import escape

from models_registry.learning.baselines import TITLES, list_baselines
from models_registry.learning.catalogue import Parameter
from models_registry.learning.measures import Measure, find_class, find_measure, list_measures
from models_registry.learning.values import expected
from models_registry.services.judging import LARGEST_WINDOW, WINDOW, Judging, usual_metrics
from ops_portal.errors import UserError
from projects.models import Project


@dataclass(frozen=True)
class MetricChoice:
    """A metric that may be ticked, what it says, and the fields of its parameters."""

    widget: BoundWidget
    help: str
    fields: tuple[BoundField, ...]


class JudgingForm(forms.Form):
    """The fields that say how what is started is judged, each as usual where it is left alone."""

    metrics = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, help_text="The project's primary metric is always one."
    )
    window = forms.IntegerField(
        label="Rolling window",
        required=False,
        min_value=2,
        max_value=LARGEST_WINDOW,
        initial=WINDOW,
        help_text="Events over which rolling metrics are taken; fading ones forget at the same pace.",
    )
    baseline = forms.ChoiceField(
        required=False,
        help_text="A guess that ignores the features, scored on the same events and drawn in every chart.",
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        fields: dict[str, Any] = self.fields
        offered = list_measures(project.task)
        fields["metrics"].choices = [(measure.name, find_class(measure.use).title) for measure in offered]
        fields["metrics"].initial = usual_metrics(project)
        for measure in offered:
            fields |= {_field_name(measure, param): _field(param) for param in measure.params}
        kinds = list_baselines(project.task)
        fields["baseline"].choices = [(kind, TITLES[kind]) for kind in kinds]
        fields["baseline"].initial = kinds[0]

    def metric_choices(self) -> Iterator[MetricChoice]:
        """Give each metric with its help."""
        for widget in self["metrics"]:
            measure = find_measure(str(widget.data["value"]))
            way = "Higher" if measure.greater_is_better else "Lower"
            fields = tuple(self[_field_name(measure, param)] for param in measure.params)
            yield MetricChoice(widget, f"{find_class(measure.use).help} {way} is better.", fields)

    def clean(self) -> dict[str, Any]:
        """Write the ticked metrics with their parameters."""
        given = super().clean() or self.cleaned_data
        ticked = [find_measure(name) for name in given.get("metrics", ())]
        given["metrics"] = list(dict.fromkeys(name for measure in ticked for name in self._write(measure)))
        return given

    def _write(self, measure: Measure) -> Iterator[str]:
        """Give the names of a metric with each of the values that its fields hold; say at a field what is wrong."""
        values = []
        for param in measure.params:
            field = _field_name(measure, param)
            words = [word.strip() for word in (self.cleaned_data.get(field) or "").split(",") if word.strip()]
            for word in words:
                try:
                    find_measure(f"{measure.use}({param.name}={word})")
                except LookupError as wrong:
                    self.add_error(field, f"{wrong.args[0]}.")
                    return
            values.append([f"{param.name}={word}" for word in words or [param.default]])
        for settings in itertools.product(*values):
            yield find_measure(f"{measure.use}({', '.join(settings)})" if settings else measure.use).name

    def judging(self, drift: bool | dict[str, Any]) -> Judging:
        """Return how it is to be judged: what is as usual is left to the usual."""
        given = self.cleaned_data
        metrics, usual = given["metrics"], usual_metrics(self.project)
        first = list_baselines(self.project.task)[0]
        return Judging(
            metrics=() if set(metrics) == set(usual) else tuple(metrics),
            window=given["window"] or WINDOW,
            baseline="" if given["baseline"] == first else given["baseline"],
            drift=drift,
        )

    def refuse(self, refused: UserError) -> None:
        """Put what a service refused to the field it names."""
        self.add_error(next((name for name in refused.fields if name in self.fields), None), refused.message)

    @property
    def judging_refused(self) -> bool:
        """Whether something is wrong with how it is to be judged."""
        return any(name in ("metrics", "window", "baseline") or name.startswith(_SETTING) for name in self.errors)


_SETTING = "set:"


def _field_name(measure: Measure, param: Parameter) -> str:
    return f"{_SETTING}{measure.use}.{param.name}"


def _field(param: Parameter) -> forms.CharField:
    return forms.CharField(
        label=param.name.replace("_", " "),
        required=False,
        max_length=100,
        initial=f"{param.default:g}",
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
        help_text=f"{param.help} Takes {escape(expected(param))}; several with commas between them.",
    )
