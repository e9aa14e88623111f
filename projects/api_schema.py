"""The OpenAPI description of the calls that are plain Django views."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from projects.api_fields import Body, EventKey


class EventIn(Body):
    """An event: its features, and its label when that is known already."""

    id = EventKey(
        required=False,
        allow_null=True,
        help_text="Your name for the event; sending it again changes nothing. Null: one is made up.",
    )
    features = serializers.DictField(
        child=serializers.JSONField(),
        help_text="1 to 1,000 values: numbers, texts (up to 10,000 characters), true, false or null (missing).",
    )
    label = serializers.JSONField(  # type: ignore[assignment]
        required=False,
        allow_null=True,
        help_text="binary: true, false, 0, 1 or one of two texts; multiclass: text or whole number; "
        "regression: number; null: not known yet",
    )
    at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="When it happened, ISO 8601; UTC without an offset. Up to 24 hours ahead of the portal's clock.",
    )
    label_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When the label was observed, in the same form; only with a label."
    )


class LabelIn(Body):
    """The label of an event."""

    id = EventKey(help_text="The id of the event.")
    label = serializers.JSONField(help_text="As for an event.")  # type: ignore[assignment]
    at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="When it was observed, ISO 8601; UTC without an offset. Up to 24 hours ahead of the portal's clock.",
    )


class RejectionOut(serializers.Serializer[Any]):
    """An item that was not taken."""

    line = serializers.IntegerField(help_text="Place in the list or line of the body, from 1.")
    error = serializers.CharField()


class ReceiptOut(serializers.Serializer[Any]):
    """What became of a body: every item is counted once."""

    accepted = serializers.IntegerField(help_text="New events, and labels that joined their event.")
    duplicates = serializers.IntegerField(help_text="Known already; nothing changed.")
    corrections = serializers.IntegerField(help_text="Second, different labels: recorded beside the first.")
    waiting = serializers.IntegerField(help_text="Labels kept for an event that has not come; they join it then.")
    rejected = RejectionOut(many=True, help_text="The first 1,000 items that were not taken, with the reason.")
    rejected_count = serializers.IntegerField(
        help_text="All items that were not taken, also those beyond the first 1,000."
    )


class ErrorDetail(serializers.Serializer[Any]):
    """What is wrong, for programs and for people."""

    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]


class ErrorOut(serializers.Serializer[Any]):
    """The one shape of every error."""

    error = ErrorDetail()


class RejectedOut(ReceiptOut):
    """The receipt of a body of which nothing was taken."""

    error = ErrorDetail()


ERRORS = dict.fromkeys((400, 401, 403, 404, 409, 415), ErrorOut)
ONE_EVENT = {"id": "tx-1041", "features": {"amount": 12.5, "country": "DE"}, "label": False}
ANOTHER_EVENT = {"id": "tx-1042", "features": {"amount": 980.0, "country": "FR"}}
ONE_LABEL = {"id": "tx-1042", "label": True, "at": "2026-05-04T12:00:00Z"}
RESPONSES = {200: ReceiptOut, 422: RejectedOut, **ERRORS}


class Events(APIView):
    """Describes `projects.api.events`."""

    @extend_schema(
        operation_id="events_create",
        summary="Send events",
        tags=["events"],
        request={
            "application/json": PolymorphicProxySerializer(
                "EventsBody", [EventIn, EventIn(many=True)], resource_type_field_name=None, many=False
            ),
            "application/x-ndjson": EventIn,
        },
        responses=RESPONSES,
        examples=[
            OpenApiExample("An event with its label", ONE_EVENT, request_only=True, media_type="application/json"),
            OpenApiExample("Two events", [ONE_EVENT, ANOTHER_EVENT], request_only=True, media_type="application/json"),
            OpenApiExample("A line", ONE_EVENT, request_only=True, media_type="application/x-ndjson"),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Send one event, a list, or NDJSON (one object per line, streamed, of any length).

        Idempotent by `id`: sent again, an event is a duplicate and changes nothing. A known event without a label
        takes the label that comes with it.
        """
        raise NotImplementedError


class Labels(APIView):
    """Describes `projects.api.labels`."""

    @extend_schema(
        operation_id="labels_create",
        summary="Send labels",
        tags=["events"],
        request={
            "application/json": PolymorphicProxySerializer(
                "LabelsBody", [LabelIn, LabelIn(many=True)], resource_type_field_name=None, many=False
            ),
            "application/x-ndjson": LabelIn,
        },
        responses=RESPONSES,
        examples=[
            OpenApiExample("A label", ONE_LABEL, request_only=True, media_type="application/json"),
            OpenApiExample("Several labels", [ONE_LABEL], request_only=True, media_type="application/json"),
            OpenApiExample("A line", ONE_LABEL, request_only=True, media_type="application/x-ndjson"),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Send labels by the id of their event: one object, a list, or NDJSON.

        The first label of an event is what the models learn, joined to the features as they were sent. The same label
        again is a duplicate; another one is recorded as a correction and changes nothing that was learned. A label
        may come before its event: it waits for it for up to 30 days, and joins it when it comes.
        """
        raise NotImplementedError
