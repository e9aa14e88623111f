"""`assessment/plan/`: what was decided about each principle, what became of it, and deciding."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.assessment import PrincipleStateOut, tell_state
from assessments.evidence.delivery import Delivery
from assessments.models import Decision
from assessments.scoring.verdict import CODES
from assessments.selectors.delivery import Brought, read_brought
from assessments.selectors.plan import PlanLine, decisions_of, find_principle, read_plan
from assessments.services.decisions import DecisionDraft, decide, find_owner
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Figure, Text, name_user, read
from projects.access import WORK
from projects.api_fields import Body


class DecisionOut(serializers.ModelSerializer[Decision]):
    """A decision about a principle: a record that never changes. The newest one holds."""

    owner = name_user(source="owner.username", help_text="Who sees to it.")
    assessment = serializers.IntegerField(
        source="assessment.number", read_only=True, allow_null=True, help_text="The assessment it was decided in."
    )
    round = serializers.IntegerField(
        source="round.number", read_only=True, allow_null=True, help_text="The newest closed round of that day."
    )
    measured = serializers.SerializerMethodField(help_text="Scope factors as the records measured them that day.")
    decided_by = name_user(source="decided_by.username")

    class Meta:
        model = Decision
        fields = [
            "id",
            "principle",
            "choice",
            "reason",
            "owner",
            "due",
            "adopted_on",
            "effort_planned",
            "effort_spent",
            "assessment",
            "round",
            "measured",
            "decided_by",
            "decided_by_name",
            "decided_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.FloatField(allow_null=True)))
    def get_measured(self, decision: Decision) -> dict[str, float | None]:
        measured: dict[str, float | None] = decision.context.get("measured", {})
        return measured


class DeliveryOut(serializers.Serializer[Any]):
    """Delivery figures of a stretch of time; null where nothing in it can be measured. Times are medians, in hours."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    changes = serializers.IntegerField(help_text="Versions that came to serve, at once or as a canary.")
    failed = serializers.IntegerField(help_text="Those of them that were rolled back or aborted.")
    per_week = serializers.FloatField(allow_null=True)
    lead_hours = serializers.FloatField(allow_null=True, help_text="From the start of the run to serving.")
    failure_rate = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    restore_hours = serializers.FloatField(allow_null=True)


class BroughtOut(serializers.Serializer[Any]):
    """What the records say before and after: it shows what changed, not why."""

    in_place = serializers.BooleanField(help_text="Whether `after` begins when it was in place; else at the decision.")
    before = DeliveryOut(help_text="Up to 90 days before it was decided on.")
    after = DeliveryOut()


class PlanLineOut(PrincipleStateOut):
    """A principle with what the panel said, what was decided, and what that brought."""

    applicable = serializers.IntegerField(help_text="Practices that apply, as far as answered.")
    panel = serializers.ChoiceField(
        CODES,
        allow_null=True,
        help_text="The verdict of the newest closed round, `panel_round`, once it is worked out.",
    )
    decision = DecisionOut(allow_null=True, help_text="The one that holds.")
    decisions = serializers.IntegerField(help_text="How many records there are; each is under `plan/{principle}/`.")
    brought = BroughtOut(allow_null=True, help_text="Of what is to be adopted.")


class PlanOut(serializers.Serializer[Any]):
    """The adoption plan, in the order of the catalogue."""

    assessment = serializers.IntegerField(allow_null=True)
    panel_round = serializers.IntegerField(allow_null=True)
    decided = serializers.IntegerField()
    to_adopt = serializers.IntegerField()
    planned_days = serializers.FloatField(help_text="Of what is to be adopted, as `spent_days`.")
    spent_days = serializers.FloatField()
    principles = PlanLineOut(many=True)


class DecisionIn(Body):
    """What a decision takes. It is a record of its own: what is left out is open in it, whatever the last one said."""

    choice = serializers.ChoiceField(Decision.Choice.choices)
    reason = Text(max_length=2000, help_text="Context, decision, consequences: two sentences are enough.")
    owner = Text(
        max_length=150, required=False, allow_null=True, help_text="User name of a member of the team who sees to it."
    )
    due = serializers.DateField(required=False, allow_null=True, help_text="Until when.")
    adopted_on = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="Since when it is in place: the records before and after are compared.",
    )
    effort_planned = Figure(required=False, allow_null=True, min_value=0, max_value=100_000, help_text="Days.")
    effort_spent = Figure(required=False, allow_null=True, min_value=0, max_value=100_000, help_text="Days so far.")


