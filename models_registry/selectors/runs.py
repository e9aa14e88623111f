"""Runs as their pages show them: the list, one run, and the part of it that changes while it learns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from models_registry.learning.baselines import TITLES, list_baselines
from models_registry.learning.measures import USUAL_DETECTOR
from models_registry.models import Alarm, Run, SetAsideEvent, Verification, Version
from models_registry.selectors.environments import describe_change
from models_registry.selectors.metrics import MetricRow, note_baseline, read_metrics, read_primary
from models_registry.selectors.people import name_person
from models_registry.selectors.pipelines import Step, describe_value, draw_pipeline, name_steps
from models_registry.selectors.versions import VersionRow, list_version_rows
from projects.models import Event, Project

PER_PAGE = 25
SHOWN_ROWS = 8
SHOWN_SET_ASIDE = 50
SHOWN_ALARMS = 20
#: A run that nobody touched for this long is waiting for a worker.
PATIENCE = timedelta(seconds=15)


@dataclass(frozen=True)
class RunRow:
    """A run in a list, and what its own page says on top."""

    number: int
    model_id: int
    model_name: str
    mode: str
    purpose: str
    state: str
    active: bool
    ended: bool
    position: int
    start_position: int
    target_position: int | None
    stream_end: int
    learned: int
    set_aside: int
    rate: int
    metric: MetricRow
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime | None

    @property
    def goal(self) -> int:
        """Where the run ends, or, for one that follows, where the stream ends now."""
        return self.stream_end if self.target_position is None else self.target_position

    @property
    def total(self) -> int:
        """Events from the start of the run to its goal."""
        return max(0, self.goal - self.start_position)

    @property
    def done(self) -> int:
        """Events of those that the run has gone through."""
        return min(self.position - self.start_position, self.total)

    @property
    def share(self) -> float:
        """How much of its events the run has gone through, from 0 to 1."""
        return self.done / self.total if self.total else float(self.state == Run.State.COMPLETED)

    @property
    def progress(self) -> str:
        """Say how far the run is: `1,250 of 1,250`, `follows, 20 of 25`."""
        return f"{'follows, ' if self.follows else ''}{self.position:,} of {self.goal:,}"

    @property
    def left(self) -> int:
        """Events between the run and its goal."""
        return max(0, self.goal - self.position)

    @property
    def follows(self) -> bool:
        """Say whether the run goes on as labels arrive."""
        return self.mode == Run.Mode.FOLLOW

    @property
    def caught_up(self) -> bool:
        """Say whether a run that follows has learned everything there is."""
        return self.follows and self.active and not self.left and bool(self.started_at)

    @property
    def seconds_left(self) -> float | None:
        """Remaining time at the present speed, for a run at work."""
        return self.left / self.rate if self.active and self.rate and self.left else None

    @property
    def duration(self) -> timedelta | None:
        """Time from the first chunk to the end, or to now."""
        if self.started_at is None:
            return None
        return max(timedelta(), (self.finished_at or timezone.now()) - self.started_at)

    @property
    def forsaken(self) -> bool:
        """Say whether the run has work to do and no worker has touched it for a while."""
        idle = timezone.now() - (self.updated_at or self.created_at)
        return self.active and bool(self.left) and idle > PATIENCE

    @property
    def progress_tone(self) -> str:
        """Colour the bar by how the run ended."""
        return {"completed": "ok", "failed": "bad", "cancelled": "calm"}.get(self.state, "")


@dataclass(frozen=True)
class SetAside:
    """An event that was not learned, with the reason and, where it is still there, its name and features."""

    position: int
    reason: str
    key: str
    features: str


@dataclass(frozen=True)
class AlarmRow:
    """A drift alarm."""

    position: int
    what: str
    detector: str
    at: datetime


@dataclass(frozen=True)
class Verdict:
    """What replaying a version found."""

    identical: bool
    differs_since: int | None
    #: What code and libraries changed since the version was learned.
    change: str


@dataclass(frozen=True)
class RunPage:
    """One run with everything kept about it."""

    row: RunRow
    metrics: tuple[MetricRow, ...]
    error: str
    spec: dict[str, Any]
    words: str
    pipeline: list[Step]
    seed: int
    from_version: int | None
    #: The version that this run verifies, and what it found.
    verifies: int | None
    verdict: Verdict | None
    trigger: str
    window: int
    publish_every: int
    #: What watches the error for drift, with the parameters that were set; empty when nothing does.
    watched_by: str
    baseline: str
    learning_seconds: float
    checkpoint_bytes: int
    environment: dict[str, str]
    tags: tuple[str, ...]
    note: str
    archived: bool
    #: The comparison it belongs to: its number and its name.
    comparison: tuple[int, str] | None
    versions: tuple[VersionRow, ...]
    version_count: int
    alarms: tuple[AlarmRow, ...]
    alarm_count: int
    set_aside: tuple[SetAside, ...]

    @property
    def intent(self) -> str:
        """Say in a few words what the run is for."""
        if self.row.purpose == Run.Purpose.VERIFY:
            return f"Verifies v{self.verifies}: learns it again from the version before it"
        if self.row.purpose == Run.Purpose.RESTORE:
            return f"Restores the model as it was after position {self.row.goal:,}"
        return "Follows the stream" if self.row.follows else "Replays the stream"

    @property
    def baseline_note(self) -> str:
        """Say how the model does against the baseline."""
        return note_baseline(self.metrics)

    @property
    def first(self) -> int:
        """Position of the run's first event."""
        return self.row.start_position + 1

    @property
    def goal_note(self) -> str:
        """Say where the run ends."""
        return f"newest label: {self.row.goal:,}" if self.row.follows else f"ends at {self.row.goal:,}"

    @property
    def window_note(self) -> str:
        """Say over which events rolling figures are taken."""
        return f"last {self.window:,} events"

    @property
    def throughput(self) -> int | None:
        """Events per second over the whole run, counting learning time only."""
        return round(self.row.learned / self.learning_seconds) if self.learning_seconds else None

    @property
    def mark(self) -> str:
        """Name what the page shows besides figures that change all the time: when it changes, all of it is sent."""
        return f"{self.row.state}-{self.version_count}-{self.alarm_count}-{self.row.set_aside}"


