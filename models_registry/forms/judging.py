"""How runs are to be judged: metrics, rolling window and baseline, chosen where they start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundWidget

from models_registry.learning.baselines import TITLES, list_baselines
from models_registry.learning.measures import find_measure, list_measures
from models_registry.services.judging import LARGEST_WINDOW, WINDOW, Judging, usual_metrics
from ops_portal.errors import UserError
from projects.models import Project


@dataclass(frozen=True)
class MetricChoice:
    """A metric that may be ticked, and what it says."""

    widget: BoundWidget
    help: str


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
        fields["metrics"].choices = [(measure.name, measure.title) for measure in list_measures(project.task)]
        fields["metrics"].initial = usual_metrics(project)
        kinds = list_baselines(project.task)
        fields["baseline"].choices = [(kind, TITLES[kind]) for kind in kinds]
        fields["baseline"].initial = kinds[0]

    def metric_choices(self) -> Iterator[MetricChoice]:
        """Give each metric with its help."""
        for widget in self["metrics"]:
            measure = find_measure(str(widget.data["value"]))
            way = "Higher" if measure.greater_is_better else "Lower"
            yield MetricChoice(widget, f"{measure.help} {way} is better.")

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
        return bool({"metrics", "window", "baseline"} & set(self.errors))