DECISION: dict[str, Any] = {
    "id": 12,
    "principle": "monitoring",
    "choice": "adopt",
    "reason": "We lost a day in March.",
    "owner": "nora",
    "due": "2026-07-31",
    "adopted_on": None,
    "effort_planned": 8.0,
    "effort_spent": 3.5,
    "assessment": 1,
    "round": 2,
    "measured": {"deployments_per_week": 3.0},
    "decided_by": "olga",
    "decided_by_name": "Olga Lind",
    "decided_at": "2026-05-04T12:00:00Z",
}
DELIVERY: dict[str, Any] = {
    "start": "2026-02-03T12:00:00Z",
    "end": "2026-05-04T12:00:00Z",
    "changes": 26,
    "failed": 4,
    "per_week": 2.0,
    "lead_hours": 30.5,
    "failure_rate": 0.154,
    "restore_hours": 5.2,
}
PLAN: dict[str, Any] = {
    "assessment": 1,
    "panel_round": 2,
    "decided": 1,
    "to_adopt": 1,
    "planned_days": 8.0,
    "spent_days": 3.5,
    "principles": [
        {
            "slug": "monitoring",
            "name": "Monitoring",
            "answered": 7,
            "practices": 8,
            "in_place": 3.5,
            "recommendation": None,
            "applicable": 7,
            "panel": "now",
            "decision": DECISION,
            "decisions": 2,
            "brought": {
                "in_place": False,
                "before": DELIVERY,
                "after": DELIVERY | {"start": "2026-05-04T12:00:00Z", "end": "2026-06-01T12:00:00Z"},
            },
        }
    ],
}


class AdoptionPlan(ProjectCall):
    """The adoption plan."""

    @extend_schema(
        operation_id="assessment_plan_get",
        summary="Read the adoption plan",
        tags=["assessments"],
        responses=PlanOut,
        examples=[OpenApiExample("A plan, its first principle", PLAN, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read what was decided about each principle, how far it is, and what the records say since."""
        project = self.reading(request, slug)
        plan = read_plan(project)
        current = plan.overview.checklist.assessment
        brought = {one.decision.principle: one for one in read_brought(project, plan.overview.checklist.catalogue)}
        told = {
            "assessment": current.number if current else None,
            "panel_round": plan.overview.closed_round,
            "decided": plan.decided,
            "to_adopt": len(plan.adopting),
            "planned_days": plan.planned_days,
            "spent_days": plan.spent_days,
            "principles": [_tell(line, brought.get(line.principle.slug)) for line in plan.lines],
        }
        return Response(PlanOut(told).data)


class Decisions(ProjectCall):
    """Decisions about one principle."""

    @extend_schema(
        operation_id="decisions_list",
        summary="List decisions about a principle",
        tags=["assessments"],
        responses=DecisionOut(many=True),
        examples=[OpenApiExample("A decision", DECISION, response_only=True)],
    )
    def get(self, request: Request, slug: str, principle: str) -> Response:
        """List what was decided about a principle, newest first: the first one holds."""
        project = self.reading(request, slug)
        if find_principle(project, principle) is None:
            raise Http404
        return self.listed(decisions_of(project).filter(principle=principle), DecisionOut)

    @extend_schema(
        operation_id="decisions_create",
        summary="Decide on a principle",
        tags=["assessments"],
        request=DecisionIn,
        responses={201: DecisionOut},
        examples=[
            OpenApiExample(
                "To adopt it",
                {
                    "choice": "adopt",
                    "reason": "We lost a day in March.",
                    "owner": "nora",
                    "due": "2026-07-31",
                    "effort_planned": 8,
                },
                request_only=True,
            ),
            OpenApiExample("Not yet", {"choice": "later", "reason": "After the next release."}, request_only=True),
            OpenApiExample("The decision", DECISION, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str, principle: str) -> Response:
        """Record a decision. A change of mind, or days spent meanwhile, is another record; those before it stay."""
        project, actor = self.changing(request, slug, WORK)
        given = read(DecisionIn, request.data)
        if given.get("owner") is not None:
            given["owner"] = find_owner(project, given["owner"])
        made = decide(project=project, principle=principle, draft=DecisionDraft(**given), actor=actor)
        return Response(DecisionOut(decisions_of(project).get(pk=made.pk)).data, status=201)


def _tell(line: PlanLine, brought: Brought | None) -> dict[str, Any]:
    return tell_state(line.line.state, line.line.verdict) | {
        "applicable": line.line.state.applicable,
        "panel": line.panel or None,
        "decision": line.decision,
        "decisions": len(line.records),
        "brought": brought
        and {
            "in_place": brought.in_place,
            "before": _tell_delivery(brought.before),
            "after": _tell_delivery(brought.after),
        },
    }


def _tell_delivery(figures: Delivery) -> dict[str, Any]:
    return asdict(figures) | {"per_week": figures.per_week, "failure_rate": figures.failure_rate}
