"""`/api/v1/projects/`: the projects one may see, and registering one."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from projects.access import WORK, api_project, visible_projects, visible_teams
from projects.api_fields import Body
from projects.api_paging import NewestFirst
from projects.measures import metric_names
from projects.models import ApiToken, Project, Scope, Task
from projects.services.projects import create_project


class ProjectOut(serializers.ModelSerializer[Project]):
    """A project as the API tells it."""

    team = serializers.SlugField(source="team.slug")
    label = serializers.CharField(source="label_name")  # type: ignore[assignment]
    events = serializers.IntegerField(source="event_count", help_text="Events taken in.")
    labelled = serializers.IntegerField(source="last_position", help_text="Events whose label is known.")

    class Meta:
        model = Project
        fields = [
            "slug",
            "name",
            "team",
            "description",
            "task",
            "label",
            "primary_metric",
            "events",
            "labelled",
            "created_at",
            "archived_at",
        ]


class ProjectIn(Body):
    """What registering a project takes."""

    team = serializers.SlugField(help_text="Address of a team in which you are maintainer or owner.")
    name = serializers.CharField(max_length=80)
    description = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    task = serializers.ChoiceField(Task.choices)
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=80, help_text="What the models predict."
    )
    primary_metric = serializers.CharField(
        max_length=40, required=False, help_text="By default the first metric of the task."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("primary_metric", metric_names(attrs["task"])[0])
        return attrs


PROJECT = {
    "slug": "card-fraud",
    "name": "Card fraud",
    "team": "fraud-desk",
    "description": "Which payments are fraud?",
    "task": "binary",
    "label": "is_fraud",
    "primary_metric": "ROCAUC",
    "events": 12408,
    "labelled": 11874,
    "created_at": "2026-05-04T12:00:00Z",
    "archived_at": None,
}


class Projects(GenericAPIView[Project]):
    """The list of projects."""

    serializer_class = ProjectOut
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[Project]:
        token = self.request.auth
        if isinstance(token, ApiToken):
            return Project.objects.select_related("team").filter(pk=token.project_id)
        if not self.request.user.is_authenticated:  # the schema is made without a user
            return Project.objects.none()
        return visible_projects(self.request.user)

    @extend_schema(
        operation_id="projects_list",
        summary="List projects",
        tags=["projects"],
        responses=ProjectOut(many=True),
        examples=[OpenApiExample("A project", PROJECT, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """List the projects you may see, newest first; a project token sees its own project."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ProjectOut(page, many=True).data)

    @extend_schema(
        operation_id="projects_create",
        summary="Register a project",
        tags=["projects"],
        request=ProjectIn,
        responses={201: ProjectOut},
        examples=[
            OpenApiExample(
                "A binary project",
                {"team": "fraud-desk", "name": "Card fraud", "task": "binary", "label": "is_fraud"},
                request_only=True,
            ),
            OpenApiExample(
                "The project",
                PROJECT | {"description": "", "events": 0, "labelled": 0},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Register a project in one of your teams. Project tokens cannot: sign in."""
        if isinstance(request.auth, ApiToken):
            raise PermissionDenied("A project token cannot register projects; sign in to do so.")
        given = ProjectIn(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        team = get_object_or_404(visible_teams(request.user, WORK), slug=fields.pop("team"))
        project = create_project(team=team, actor=cast(User, request.user), label_name=fields.pop("label"), **fields)
        return Response(ProjectOut(project).data, status=201)


class OneProject(GenericAPIView[Project]):
    """One project."""

    serializer_class = ProjectOut

    @extend_schema(
        operation_id="projects_get",
        summary="Get a project",
        tags=["projects"],
        examples=[OpenApiExample("The project", PROJECT, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Get one project with the number of its events and labels."""
        return Response(ProjectOut(api_project(request, slug, Scope.READ).project).data)
