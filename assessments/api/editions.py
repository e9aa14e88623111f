"""`teams/<slug>/catalogue/editions/`: the editions of the catalogue a team may look at, and what differs in them."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.catalogue import HEAD, CatalogueOut, SourceOut, tell_catalogue
from assessments.models import Edition
from assessments.principles import Source
from assessments.principles.compare import PrincipleChange
from assessments.selectors.catalogue import read_difference, visible_editions
from assessments.selectors.editions import catalogue_with
from models_registry.api.fields import LARGEST_NUMBER, name_user, read
from projects.access import api_team
from projects.api_paging import NewestFirst


class ChangeOut(serializers.Serializer[Any]):
    """One difference; `before` is empty for what was added, `after` for what was taken out."""

    what = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)


class PrincipleChangeOut(serializers.Serializer[Any]):
    """A principle that differs."""

    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(["added", "retired", "changed"])
    changes = ChangeOut(many=True)


class EditionOut(serializers.ModelSerializer[Edition]):
    """A published edition: it never changes."""

    own = serializers.SerializerMethodField(help_text="Whether it is the team's own; else it shipped with the portal.")
    base = serializers.CharField(source="base.name", read_only=True, allow_null=True, help_text="What it rests on.")
    published_by = name_user(source="published_by.username")
    used = serializers.IntegerField(read_only=True, help_text="Assessments of the team that were made with it.")

    class Meta:
        model = Edition
        fields = ["id", "name", "own", "base", "note", "digest", "published_by", "published_at", "used"]
        read_only_fields = fields

    def get_own(self, edition: Edition) -> bool:
        return edition.team_id is not None


class DifferenceOut(serializers.Serializer[Any]):
    """How an edition differs from another one."""

    edition = serializers.CharField()
    against = serializers.CharField(allow_null=True, help_text="The other edition; null where there is none.")
    principles = PrincipleChangeOut(many=True)
    sources = SourceOut(many=True, help_text="Sources the other one does not have.")


class DifferenceQuery(serializers.Serializer[Any]):
    """What to compare with."""

    against = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_NUMBER, help_text="Id of an edition; by default the one before."
    )


EDITION: dict[str, Any] = {
    "id": 7,
    "name": "2026.11 team 1",
    "own": True,
    "base": "2026.11",
    "note": "We pay for it.",
    "digest": "5d0e",
    "published_by": "olga",
    "published_at": "2026-05-04T12:00:00Z",
    "used": 2,
}
CHANGED: dict[str, Any] = {
    "slug": "monitoring",
    "name": "Monitoring",
    "kind": "changed",
    "changes": [{"what": "Name", "before": "Continuous monitoring", "after": "Monitoring"}],
}


class TeamCall(GenericAPIView[Any]):
    """A call under one team's address."""

    pagination_class = NewestFirst
    serializer_class = serializers.Serializer


class Editions(TeamCall):
    """The editions of a team."""

    @extend_schema(
        operation_id="editions_list",
        summary="List editions of the catalogue",
        tags=["catalogue"],
        responses=EditionOut(many=True),
        examples=[OpenApiExample("An edition", EDITION, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the team's published editions and those of the portal they rest on, newest first."""
        team = api_team(request, slug)
        page = self.paginate_queryset(visible_editions(team).select_related("base").defer("document", "base__document"))
        return self.get_paginated_response(EditionOut(page, many=True).data)


class OneEdition(TeamCall):
    """One edition."""

    @extend_schema(
        operation_id="editions_read",
        summary="Read an edition",
        tags=["catalogue"],
        responses=CatalogueOut,
        examples=[OpenApiExample("Its head", HEAD, response_only=True)],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Read all of one edition, in the form of `principles/`."""
        team = api_team(request, slug)
        edition = visible_editions(team).filter(pk=number).first()
        if edition is None:
            raise Http404
        return Response(tell_catalogue(catalogue_with(edition.digest)))


class EditionChanges(TeamCall):
    """What differs."""

    @extend_schema(
        operation_id="editions_changes",
        summary="Compare two editions",
        tags=["catalogue"],
        parameters=[DifferenceQuery],
        responses=DifferenceOut,
        examples=[
            OpenApiExample(
                "A principle has another name",
                {"edition": "2026.11 team 1", "against": "2026.11", "principles": [CHANGED], "sources": []},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Say how an edition differs from another one, by default from the one before it."""
        team = api_team(request, slug)
        against = read(DifferenceQuery, request.query_params).get("against")
        shown = read_difference(team, number, against)
        if shown is None or (against and (shown.against is None or shown.against.pk != against)):
            raise Http404
        told = {
            "edition": shown.edition.name,
            "against": shown.against.name if shown.against else None,
            "principles": tell_changes(shown.changes),
            "sources": tell_sources(shown.sources),
        }
        return Response(DifferenceOut(told).data)


def tell_changes(changes: tuple[PrincipleChange, ...]) -> list[dict[str, Any]]:
    """What differs, as plain values."""
    return [
        {
            "slug": one.slug,
            "name": one.name,
            "kind": one.kind,
            "changes": [{"what": each.what, "before": each.before, "after": each.after} for each in one.changes],
        }
        for one in changes
    ]


def tell_sources(sources: tuple[Source, ...]) -> list[dict[str, Any]]:
    """Sources, as plain values."""
    return [{"tag": one.tag, "reference": one.reference, "url": one.url} for one in sources]
