"""`assessment/<n>/rounds/<m>/what-if/`: a closed round with other assumptions. Nothing is kept."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.fields import Field
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.scoring.changes import Inputs
from assessments.scoring.scope import FACTORS
from assessments.scoring.verdict import CODES
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.rounds import closed_rounds
from assessments.selectors.what_if import Turned, WhatIfLine, read_what_if
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Figure, Flag, read
from ops_portal.errors import UserError
from projects.api_fields import Body

#: Larger values say nothing more: every factor ends long before.
MOST = 1_000_000


class FactorsIn(Body):
    """Scope factors, each in its own unit; one that is left out stays as it is."""

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        return {
            factor.name: Figure(
                required=False,
                min_value=factor.minimum,
                max_value=min(factor.maximum, MOST),
                help_text=f"{factor.title}, {factor.unit}" if factor.unit else factor.title,
            )
            for factor in FACTORS
        }


class WhatIfIn(Body):
    """What would be otherwise; what is left out stays as it was in the round."""

    worth = Figure(required=False, min_value=0, max_value=100_000, help_text="Worth of all benefits, days a year.")
    budget = Figure(required=False, allow_null=True, min_value=0, max_value=100_000, help_text="Days; null: no limit.")
    plan = Figure(required=False, min_value=0, max_value=1, help_text="How far on the way to the planned scope.")
    factors = FactorsIn(required=False)
    first_version = Flag(required=False, help_text="Whether the first version is not out yet.")


class InputChangeOut(serializers.Serializer[Any]):
    """Something that differs between two inputs, in words."""

    what = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class NetOut(serializers.Serializer[Any]):
    """Net worth of the best set, days: the middle of the readings."""

    before = serializers.FloatField()
    after = serializers.FloatField()


class CountOut(serializers.Serializer[Any]):
    """How many principles are worth adopting now, light levels not counted beside them."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()


class MovedOut(serializers.Serializer[Any]):
    """A principle or its light level (`<slug>:light`) on both sides."""

    slug = serializers.CharField()
    name = serializers.CharField()
    verdict_before = serializers.ChoiceField(CODES, allow_null=True)
    verdict_after = serializers.ChoiceField(CODES, allow_null=True)
    probability_before = serializers.FloatField(
        allow_null=True, help_text="Share of the readings that want it, 0 to 1."
    )
    probability_after = serializers.FloatField(allow_null=True)
    moved = serializers.BooleanField(help_text="Whether the verdict is another one.")


class WhatIfOut(serializers.Serializer[Any]):
    """The result that was kept (`before`) beside the one with the other assumptions (`after`)."""

    assessment = serializers.IntegerField()
    round = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="False while the kept result is not worked out: from fewer readings.")
    changed = InputChangeOut(many=True, help_text="What differs between the inputs.")
    net_days = NetOut()
    adopt_now = CountOut()
    principles = MovedOut(many=True)


LINE: dict[str, Any] = {
    "slug": "monitoring",
    "name": "Monitoring",
    "verdict_before": "now",
    "verdict_after": "later",
    "probability_before": 0.93,
    "probability_after": 0.55,
    "moved": True,
}
WHAT_IF: dict[str, Any] = {
    "assessment": 1,
    "round": 2,
    "complete": True,
    "changed": [{"what": "Budget", "before": "no limit", "after": "25 days"}],
    "net_days": {"before": 140.2, "after": 96.0},
    "adopt_now": {"before": 7, "after": 4},
    "principles": [LINE],
}


class AssessmentWhatIf(ProjectCall):
    """A closed round with other assumptions."""

    @extend_schema(
        operation_id="assessment_what_if",
        summary="Work out a round with other assumptions",
        tags=["assessments"],
        request=WhatIfIn,
        responses=WhatIfOut,
        examples=[
            OpenApiExample("With 25 days to spend", {"budget": 25}, request_only=True),
            OpenApiExample(
                "Half way to the plan, with eight people", {"plan": 0.5, "factors": {"people": 8}}, request_only=True
            ),
            OpenApiExample("What would change, its first principle", WHAT_IF, response_only=True),
        ],
    )
    def post(self, request: Request, slug: str, assessment: int, number: int) -> Response:
        """Work out the result of a closed round with another worth, budget or scope, from the same readings.

        Nothing is kept, so whoever may read may ask. First comes the way to the plan, then the factors.
        """
        rounds = closed_rounds(self.reading(request, slug))
        found = get_object_or_404(rounds, assessment__number=assessment, number=number)
        given = read(WhatIfIn, request.data)
        inputs = read_inputs(found)
        changes = read_what_if(found, inputs, _turn(inputs, given))
        told = {
            "assessment": assessment,
            "round": number,
            "complete": found.result is not None,
            "changed": tell_input_changes(changes.said),
            "net_days": {"before": changes.net_before, "after": changes.net_after},
            "adopt_now": {"before": changes.now_before, "after": changes.now_after},
            "principles": [_tell_line(line) for line in changes.lines],
        }
        return Response(WhatIfOut(told).data)


def _turn(inputs: Inputs, given: dict[str, Any]) -> Turned:
    """What is asked for, beside what was kept; what the round cannot tell is refused."""
    settings = inputs.settings
    if given.get("plan") and inputs.planned is None:
        raise UserError("No scope was planned in this round.", fields={"plan": "Leave it out."})
    factors = {factor.name for factor in settings.factors}
    if unknown := given.get("factors", {}).keys() - factors:
        raise UserError(
            "This round knows other scope factors.", fields={"factors": dict.fromkeys(sorted(unknown), "Not known.")}
        )
    return Turned(
        worth=given.get("worth", settings.full_benefit_days),
        budget=given.get("budget", settings.budget_days),
        part=given.get("plan", 0),
        values=given.get("factors", {}),
        first_version=given.get("first_version", inputs.scope.first_version),
    )


def tell_input_changes(rows: tuple[tuple[str, str, str], ...]) -> list[dict[str, str]]:
    """What differs, for `InputChangeOut`."""
    return [{"what": what, "before": before, "after": after} for what, before, after in rows]


def _tell_line(line: WhatIfLine) -> dict[str, Any]:
    return {
        "slug": line.slug,
        "name": line.name,
        "verdict_before": line.before,
        "verdict_after": line.after,
        "probability_before": line.probability_before,
        "probability_after": line.probability_after,
        "moved": line.moved,
    }
