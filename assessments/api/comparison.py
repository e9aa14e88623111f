"""`assessment/compare/`: two closed rounds side by side."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.what_if import LINE, InputChangeOut, MovedOut, NetOut, tell_input_changes
from assessments.scoring.verdict import code_of
from assessments.selectors.comparison import (
    ComparedLine,
    Comparison,
    RoundChoice,
    compare_rounds,
    newest_two,
    read_choices,
)
from models_registry.api.call import ProjectCall
from models_registry.api.fields import read
from ops_portal.errors import UserError, error_body
from projects.api_schema import ErrorOut

TOO_FEW = "A comparison needs two closed rounds."


class VotesOut(serializers.Serializer[Any]):
    """How the votes moved."""

    both = serializers.IntegerField(help_text="Experts who voted in both rounds.")
    changed = serializers.IntegerField()
    up = serializers.IntegerField()
    down = serializers.IntegerField()
    median_before = serializers.FloatField(allow_null=True)
    median_after = serializers.FloatField(allow_null=True)


class ExplainedOut(MovedOut):
    """A principle in both rounds; the three parts add up to the difference of the probabilities."""

    by_answers = serializers.FloatField()
    by_scope = serializers.FloatField()
    by_assumptions = serializers.FloatField()
    note = serializers.CharField(allow_blank=True, help_text="Why there are no parts, where there are none.")
    votes = VotesOut()


class ComparedRoundOut(serializers.Serializer[Any]):
    """One side of a comparison."""

    assessment = serializers.IntegerField()
    round = serializers.IntegerField()
    closed_at = serializers.DateTimeField()


class ComparedOut(serializers.Serializer[Any]):
    """Two closed rounds side by side."""

    before = ComparedRoundOut()
    after = ComparedRoundOut()
    net_days = NetOut()
    scope = InputChangeOut(many=True, help_text="What differs between the scopes.")
    assumptions = InputChangeOut(many=True)
    problem = serializers.CharField(allow_blank=True, help_text="Why `principles` is empty, where it is.")
    principles = ExplainedOut(many=True)


class CompareQuery(serializers.Serializer[Any]):
    """Which rounds to compare."""

    before = serializers.RegexField(
        r"^[0-9]{1,9}\.[0-9]{1,9}$",
        required=False,
        help_text="Assessment and round, such as 1.2; else the one before last.",
    )
    after = serializers.RegexField(r"^[0-9]{1,9}\.[0-9]{1,9}$", required=False, help_text="The same; else the newest.")


COMPARED: dict[str, Any] = {
    "before": {"assessment": 1, "round": 1, "closed_at": "2026-05-04T12:00:00Z"},
    "after": {"assessment": 1, "round": 2, "closed_at": "2026-05-11T12:00:00Z"},
    "net_days": {"before": 140.2, "after": 131.9},
    "scope": [],
    "assumptions": [],
    "problem": "",
    "principles": [
        LINE
        | {
            "by_answers": -0.38,
            "by_scope": 0.0,
            "by_assumptions": 0.0,
            "note": "",
            "votes": {"both": 6, "changed": 2, "up": 0, "down": 2, "median_before": 8.0, "median_after": 6.0},
        }
    ],
}


class AssessmentCompare(ProjectCall):
    """Two closed rounds side by side."""

    @extend_schema(
        operation_id="assessment_compare",
        summary="Compare two rounds",
        tags=["assessments"],
        parameters=[CompareQuery],
        responses={200: ComparedOut, 409: ErrorOut},
        examples=[
            OpenApiExample("Two rounds, the first principle", COMPARED, response_only=True, status_codes=["200"]),
            OpenApiExample(
                "Fewer than two", error_body("nothing_to_compare", TOO_FEW), response_only=True, status_codes=["409"]
            ),
        ],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Compare two closed rounds, of one assessment or of two, and split the difference one change at a time.

        First come the new answers, then the new scope, then the changed assumptions.
        """
        choices = read_choices(self.reading(request, slug))
        asked = read(CompareQuery, request.query_params)
        earlier, newest = newest_two(choices)
        before, after = asked.get("before", earlier), asked.get("after", newest)
        if len(choices) < 2:
            raise UserError(TOO_FEW, code="nothing_to_compare", status=409)
        if before == after:
            raise UserError("This is one and the same round.", fields={"after": "Choose another one to compare with."})
        named = {choice.value: choice for choice in choices}
        for side, name in (("before", before), ("after", after)):
            if name not in named:
                raise UserError(
                    f"There is no closed round {name}.", code="unknown_round", status=404, fields={side: "Not there."}
                )
        return Response(ComparedOut(_tell_comparison(compare_rounds(named[before], named[after]))).data)


def _tell_comparison(found: Comparison) -> dict[str, Any]:
    return {
        "before": _tell_round(found.before),
        "after": _tell_round(found.after),
        "net_days": {"before": found.net_before, "after": found.net_after},
        "scope": tell_input_changes(found.scopes),
        "assumptions": tell_input_changes(found.assumptions),
        "problem": found.problem,
        "principles": [_tell_explained(line) for line in found.lines],
    }


def _tell_round(choice: RoundChoice) -> dict[str, Any]:
    one = choice.round
    return {"assessment": one.assessment.number, "round": one.number, "closed_at": one.closed_at}


def _tell_explained(line: ComparedLine) -> dict[str, Any]:
    change = line.change
    verdicts = [verdict and code_of(verdict) for verdict in (change.verdict_before, change.verdict_after)]
    return {
        "slug": change.slug,
        "name": line.name,
        "verdict_before": verdicts[0],
        "verdict_after": verdicts[1],
        "probability_before": change.before,
        "probability_after": change.after,
        "moved": line.moved,
        "by_answers": change.by_answers,
        "by_scope": change.by_scope,
        "by_assumptions": change.by_assumptions,
        "note": change.note,
        "votes": change.votes,
    }
