"""What serves in a project: which state of which model, how well it does, since when, who let it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from models_registry.models import Deployment, Prediction, Run
from models_registry.selectors.metrics import Figure, MetricRow, read_primary
from models_registry.selectors.people import name_person
from projects.models import Project, Task

#: Answers looked at to say how a deployment does on what it was really asked.
ANSWERS = 500
#: Columns that no page of this module reads: specs and environments can be long.
HEAVY = (
    "version__spec",
    "version__environment",
    "version__model__spec",
    "version__run__spec",
    "version__run__options",
    "canary__spec",
    "canary__metrics",
    "canary__environment",
    "canary__model__spec",
)


def lately(metric: MetricRow) -> tuple[Figure, Figure]:
    """Return the rolling value and its baseline, or the overall ones where there is no rolling value yet."""
    if metric.rolling.value is None:
        return metric.overall, metric.baseline
    return metric.rolling, metric.baseline_rolling


def is_useless(metric: MetricRow) -> bool:
    """Say whether guessing would have done as well lately."""
    (ours, guess) = lately(metric)
    return None not in (ours.value, guess.value) and not _better(metric, ours, guess)


def beats(metric: MetricRow, other: MetricRow) -> bool:
    """Say whether `metric` is the better one both lately and over everything."""
    pairs = [(metric.rolling, other.rolling), (metric.overall, other.overall)]
    known = [(ours, theirs) for ours, theirs in pairs if None not in (ours.value, theirs.value)]
    return bool(known) and all(_better(metric, ours, theirs) for ours, theirs in known)


def _better(metric: MetricRow, ours: Figure, theirs: Figure) -> bool:
    return metric.measure.is_better(ours.value or 0.0, theirs.value or 0.0)


@dataclass(frozen=True)
class Canary:
    """A version that answers a share of the traffic, and since when it is at this share."""

    version: int
    version_id: int
    model: str
    share: int
    at: datetime


@dataclass(frozen=True)
class ServingNow:
    """What answers at this moment. `position` is how far into the stream the state that answers has learned."""

    pk: int
    number: int
    kind: str
    follows: bool
    version: int
    model: str
    model_id: int
    run: int
    run_id: int
    run_state: str
    version_position: int
    position: int
    since: datetime
    by: str
    reason: str
    metric: MetricRow
    #: The deployment that put this version there; later ones may have changed its canary.
    origin_pk: int
    origin: int
    version_id: int
    canary: Canary | None

    @property
    def rolled_back(self) -> bool:
        """Say whether a rollback brought it here."""
        return self.kind == Deployment.Kind.ROLLBACK

    @property
    def state(self) -> str:
        """The name of its look, for a badge."""
        return "follows" if self.follows else "pinned"


def newest_deployments(project_ids: Iterable[int]) -> QuerySet[Deployment]:
    """The newest deployment of each project with its version, model, run and author: one query."""
    newest = Deployment.objects.filter(project_id=OuterRef("pk")).order_by("-number").values("pk")[:1]
    current = Project.objects.filter(pk__in=project_ids).values(newest=Subquery(newest))
    return (
        Deployment.objects.filter(pk__in=current)
        .select_related(
            "version__model", "version__run", "canary__model", "created_by", "origin__created_by", "project"
        )
        .defer(*HEAVY, "version__run__environment")
    )


def describe(deployment: Deployment) -> ServingNow:
    """Say what a deployment lets serve; a follower is as good as its run is now."""
    version, run = deployment.version, deployment.version.run
    origin, canary = deployment.origin or deployment, deployment.canary
    follows = deployment.mode == Deployment.Mode.FOLLOW and bool(run.checkpoint)
    return ServingNow(
        pk=deployment.pk,
        number=deployment.number,
        kind=origin.kind,
        follows=deployment.mode == Deployment.Mode.FOLLOW,
        version=version.number,
        model=version.model.name,
        model_id=version.model_id,
        run=run.number,
        run_id=run.pk,
        run_state=run.state,
        version_position=version.position,
        position=run.position if follows else version.position,
        since=origin.created_at,
        by=name_person(origin.created_by),
        reason=origin.reason,
        metric=read_primary(run.summary if follows else version.metrics, deployment.project),
        origin_pk=origin.pk,
        origin=origin.number,
        version_id=version.pk,
        canary=Canary(canary.number, canary.pk, canary.model.name, deployment.canary_share, deployment.created_at)
        if canary
        else None,
    )


def serving_now(project: Project) -> ServingNow | None:
    """Return what serves in a project, or None: one query."""
    deployment = newest_deployments([project.pk]).first()
    return describe(deployment) if deployment else None


@dataclass(frozen=True)
class Answers:
    """How a deployment did on what it was really asked lately, as far as the labels have come."""

    asked: int
    labelled: int
    right: int
    mean_error: float | None
    last_at: datetime | None

    @property
    def capped(self) -> bool:
        """Say whether there are more answers than were looked at."""
        return self.asked >= ANSWERS

    @property
    def share_right(self) -> float | None:
        """The share of labelled answers that were right, where right and wrong exist."""
        return None if self.mean_error is not None or not self.labelled else self.right / self.labelled


def read_answers(deployment_id: int, task: str) -> Answers:
    """Score the newest answers of a deployment against the labels that came since: one query."""
    rows = (
        Prediction.objects.filter(deployment_id=deployment_id, fallback="")
        .order_by("-pk")
        .values_list("output", "event__label", "at")[:ANSWERS]
    )
    found = list(rows)
    pairs = [(json.loads(output)["prediction"], json.loads(label)) for output, label, _ in found if label is not None]
    errors = [abs(given - true) for given, true in pairs if task == Task.REGRESSION and given is not None]
    return Answers(
        asked=len(found),
        labelled=len(pairs),
        right=sum(given == true for given, true in pairs),
        mean_error=sum(errors) / len(errors) if errors else None,
        last_at=found[0][2] if found else None,
    )


@dataclass(frozen=True)
class Job:
    """A run that is not over, as lists show it."""

    number: int
    model: str
    state: str
    follows: bool
    position: int
    done: int
    total: int
    learned: int
    rate: float
    from_version: int | None

    @property
    def caught_up(self) -> bool:
        """Say whether it has learned everything there is and waits for labels."""
        return self.follows and self.done >= self.total

    @property
    def busy(self) -> bool:
        """Say whether it is moving right now."""
        return self.state in Run.ACTIVE and not self.caught_up

    @property
    def share(self) -> float:
        """How much of what there is to learn is learned, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at the pace it has."""
        if self.state != Run.State.RUNNING or self.rate <= 0 or self.caught_up:
            return None
        return (self.total - self.done) / self.rate


def describe_job(run: Run, last_position: int) -> Job:
    """Say how far a run is in a stream that ends at `last_position`; needs its model and origin loaded."""
    end = last_position if run.target_position is None else run.target_position
    return Job(
        number=run.number,
        model=run.model.name,
        state=run.state,
        follows=run.mode == Run.Mode.FOLLOW,
        position=run.position,
        done=run.position - run.start_position,
        total=max(end - run.start_position, 0),
        learned=run.learned,
        rate=run.events_per_second,
        from_version=run.from_version.number if run.from_version else None,
    )


#: States in which a run is not over.
OPEN = (*Run.ACTIVE, Run.State.PAUSED)


def list_jobs(project: Project) -> list[Job]:
    """Return the runs of a project that are not over, newest first: one query."""
    runs = (
        Run.objects.filter(project=project, state__in=OPEN)
        .select_related("model", "from_version")
        .defer("spec", "summary", "environment", "model__spec", "from_version__spec", "from_version__metrics")
    )
    return [describe_job(run, project.last_position) for run in runs]