def list_run_rows(project: Project, runs: QuerySet[Run]) -> tuple[RunRow, ...]:
    """Return runs as rows, in the order they come. One query."""
    chosen = runs.select_related("model", "created_by").defer("spec", "environment", "model__spec")
    return tuple(row_of(run, project) for run in chosen)


def find_run(project: Project, number: int) -> Run:
    """Return a run of the project by its number, or raise `Http404`. One query."""
    found = (
        Run.objects.filter(project=project, number=number)
        .select_related(
            "model", "created_by", "from_version", "project__team", "verifies", "verification", "comparison"
        )
        .first()
    )
    if found is None:
        raise Http404
    return found


def open_run(project: Project, run: Run) -> RunPage:
    """Return everything about one run. Seven queries, an eighth when events were set aside."""
    versions = Version.objects.filter(run=run)
    alarms = Alarm.objects.filter(run=run)
    return RunPage(
        row=row_of(run, project),
        metrics=read_metrics(run.summary, project),
        error=run.error,
        spec=run.spec,
        words=name_steps(run.spec),
        pipeline=draw_pipeline(run.spec),
        seed=run.seed,
        from_version=run.from_version.number if run.from_version else None,
        verifies=run.verifies.number if run.verifies else None,
        verdict=_verdict(run),
        trigger=run.trigger,
        window=int(run.options.get("window") or 0),
        publish_every=int(run.options.get("publish_every") or 0),
        watched_by=name_watcher(run.options.get("drift")),
        baseline=TITLES.get(run.options.get("baseline") or list_baselines(project.task)[0], ""),
        learning_seconds=run.learning_seconds,
        checkpoint_bytes=run.checkpoint_bytes,
        environment=run.environment,
        tags=tuple(run.tags.values_list("name", flat=True)),
        note=run.note,
        archived=run.archived_at is not None,
        comparison=(run.comparison.number, run.comparison.name) if run.comparison else None,
        versions=list_version_rows(project, versions[:SHOWN_ROWS]),
        version_count=versions.count(),
        alarms=tuple(
            AlarmRow(
                alarm.position,
                alarm.detail.get("what", ""),
                alarm.detail.get("detector", ""),
                alarm.created_at,
            )
            for alarm in alarms[:SHOWN_ALARMS]
        ),
        alarm_count=alarms.count(),
        set_aside=_set_aside(run) if run.set_aside_count else (),
    )


def name_watcher(drift: bool | dict[str, Any] | None) -> str:
    """Say what watches a run's error, with the parameters that were set; empty when nothing does."""
    if not drift:
        return ""
    spec = USUAL_DETECTOR if drift is True else drift
    settings = ", ".join(f"{name} = {describe_value(value)}" for name, value in spec.get("params", {}).items())
    return f"{name_steps(spec)} ({settings})" if settings else name_steps(spec)


def row_of(run: Run, project: Project) -> RunRow:
    """Return a run, with its model and its starter fetched, as a row."""
    return RunRow(
        number=run.number,
        model_id=run.model_id,
        model_name=run.model.name,
        mode=run.mode,
        purpose=run.purpose,
        state=run.state,
        active=run.active,
        ended=run.ended,
        position=run.position,
        start_position=run.start_position,
        target_position=run.target_position,
        stream_end=max(project.last_position, run.position),
        learned=run.learned,
        set_aside=run.set_aside_count,
        rate=round(run.events_per_second),
        metric=read_primary(run.summary, project),
        created_by=name_person(run.created_by),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        updated_at=run.updated_at,
    )


def _verdict(run: Run) -> Verdict | None:
    found: Verification | None = getattr(run, "verification", None)
    if found is None or run.verifies is None:
        return None
    change = describe_change(run.verifies.environment, run.environment)
    return Verdict(found.identical, found.differs_since, change)


def _set_aside(run: Run) -> tuple[SetAside, ...]:
    """Return the first events set aside, each with its features as they were received."""
    rows = list(SetAsideEvent.objects.filter(run=run)[:SHOWN_SET_ASIDE])
    events = {
        event.position: event
        for event in Event.objects.filter(project_id=run.project_id, position__in=[row.position for row in rows])
    }
    return tuple(
        SetAside(row.position, row.reason, event.key if event else "", _shorten(event.features) if event else "")
        for row in rows
        for event in [events.get(row.position)]
    )


def _shorten(features: str, most: int = 200) -> str:
    try:
        text = json.dumps(json.loads(features), ensure_ascii=False)
    except ValueError:
        text = features
    return text if len(text) <= most else f"{text[:most]}…"
