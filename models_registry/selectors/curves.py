"""The curves of several runs on one chart, and the baseline that all of them have to beat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models.fields.json import KeyTransform

from models_registry.learning import measures
from models_registry.learning.measures import Measure, key_of
from models_registry.learning.points import Point, thin_points
from models_registry.models import MetricPoint, Run
from models_registry.selectors.metrics import name_baseline
from ops_portal.charts import Chart, Series, line_chart

#: Points of a curve: more than there are pixels between neighbours when a dozen curves share a chart.
CURVE_POINTS = 200
#: More curves than this cannot be told apart.
MOST_CURVES = 12


def draw_curves(runs: Sequence[Run], names: Mapping[int, str], measure: Measure, *, summary: str) -> Chart:
    """Draw the rolling metric of runs, the first one thickest, and the baseline of the same events. Two queries."""
    rolling = key_of(measures.ROLLING, measure.name)
    curves = _read(runs, rolling)
    series = [_series(names[run.pk], curves[run.pk], run, rolling) for run in runs]
    series += _baselines(runs, measure)
    windows = {run.options.get("window", 500) for run in runs}
    window = f", last {windows.pop():,} events" if len(windows) == 1 else ""
    return line_chart(
        series=[one for one in series if any(value is not None for value in one.y)],
        title=f"{measure.title}, rolling{window}",
        summary=summary,
        x_title="Position in the stream of labelled events",
        y_title=f"{measure.title} ({'higher' if measure.greater_is_better else 'lower'} is better)",
        y_format=",.0%" if measure.style == "percent" else "",
    )


def _baselines(runs: Sequence[Run], measure: Measure) -> list[Series]:
    """Give a baseline of each kind, over all that the runs went through: one ends where another goes on."""
    guess = key_of(measures.BASELINE_ROLLING, measure.name)
    kinds: dict[str, list[Run]] = defaultdict(list)
    known = [run for run in runs if run.summary.get(guess) is not None]
    for run in sorted(known, key=lambda run: (run.start_position, -run.position)):
        stretches = kinds[name_baseline(run, measure)]
        if not stretches or run.position > stretches[-1].position:
            stretches.append(run)
    points = _read([run for stretches in kinds.values() for run in stretches], guess) if kinds else {}
    return [
        _join("Baseline" if len(kinds) == 1 else f"Baseline: {kind}", stretches, points, guess)
        for kind, stretches in kinds.items()
    ]


def _join(name: str, stretches: Sequence[Run], points: Mapping[int, Sequence[Point]], key: str) -> Series:
    x: list[int] = []
    y: list[float | None] = []
    for run in stretches:
        end = x[-1] if x else -1
        if x and run.start_position > end:
            x.append(run.start_position)  # nothing is known of what lies between
            y.append(None)
        for at, value in zip(*_line(points.get(run.pk, []), run, key), strict=True):
            if at > end:
                x.append(at)
                y.append(value)
    return Series(name, x, y)


def _read(runs: Sequence[Run], key: str) -> dict[int, list[Point]]:
    """Return the points of one series of runs, thinned; only that series leaves the database."""
    rows = (
        MetricPoint.objects.filter(run__in=[run.pk for run in runs])
        .order_by("position")
        .values_list("run_id", "first", "position", KeyTransform(key, "values"))
    )
    found: dict[int, list[Point]] = defaultdict(list)
    for run_id, first, position, triple in rows:
        if triple:
            found[run_id].append(Point(first, position, {key: triple}))
    return defaultdict(list, {run_id: thin_points(points, CURVE_POINTS) for run_id, points in found.items()})


def _series(name: str, points: Sequence[Point], run: Run, key: str) -> Series:
    return Series(name, *_line(points, run, key))


def _line(points: Sequence[Point], run: Run, key: str) -> tuple[list[int], list[float | None]]:
    x = [point.position for point in points]
    y = [point.values[key][0] for point in points]
    newest = run.summary.get(key)
    if newest is not None and (not x or x[-1] < run.position):
        # The stored points end with the last full bucket; the newest value closes the curve.
        x.append(run.position)
        y.append(newest)
    # Six digits are more than a screen can tell apart.
    return x, [None if value is None else float(f"{value:.6g}") for value in y]
