"""`monitors/`: what watches the runs of a project, and what each has found so far."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry.api.call import ProjectCall
from models_registry.models import Run

#: What watches when a run only says that it is watched.
USUAL_DETECTOR = "drift.ADWIN"


class MonitorOut(serializers.Serializer[Run]):
    """A drift detector that follows the error of a run."""

    run = serializers.IntegerField(source="number", help_text="The run whose error it follows.")
    model_name = serializers.CharField(source="model.name")
    kind = serializers.SerializerMethodField(help_text="What its alarms are called.")
    detector = serializers.SerializerMethodField(help_text="The detector, a class of River.")
    watching = serializers.BooleanField(source="active", help_text="False once the run is paused or over.")
    position = serializers.IntegerField(help_text="How far in the stream it has watched.")
    alarms = serializers.IntegerField(source="alarm_count", help_text="How many it has raised; see `alarms/?run=`.")
    last_alarm_position = serializers.IntegerField(allow_null=True, help_text="Where it raised the newest.")
    last_alarm_at = serializers.DateTimeField(allow_null=True, help_text="When.")

    def get_kind(self, run: Run) -> str:
        return "drift"

    def get_detector(self, run: Run) -> str:
        drift = run.options.get("drift")
        return str(drift.get("use", USUAL_DETECTOR)) if isinstance(drift, dict) else USUAL_DETECTOR


class Monitors(ProjectCall):
    """The monitors of a project."""

    @extend_schema(
        operation_id="monitors_list",
        summary="List monitors",
        tags=["monitoring"],
        responses=MonitorOut(many=True),
        examples=[
            OpenApiExample(
                "A drift detector",
                {
                    "run": 3,
                    "model_name": "Scaled logistic",
                    "kind": "drift",
                    "detector": USUAL_DETECTOR,
                    "watching": True,
                    "position": 12000,
                    "alarms": 2,
                    "last_alarm_position": 8120,
                    "last_alarm_at": "2026-05-04T12:00:00Z",
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the drift detectors that follow the error of the project's runs, those of the newest runs first."""
        runs = Run.objects.filter(project=self.reading(request, slug)).exclude(options__drift=False)
        found: dict[str, Any] = {
            "alarm_count": Count("alarms"),
            "last_alarm_position": Max("alarms__position"),
            "last_alarm_at": Max("alarms__created_at"),
        }
        watched = runs.annotate(**found).select_related("model").defer("spec", "summary", "environment", "model__spec")
        return self.listed(watched, MonitorOut)
