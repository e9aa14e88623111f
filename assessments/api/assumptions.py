"""`assessment/assumptions/`: the settings of the scoring that hold, how they became that, and changing them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.forms.assumptions import LONGEST_REASON
from assessments.forms.settings_sent import read_settings
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import SetLine, assumptions_in, read_sets
from assessments.selectors.editions import catalogue_for
from assessments.services.assumptions import keep_assumptions
from models_registry.api.call import ProjectCall
from models_registry.api.fields import LARGEST_NUMBER, Text, Whole, read
from ops_portal.errors import UserError
from projects.access import WORK
from projects.api_fields import Body
from projects.models import Project


class AssumptionChangeOut(serializers.Serializer[Any]):
    """One assumption that a set changed, in the words of the page."""

    assumption = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class AssumptionSetOut(serializers.Serializer[Any]):
    """A set of assumptions; it is never changed."""

    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the settings; results name it.")
    reason = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    changes = AssumptionChangeOut(many=True)


class AssumptionsOut(serializers.Serializer[Any]):
    """The assumptions that hold in a project."""

    number = serializers.IntegerField(help_text="Send it back as `base`; 0 while the portal's own assumptions hold.")
    digest = serializers.CharField(help_text="SHA-256 of the settings; results name it.")
    settings = serializers.DictField(child=serializers.JSONField(), help_text="Every assumption by name.")
    portal = serializers.DictField(
        child=serializers.JSONField(),
        help_text="The portal's own, in the same form: send them as `settings` to go back to them.",
    )
    sets = AssumptionSetOut(many=True, help_text="All sets of the project, newest first, with what each changed.")


class AssumptionsIn(Body):
    """What changing assumptions takes."""

    settings = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        help_text="All settings as read, or those that change: objects are taken name by name, `factors` by the `name` "
        "of each; what is left out stays as it is in the set `base`.",
    )
    reason = Text(max_length=LONGEST_REASON, help_text="Why; whoever reads the next result will ask.")
    base = Whole(min_value=0, max_value=LARGEST_NUMBER, help_text="Number of the set that was read, 0 for none.")


SAID: dict[str, Any] = {
    "settings": {
        "full_benefit_days": 200,
        "noise_half_widths": {"low": 2},
        "factors": [{"name": "people", "high": 20}],
    },
    "reason": "Our last two projects saved less.",
    "base": 0,
}
ASSUMPTIONS: dict[str, Any] = {
    "number": 1,
    "digest": "5d0e",
    "settings": {"full_benefit_days": 200.0, "horizon_months": 12.0, "adopt_now": 0.7, "not_yet": 0.3},
    "portal": {"full_benefit_days": 300.0, "horizon_months": 12.0, "adopt_now": 0.7, "not_yet": 0.3},
    "sets": [
        {
            "number": 1,
            "digest": "5d0e",
            "reason": "Our last two projects saved less.",
            "by": "olga",
            "at": "2026-05-04T12:00:00Z",
            "changes": [
                {
                    "assumption": "Worth of all benefits",
                    "before": "300 person-days a year",
                    "after": "200 person-days a year",
                }
            ],
        }
    ],
}


class Assumptions(ProjectCall):
    """The assumptions."""

    @extend_schema(
        operation_id="assessment_assumptions_get",
        summary="Read the assumptions",
        tags=["assessments"],
        responses=AssumptionsOut,
        examples=[OpenApiExample("The beginning of them", ASSUMPTIONS, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read every assumption that the recommendation and the next round rest on, and each set with its reason.

        The settings have the form of `settings` in the result of a round.
        """
        return _answer(self.reading(request, slug))

    @extend_schema(
        operation_id="assessment_assumptions_set",
        summary="Change assumptions",
        tags=["assessments"],
        request=AssumptionsIn,
        responses=AssumptionsOut,
        examples=[
            OpenApiExample("Three of them", SAID, request_only=True),
            OpenApiExample("The beginning of them", ASSUMPTIONS, response_only=True),
        ],
    )
    def put(self, request: Request, slug: str) -> Response:
        """Keep other assumptions as a new set; closed rounds keep the one they were worked out with.

        What is wrong is told by place, such as `settings.need_shares.K1`. 409 `changed_meanwhile` where somebody kept
        another set after `base`, `no_change` where nothing is different.
        """
        project, actor = self.changing(request, slug, WORK)
        given = read(AssumptionsIn, request.data)
        over = assumptions_in(project, given["base"])
        if over is None:
            raise UserError(
                f"There is no set {given['base']} of assumptions; read them again.",
                code="changed_meanwhile",
                status=409,
            )
        settings = read_settings(given["settings"], over=over, catalogue=catalogue_for(project), **_why(given))
        keep_assumptions(project=project, settings=settings, actor=actor, **_why(given))
        return _answer(project)


def _why(given: dict[str, Any]) -> dict[str, Any]:
    return {"reason": given["reason"], "base": given["base"]}


def _answer(project: Project) -> Response:
    catalogue = catalogue_for(project)
    sets = read_sets(project, catalogue)
    newest = sets[0].row if sets else None
    holds = Settings.from_json(newest.settings) if newest else Settings()
    told = {
        "number": newest.number if newest else 0,
        "digest": holds.digest(),
        "settings": holds.to_json(),
        "portal": Settings().to_json(),
        "sets": [_tell_set(one) for one in sets],
    }
    return Response(AssumptionsOut(told).data)


def _tell_set(line: SetLine) -> dict[str, Any]:
    row = line.row
    return {
        "number": row.number,
        "digest": row.digest,
        "reason": row.reason,
        "by": row.created_by_name,
        "at": row.created_at,
        "changes": [{"assumption": name, "before": before, "after": after} for name, before, after in line.changes],
    }
