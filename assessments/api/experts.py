"""`assessment/experts/`: who is on the panel and how far each is; inviting, giving new links, taking off."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.models import Expert
from assessments.selectors.panel import PanelState, guest_address, invited_now, read_panel
from assessments.selectors.voting import Attendance
from assessments.services.panel_rounds import (
    GUEST_DAYS,
    Invited,
    invite_guest,
    invite_member,
    renew_guest,
    revoke,
)
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Text, Whole, read
from projects.access import VIEW, WORK, people_with
from projects.api_fields import Body
from projects.models import Project


class ExpertOut(serializers.Serializer[Any]):
    """Somebody who was invited, and how far they are: never what they said."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    code = serializers.CharField(
        allow_null=True, help_text="Stands for them in results; null where the panel is anonymous, or not begun."
    )
    guest = serializers.BooleanField(help_text="Whether they come by link; members come by account.")
    works_until = serializers.DateTimeField(allow_null=True, help_text="When a guest's link runs out.")
    revoked = serializers.BooleanField(help_text="Whether they were taken off the panel.")
    answered = serializers.IntegerField(
        allow_null=True, help_text="Principles answered in the open round; null, as what follows, while none is open."
    )
    total = serializers.IntegerField(allow_null=True)
    weights = serializers.BooleanField(allow_null=True, help_text="Whether they gave weights of the benefits.")
    last_saved = serializers.DateTimeField(allow_null=True)


class InvitedOut(ExpertOut):
    """Somebody who was just invited, or got a new link."""

    address = serializers.CharField(
        allow_null=True, help_text="A guest's page: whoever has it votes as the guest. It is told this once."
    )


class InviteExpertIn(Body):
    """Whom to invite: a member or a guest."""

    member = Text(required=False, max_length=150, help_text="User name of a member of the team who may rate.")
    guest = Text(required=False, max_length=150, help_text="Name of somebody without an account.")
    days = Whole(
        required=False, min_value=1, max_value=365, help_text=f"How long a guest's link works: {GUEST_DAYS} by default."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one person, and for days with a guest only."""
        if ("member" in attrs) == ("guest" in attrs):
            raise serializers.ValidationError("Choose a member or name a guest.")
        if "days" in attrs and "guest" not in attrs:
            raise serializers.ValidationError({"days": ["Only the link of a guest runs out."]})
        return attrs


MEMBER: dict[str, Any] = {
    "id": 7,
    "name": "Nora Lind",
    "code": None,
    "guest": False,
    "works_until": None,
    "revoked": False,
    "answered": 5,
    "total": 12,
    "weights": False,
    "last_saved": "2026-05-04T12:40:00Z",
}
GUEST: dict[str, Any] = {
    "id": 8,
    "name": "Ana Silva",
    "code": None,
    "guest": True,
    "works_until": "2026-06-03T12:00:00Z",
    "revoked": False,
    "answered": None,
    "total": None,
    "weights": None,
    "last_saved": None,
    "address": "https://portal.example.org/projects/phishing-pages/assessment/guest/mY5k/",
}


class Experts(ProjectCall):
    """The experts of the panel."""

    @extend_schema(
        operation_id="experts_list",
        summary="List experts",
        tags=["panel"],
        responses=ExpertOut(many=True),
        examples=[OpenApiExample("A member, while a round is open", MEMBER, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List who was invited to the newest assessment and how far each is in the open round, never what they said.

        Whoever was taken off the panel is listed too, as `revoked`.
        """
        panel = read_panel(self.reading(request, slug), None)
        told = {one.expert.pk: _tell(panel, one) for one in panel.attendance}
        page = self.paginate_queryset(Expert.objects.filter(pk__in=told).only("pk"))
        return self.get_paginated_response(ExpertOut([told[one.pk] for one in page or ()], many=True).data)

    @extend_schema(
        operation_id="experts_invite",
        summary="Invite an expert",
        tags=["panel"],
        request=InviteExpertIn,
        responses={201: InvitedOut},
        examples=[
            OpenApiExample("A member", {"member": "nora"}, request_only=True),
            OpenApiExample("A guest", {"guest": "Ana Silva", "days": 14}, request_only=True),
            OpenApiExample("The guest, with the link", GUEST, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Invite a member of the team, or a guest by a link that only this answer tells.

        A member who was taken off the panel is let in again. Without an open assessment one is begun.
        """
        project, actor = self.changing(request, slug, WORK)
        given = read(InviteExpertIn, request.data)
        if "member" in given:
            user = people_with(VIEW, project.team_id).filter(username=given["member"]).first()
            if user is None:
                raise serializers.ValidationError({"member": ["Nobody in this team has this user name."]})
            invited = invite_member(project=project, user=user, actor=actor)
        else:
            days = given.get("days", GUEST_DAYS)
            invited = invite_guest(project=project, name=given["guest"], actor=actor, days=days)
        return _answer(request, project, invited, status=201)


class RenewExpert(ProjectCall):
    """Giving a guest a new link."""

    @extend_schema(
        operation_id="experts_renew",
        summary="Give a guest a new link",
        tags=["panel"],
        request=None,
        responses=InvitedOut,
        examples=[OpenApiExample("The guest, with the link", GUEST, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Give the guest with this id a new link, which only this answer tells; the old one stops working."""
        project, actor = self.changing(request, slug, WORK)
        expert = get_object_or_404(invited_now(project), pk=number)
        return _answer(request, project, renew_guest(project=project, expert=expert, actor=actor))


class RevokeExpert(ProjectCall):
    """Taking an expert off the panel."""

    @extend_schema(
        operation_id="experts_revoke",
        summary="Take an expert off the panel",
        tags=["panel"],
        request=None,
        responses=ExpertOut,
        examples=[OpenApiExample("Taken off", MEMBER | {"revoked": True}, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Take the expert with this id off: what they said in closed rounds stays, in the open one it is left out."""
        project, actor = self.changing(request, slug, WORK)
        expert = get_object_or_404(invited_now(project), pk=number)
        revoke(project=project, expert=expert, actor=actor)
        return Response(ExpertOut(_find(project, expert)).data)


def _answer(request: Request, project: Project, invited: Invited, status: int = 200) -> Response:
    address = request.build_absolute_uri(guest_address(project, invited.token)) if invited.token else None
    return Response(InvitedOut(_find(project, invited.expert) | {"address": address}).data, status=status)


def _find(project: Project, expert: Expert) -> dict[str, Any]:
    panel = read_panel(project, None)
    return next(_tell(panel, one) for one in panel.attendance if one.expert.pk == expert.pk)


def _tell(panel: PanelState, one: Attendance) -> dict[str, Any]:
    expert, begun = one.expert, panel.current is not None
    return {
        "id": expert.pk,
        "name": expert.name,
        "code": expert.code if panel.named else None,
        "guest": expert.is_guest,
        "works_until": expert.expires_at,
        "revoked": expert.revoked_at is not None,
        "answered": one.answered if begun else None,
        "total": one.total if begun else None,
        "weights": one.weights if begun else None,
        "last_saved": one.last_saved,
    }
