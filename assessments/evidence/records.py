"""One reading of a project's records, in a fixed number of queries; the checks only look at what was read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from assessments.models import AssumptionSet
from assessments.scoring.settings import Settings
from models_registry.models import Alarm, Deployment, Prediction, Run, Version
from projects.models import Activity, DataImport, Event, LabelCorrection, Membership, Project, Role

#: The newest rows looked at: enough to judge a habit, few enough for a page.
VERSIONS = RUNS = DEPLOYMENTS = 200
SAMPLE = 300
#: Verbs of the activity log that talk about the project without changing it.
TALK = ("assessment.", "scope.")
#: Verbs of what people do on the way to a deployment, and how many of the newest are looked at.
BY_HAND = Q(verb__startswith="run.") | Q(verb__startswith="version.") | Q(verb__startswith="canary.")
BY_HAND |= Q(verb__in=("deployed", "rolled_back", "model.registered"))
ACTIONS = 2000


@dataclass(frozen=True)
class VersionRow:
    """A published version, as far as the checks need it."""

    number: int
    run_id: int
    parent_id: int | None
    position: int
    reason: str
    artifact: str
    artifact_bytes: int
    digest: str
    spec: Any
    environment: dict[str, Any]
    run__from_version_id: int | None


@dataclass(frozen=True)
class RunRow:
    """A run, as far as the checks need it."""

    pk: int
    number: int
    state: str
    mode: str
    model_id: int
    from_version_id: int | None
    spec: Any
    seed: int | None
    options: dict[str, Any]
    trigger: str
    start_position: int
    position: int
    learned: int
    set_aside_count: int
    summary: dict[str, Any]
    digest: str
    environment: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class DeploymentRow:
    """A deployment or rollback, as far as the checks need it."""

    number: int
    kind: str
    mode: str
    since: str
    reason: str
    created_by_id: int | None
    created_at: datetime
    version__number: int
    version__run_id: int
    version__run__created_at: datetime
    version__model_id: int
    version__metrics: Any
    previous__created_at: datetime | None


@dataclass(frozen=True)
class PredictionRow:
    """A stored prediction with the label that came for it, if one did."""

    #: None: no model answered, but the project's fallback.
    version_id: int | None
    at: datetime
    event__key: str
    event__labelled_at: datetime | None


@dataclass(frozen=True)
class EventRow:
    """When one labelled event happened, came in and got its label."""

    event_at: datetime | None
    received_at: datetime
    labelled_at: datetime | None


@dataclass(frozen=True)
class Records:
    """Everything the checks look at, read at `read_at`. Lists are newest first."""

    project: Project
    read_at: datetime
    #: The assumptions that hold in the project.
    assumptions: Settings
    versions: tuple[VersionRow, ...]
    runs: tuple[RunRow, ...]
    deployments: tuple[DeploymentRow, ...]
    predictions: tuple[PredictionRow, ...]
    events: tuple[EventRow, ...]
    first_position: int | None
    last_position: int
    alarms: int
    live_alarms_lately: int
    corrections: int
    rejected_rows: int
    verbs: Mapping[str, int]
    people_lately: int
    #: When people acted on runs, versions and deployments lately.
    actions: tuple[datetime, ...]
    roles: Mapping[str, int]
    models_serving_in_team: int
    artifact_limit: int
    versions_kept: int

    @property
    def days(self) -> int:
        """How many days back counts as lately."""
        return self.assumptions.telemetry_window_days

    @property
    def since(self) -> datetime:
        """The beginning of what counts as lately."""
        return self.read_at - timedelta(days=self.days)

    @property
    def rollbacks(self) -> tuple[DeploymentRow, ...]:
        """The deployments that were rollbacks."""
        return tuple(row for row in self.deployments if row.kind == Deployment.Kind.ROLLBACK)

    @property
    def learning_runs(self) -> tuple[RunRow, ...]:
        """The runs that have learned something."""
        return tuple(run for run in self.runs if run.position > run.start_position)


def gather(project: Project, *, now: datetime | None = None) -> Records:
    """Read a project's records: 8 queries, however much there is."""
    now = now or timezone.now()
    found = _facts(project)
    since = now - timedelta(days=found["assumptions"].telemetry_window_days)
    activity = Activity.objects.filter(project=project, at__gte=since)
    runs, live_alarms = _runs(project, since)
    return Records(
        project=project,
        read_at=now,
        versions=_rows(VersionRow, Version.objects.filter(project=project).order_by("-number"), VERSIONS),
        runs=runs,
        live_alarms_lately=live_alarms,
        deployments=_rows(DeploymentRow, Deployment.objects.filter(project=project).order_by("-number"), DEPLOYMENTS),
        predictions=_rows(PredictionRow, Prediction.objects.filter(project=project).order_by("-pk"), SAMPLE),
        events=_rows(EventRow, _labelled(project).order_by("-position"), SAMPLE),
        last_position=project.last_position,
        **found,
        **_activity(activity),
        actions=_actions(activity),
        artifact_limit=int(settings.ARTIFACT_MAX_BYTES),
        versions_kept=int(settings.VERSIONS_KEPT_PER_RUN),
    )


