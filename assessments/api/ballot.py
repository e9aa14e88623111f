"""`assessment/ballot/`: an expert's own answers, filled in and confirmed as on the page; only a session may call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.ballot_shapes import (
    AnswerConflictOut,
    BallotAnswerIn,
    BallotAnswerOut,
    BallotOut,
    BallotWeightsIn,
    BallotWeightsOut,
    WeightsConflictOut,
    asks_light,
    tell_answer,
    tell_ballot,
    tell_weights,
)
from assessments.api.conflicts import conflict_message, tell_conflict
from assessments.api.speaker import speaking
from assessments.forms.panel import EFFORTS, LIGHT, RatingForm
from assessments.principles import Principle
from assessments.selectors.voting import read_all_feedback, read_ballot
from assessments.services.panel_ratings import (
    Effort,
    RatingConflictError,
    RatingDraft,
    WeightsConflictError,
    find_principle,
    save_rating,
    save_weights,
)
from models_registry.api.call import ProjectCall
from models_registry.api.fields import read
from ops_portal.errors import UserError, error_body
from ops_portal.forms import texts_of_errors

#: So many wrong names are told.
TOLD = 20
ANSWERED_ELSEWHERE = "You answered this elsewhere"
WEIGHED_ELSEWHERE = "You gave other points elsewhere"

FIGURES: dict[str, Any] = {"benefits": {"K2": 1, "K4": 2}, "effort": {"low": 0.5, "likely": 1, "high": 2}}
SAID: dict[str, Any] = {
    "stance": "rates",
    "vote": 8,
    "confidence": "medium",
    "benefits": {"K2": 2, "K4": 4},
    "effort": {"low": 2, "likely": 4, "high": 8},
    "light": FIGURES,
    "reason": "Two alarms last month came too late.",
    "evidence_url": "",
    "version": 1,
}
ANSWER = SAID | {"carried": False, "saved_at": "2026-05-04T12:40:00Z", "version": 2}
POINTS: dict[str, Any] = {"points": {"K1": 20, "K2": 60, "K3": 10, "K4": 100, "K5": 0}, "version": 0}
WEIGHTS = POINTS | {"version": 1, "carried": False, "saved_at": "2026-05-04T12:55:00Z"}
FEEDBACK: dict[str, Any] = {
    "round": 1,
    "reasons": [
        {"text": "Two alarms last month came too late.", "evidence_url": "", "stance": "rates", "expert": None}
    ],
    "counts": {"1": 0, "2": 0, "3": 1, "4": 0, "5": 0, "6": 0, "7": 2, "8": 3, "9": 0},
    "voters": 6,
    "own_vote": 8,
}
BALLOT: dict[str, Any] = {
    "assessment": 1,
    "round": 2,
    "open": True,
    "anonymous": True,
    "done": 0,
    "total": 12,
    "principles": [
        {
            "slug": "monitoring",
            "name": "Monitoring",
            "definition": "What the model does and what it is fed is measured all the time.",
            "practices": [{"id": "monitoring.drift-detector", "text": "A drift detector runs on errors or inputs."}],
            "serves": ["K2", "K4"],
            "assumed": {"low": 3, "likely": 5, "high": 10},
            "light": {
                "name": "One alert",
                "text": "One alert on one metric.",
                "serves": ["K2", "K4"],
                "assumed": {"low": 0.5, "likely": 1, "high": 2},
            },
            "feedback": FEEDBACK,
            "answer": ANSWER | {"version": 1, "carried": True},
            "done": False,
        }
    ],
    "benefits": [{"key": "K4", "name": "Failures seen early", "swing": "From weeks to minutes."}],
    "weights": WEIGHTS | {"carried": True},
}


class OneBallot(ProjectCall):
    """An expert's ballot."""

    @extend_schema(
        operation_id="ballot_get",
        summary="Read one's own ballot",
        tags=["panel"],
        responses=BallotOut,
        examples=[OpenApiExample("In the second round", BALLOT, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read what is asked about each principle, one's own answers, and what the closed round before said.

        For an expert of the panel who is signed in. Nothing of what others say in the open round is in it.
        """
        ballot = read_ballot(speaking(request, slug))
        return Response(BallotOut(tell_ballot(ballot, read_all_feedback(ballot))).data)


class BallotAnswer(ProjectCall):
    """The answer to one principle."""

    @extend_schema(
        operation_id="ballot_answer",
        summary="Answer one principle",
        tags=["panel"],
        request=BallotAnswerIn,
        responses={200: BallotAnswerOut, 409: AnswerConflictOut},
        examples=[
            OpenApiExample("A whole answer", SAID, request_only=True),
            OpenApiExample("No vote yet", {"stance": "rates", "benefits": {"K4": 3}, "version": 0}, request_only=True),
            OpenApiExample(
                "Not for this project",
                {"stance": "not_applicable", "reason": "Nothing is served yet.", "version": 0},
                request_only=True,
            ),
            OpenApiExample("As it is kept", ANSWER, response_only=True, status_codes=["200"]),
            OpenApiExample(
                "Changed elsewhere",
                error_body("rating_conflict", conflict_message(ANSWERED_ELSEWHERE, read=1, stands=2))
                | {"theirs": ANSWER},
                response_only=True,
                status_codes=["409"],
            ),
        ],
    )
    def put(self, request: Request, slug: str, principle: str) -> Response:
        """Give the whole answer to a principle in the open round; what is left out is not answered.

        An answer `carried` from the round before counts once it is sent again, be it as it was. The same answer again
        changes nothing, whatever its version.
        """
        expert = speaking(request, slug)
        given = read(BallotAnswerIn, request.data)
        asked = find_principle(expert, principle)
        draft = _read_draft(given, asked)
        try:
            rating = save_rating(expert=expert, principle=principle, draft=draft, base_version=given["version"])
        except RatingConflictError as conflict:
            theirs = BallotAnswerOut(tell_answer(conflict.theirs, asked)).data
            return tell_conflict(conflict, ANSWERED_ELSEWHERE, read=given["version"], theirs=theirs)
        except UserError as wrong:
            raise _named(wrong, _in_place(wrong.fields)) from None
        return Response(BallotAnswerOut(tell_answer(rating, asked)).data)


class BallotWeights(ProjectCall):
    """Weights of the benefits."""

    @extend_schema(
        operation_id="ballot_weights",
        summary="Give weights of the benefits",
        tags=["panel"],
        request=BallotWeightsIn,
        responses={200: BallotWeightsOut, 409: WeightsConflictOut},
        examples=[
            OpenApiExample("All of them", POINTS, request_only=True),
            OpenApiExample("As they are kept", WEIGHTS, response_only=True, status_codes=["200"]),
            OpenApiExample(
                "Changed elsewhere",
                error_body("weights_conflict", conflict_message(WEIGHED_ELSEWHERE, read=0, stands=1))
                | {"theirs": WEIGHTS},
                response_only=True,
                status_codes=["409"],
            ),
        ],
    )
    def put(self, request: Request, slug: str) -> Response:
        """Say how much the whole swing of each benefit matters; they count once every benefit has points.

        Weights `carried` from the round before count as looked at once they are sent again.
        """
        expert = speaking(request, slug)
        given = read(BallotWeightsIn, request.data)
        try:
            weights = save_weights(expert=expert, points=given["points"], base_version=given["version"])
        except WeightsConflictError as conflict:
            theirs = BallotWeightsOut(tell_weights(conflict.theirs)).data
            return tell_conflict(conflict, WEIGHED_ELSEWHERE, read=given["version"], theirs=theirs)
        except UserError as wrong:
            points = {name[:100]: [str(message)] for name, message in islice(wrong.fields.items(), TOLD)}
            raise _named(wrong, {"points": points} if points else {}) from None
        return Response(BallotWeightsOut(tell_weights(weights)).data)


def _read_draft(given: Mapping[str, Any], principle: Principle) -> RatingDraft:
    """What was said, with its texts as the form of the page takes them; the service checks the figures."""
    light = given.get("light") or {}
    if light and not asks_light(principle):
        raise ValidationError({"light": ["This principle has no light level to rate."]})
    texts = {name: given.get(name) or "" for name in ("confidence", "reason", "evidence_url")}
    form = RatingForm(texts, principle=principle)
    if not form.is_valid():
        raise ValidationError(texts_of_errors(form))
    return replace(
        form.draft,
        stance=given["stance"],
        vote=given.get("vote"),
        benefits=given.get("benefits", {}),
        effort=_days(given),
        light_benefits=light.get("benefits", {}),
        light_effort=_days(light),
    )


def _days(given: Mapping[str, Any]) -> Effort:
    effort = given.get("effort") or {}
    low, likely, high = (effort.get(name) for name in EFFORTS)
    return low, likely, high


def _named(error: UserError, fields: Mapping[str, Any]) -> UserError:
    return UserError(error.message, code=error.code, fields=fields, status=error.status)


def _in_place(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong, named as in the body: the form's `light_benefit_K4` is K4 of the light level's benefits."""
    told: dict[str, Any] = {}
    for name, message in islice(fields.items(), TOLD):
        rest = name.removeprefix(LIGHT)
        path = ["light"] if name.startswith(LIGHT) else []
        path += ["benefits", rest.removeprefix("benefit_")] if rest.startswith("benefit_") else [rest]
        at = told
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1][:100]] = [str(message)]
    return told
