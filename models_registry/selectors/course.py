"""How well a project did along its stream: one chart over everything that led to what serves now."""

from __future__ import annotations

from dataclasses import dataclass

from models_registry.learning.measures import BASELINE_ROLLING, OVERALL, ROLLING, Measure, find_measure, key_of
from models_registry.learning.points import Point, thin_points
from models_registry.models import Alarm, Deployment, MetricPoint, Run, Version
from models_registry.selectors.metrics import primary_name
from ops_portal.charts import Chart, Marker, Series, line_chart
from projects.models import Project

#: Points of a curve: more than a card on a page has pixels for.
MOST_POINTS = 250
#: Runs that one went on from are followed this far back.
MOST_ANCESTORS = 4
MOST_MARKERS = 30


@dataclass(frozen=True)
class _Stretch:
    """The part of a run that belongs to a line of descent."""

    run: Run
    upto: int | None


def read_course(project: Project) -> Chart | None:
    """Draw the primary metric of the serving line, or of the newest run where nothing serves, and of a newer rival.

    None while nothing has learned. Seven queries, and two for each run that the line went on from.
    """
    newest = Run.objects.filter(project=project).exclude(checkpoint="").defer("spec", "environment").first()
    deployments = list(
        Deployment.objects.filter(project=project)
        .select_related("version__run__from_version")
        .only("number", "kind", "version__number", "version__position", "version__run")[:MOST_MARKERS]
    )
    run = deployments[0].version.run if deployments else newest
    if run is None or newest is None:
        return None
    metric = primary_name(run.summary, project)
    line = _line_of(run)
    points = thin_points([point for part in line for point in _read(part, metric)], MOST_POINTS)
    rival = newest if newest.number > run.number and newest.model_id else None
    theirs = thin_points(_read(_Stretch(rival, None), metric), MOST_POINTS) if rival else []
    return _draw(run, rival, find_measure(metric), points, theirs, _markers(line, deployments))


def _line_of(run: Run) -> list[_Stretch]:
    """Return the run and the ones it went on from, the oldest first, each up to where the next one started."""
    line = [_Stretch(run, None)]
    while line[0].run.from_version_id and len(line) <= MOST_ANCESTORS:
        origin = Version.objects.select_related("run").only("position", "run").get(pk=line[0].run.from_version_id)
        line.insert(0, _Stretch(origin.run, origin.position))
    return line


def _read(part: _Stretch, metric: str) -> list[Point]:
    rows = MetricPoint.objects.filter(run=part.run).order_by("position")
    if part.upto is not None:
        rows = rows.filter(position__lte=part.upto)
    keys = [key_of(view, metric) for view in (ROLLING, OVERALL, BASELINE_ROLLING)]
    points = [
        Point(first, position, {key: values[key] for key in keys if key in values})
        for first, position, values in rows.values_list("first", "position", "values")
    ]
    run = part.run
    if part.upto is None and run.summary and (not points or points[-1].position < run.position):
        # The stored points end with the last full bucket; the newest values close the curve.
        first = (points[-1].position if points else run.start_position) + 1
        points.append(Point(first, run.position, {key: [run.summary.get(key)] * 3 for key in keys}))
    return points


def _markers(line: list[_Stretch], deployments: list[Deployment]) -> list[Marker]:
    """Mark what happened on the line: versions, drift, and where in the stream each deployed state stood."""
    runs = [part.run.pk for part in line]
    versions = Version.objects.filter(run__in=runs).order_by("-position").values_list("number", "position")
    alarms = Alarm.objects.filter(run__in=runs).order_by("-position").values_list("position", flat=True)
    markers = [Marker(position, "version", f"v{number}") for number, position in versions[:MOST_MARKERS]]
    markers += [Marker(position, "drift", f"Drift at {position:,}") for position in alarms[:MOST_MARKERS]]
    for row in deployments:
        if row.version.run_id not in runs:
            continue
        kind = "rollback" if row.kind == Deployment.Kind.ROLLBACK else "deployment"
        words = "back to" if kind == "rollback" else "serves"
        markers.append(Marker(row.version.position, kind, f"Deployment {row.number}: {words} v{row.version.number}"))
    return sorted(markers, key=lambda marker: int(marker.x))  # type: ignore[arg-type]


def _draw(
    run: Run, rival: Run | None, measure: Measure, points: list[Point], theirs: list[Point], markers: list[Marker]
) -> Chart:
    window = f"{run.options.get('window', 500):,}"
    series = [
        _series(points, key_of(ROLLING, measure.name), f"Rolling, last {window}"),
        _series(points, key_of(OVERALL, measure.name), "Overall"),
        _series(points, key_of(BASELINE_ROLLING, measure.name), "Baseline, rolling"),
    ]
    if rival:
        series.append(_series(theirs, key_of(ROLLING, measure.name), f"Run {rival.number}, rolling"))
    return line_chart(
        series=[one for one in series if any(value is not None for value in one.y)],
        title=f"{measure.title} along the stream",
        summary=_sentence(run, measure),
        x_title="Position in the stream of labelled events",
        y_title=f"{measure.title} ({'higher' if measure.greater_is_better else 'lower'} is better)",
        markers=markers if points else (),
        y_format=",.0%" if measure.style == "percent" else "",
    )


def _series(points: list[Point], key: str, name: str) -> Series:
    values = ((point.values.get(key) or [None])[0] for point in points)
    # Six digits are more than a screen can tell apart, and half the bytes of a page that refreshes itself.
    shown = [None if value is None else float(f"{value:.6g}") for value in values]
    return Series(name, [point.position for point in points], shown)


def _sentence(run: Run, measure: Measure) -> str:
    rolling, overall, guess = (
        run.summary.get(key_of(view, measure.name)) for view in (ROLLING, OVERALL, BASELINE_ROLLING)
    )
    if rolling is None and overall is None:
        return f"Run {run.number} has not been scored yet."
    said = f"Run {run.number} reached {measure.format(rolling)} lately and {measure.format(overall)} overall"
    return f"{said}; guessing would have reached {measure.format(guess)} lately." if guess is not None else f"{said}."
