"""`assessment/rounds/`: rounds of the panel: which are closed, how far the open one is, opening and closing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments import tasks
from assessments.forms.panel import SettingsForm
from assessments.models import Round
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import assumptions_for
from assessments.selectors.assumptions import doubt_worth
from assessments.selectors.panel import read_panel
from assessments.selectors.rounds import closed_rounds
from assessments.services.panel_rounds import close_round, open_round
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Figure, Flag, Whole, read
from ops_portal.errors import UserError
from ops_portal.forms import texts_of_errors
from projects.access import WORK
from projects.api_fields import Body
from projects.models import Project


class RoundOut(serializers.Serializer[Any]):
    """A closed round of a panel."""

    assessment = serializers.IntegerField()
    round = serializers.IntegerField()
    closed_at = serializers.DateTimeField()
    complete = serializers.BooleanField(help_text="False while the worker still works it out.")
    seal = serializers.CharField(help_text="SHA-256 over all answers at closing.")


class OpenRoundOut(serializers.Serializer[Any]):
    """The open round: who has done how much, nothing of what was said."""

    assessment = serializers.IntegerField()
    round = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    anonymous = serializers.BooleanField(help_text="Whether votes and reasons are shown without names once it closes.")
    settings_digest = serializers.CharField(help_text="SHA-256 of the settings, fixed before the first round.")
    doubt = serializers.CharField(
        allow_null=True, help_text="A warning where the two answers to what all benefits are worth differ too much."
    )
    invited = serializers.IntegerField(help_text="Experts on the panel.")
    begun = serializers.IntegerField(help_text="Those who answered something in this round.")
    finished = serializers.IntegerField(help_text="Those who answered every principle.")
    can_close = serializers.BooleanField()
    scope_moved = serializers.BooleanField(
        help_text="Whether the project is described otherwise now than when the round began; the experts judge by that."
    )
    rounds_left = serializers.IntegerField(help_text="How many more can be opened after it.")


def _setting(field: forms.Field) -> serializers.Field[Any, Any, Any, Any]:
    """A setting with the limits that its field has on the page."""
    figure = Figure if isinstance(field, forms.FloatField) else Whole
    return figure(
        required=False,
        allow_null=not field.required,
        min_value=field.min_value,  # type: ignore[attr-defined]
        max_value=field.max_value,  # type: ignore[attr-defined]
        label=str(field.label),
        help_text=str(field.help_text),
    )


class RoundSettingsIn(Body):
    """Assumptions to fix before the first round; one that is left out is as the project's assumptions have it."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: _setting(SettingsForm.base_fields[name]) for name in SettingsForm.NAMES}


class OpenRoundIn(Body):
    """What opening a round takes; the first one fixes it for all."""

    anonymous = Flag(required=False, help_text="Before the first round only; true by default.")
    settings = RoundSettingsIn(required=False, help_text="Before the first round only.")


CLOSED: dict[str, Any] = {
    "assessment": 1,
    "round": 2,
    "closed_at": "2026-11-20T14:05:00Z",
    "complete": True,
    "seal": "9f2c",
}
OPEN: dict[str, Any] = {
    "assessment": 1,
    "round": 1,
    "opened_at": "2026-11-20T12:00:00Z",
    "anonymous": True,
    "settings_digest": "b81d",
    "doubt": None,
    "invited": 6,
    "begun": 4,
    "finished": 2,
    "can_close": True,
    "scope_moved": False,
    "rounds_left": 2,
}


