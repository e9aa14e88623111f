"""The curves of several runs on one chart, and the baseline that all of them have to beat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models.fields.json import KeyTransform

from models_registry.learning import measures
from models_registry.learning.measures import Measure, key_of
from models_registry.learning.points import Point, thin_points
from models_registry.models import MetricPoint, Run
from ops_portal.charts import Chart, Series, line_chart

#: Points of a curve: more than there are pixels between neighbours when a dozen curves share a chart.
CURVE_POINTS = 200
#: More curves than this cannot be told apart.
MOST_CURVES = 12


def draw_curves(runs: Sequence[Run], names: Mapping[int, str], measure: Measure, *, summary: str) -> Chart:
    """Draw the rolling metric of runs, the first one thickest, and one baseline. Two queries."""
    rolling, guess = (key_of(view, measure.name) for view in (measures.ROLLING, measures.BASELINE_ROLLING))
    curves = _read(runs, rolling)
    series = [_series(names[run.pk], curves[run.pk], run, rolling) for run in runs]
    longest = max(runs, key=lambda run: run.position - run.start_position, default=None)
    if longest is not None and longest.summary.get(guess) is not None:
        series.append(_series("Baseline", _read([longest], guess)[longest.pk], longest, guess))
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
    x = [point.position for point in points]
    y = [point.values[key][0] for point in points]
    newest = run.summary.get(key)
    if newest is not None and (not x or x[-1] < run.position):
        # The stored points end with the last full bucket; the newest value closes the curve.
        x.append(run.position)
        y.append(newest)
    # Six digits are more than a screen can tell apart.
    return Series(name, x, [None if value is None else float(f"{value:.6g}") for value in y])
