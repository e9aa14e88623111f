"""`POST predict/`: one event in, the deployed model's answer out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_registry.services.prediction import Answer, Ask, Outcome, answer_together, with_model
from models_registry.services.serving import Served
from ops_portal.errors import UserError
from projects.access import Caller
from projects.api_lean import shared_lean_call
from projects.api_schema import ErrorOut
from projects.bodies import BodyError, read_json_items
from projects.models import Scope
from projects.payload import PayloadError, read_event

_encode = msgspec.json.Encoder().encode


class PredictIn(serializers.Serializer[Any]):
    """An event to predict for."""

    id = serializers.CharField(
        max_length=200, required=False, help_text="Your name for the event; its label is sent with it later."
    )
    features = serializers.DictField(child=serializers.JSONField(), help_text="As for `events/`.")
    at = serializers.DateTimeField(required=False, help_text="When it happened, ISO 8601; UTC without an offset.")


class PredictOut(serializers.Serializer[Any]):
    """What the deployed model says."""

    id = serializers.CharField(help_text="Send the label with this id.")
    prediction = serializers.JSONField(help_text="The label it expects; null when it has seen too little to say.")
    probabilities = serializers.DictField(
        child=serializers.FloatField(), required=False, help_text="By label, where the model gives any."
    )
    version = serializers.IntegerField(help_text="The version that answered.")
    deployment = serializers.IntegerField(help_text="The deployment that put it there.")


class Predict(APIView):
    """Describes `models_registry.api.predict.predict_call`."""

    @extend_schema(
        operation_id="predict",
        summary="Predict with the deployed version",
        description="The features and the answer are stored before the answer leaves, so that the label can be sent "
        "later to `labels/` with the same id.",
        request=PredictIn,
        responses={200: PredictOut, **dict.fromkeys((400, 401, 403, 404, 405, 409, 422), ErrorOut)},
        examples=[
            OpenApiExample(
                "A page to judge",
                value={"id": "page-17", "features": {"long_url": 1, "age_of_domain": 0}},
                request_only=True,
            ),
            OpenApiExample(
                "The answer",
                value={
                    "id": "page-17",
                    "prediction": True,
                    "probabilities": {"false": 0.08, "true": 0.92},
                    "version": 4,
                    "deployment": 2,
                },
                response_only=True,
            ),
        ],
        tags=["predictions"],
    )
    def post(self, request: Request, slug: str) -> Response:
        raise NotImplementedError  # only the description is used


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a call asks: its event as decoded, and the model loaded for it when none was in memory."""

    value: object
    loaded: tuple[str, Served] | None


def _answer(calls: Sequence[tuple[Caller, _Asked]]) -> list[Outcome | Exception]:
    """Answer calls that came together."""
    now = timezone.now()
    outcomes: list[Outcome | Exception] = []
    asks = []
    for caller, asked in calls:
        try:
            item = read_event(1, asked.value, caller.project.task)
        except PayloadError as wrong:
            outcomes.append(UserError(str(wrong), code="invalid", fields={wrong.place: wrong.problem}))
        else:
            asks.append((len(outcomes), Ask(caller.project.pk, [item], now, asked.loaded)))
            outcomes.append([])
    if asks:
        for (number, _), outcome in zip(asks, answer_together([ask for _, ask in asks]), strict=True):
            outcomes[number] = outcome
    return outcomes


@shared_lean_call(Scope.PREDICT, Predict, _answer)
def predict_call(request: HttpRequest, ask: Callable[[_Asked], Outcome]) -> HttpResponse:
    """Answer with what is deployed at this moment."""
    try:
        items = [item.value for item in read_json_items(request)]
    except BodyError as wrong:
        raise UserError(str(wrong), code="invalid") from wrong
    if len(items) != 1:
        raise UserError("Send one event per call: an object with `features`.", code="invalid")
    answer = with_model(lambda loaded: ask(_Asked(items[0], loaded)))[0]
    if isinstance(answer, UserError):
        raise answer
    return answer_response(answer)


def answer_response(answer: Answer) -> HttpResponse:
    """The answer as JSON; `probabilities` only where the model gives any."""
    body: dict[str, Any] = {"id": answer.id, "prediction": answer.prediction}
    if answer.probabilities is not None:
        body["probabilities"] = answer.probabilities
    body |= {"version": answer.version, "deployment": answer.deployment}
    return HttpResponse(_encode(body), content_type="application/json")
