"""The page of one project: what serves, what is at work, what happened, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Count, Exists, OuterRef

from models_registry.models import RegisteredModel, Run, Version
from models_registry.selectors.dashboard import CANDIDATES, drifts_since, failed_runs
from models_registry.selectors.last_good import LastGood, find_last_good
from models_registry.selectors.metrics import MetricRow, read_primary
from models_registry.selectors.needs import Facts, Need, list_needs
from models_registry.selectors.people import name_person
from models_registry.selectors.serving import (
    Answers,
    Job,
    ServingNow,
    describe,
    list_jobs,
    newest_deployments,
    read_answers,
)
from projects.access import Access
from projects.models import Activity, Event, LabelCorrection, Project

RECENT_ACTIVITY = 5
SHOWN_FEATURES = 12

#: How the verbs of the activity log look; the longest matching beginning counts.
LOOKS = {
    "deployed": ("rocket", "live"),
    "rolled_back": ("undo-2", "warn"),
    "deployment.": ("users", "accent"),
    "canary.": ("bird", "accent"),
    "shadow.": ("swords", "accent"),
    "replay.": ("rotate-ccw", ""),
    "run.started": ("play", "accent"),
    "run.completed": ("check", "ok"),
    "run.failed": ("x", "bad"),
    "run.paused": ("pause", ""),
    "run.resumed": ("play", "accent"),
    "run.cancelled": ("ban", ""),
    "version.": ("git-commit-horizontal", ""),
    "model.": ("box", ""),
    "assessment.": ("clipboard-check", ""),
    "scope.": ("clipboard-check", ""),
    "import.": ("database", ""),
    "data.": ("database", ""),
    "token.": ("key-round", ""),
    "member": ("users", ""),
}


@dataclass(frozen=True)
class Step:
    """One step from an empty project to a running one, ticked by what the records say."""

    title: str
    text: str
    route: str
    done: bool


@dataclass(frozen=True)
class VersionLine:
    """A version in a short list."""

    number: int
    model: str
    position: int
    reason: str
    metric: MetricRow
    at: datetime
    by: str
    serving: bool


@dataclass(frozen=True)
class Happening:
    """One row of the activity log with its look."""

    summary: str
    by: str
    at: datetime
    icon: str
    tone: str

    @property
    def title(self) -> str:
        """The sentence with its first letter as at the beginning of one."""
        return self.summary[:1].upper() + self.summary[1:]


@dataclass(frozen=True)
class DataSummary:
    """What the stream holds."""

    events: int
    labelled: int
    corrections: int
    last_at: datetime | None
    features: tuple[str, ...]
    more_features: int
    classes: tuple[str, ...]

    @property
    def waiting(self) -> int:
        """How many events have no label yet."""
        return self.events - self.labelled


@dataclass(frozen=True)
class Overview:
    """Everything on the page of a project except its chart."""

    serving: ServingNow | None
    last_good: LastGood | None
    answers: Answers | None
    jobs: tuple[Job, ...]
    needs: tuple[Need, ...]
    versions: tuple[VersionLine, ...]
    activity: tuple[Happening, ...]
    data: DataSummary
    metric_title: str
    startable: bool
    learned: bool
    steps: tuple[Step, ...]

    @property
    def fresh(self) -> bool:
        """Say whether there is no version yet, so nothing that could be deployed."""
        return not self.versions

    @property
    def finished(self) -> bool:
        """Say whether every first step is done."""
        return all(step.done for step in self.steps)

    @property
    def steps_done(self) -> int:
        """How many of them are done."""
        return sum(step.done for step in self.steps)

    @property
    def next_step(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def refresh_seconds(self) -> int:
        """How soon to look again: at once while a run moves, calmly while one only follows, else never."""
        return 3 if any(job.busy for job in self.jobs) else 15 if any(job.caught_up for job in self.jobs) else 0


def read_overview(project: Project, access: Access) -> Overview:
    """Return what the page of a project shows: thirteen queries at most."""
    deployment = newest_deployments([project.pk]).first()
    serving = describe(deployment) if deployment else None
    facts = _facts(project)
    versions = list(
        Version.objects.filter(project=project)
        .select_related("model", "created_by")
        .defer("spec", "environment", "model__spec")[:CANDIDATES]
    )
    needs = Facts(
        project=project,
        serving=serving,
        labelled=project.last_position,
        has_models=facts.has_models,
        has_runs=facts.has_runs,
        failed=tuple(failed_runs([project.pk])[project.pk]),
        drifts=drifts_since([deployment] if deployment else []).get(project.pk, (0, None)),
        versions=tuple(versions),
        may_deploy=access.can_deploy,
    )
    return Overview(
        serving=serving,
        last_good=find_last_good(project) if serving else None,
        answers=read_answers(serving.pk, project.task) if serving else None,
        jobs=tuple(list_jobs(project)),
        # The steps card says what comes next; here only what is wrong or could be better.
        needs=tuple(need for need in list_needs(needs) if serving or need.tone != "accent"),
        versions=tuple(_version_line(version, project, serving) for version in versions),
        activity=tuple(_happening(row) for row in Activity.objects.filter(project=project)[:RECENT_ACTIVITY]),
        data=_summarise(project, facts),
        startable=facts.has_models,
        learned=facts.has_runs,
        metric_title=read_primary({}, project).measure.title,
        steps=_steps(project, facts, serving),
    )


def _facts(project: Project) -> Any:
    """Facts about a project that are one value each: one query."""
    newest = Event.objects.filter(project=OuterRef("pk")).order_by("-id")
    assessed = Activity.objects.filter(project=OuterRef("pk"), verb__startswith="assessment.")
    corrections = LabelCorrection.objects.filter(event__project=OuterRef("pk")).order_by().values("event__project")
    return (
        Project.objects.filter(pk=project.pk)
        .annotate(
            has_models=Exists(RegisteredModel.objects.filter(project=OuterRef("pk"), archived_at=None)),
            has_runs=Exists(Run.objects.filter(project=OuterRef("pk"))),
            has_answers=Exists(assessed),
            last_event_at=newest.values("received_at")[:1],
            last_features=newest.values("features")[:1],
            corrections=corrections.annotate(number=Count("pk")).values("number"),
        )
        .get()
    )


def _summarise(project: Project, facts: Any) -> DataSummary:
    names = list(msgspec.json.decode(facts.last_features)) if facts.last_features else []
    return DataSummary(
        events=facts.event_count,
        labelled=facts.last_position,
        corrections=facts.corrections or 0,
        last_at=facts.last_event_at,
        features=tuple(names[:SHOWN_FEATURES]),
        more_features=max(len(names) - SHOWN_FEATURES, 0),
        classes=tuple(msgspec.json.encode(label).decode().strip('"') for label in facts.label_classes[:SHOWN_FEATURES]),
    )


def _steps(project: Project, facts: Any, serving: ServingNow | None) -> tuple[Step, ...]:
    return (
        Step(
            "Bring data",
            "Upload a file, pick a bundled data set, or send events.",
            "projects:data",
            facts.last_position > 0,
        ),
        Step(
            "Describe a model",
            "Start from a template or write a spec.",
            "models_registry:model_create",
            facts.has_models,
        ),
        Step(
            "Start a run",
            "It learns event by event and is scored as it goes.",
            "models_registry:run_create",
            facts.has_runs,
        ),
        Step("Deploy a version", "From then on it answers predictions.", "models_registry:deploy", serving is not None),
        Step(
            "Fill in the checklist",
            "See which practices are worth adopting here.",
            "assessments:overview",
            facts.has_answers,
        ),
    )


def _version_line(version: Version, project: Project, serving: ServingNow | None) -> VersionLine:
    return VersionLine(
        number=version.number,
        model=version.model.name,
        position=version.position,
        reason=version.get_reason_display(),
        metric=read_primary(version.metrics, project),
        at=version.created_at,
        by=name_person(version.created_by),
        serving=serving is not None and serving.version == version.number,
    )


def _happening(row: Activity) -> Happening:
    look = next((look for beginning, look in LOOKS.items() if row.verb.startswith(beginning)), ("circle-dot", ""))
    return Happening(row.summary, row.actor_name, row.at, *look)
