"""`alarms/` and `runs/{n}/set-aside/`: what monitors found, and what could not be learned."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry.api.call import ProjectCall
from models_registry.api.fields import LARGEST_NUMBER, read
from models_registry.api.shapes import AlarmOut
from models_registry.models import Alarm, SetAsideEvent
from models_registry.selectors.runs import find_run
from projects.models import Event


class AlarmQuery(serializers.Serializer[Any]):
    """Which alarms to list."""

    run = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_NUMBER, source="run__number", help_text="Number of a run."
    )


class SetAsideOut(serializers.Serializer[Any]):
    """An event that a run could not learn from."""

    position = serializers.IntegerField()
    id = serializers.CharField(allow_null=True, help_text="The event's name.")
    reason = serializers.CharField()


class Alarms(ProjectCall):
    """The alarms of a project."""

    @extend_schema(
        operation_id="alarms_list",
        summary="List alarms",
        tags=["monitoring"],
        parameters=[AlarmQuery],
        responses=AlarmOut(many=True),
        examples=[
            OpenApiExample(
                "Drift",
                {
                    "run": 3,
                    "kind": "drift",
                    "position": 8120,
                    "detail": {"detector": "ADWIN", "what": "the error rose"},
                    "created_at": "2026-05-04T12:00:00Z",
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the alarms of the project's runs, newest first."""
        alarms = Alarm.objects.filter(run__project=self.reading(request, slug)).select_related("run")
        alarms = alarms.filter(**read(AlarmQuery, request.query_params)).defer("run__spec", "run__summary")
        return self.listed(alarms, AlarmOut)


class SetAside(ProjectCall):
    """Events that a run set aside."""

    @extend_schema(
        operation_id="runs_set_aside",
        summary="List events set aside",
        tags=["runs"],
        responses=SetAsideOut(many=True),
        examples=[
            OpenApiExample(
                "An event",
                {"position": 41, "id": "tx-1041", "reason": "amount: a text where the model learned numbers"},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """List the events that a run could not learn from, newest first, with the reason; the run went on."""
        run = find_run(self.reading(request, slug), number)
        page: list[SetAsideEvent] = self.paginate_queryset(SetAsideEvent.objects.filter(run=run)) or []
        events = Event.objects.filter(project_id=run.project_id, position__in=[row.position for row in page])
        names = dict(events.values_list("position", "key"))
        rows = [{"position": row.position, "id": names.get(row.position), "reason": row.reason} for row in page]
        return self.get_paginated_response(SetAsideOut(rows, many=True).data)