def _runs(project: Project, since: datetime) -> tuple[tuple[RunRow, ...], int]:
    """The newest runs, and how many alarms all that follow the live stream raised lately: one query."""
    alarms = Alarm.objects.filter(run__project=project, run__mode=Run.Mode.FOLLOW, created_at__gte=since)
    runs = Run.objects.filter(project=project).annotate(live_alarms=_one(alarms, "run__project", Count("pk")))
    rows = list(runs.order_by("-number").values(*RunRow.__dataclass_fields__, "live_alarms")[:RUNS])
    counts = [row.pop("live_alarms") for row in rows]  # in each row the same
    return tuple(RunRow(**row) for row in rows), (counts[0] or 0) if counts else 0


def _facts(project: Project) -> dict[str, Any]:
    """What is one fact or one number each: one query."""
    newest = AssumptionSet.objects.filter(project=project).order_by("-number")
    members = Membership.objects.filter(team=project.team_id)
    deployed = Exists(Deployment.objects.filter(project=OuterRef("pk")))
    # One model serves per project.
    serving = Project.objects.filter(deployed, team=project.team_id, archived_at=None)
    numbers = {
        "alarms": _one(Alarm.objects.filter(run__project=project), "run__project", Count("pk")),
        "corrections": _one(LabelCorrection.objects.filter(event__project=project), "event__project", Count("pk")),
        "rejected_rows": _one(DataImport.objects.filter(project=project), "project", Sum("rejected")),
        "models_serving_in_team": _one(serving, "team", Count("pk")),
    }
    roles = {role: _one(members.filter(role=role), "team", Count("pk")) for role in Role.values}
    row = (
        Project.objects.filter(pk=project.pk)
        .annotate(
            assumptions=Subquery(newest.values("settings")[:1]),
            first=Subquery(_labelled(project).order_by("position").values("position")[:1]),
            **{f"n_{name}": one for name, one in (numbers | roles).items()},
        )
        .values("assumptions", "first", *(f"n_{name}" for name in (*numbers, *roles)))
        .get()
    )
    return {
        "assumptions": Settings.from_json(row["assumptions"]) if row["assumptions"] else Settings(),
        "first_position": row["first"],
        "roles": {role: row[f"n_{role}"] for role in roles if row[f"n_{role}"]},
        **{name: row[f"n_{name}"] or 0 for name in numbers},
    }


def _one(rows: Any, by: str, number: Any) -> Any:
    """One number about rows that all have the same value of `by`, as a subquery."""
    return Subquery(rows.order_by().values(by).annotate(found=number).values("found"))


def _labelled(project: Project) -> Any:
    return Event.objects.filter(project=project, position__isnull=False)


def _rows(kind: type[Any], rows: Any, limit: int) -> tuple[Any, ...]:
    return tuple(kind(**row) for row in rows.values(*kind.__dataclass_fields__)[:limit])


def _activity(activity: Any) -> dict[str, Any]:
    """How often each verb occurs, and how many people changed something."""
    verbs: dict[str, int] = {}
    people = set()
    for verb, actor, count in activity.order_by().values_list("verb", "actor_id").annotate(n=Count("pk")):
        verbs[verb] = verbs.get(verb, 0) + count
        if not verb.startswith(TALK):
            people.add(actor)
    return {"verbs": verbs, "people_lately": len(people - {None})}


def _actions(activity: Any) -> tuple[datetime, ...]:
    rows = activity.filter(BY_HAND, actor__isnull=False).order_by("-pk").values_list("at", flat=True)
    return tuple(rows[:ACTIONS])


def may_deploy(roles: Mapping[str, int]) -> int:
    """How many members hold a role that may deploy."""
    return roles.get(Role.OWNER, 0) + roles.get(Role.MAINTAINER, 0)


__all__ = ["Records", "gather", "may_deploy"]
