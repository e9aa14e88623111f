"""Deployments: what served, from when to when, who let it, why; and the versions there are to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator

from models_registry.models import Deployment, Run, Version
from models_registry.selectors.metrics import MetricRow, read_primary
from models_registry.selectors.people import name_person
from models_registry.selectors.serving import OPEN
from projects.models import Project

PER_PAGE = 20
#: Versions offered in a form; older ones are reached from their own page.
OFFERED = 50

SINCE = {
    Deployment.Since.DROP: "Learning since was dropped: the runs that went on were stopped.",
    Deployment.Since.REPLAY: "Learning since is replayed onto the restored version.",
    Deployment.Since.CHALLENGER: "Learning since was kept as challenger: it predicts in the shadow.",
}


@dataclass(frozen=True)
class DeploymentRow:
    """One change of what serves."""

    number: int
    rollback: bool
    follows: bool
    version: int
    model: str
    position: int
    metric: MetricRow
    previous: int | None
    current: bool
    at: datetime
    until: datetime | None
    by: str
    reason: str
    since: str
    replay: int | None
    replay_state: str

    @property
    def served(self) -> timedelta | None:
        """How long it served; None for what serves still."""
        return self.until - self.at if self.until else None


def list_deployments(project: Project, page: str | None = None) -> Page[DeploymentRow]:
    """Return a page of deployments, newest first: two queries, and a third on later pages."""
    deployments = (
        Deployment.objects.filter(project=project)
        .select_related("version__model", "previous__version", "replay_run", "created_by")
        .defer(
            "version__spec",
            "version__environment",
            "version__model__spec",
            "previous__version__spec",
            "previous__version__metrics",
            "previous__version__environment",
            "replay_run__spec",
            "replay_run__summary",
        )
    )
    found: Page[Any] = Paginator(deployments, PER_PAGE).get_page(page)
    rows = list(found.object_list)
    after = Deployment.objects.filter(project=project, number=rows[0].number + 1).first() if found.number > 1 else None
    untils = [after.created_at if after else None, *(row.created_at for row in rows)]
    found.object_list = [_row(row, project, until) for row, until in zip(rows, untils, strict=False)]
    return found


def _row(row: Deployment, project: Project, until: datetime | None) -> DeploymentRow:
    return DeploymentRow(
        number=row.number,
        rollback=row.kind == Deployment.Kind.ROLLBACK,
        follows=row.mode == Deployment.Mode.FOLLOW,
        version=row.version.number,
        model=row.version.model.name,
        position=row.version.position,
        metric=read_primary(row.version.metrics, project),
        previous=row.previous.version.number if row.previous else None,
        current=until is None,
        at=row.created_at,
        until=until,
        by=name_person(row.created_by),
        reason=row.reason,
        since=_say_since(row),
        replay=row.replay_run.number if row.replay_run else None,
        replay_state=row.replay_run.state if row.replay_run else "",
    )


def _say_since(row: Deployment) -> str:
    if row.since == Deployment.Since.REPLAY and row.replay_run is None:
        return "Nothing had been learned since, so there was nothing to replay."
    return SINCE.get(row.since, "")  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True)
class VersionOption:
    """A version to choose, with what the choice rests on."""

    number: int
    model: str
    position: int
    figure: str
    measure: str
    run_open: bool
    serving: bool
    served_before: bool

    def __str__(self) -> str:
        """Say it in one line of a select box."""
        parts = [f"v{self.number}", self.model, f"position {self.position:,}", f"{self.measure} {self.figure}"]
        marks = ["serving now"] if self.serving else ["served before"] if self.served_before else []
        return " · ".join([*parts, *marks])


def offer_versions(project: Project, *, also: int | None = None, served: bool = False) -> list[VersionOption]:
    """Return the newest versions to choose from, `also` among them; with `served`, those that served come first.

    Two queries, and a third when `also` is an older one.
    """
    chosen = list(_versions(project).order_by("-number")[:OFFERED])
    past = _served(project)
    missing = {number for number in [also, *past[:OFFERED]] if number} - {version.number for version in chosen}
    if missing:
        chosen += _versions(project).filter(number__in=missing).order_by("-number")
    options = [_option(version, project, past) for version in chosen]
    if served:
        places = {number: place for place, number in enumerate(past)}
        options.sort(key=lambda option: places.get(option.number, len(places)))
    return options


def _versions(project: Project) -> Any:
    versions = Version.objects.filter(project=project).select_related("model", "run")
    return versions.defer("spec", "environment", "model__spec", "run__spec", "run__summary", "run__environment")


def _served(project: Project) -> list[int]:
    """The numbers of the versions that served, the newest deployment first, each once."""
    numbers: Iterable[int] = (
        Deployment.objects.filter(project=project).order_by("-number").values_list("version__number", flat=True)
    )
    return list(dict.fromkeys(numbers))


def _option(version: Version, project: Project, past: list[int]) -> VersionOption:
    metric = read_primary(version.metrics, project)
    return VersionOption(
        number=version.number,
        model=version.model.name,
        position=version.position,
        figure=str(metric.overall),
        measure=metric.measure.title,
        run_open=version.run.state in OPEN,
        serving=bool(past) and past[0] == version.number,
        served_before=version.number in past,
    )


@dataclass(frozen=True)
class LearnedSince:
    """What a rollback has to settle: how far the stream and the runs have come since the version restored."""

    version: int
    position: int
    events: int
    runs: tuple[int, ...]


def learned_since(project: Project, target: VersionOption | None, model_id: int) -> LearnedSince | None:
    """Say what was learned after `target`, and which runs of the serving model are at it: one query."""
    if target is None:
        return None
    runs = Run.objects.filter(project=project, model_id=model_id, state__in=OPEN).values_list("number", flat=True)
    events = max(project.last_position - target.position, 0)
    return LearnedSince(target.number, target.position, events, tuple(runs))
