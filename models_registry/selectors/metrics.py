"""Metrics for reading: a summary as a table, a run's points as a chart. Titles and directions come from `measures`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.utils.html import format_html
from django.utils.safestring import SafeString

from models_registry.learning import measures
from models_registry.learning.baselines import TITLES, list_baselines
from models_registry.learning.measures import Measure, find_measure, key_of
from models_registry.learning.points import Point, thin_points
from models_registry.models import Alarm, MetricPoint, Run, Version
from ops_portal.charts import Chart, Marker, Series, line_chart
from ops_portal.templatetags.reading import DASH
from projects.models import Project

T = TypeVar("T")
Summary = Mapping[str, float | None]

#: Most points of a series in a chart on a page: more than a screen has pixels for.
CHART_POINTS = 400
#: More markers of one kind than this hide the curve.
MOST_MARKERS = 12


@dataclass(frozen=True)
class Figure:
    """One value of a metric, exact and as people read it."""

    value: float | None
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def html(self) -> SafeString:
        """The value for a page, every digit of it in the title."""
        if self.value is None:
            return format_html('<span class="muted" title="Not measured">{}</span>', DASH)
        return format_html('<data class="num" value="{0}" title="{0}">{1}</data>', repr(self.value), self.text)


@dataclass(frozen=True)
class MetricRow:
    """One metric seen every way."""

    measure: Measure
    primary: bool
    overall: Figure
    rolling: Figure
    fading: Figure
    baseline: Figure
    baseline_rolling: Figure

    @property
    def direction(self) -> str:
        """Say which way is better, as the `change` tag wants it."""
        return "higher" if self.measure.greater_is_better else "lower"

    @property
    def verdict(self) -> str:
        """Say whether the model does better than the baseline on the same events: `better`, `worse`, `even` or ``."""
        ours, theirs = self.overall.value, self.baseline.value
        if ours is None or theirs is None:
            return ""
        if math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12):
            return "even"
        return "better" if self.measure.is_better(ours, theirs) else "worse"

    @property
    def against_baseline(self) -> str:
        """Say by how much: `12.3 points better than the baseline`."""
        if not self.verdict:
            return ""
        if self.verdict == "even":
            return "as good as the baseline"
        return f"{distance(self.measure, self.overall.value, self.baseline.value)} {self.verdict} than the baseline"


def note_baseline(rows: Sequence[MetricRow]) -> str:
    """Say how the model does against the baseline, by the first of its metrics that a baseline has."""
    known = next((row for row in rows if row.verdict), None)
    if known is None:
        return ""
    return known.against_baseline if known.primary else f"{known.measure.title}: {known.against_baseline}"


def distance(measure: Measure, value: float | None, other: float | None) -> str:
    """Write the distance of two values in the metric's own terms: shares differ by points."""
    if value is None or other is None:
        return ""
    text = measure.format(abs(value - other))
    return text.removesuffix("%") + " points" if measure.style in ("percent", "points") else text


def primary_name(summary: Summary, project: Project) -> str:
    """Return the metric to judge by: the project's own where it was measured, else the task's usual one."""
    for name in (project.primary_metric, measures.PRIMARY[project.task]):
        if key_of(measures.OVERALL, name) in summary:
            return name
    known = metric_names(summary)
    return known[0] if known else _known_or_default(project)


def metric_names(keys: Iterable[str]) -> list[str]:
    """Return the metrics among series keys, in the order they are offered."""
    return measures.order_names(key.partition(".")[2] for key in keys)


def read_primary(summary: Summary, project: Project) -> MetricRow:
    """Return the primary metric of a summary; its figures are empty where nothing was measured yet."""
    return _row(summary, primary_name(summary, project), primary=True)


def read_metrics(summary: Summary, project: Project) -> tuple[MetricRow, ...]:
    """Return every metric of a summary, the primary one first."""
    primary = primary_name(summary, project)
    rest = [name for name in metric_names(summary) if name != primary]
    names = [primary, *rest] if metric_names(summary) else []
    return tuple(_row(summary, name, primary=name == primary) for name in names)


