"""Which version served when, over how well its answers did: deployments, rollbacks, canaries and alarms on one axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from models_registry.learning.pairing import COLUMNS
from models_registry.models import Alarm, Deployment, LivePoint
from models_registry.selectors.live import figure_of, measure_of
from ops_portal.charts import Band, Chart, Marker, Series, line_chart
from projects.models import Project

#: The newest changes, live points and alarms that are drawn.
MOST_CHANGES, MOST_POINTS, MOST_ALARMS = 60, 4_000, 30
#: A dot of the curve rests on so many answers at least, and the curve has about so many dots at most.
LEAST_ANSWERS, MOST_DOTS = 30, 240
WORDS = {
    Deployment.Kind.DEPLOY: "v{0} deployed",
    Deployment.Kind.ROLLBACK: "Rolled back to v{0}",
    Deployment.Kind.CANARY: "v{1} starts as canary at {2}%",
    Deployment.Kind.WIDEN: "Canary v{1} at {2}%",
    Deployment.Kind.PROMOTE: "Canary v{0} promoted",
    Deployment.Kind.ABORT: "Canary aborted",
    Deployment.Kind.REPLAY: "Replay v{0} deployed",
}


@dataclass(frozen=True)
class _Stay:
    """One stay of a version: from when to when it served."""

    deployment_id: int
    version_id: int
    version: int
    start: datetime
    end: datetime


def read_timeline(project: Project) -> Chart | None:
    """Draw the live metric of what served, with everything that changed it. Three queries; None before any deployment.

    Times are those of the answers; the labels that scored them came later.
    """
    changes = list(
        Deployment.objects.filter(project=project)
        .select_related("version", "canary")
        .only("number", "kind", "origin", "created_at", "version__number", "canary__number", "canary_share")[
            :MOST_CHANGES
        ]
    )[::-1]
    if not changes:
        return None
    now = timezone.now()
    stays = _stays(changes, now)
    start = changes[0].created_at
    points = list(LivePoint.objects.filter(project=project, last_at__gte=start).order_by("-last_at")[:MOST_POINTS])
    measure = measure_of(project)
    serving = [_curve(project, _of(points, changes, stay, canary=False)) for stay in stays]
    canaries = [_curve(project, _of(points, changes, stay, canary=True)) for stay in stays]
    series = [_join("What serves", serving), _join("Canary's answers", canaries)]
    return line_chart(
        series=[one for one in series if one.x],
        title=f"Live {measure.title} of what served",
        summary=_sentence(project, stays, points),
        x_title="When it was answered",
        y_title=f"{measure.title} ({'higher' if measure.greater_is_better else 'lower'} is better)",
        bands=[Band(f"v{stay.version}", stay.start, stay.end, place % 2 == 0) for place, stay in enumerate(stays)],
        markers=[*(_marker(row) for row in changes), *_alarms(project, start)],
        x_range=(start, now),
        y_format=".1~%" if measure.style == "percent" else "",
    )


def _stays(changes: list[Deployment], now: datetime) -> list[_Stay]:
    settled = [row for row in changes if row.origin_id is None]
    ends = [*(row.created_at for row in settled[1:]), now]
    return [
        _Stay(row.pk, row.version_id, row.version.number, row.created_at, end)
        for row, end in zip(settled, ends, strict=True)
    ]


def _of(points: list[LivePoint], changes: list[Deployment], stay: _Stay, *, canary: bool) -> list[LivePoint]:
    """The points of one stay, oldest first: those of its version, or those of its canaries."""
    rows = {row.pk for row in changes if stay.deployment_id in (row.pk, row.origin_id)}
    mine = [point for point in points if point.deployment_id in rows]
    return [point for point in mine[::-1] if (point.version_id != stay.version_id) == canary]


#: A dot: when, and the value.
_Dot = tuple[datetime, float | None]


def _curve(project: Project, points: list[LivePoint]) -> list[_Dot]:
    """Merge neighbouring points until each dot rests on enough answers."""
    total = sum(point.events for point in points)
    least = max(LEAST_ANSWERS, total / MOST_DOTS)
    dots: list[_Dot] = []
    waiting: list[LivePoint] = []
    for point in points:
        waiting.append(point)
        if sum(one.events for one in waiting) >= least:
            dots.append(_dot(project, waiting))
            waiting = []
    if waiting:  # the newest answers are few, but they are what somebody looks for
        dots.append(_dot(project, waiting))
    return dots


def _dot(project: Project, points: list[LivePoint]) -> _Dot:
    sums = {column: sum(getattr(point, column) for point in points) for column in COLUMNS[project.task]}
    return max(point.last_at for point in points), figure_of(project, sums).figure.value


def _join(name: str, curves: Iterable[list[_Dot]]) -> Series:
    """One series of several curves, with a gap between them."""
    times: list[datetime] = []
    values: list[float | None] = []
    for dots in filter(None, curves):
        if times:
            times.append(dots[0][0])
            values.append(None)
        times += [at for at, _ in dots]
        values += [value for _, value in dots]
    return Series(name, times, values)


def _marker(row: Deployment) -> Marker:
    kind = Deployment.Kind(row.kind)
    words = WORDS[kind].format(row.version.number, row.canary.number if row.canary else "", row.canary_share)
    look = "rollback" if kind == Deployment.Kind.ROLLBACK else "canary" if row.origin_id else "deployment"
    return Marker(row.created_at, look, f"{words} (deployment {row.number})")


def _alarms(project: Project, start: datetime) -> list[Marker]:
    alarms = Alarm.objects.filter(run__project=project, created_at__gte=start).order_by("-created_at")
    rows = alarms.values_list("created_at", "kind", "position", "run__number")[:MOST_ALARMS]
    return [
        Marker(at, "drift" if kind == Alarm.Kind.DRIFT else "alarm", f"Run {run}, position {position:,}")
        for at, kind, position, run in reversed(rows)
    ]


def _sentence(project: Project, stays: list[_Stay], points: list[LivePoint]) -> str:
    now = stays[-1]
    mine = [point for point in points if point.version_id == now.version_id and point.last_at >= now.start]
    sums = {column: sum(getattr(point, column) for point in mine) for column in COLUMNS[project.task]}
    figure = figure_of(project, sums)
    served = f"v{now.version} serves since {now.start:%d %b %Y, %H:%M} UTC"
    if not figure.answers:
        return f"{served}; none of its answers has a label yet."
    return f"{served} and reached {figure} over {figure.answers:,} labelled answers."
