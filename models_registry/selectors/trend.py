"""Short trends: the rolling primary metric of many runs, a few points each, in one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from django.db.models import Case, F, FloatField, Q, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, NullIf
from django.db.models.lookups import Exact

from models_registry.learning.measures import ROLLING, key_of
from models_registry.learning.points import width_at
from models_registry.models import MetricPoint, Run

#: Points in a sparkline: more cannot be told apart at its width.
POINTS = 48


def read_trends(metrics: Mapping[Run, str]) -> dict[int, list[float | None]]:
    """Return the rolling values of each run's metric by run, from its start to now: one query.

    Points stand at multiples of the width in force, so every n-th one is found by its position alone, in the index;
    only those are read, and of them only the one value.
    """
    if not metrics:
        return {}
    wanted = Q()
    for run in metrics:
        wanted |= Q(run=run.pk) & Q(Exact(F("position") % _stride(run), Value(0)))
    by_metric: dict[str, list[int]] = defaultdict(list)
    for run, metric in metrics.items():
        by_metric[metric].append(run.pk)
    value = Case(*(When(run__in=runs, then=_rolling(metric)) for metric, runs in by_metric.items()))
    rows = MetricPoint.objects.filter(wanted).order_by("run", "position").annotate(value=value)
    trends: dict[int, list[float | None]] = defaultdict(list)
    for run_id, found in rows.values_list("run", "value"):
        trends[run_id].append(found)
    return trends


def _rolling(metric: str) -> Cast:
    """The last rolling value of a point; SQLite calls a JSON null by its name, PostgreSQL has NULL for it."""
    text = KeyTextTransform("0", KeyTransform(key_of(ROLLING, metric), "values"))
    return Cast(NullIf(text, Value("null")), FloatField())


def _stride(run: Run) -> int:
    """The distance of the points to read, a multiple of the distance at which they are kept."""
    width = width_at(max(run.position, 1), run.start_position)
    kept = (run.position - run.start_position) // width
    return width * max(-(-kept // POINTS), 1)