def read_chart(run: Run, name: str, *, most: int = CHART_POINTS) -> Chart:
    """Draw a metric of a run: overall, rolling with its extremes, and the baseline. Three queries.

    The run's newest values end the curves; the stored points reach only to the last full bucket.
    """
    measure = find_measure(name)
    keys = [key_of(view, name) for view in (measures.OVERALL, measures.ROLLING, measures.BASELINE)]
    points = _points(run, keys, most)
    window = f"Rolling, last {run.options.get('window', 500):,}"
    words = {keys[0]: "Overall", keys[1]: window, keys[2]: f"Baseline: {name_baseline(run, measure)}"}
    series = [_series(points, key, words[key], ranged=key == keys[1]) for key in keys]
    return line_chart(
        series=[one for one in series if any(value is not None for value in one.y)],
        title=measure.title,
        summary=_sentence(run, measure),
        x_title="Position in the stream of labelled events",
        y_title=f"{measure.title} ({'higher' if measure.greater_is_better else 'lower'} is better)",
        markers=_markers(run) if points else (),
        y_format=",.0%" if measure.style == "percent" else "",
    )


def _points(run: Run, keys: list[str], most: int) -> list[Point]:
    """Return the stored points of some series, thinned, and the newest values as the last point."""
    rows = MetricPoint.objects.filter(run=run).order_by("position").values_list("first", "position", "values")
    stored = [
        Point(first, position, {key: values[key] for key in keys if key in values}) for first, position, values in rows
    ]
    points = thin_points(stored, most - 1)
    newest = {key: [run.summary[key]] * 3 for key in keys if run.summary.get(key) is not None}
    last = points[-1].position if points else run.start_position
    if newest and last < run.position:
        points.append(Point(last + 1, run.position, newest))
    return points


def _known_or_default(project: Project) -> str:
    try:
        return find_measure(project.primary_metric).name
    except LookupError:
        return measures.PRIMARY[project.task]


def _row(summary: Summary, name: str, *, primary: bool) -> MetricRow:
    measure = find_measure(name)

    def figure(view: str) -> Figure:
        value = summary.get(key_of(view, name))
        return Figure(value, measure.format(value))

    return MetricRow(
        measure,
        primary,
        figure(measures.OVERALL),
        figure(measures.ROLLING),
        figure(measures.FADING),
        figure(measures.BASELINE),
        figure(measures.BASELINE_ROLLING),
    )


def _series(points: Sequence[Point], key: str, name: str, *, ranged: bool) -> Series:
    nothing: list[float | None] = [None, None, None]
    triples = [point.values.get(key, nothing) for point in points]
    return Series(
        name,
        [point.position for point in points],
        [last for last, _, _ in triples],
        low=[low for _, low, _ in triples] if ranged else None,
        high=[high for _, _, high in triples] if ranged else None,
    )


def _sentence(run: Run, measure: Measure) -> str:
    """Say what the chart shows, for whoever does not see it."""
    row = _row(run.summary, measure.name, primary=False)
    if row.overall.value is None:
        return f"{measure.help} Not measured yet."
    said = f"{row.overall} over everything learned so far, {row.rolling} lately"
    guess = name_baseline(run, measure)
    if row.baseline.value is None:
        return f"{said}. The baseline ({guess}) gives no probabilities to judge."
    return f"{said}; the baseline ({guess}) reaches {row.baseline}."


def name_baseline(run: Run, measure: Measure) -> str:
    """Say in words what a run's model has to beat: `the commonest label so far`."""
    kind = run.options.get("baseline") or list_baselines(measure.tasks[0])[0]
    return f"the {TITLES[kind][0].lower()}{TITLES[kind][1:]}" if kind in TITLES else "a guess"


def _markers(run: Run) -> list[Marker]:
    versions = Version.objects.filter(run=run).order_by("position").values_list("position", "number")
    alarms = Alarm.objects.filter(run=run).order_by("position").values_list("position", "detail")
    shown = [Marker(position, "version", f"v{number}") for position, number in _thin(list(versions))]
    found = [Marker(position, "drift", str(detail.get("what") or "drift")) for position, detail in _thin(list(alarms))]
    return shown + found


def _thin(items: list[T]) -> list[T]:
    """Return at most `MOST_MARKERS` of the items, evenly, the last one among them."""
    if len(items) <= MOST_MARKERS:
        return items
    step = (len(items) - 1) / (MOST_MARKERS - 1)
    return [items[round(index * step)] for index in range(MOST_MARKERS)]
