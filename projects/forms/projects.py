"""Forms for projects and their tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from ops_portal.forms import ChoiceList
from projects.access import WORK, visible_teams
from projects.measures import MEASURES, metric_names
from projects.models import ApiToken, Fallback, Project, Scope, Task, Team

TASK_HELPS = {
    Task.BINARY: "One of two answers: fraud or not, click or not.",
    Task.MULTICLASS: "One of several classes: which product, which fault.",
    Task.REGRESSION: "A number: a price, a load, a waiting time.",
}

FALLBACK_HELPS = {
    Fallback.ERROR: "The caller is told why and decides. Nothing is stored.",
    Fallback.LAST: "Good where things change slowly: what was true last is answered again.",
    Fallback.TYPICAL: "Of the newest 1,000 labels. Right more often than any other constant answer.",
}


def metric_choices(task: str) -> list[Any]:
    """Return the metrics to choose from: those of `task`, all of them grouped by task while that is open."""
    if task in MEASURES:
        return [(measure.name, measure.title) for measure in MEASURES[task]]
    return [(label, metric_choices(value)) for value, label in Task.choices]


class ProjectCreateForm(forms.Form):
    """Registers a project, and a first team where there is none to register it in."""

    team = forms.ModelChoiceField(Team.objects.none(), empty_label=None, help_text="Its members will see the project.")
    new_team = forms.CharField(
        label="Name of your team",
        max_length=80,
        help_text="You are in no team yet that you may register projects in, so this makes one; you will own it.",
    )
    name = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"placeholder": "Card fraud", "autocomplete": "off"})
    )
    description = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What is decided with the predictions, and for whom.",
    )
    task = forms.ChoiceField(
        label="What is predicted?",
        choices=Task.choices,
        widget=ChoiceList(helps={str(k): v for k, v in TASK_HELPS.items()}),
    )
    label_name = forms.CharField(
        label="Name of the label",
        max_length=80,
        widget=forms.TextInput(attrs={"placeholder": "is_fraud", "autocomplete": "off"}),
        help_text="What the models predict, called as in your data: a CSV column of this name is found by itself.",
    )
    primary_metric = forms.ChoiceField(
        label="Primary metric", help_text="What models are compared by. It can be changed later."
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = visible_teams(user, WORK)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = teams
        if teams.exists():
            del self.fields["new_team"]
        else:
            del self.fields["team"]
        metric = self.fields["primary_metric"]
        assert isinstance(metric, forms.ChoiceField)
        metric.choices = metric_choices(str(self["task"].value() or ""))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        task, metric = cleaned.get("task"), cleaned.get("primary_metric")
        if task and metric and metric not in metric_names(task):
            self.add_error("primary_metric", "This metric does not judge the chosen task.")
        return cleaned


class ProjectForm(forms.ModelForm):  # type: ignore[type-arg]
    """Edits a project. Its task is what its events were accepted for, so it stays."""

    class Meta:
        model = Project
        fields = ["name", "description", "label_name", "primary_metric", "fallback", "deploys_need_approval"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        labels = {
            "label_name": "Name of the label",
            "primary_metric": "Primary metric",
            "deploys_need_approval": "A second person approves deployments",
        }

    def __init__(self, *args: Any, administers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not administers:
            # Whoever needs a second person must not be able to do without one.
            del self.fields["deploys_need_approval"]
        self.fields["primary_metric"] = forms.ChoiceField(choices=metric_choices(self.instance.task))
        self.fields["fallback"] = forms.ChoiceField(
            label="When no model can answer, answer with",
            choices=[(one.value, one.named_for(self.instance.task)) for one in Fallback],
            widget=ChoiceList(helps={str(k): v for k, v in FALLBACK_HELPS.items()}),
            help_text="While nothing is deployed, or when what is deployed cannot predict. Such an answer is marked"
            " as a fallback, stored like any other, and never counted for a version.",
        )


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Makes an API token."""

    name = forms.CharField(
        max_length=80,
        widget=forms.TextInput(attrs={"placeholder": "Checkout service", "autocomplete": "off"}),
        help_text="Who will use it.",
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.INGEST, Scope.PREDICT],
    )

    class Meta:
        model = ApiToken
        fields = ["name", "scopes"]
