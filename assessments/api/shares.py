"""`assessment/shares/`: links that show the closed rounds, read-only, to people without an account."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.models import ShareLink
from assessments.selectors.checklist import current_assessment
from assessments.services.sharing import share, unshare
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Text, Whole, name_user, read
from projects.access import WORK
from projects.api_fields import Body


class ShareOut(serializers.ModelSerializer[ShareLink]):
    """A link, without the secret that opens it: only its hash is kept."""

    assessment = serializers.IntegerField(source="assessment.number", read_only=True)
    works_until = serializers.DateTimeField(source="expires_at", read_only=True)
    works = serializers.BooleanField(read_only=True, help_text="Neither ended nor run out.")
    created_by = name_user(source="created_by.username")

    class Meta:
        model = ShareLink
        fields = ["id", "name", "assessment", "works_until", "revoked_at", "works", "created_by", "created_at"]
        read_only_fields = fields


class NewShareOut(ShareOut):
    """A new link with its address."""

    address = serializers.URLField(read_only=True, help_text="Told this once. Whoever has it reads the result.")

    class Meta(ShareOut.Meta):
        fields = [*ShareOut.Meta.fields, "address"]
        read_only_fields = fields


class ShareIn(Body):
    """What a new link takes."""

    name = Text(max_length=80, help_text="For whom: to find the link again when it should end.")
    days = Whole(min_value=1, max_value=365, help_text="How long it works.")


SHARE: dict[str, Any] = {
    "id": 3,
    "name": "Steering group",
    "assessment": 1,
    "works_until": "2026-06-03T12:00:00Z",
    "revoked_at": None,
    "works": True,
    "created_by": "olga",
    "created_at": "2026-05-04T12:00:00Z",
}
ADDRESS = "https://portal.example/projects/pump-failures/assessment/shared/Wz3…/"
ENDED = SHARE | {"revoked_at": "2026-05-11T09:00:00Z", "works": False}


class Shares(ProjectCall):
    """Links to the results."""

    @extend_schema(
        operation_id="shares_list",
        summary="List share links",
        tags=["assessments"],
        responses=ShareOut(many=True),
        examples=[OpenApiExample("A link", SHARE, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the links of all assessments, newest first, those that ended too. Their addresses are not known."""
        links = ShareLink.objects.filter(assessment__project=self.reading(request, slug, WORK))
        return self.listed(links.select_related("assessment", "created_by"), ShareOut)

    @extend_schema(
        operation_id="shares_create",
        summary="Make a share link",
        tags=["assessments"],
        request=ShareIn,
        responses={201: NewShareOut},
        examples=[
            OpenApiExample("For a month", {"name": "Steering group", "days": 30}, request_only=True),
            OpenApiExample(
                "The link, with its address", SHARE | {"address": ADDRESS}, response_only=True, status_codes=["201"]
            ),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make a link that shows the newest closed round of the newest assessment, and nothing else, for some days."""
        project, actor = self.changing(request, slug, WORK)
        made = share(assessment=current_assessment(project), actor=actor, **read(ShareIn, request.data))
        address = request.build_absolute_uri(made.path)
        return Response(ShareOut(made.link).data | {"address": address}, status=201)


class EndShare(ProjectCall):
    """Ending a link."""

    @extend_schema(
        operation_id="shares_end",
        summary="End a share link",
        tags=["assessments"],
        request=None,
        responses=ShareOut,
        examples=[OpenApiExample("The link", ENDED, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Switch the link with this id off for good."""
        project, actor = self.changing(request, slug, WORK)
        links = ShareLink.objects.select_related("assessment__project__team", "created_by")
        link = links.filter(pk=number, assessment__project=project).first()
        if link is None:
            raise Http404
        unshare(link=link, actor=actor)
        return Response(ShareOut(link).data)
