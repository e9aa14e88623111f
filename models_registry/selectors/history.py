"""Deployments: what served, from when to when, who let it, why; and the versions there are to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch

from models_registry.models import Deployment, ProposalStep, Run, Version
from models_registry.selectors.live import LiveFigure, figure_of, live_of_deployments
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
#: What a change is called, and how it looks.
LOOKS = {
    Deployment.Kind.DEPLOY: ("Deployed", "live", "rocket"),
    Deployment.Kind.ROLLBACK: ("Rolled back", "warn", "undo-2"),
    Deployment.Kind.CANARY: ("Canary started", "accent", "bird"),
    Deployment.Kind.WIDEN: ("Canary's share changed", "accent", "bird"),
    Deployment.Kind.PROMOTE: ("Canary promoted", "live", "rocket"),
    Deployment.Kind.ABORT: ("Canary aborted", "warn", "bird"),
    Deployment.Kind.REPLAY: ("Replay deployed", "live", "rotate-ccw"),
}


@dataclass(frozen=True)
class CanaryPart:
    """What a change says about a canary."""

    version: int
    share: int


@dataclass(frozen=True)
class ReplayEnd:
    """What a rollback's replay came to."""

    deployed: bool
    reason: str


@dataclass(frozen=True)
class DeploymentRow:
    """One change of what serves, or of its canary."""

    number: int
    kind: str
    follows: bool
    version: int
    model: str
    position: int
    metric: MetricRow
    live: LiveFigure
    previous: int | None
    canary: CanaryPart | None
    current: bool
    at: datetime
    until: datetime | None
    by: str
    approved_by: str
    proposal: int | None
    reason: str
    since: str
    replay: int | None
    replay_state: str
    replay_end: ReplayEnd | None

    @property
    def look(self) -> tuple[str, str, str]:
        """Its words, tone and icon, for a badge."""
        return LOOKS[Deployment.Kind(self.kind)]

    @property
    def canary_only(self) -> bool:
        """Say whether only the canary changed, and what serves beside it stayed."""
        return self.kind in Deployment.CANARY_ONLY

    @property
    def served(self) -> timedelta | None:
        """How long it served; None for what serves still, and where only the canary changed."""
        return self.until - self.at if self.until and not self.canary_only else None


def list_deployments(project: Project, newest: int, page: str | None = None) -> Page[DeploymentRow]:
    """Return a page of deployments, newest first, of which `newest` (0: none) is the number of the newest one.

    Three queries, and a fourth on later pages.
    """
    deployments = (
        Deployment.objects.filter(project=project)
        .select_related("version__model", "previous__version", "canary", "replay_run", "created_by", "proposal")
        .select_related("verdict", "previous__canary")
        .prefetch_related(_approvals())
        .defer(
            "version__spec",
            "version__environment",
            "version__model__spec",
            "previous__version__spec",
            "previous__version__metrics",
            "previous__version__environment",
            "previous__canary__spec",
            "previous__canary__metrics",
            "canary__spec",
            "canary__metrics",
            "replay_run__spec",
            "replay_run__summary",
        )
    )
    pages = Paginator(deployments, PER_PAGE)
    # None is ever deleted, and they are numbered without gaps.
    pages.count = newest
    found: Page[Any] = pages.get_page(page)
    rows = list(found.object_list)
    live = live_of_deployments(project, [row.pk for row in rows if row.origin_id is None])
    until = _next_change(project, rows[0].number) if found.number > 1 else None
    shown = []
    for row in rows:
        figure = live.get((row.pk, row.version_id)) or figure_of(project, {})
        shown.append(_row(row, project, until, figure))
        # What serves goes on while only its canary changes.
        until = until if row.origin_id else row.created_at
    found.object_list = shown
    return found


def _approvals() -> Prefetch[str]:
    approved = ProposalStep.objects.filter(kind=ProposalStep.Kind.APPROVED).select_related("created_by")
    return Prefetch("proposal__steps", approved, to_attr="approvals")


def _next_change(project: Project, number: int) -> datetime | None:
    """When what serves changed next after deployment `number`."""
    later = Deployment.objects.filter(project=project, number__gt=number, origin=None).order_by("number")
    return later.values_list("created_at", flat=True).first()


def _row(row: Deployment, project: Project, until: datetime | None, live: LiveFigure) -> DeploymentRow:
    approvals = row.proposal.approvals if row.proposal else []  # type: ignore[attr-defined]
    verdict = getattr(row, "verdict", None)
    return DeploymentRow(
        number=row.number,
        kind=row.kind,
        follows=row.mode == Deployment.Mode.FOLLOW,
        version=row.version.number,
        model=row.version.model.name,
        position=row.version.position,
        metric=read_primary(row.version.metrics, project),
        live=live,
        previous=row.previous.version.number if row.previous else None,
        canary=_canary_part(row),
        current=until is None and row.origin_id is None,
        at=row.created_at,
        until=until,
        by=name_person(row.created_by),
        approved_by=name_person(approvals[0].created_by) if approvals else "",
        proposal=row.proposal.number if row.proposal else None,
        reason=row.reason,
        since=_say_since(row),
        replay=row.replay_run.number if row.replay_run else None,
        replay_state=row.replay_run.state if row.replay_run else "",
        replay_end=ReplayEnd(verdict.deployed, verdict.reason) if verdict else None,
    )


def _canary_part(row: Deployment) -> CanaryPart | None:
    """The canary a change is about: the one it starts or widens, or the one it took back."""
    if row.canary:
        return CanaryPart(row.canary.number, row.canary_share)
    if row.kind == Deployment.Kind.ABORT and row.previous and row.previous.canary:
        return CanaryPart(row.previous.canary.number, 0)
    return None


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
