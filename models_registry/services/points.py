"""Keeping the metric points of a run few: neighbours are merged, extremes stay exact."""

from __future__ import annotations

from models_registry.learning.points import Point, merge_points
from models_registry.models import MetricPoint


def compact(*, run_id: int, width: int) -> None:
    """Merge the points of a run into buckets of `width` events, in the caller's transaction."""
    rows = MetricPoint.objects.filter(run_id=run_id).order_by("position")
    points = [Point(row.first, row.position, row.values) for row in rows]
    merged = merge_points(points, width)
    if len(merged) == len(points):
        return
    rows.delete()
    MetricPoint.objects.bulk_create(
        MetricPoint(run_id=run_id, first=point.first, position=point.position, values=point.values) for point in merged
    )
