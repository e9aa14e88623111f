"""What the calls of one project share: who calls, how lists are paged, how bodies are read."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from projects.access import DEPLOY, VIEW, api_actor, api_project
from projects.api_paging import NewestFirst
from projects.models import Project, Scope

Row = TypeVar("Row", bound=Model)


class ProjectCall(GenericAPIView[Any]):
    """A call under one project's address."""

    pagination_class = NewestFirst
    serializer_class = serializers.Serializer

    def reading(self, request: Request, slug: str, right: str = VIEW) -> Project:
        """Return the project, for a caller that may read it: one who is signed in and has `right`, or a token."""
        return api_project(request, slug, Scope.READ, right).project

    def managing(self, request: Request, slug: str) -> tuple[Project, User]:
        """Return the project and the person who acts, for a caller that may manage it."""
        return self.changing(request, slug, DEPLOY)

    def changing(self, request: Request, slug: str, right: str) -> tuple[Project, User]:
        """Return the project and the person who acts: one who is signed in and has `right`, or a token's maker."""
        return api_actor(request, slug, right)

    def listed(self, rows: QuerySet[Row], shape: type[serializers.BaseSerializer[Any]]) -> Response:
        """Answer with the page of `rows` that the request asks for."""
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(shape(page, many=True).data)