class AssessmentRounds(ProjectCall):
    """The rounds of a project's panel."""

    @extend_schema(
        operation_id="assessment_rounds_list",
        summary="List closed rounds",
        tags=["panel"],
        responses=RoundOut(many=True),
        examples=[OpenApiExample("A closed round", CLOSED, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the closed rounds of all assessments. How far an open one is stands under `rounds/open/`."""
        # Results are large: here it is enough to know that there is one.
        rows = closed_rounds(self.reading(request, slug)).defer("result")
        page = self.paginate_queryset(rows.annotate(complete=Q(result__isnull=False)))
        told = [_tell_closed(one, one.complete) for one in page or ()]
        return self.get_paginated_response(RoundOut(told, many=True).data)

    @extend_schema(
        operation_id="assessment_rounds_open",
        summary="Open a round",
        tags=["panel"],
        request=OpenRoundIn,
        responses={201: OpenRoundOut},
        examples=[
            OpenApiExample(
                "The first round, with a budget",
                {"anonymous": True, "settings": {"budget_days": 40, "maximum_rounds": 2}},
                request_only=True,
            ),
            OpenApiExample("The next round", {}, request_only=True),
            OpenApiExample(
                "The round",
                OPEN | {"begun": 0, "finished": 0, "can_close": False},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Open the next round: each expert can answer now. Anonymity and settings are fixed by the first one.

        It needs a described scope and at least one expert. Later rounds start from each expert's own answers.
        """
        project, actor = self.changing(request, slug, WORK)
        given = read(OpenRoundIn, request.data)
        panel = read_panel(project, None)
        if given and panel.settings_fixed and panel.current is None:
            raise UserError(
                "Anonymity and settings were fixed before round 1. Leave them out.", code="settings_fixed", status=409
            )
        settings = None if panel.settings_fixed else _read_settings(given.get("settings", {}), assumptions_for(project))
        open_round(project=project, actor=actor, settings=settings, anonymous=given.get("anonymous", True))
        return _tell_open(project, status=201)


class OpenRound(ProjectCall):
    """The open round."""

    @extend_schema(
        operation_id="assessment_rounds_current",
        summary="Read how far the open round is",
        tags=["panel"],
        responses=OpenRoundOut,
        examples=[OpenApiExample("An open round", OPEN, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read which round is open and how many have answered; what they said is told to nobody before it closes."""
        return _tell_open(self.reading(request, slug))


class CloseRound(ProjectCall):
    """Closing the open round."""

    @extend_schema(
        operation_id="assessment_rounds_close",
        summary="Close the open round",
        tags=["panel"],
        request=None,
        responses=RoundOut,
        examples=[OpenApiExample("Its result is being worked out", CLOSED | {"complete": False}, response_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Close and seal the open round for good, and have its result worked out: read it until it is `complete`.

        What was said by anybody who was taken off the panel is left out. A round without answers cannot be closed.
        """
        project, actor = self.changing(request, slug, WORK)
        closed = close_round(project=project, actor=actor)
        tasks.ring(closed.pk)
        return Response(RoundOut(_tell_closed(closed, complete=False)).data)


def _read_settings(given: dict[str, Any], base: Settings) -> Settings:
    """`base` with what was given, if the page would take it so."""
    form = SettingsForm({name: getattr(base, name) for name in SettingsForm.NAMES} | given)
    if not form.is_valid():
        raise serializers.ValidationError({"settings": texts_of_errors(form)})
    return form.settings(base)


def _tell_closed(one: Round, complete: bool) -> dict[str, Any]:
    return {
        "assessment": one.assessment.number,
        "round": one.number,
        "closed_at": one.closed_at,
        "complete": complete,
        "seal": one.seal,
    }


def _tell_open(project: Project, status: int = 200) -> Response:
    panel = read_panel(project, None)
    if panel.assessment is None or panel.current is None:
        raise UserError("No round is open; a facilitator opens one.", code="no_round", status=404)
    settings = Settings.from_json(panel.current.settings)
    told = {
        "assessment": panel.assessment.number,
        "round": panel.current.number,
        "opened_at": panel.current.opened_at,
        "anonymous": panel.current.anonymous,
        "settings_digest": settings.digest(),
        "doubt": doubt_worth(settings) or None,
        "invited": len(panel.invited),
        "begun": panel.begun,
        "finished": panel.complete,
        "can_close": panel.can_close,
        "scope_moved": panel.scope_moved,
        "rounds_left": panel.rounds_left,
    }
    return Response(OpenRoundOut(told).data, status=status)
