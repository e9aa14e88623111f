"""`runs/{n}/metrics/`: the curves of a run's metrics, thinned with their true extremes, exact over narrow ranges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry.api.call import ProjectCall
from models_registry.api.fields import LARGEST_POSITION, read
from models_registry.learning.measures import VIEWS, key_of
from models_registry.learning.points import Point, thin_points
from models_registry.models import MetricPoint, Run
from models_registry.selectors.metrics import metric_names, primary_name
from models_registry.selectors.runs import find_run
from ops_portal.errors import UserError

POINTS = 200
MOST_POINTS = 2_000


class SeriesQuery(serializers.Serializer[Any]):
    """Which curves, how fine, over which positions."""

    name = serializers.CharField(
        required=False,
        max_length=60,
        help_text="A metric such as `F1` or `FBeta(beta=0.5)`; by default the project's primary one.",
    )
    points = serializers.IntegerField(
        required=False, default=POINTS, min_value=2, max_value=MOST_POINTS, help_text="Most points per series."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the range: `from` is a word of Python's own, so it cannot be declared like the others."""
        place: dict[str, Any] = {"required": False, "min_value": 1, "max_value": LARGEST_POSITION}
        return super().get_fields() | {
            "from": serializers.IntegerField(**place, default=1, help_text="First position."),
            "to": serializers.IntegerField(**place, help_text="Last position; by default the run's."),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a range that ends before it begins."""
        if attrs.get("to", LARGEST_POSITION) < attrs["from"]:
            raise serializers.ValidationError({"to": [f"It lies before from={attrs['from']}."]})
        return attrs


class SeriesPoint(serializers.Serializer[Any]):
    """One bucket of positions: the last value in it, and the true extremes over every event of it."""

    first = serializers.IntegerField(help_text="Position of its first event.")
    position = serializers.IntegerField(help_text="Position of its last event.")
    last = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class OneSeries(serializers.Serializer[Any]):
    """A metric seen one way."""

    view = serializers.ChoiceField(list(VIEWS.items()))
    points = SeriesPoint(many=True)


class SeriesOut(serializers.Serializer[Any]):
    """The curves of one metric."""

    run = serializers.IntegerField()
    position = serializers.IntegerField(help_text="How far the run was when this was read.")
    metric = serializers.CharField()
    metrics = serializers.ListField(child=serializers.CharField(), help_text="Every metric of this run.")
    series = OneSeries(many=True)


class RunMetrics(ProjectCall):
    """The curves of a run's metrics."""

    @extend_schema(
        operation_id="runs_metrics",
        summary="Read metric curves",
        tags=["runs"],
        parameters=[SeriesQuery],
        responses=SeriesOut,
        examples=[
            OpenApiExample(
                "Two points",
                {
                    "run": 3,
                    "position": 12000,
                    "metric": "Accuracy",
                    "metrics": ["Accuracy", "F1"],
                    "series": [
                        {
                            "view": "rolling",
                            "points": [
                                {"first": 1, "position": 6000, "last": 0.91, "low": 0.4, "high": 0.93},
                                {"first": 6001, "position": 12000, "last": 0.934, "low": 0.88, "high": 0.94},
                            ],
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Read one metric of a run, seen every way: overall, rolling, fading, and the baselines.

        Each series has at most `points` points; where that is fewer than are kept, neighbours are merged and the
        lowest and highest value at any event of them stays. `from` and `to` choose positions: over a range that has no
        more points than asked for, every kept point is given as it is.
        """
        run = find_run(self.reading(request, slug), number)
        asked = read(SeriesQuery, request.query_params)
        metric = _metric(run, asked.get("name"))
        keys = {view: key_of(view, metric) for view in VIEWS}
        points = thin_points(list(_read(run, keys.values(), asked["from"], asked.get("to"))), asked["points"])
        answer = {
            "run": run.number,
            "position": run.position,
            "metric": metric,
            "metrics": metric_names(run.summary),
            "series": [
                {"view": view, "points": [_tell(point, key) for point in points if key in point.values]}
                for view, key in keys.items()
                if any(key in point.values for point in points)
            ],
        }
        return Response(SeriesOut(answer).data)


def _metric(run: Run, name: str | None) -> str:
    names = metric_names(run.summary)
    if name is None:
        return primary_name(run.summary, run.project)
    if name not in names:
        known = f"it has {', '.join(names)}" if names else "it has not been scored yet"
        raise UserError(f"Run {run.number} has no metric {name!r}; {known}.", fields={"name": "No such metric."})
    return name


def _read(run: Run, keys: Iterable[str], first: int, last: int | None) -> Iterable[Point]:
    """Yield the kept points that touch the range, and the newest values where they are newer than any of those."""
    keys = list(keys)
    rows = MetricPoint.objects.filter(run=run, position__gte=first).order_by("position")
    if last is not None:
        rows = rows.filter(first__lte=last)
    for begin, position, values in rows.values_list("first", "position", "values"):
        yield Point(begin, position, {key: values[key] for key in keys if key in values})
    newest = {key: [run.summary[key]] * 3 for key in keys if run.summary.get(key) is not None}
    kept = MetricPoint.objects.filter(run=run).order_by("-position").values_list("position", flat=True).first()
    end = run.start_position if kept is None else kept
    if newest and end < run.position and first <= run.position and (last is None or end < last):
        yield Point(end + 1, run.position, newest)


def _tell(point: Point, key: str) -> dict[str, Any]:
    last, low, high = point.values[key]
    return {"first": point.first, "position": point.position, "last": last, "low": low, "high": high}
