"""`assessment/`: a project's assessment as its page shows it, and the results of the panel's closed rounds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.catalogue import DaysOut
from assessments.models import Assessment
from assessments.selectors.checklist import PrincipleState
from assessments.selectors.document import read_full_report
from assessments.selectors.export import export_document
from assessments.selectors.overview import Overview, read_overview
from assessments.selectors.recommendation import VERDICTS, Recommended
from assessments.selectors.rounds import closed_rounds
from assessments.services.assessments import close
from models_registry.api.call import ProjectCall
from projects.access import RATE
from projects.models import Project

STATES = [*Assessment.State.values, "none"]


class RecommendedOut(serializers.Serializer[Any]):
    """What is recommended about one principle."""

    verdict = serializers.ChoiceField(list(VERDICTS))
    reasons = serializers.ListField(child=serializers.CharField())
    share = serializers.FloatField(allow_null=True, help_text="How many of the readings of the scope want it, 0 to 1.")
    borderline = serializers.BooleanField()
    light = serializers.CharField(allow_null=True, help_text="Its light level, where that alone is worth adopting now.")
    effort = DaysOut(help_text="Of the whole principle.")


class PrincipleStateOut(serializers.Serializer[Any]):
    """Where a project stands with one principle."""

    slug = serializers.CharField()
    name = serializers.CharField()
    answered = serializers.IntegerField(help_text="Practices with an answer, a person's or the records'.")
    practices = serializers.IntegerField()
    in_place = serializers.FloatField(help_text='Practices in place, "partly" counting half.')
    recommendation = RecommendedOut(allow_null=True)


class AssessmentOut(serializers.Serializer[Any]):
    """A project's assessment at this moment."""

    number = serializers.IntegerField(
        allow_null=True, help_text="The open one, else the one closed last; null when there is none."
    )
    state = serializers.ChoiceField(STATES)
    edition = serializers.CharField(help_text="Edition of the catalogue of principles.")
    answered = serializers.IntegerField()
    practices = serializers.IntegerField()
    scope_declared = serializers.BooleanField(help_text="Whether a person described the scope.")
    scope_unknown = serializers.ListField(child=serializers.CharField(), help_text="Factors nothing is known about.")
    next_step = serializers.CharField()
    principles = PrincipleStateOut(many=True)
    closed = serializers.ListField(child=serializers.IntegerField(), help_text="Earlier assessments, newest first.")


ASSESSMENT: dict[str, Any] = {
    "number": 1,
    "state": "open",
    "edition": "2026.11",
    "answered": 40,
    "practices": 91,
    "scope_declared": True,
    "scope_unknown": [],
    "next_step": "Go on with Monitoring",
    "principles": [],
    "closed": [],
}


class AssessmentNow(ProjectCall):
    """A project's assessment."""

    @extend_schema(
        operation_id="assessment_get",
        summary="Read the assessment",
        tags=["assessments"],
        responses=AssessmentOut,
        examples=[
            OpenApiExample("An assessment", ASSESSMENT, response_only=True),
        ],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read where the project stands with each principle, and what is recommended about it for its scope.

        `recommendation` is null while nothing is known about the scope. What the portal's records answer is counted.
        """
        return tell_assessment(self.reading(request, slug))


class CloseAssessment(ProjectCall):
    """Closing the assessment."""

    @extend_schema(
        operation_id="assessment_close",
        summary="Close the assessment",
        tags=["assessments"],
        request=None,
        responses=AssessmentOut,
        examples=[
            OpenApiExample("The closed assessment", ASSESSMENT | {"state": "closed", "closed": [1]}, response_only=True)
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Close the open assessment: its answers, its scope and what the records said are kept as they are now.

        The next answer opens another one, which begins with these answers. 409 while a round of the panel is open.
        """
        project, actor = self.changing(request, slug, RATE)
        close(project=project, actor=actor)
        return tell_assessment(project)


class AssessmentResult(ProjectCall):
    """The result of a closed round."""

    @extend_schema(
        operation_id="assessment_result_get",
        summary="Read the result of a round",
        tags=["assessments"],
        responses=OpenApiTypes.OBJECT,
        examples=[
            OpenApiExample(
                "The beginning of a result",
                {
                    "project": "pump-failures",
                    "assessment": 1,
                    "round": 2,
                    "invited": 6,
                    "voted": 6,
                    "complete": True,
                    "net_days": {"p10": 20.1, "p50": 24.0, "p90": 30.8},
                    "principles": [{"principle": "versioning", "verdict": "Adopt now", "probability": 1.0}],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str, assessment: int, number: int) -> Response:
        """Read the whole report of a closed round: the same document as the JSON export of its page.

        `principles` holds a row per principle, `tables` the tables of the printed report cell by cell, `settings` every
        assumption. Experts appear by codes, and by name only where the panel is not anonymous.
        """
        rounds = closed_rounds(self.reading(request, slug))
        full = read_full_report(get_object_or_404(rounds, assessment__number=assessment, number=number))
        return Response(export_document(full.report, full.document))


def tell_assessment(project: Project) -> Response:
    """Answer with the assessment as it stands now."""
    return Response(_tell(read_overview(project)))


def _tell(shown: Overview) -> dict[str, Any]:
    checklist = shown.checklist
    current = checklist.assessment
    return {
        "number": current.number if current else None,
        "state": current.state if current else "none",
        "edition": checklist.catalogue.edition,
        "answered": checklist.answered,
        "practices": checklist.total,
        "scope_declared": shown.scope_declared,
        "scope_unknown": list(shown.scope.missing),
        "next_step": shown.next_step.title,
        "principles": [tell_state(line.state, line.verdict) for line in shown.lines],
        "closed": [milestone.number for milestone in shown.milestones],
    }


def tell_state(state: PrincipleState, verdict: Recommended | None) -> dict[str, Any]:
    """Where a project stands with one principle, for `PrincipleStateOut`."""
    return {
        "slug": state.principle.slug,
        "name": state.principle.name,
        "answered": state.answered,
        "practices": state.total,
        "in_place": state.in_place,
        "recommendation": tell_recommended(verdict) if verdict else None,
    }


def tell_recommended(verdict: Recommended) -> dict[str, Any]:
    """What is recommended about one principle, as plain values."""
    effort = verdict.effort
    return {
        "verdict": verdict.verdict,
        "reasons": [verdict.reason, *verdict.more],
        "share": verdict.share,
        "borderline": verdict.borderline,
        "light": verdict.light.name if verdict.light else None,
        "effort": {"low": effort.low, "likely": effort.likely, "high": effort.high},
    }
