"""The OpenAPI description of `POST predict/`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from projects.api_fields import Body, EventKey
from projects.api_schema import ErrorDetail, ErrorOut
from projects.models import Fallback

#: Events of one call at most.
MOST = 1_000


class PredictIn(Body):
    """An event to predict for."""

    id = EventKey(
        required=False,
        allow_null=True,
        help_text="Your name for the event; its label is sent with it later. Null: one is made up.",
    )
    features = serializers.DictField(child=serializers.JSONField(), help_text="As for `events/`.")
    at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it happened, ISO 8601; UTC without an offset."
    )


class FallbackOut(serializers.Serializer[Any]):
    """Says that no model answered, but the project's fallback."""

    rule = serializers.ChoiceField(choices=[Fallback.LAST, Fallback.TYPICAL], help_text="The project's rule.")
    code = serializers.CharField(help_text="Why: the code of the error that would have been answered.")
    message = serializers.CharField(help_text="The same for people.")


class PredictOut(serializers.Serializer[Any]):
    """What the deployed model says."""

    id = serializers.CharField(help_text="Send the label with this id.")
    prediction = serializers.JSONField(help_text="The label it expects; null when it has seen too little to say.")
    probabilities = serializers.DictField(
        child=serializers.FloatField(), required=False, help_text="By label, where the model gives any."
    )
    version = serializers.IntegerField(allow_null=True, help_text="The version that answered; null for a fallback.")
    deployment = serializers.IntegerField(allow_null=True, help_text="What is deployed; null when nothing is.")
    fallback = FallbackOut(required=False)


class NotPredicted(serializers.Serializer[Any]):
    """An event of several that was not predicted."""

    line = serializers.IntegerField(help_text="Place in the list or line of the body, from 1.")
    error = ErrorDetail()


@extend_schema_field(
    PolymorphicProxySerializer("PredictedOrNot", [PredictOut, NotPredicted], resource_type_field_name=None, many=True)
)
class PredictionsField(serializers.ListField):
    """Answers and errors, described as such."""


class PredictManyOut(serializers.Serializer[Any]):
    """An answer or an error for each event, in the order in which they were sent."""

    predictions = PredictionsField()
    failed = serializers.IntegerField(help_text="How many have an error.")


class NothingPredicted(serializers.Serializer[Any]):
    """No event was predicted; of several, each with its error."""

    error = ErrorDetail()
    predictions = NotPredicted(many=True, required=False)
    failed = serializers.IntegerField(required=False, help_text="How many were sent.")


ONE_ANSWER = {
    "id": "page-17",
    "prediction": True,
    "probabilities": {"false": 0.08, "true": 0.92},
    "version": 4,
    "deployment": 2,
}
FELL_BACK = {
    "id": "page-18",
    "prediction": False,
    "version": None,
    "deployment": None,
    "fallback": {
        "rule": "typical",
        "code": "nothing_deployed",
        "message": "No model is deployed in this project yet. Deploy a version first.",
    },
}


class Predict(APIView):
    """Describes `models_registry.api.predict.predict_call`."""

    @extend_schema(
        operation_id="predict",
        summary="Predict with the deployed version",
        request={
            "application/json": PolymorphicProxySerializer(
                "PredictBody", [PredictIn, PredictIn(many=True)], resource_type_field_name=None, many=False
            ),
            "application/x-ndjson": PredictIn,
        },
        responses={
            200: PolymorphicProxySerializer(
                "PredictAnswer", [PredictOut, PredictManyOut], resource_type_field_name=None, many=False
            ),
            422: NothingPredicted,
            **dict.fromkeys((400, 401, 403, 404, 405, 409, 415, 503), ErrorOut),
        },
        examples=[
            OpenApiExample(
                "A page to judge",
                {"id": "page-17", "features": {"long_url": 1, "age_of_domain": 0}},
                request_only=True,
                media_type="application/json",
            ),
            OpenApiExample(
                "Two pages to judge",
                [
                    {"id": "page-17", "features": {"long_url": 1, "age_of_domain": 0}},
                    {"id": "page-18", "features": {"long_url": 0, "age_of_domain": 1}},
                ],
                request_only=True,
                media_type="application/json",
            ),
            OpenApiExample(
                "A line",
                {"id": "page-17", "features": {"long_url": 1, "age_of_domain": 0}},
                request_only=True,
                media_type="application/x-ndjson",
            ),
            OpenApiExample("The answer", ONE_ANSWER, response_only=True, status_codes=["200"]),
            OpenApiExample("A fallback's answer", FELL_BACK, response_only=True, status_codes=["200"]),
            OpenApiExample(
                "Answers to several",
                {
                    "predictions": [
                        ONE_ANSWER,
                        {"line": 2, "error": {"code": "invalid", "message": "features: empty; a model needs ..."}},
                    ],
                    "failed": 1,
                },
                response_only=True,
                status_codes=["200"],
            ),
        ],
        tags=["predictions"],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Predict for one event, or for up to 1,000: a list, or NDJSON with one object per line.

        Features and answers are stored before the answer leaves, so that each label can be sent later to `labels/`
        with the same id. Several events are answered by one version, in their order, each with an answer or an error.
        When nothing is deployed or the model cannot predict, the project's fallback decides (settings): an error, or
        the newest label, or the most frequent label or mean of the newest 1,000; such answers carry `fallback`.
        """
        raise NotImplementedError  # only the description is used
