"""Starting a run: which model, over which events, from which state, and how often a version is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from models_registry.forms.judging import JudgingForm
from models_registry.learning import schedule
from models_registry.models import RegisteredModel, Run, Version
from models_registry.services.runs import PUBLISH_EVERY
from ops_portal.forms import ChoiceList
from projects.models import Project

LARGEST_SEED = 2**31 - 1
#: Versions offered to go on from; older ones are reached from their own page.
OFFERED_VERSIONS = 50

MODES = [(Run.Mode.REPLAY.value, "Replay"), (Run.Mode.FOLLOW.value, "Follow")]
MODE_HELP = {
    Run.Mode.REPLAY.value: "Learns every labelled event there is now, in the order of their labels, then finishes.",
    Run.Mode.FOLLOW.value: "Does the same and then stays: it learns each new label as it arrives, until you stop it.",
}


class RunForm(JudgingForm):
    """A new run of one of the project's models."""

    model = forms.ModelChoiceField(RegisteredModel.objects.none(), empty_label=None)
    mode = forms.ChoiceField(
        label="How far to learn", choices=MODES, initial=Run.Mode.REPLAY, widget=ChoiceList(helps=MODE_HELP)
    )
    from_version = forms.ModelChoiceField(
        Version.objects.none(),
        label="Start from",
        required=False,
        empty_label="Nothing: an untrained model, from the first event",
        help_text="A version of the same model goes on learning with the event after its position.",
    )
    publish_every = forms.IntegerField(
        label="Publish a version every",
        min_value=0,
        max_value=100_000_000,
        initial=PUBLISH_EVERY,
        help_text="Events between two versions; each can be deployed, compared and gone back to. After "
        f"{schedule.MOST} of them the distance doubles, and again, so that a long run has few. "
        "0 publishes only at the end of the run and when you ask.",
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_SEED,
        help_text="The same spec, events and seed give the same model. Empty: drawn at random and recorded.",
    )

    def __init__(self, *args: Any, project: Project, models: QuerySet[RegisteredModel], **kwargs: Any) -> None:
        super().__init__(*args, project=project, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["model"].queryset = models
        versions = Version.objects.filter(project=project).select_related("model")
        fields["from_version"].queryset = versions
        newest = list(versions.only("number", "position", "model__name")[:OFFERED_VERSIONS])
        chosen = self.initial.get("from_version")
        if isinstance(chosen, Version) and chosen.pk not in {version.pk for version in newest}:
            newest.append(chosen)
        nothing = ("", fields["from_version"].empty_label)
        fields["from_version"].choices = [nothing, *((version.pk, _name(version)) for version in newest)]

    def clean(self) -> dict[str, Any]:
        """Refuse a version of another model at its field."""
        given = super().clean() or self.cleaned_data
        version, model = given.get("from_version"), given.get("model")
        if version and model and version.model_id != model.pk:
            self.add_error(
                "from_version", f"{version} is a version of {version.model.name}; choose that model, or another start."
            )
        return given


class RestoreForm(forms.Form):
    """The position to go back to."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, first: int, last: int) -> None:
        super().__init__(data)
        self.fields["position"] = forms.IntegerField(
            min_value=first,
            max_value=max(first, last),
            help_text=f"From {first:,} to {last:,}: what this run has learned.",
        )


def _name(version: Version) -> str:
    return f"{version} of {version.model.name}, at position {version.position:,}"


class VersionFilter(forms.Form):
    """What to show in the list of versions."""

    model = forms.ModelChoiceField(RegisteredModel.objects.none(), required=False, empty_label="All models")
    run = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, label="Run number")

    def __init__(self, data: Mapping[str, Any], *, models: QuerySet[RegisteredModel]) -> None:
        super().__init__(data, auto_id="filter_%s")
        fields: dict[str, Any] = self.fields
        fields["model"].queryset = models

    def chosen(self) -> dict[str, Any]:
        """Return the filters that are set and valid."""
        self.full_clean()
        model = self.cleaned_data.get("model")
        return {"model_id": model.pk if model else None, "run_number": self.cleaned_data.get("run")}
