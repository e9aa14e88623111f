"""`/api/v1/principles/`: the catalogue that ships with the portal, and what an edition of it looks like."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assessments.principles import Catalogue, Practice, Principle, Statement, load_catalogue
from assessments.principles.catalogue import Defaults
from assessments.principles.compare import SECTION_TITLES


class StatementOut(serializers.Serializer[Any]):
    """A sentence with its sources."""

    text = serializers.CharField()
    sources = serializers.ListField(child=serializers.CharField())
    own = serializers.BooleanField(help_text="The portal's own synthesis, which no source states as such.")
    team = serializers.BooleanField(help_text="The team's own words.")


class PracticeOut(StatementOut):
    """A practice: an item of the checklist."""

    id = serializers.CharField()
    evidence = serializers.CharField(allow_null=True, help_text="The check of the portal's records that can answer it.")


class DaysOut(serializers.Serializer[Any]):
    """Effort in person-days."""

    low = serializers.FloatField()
    likely = serializers.FloatField()
    high = serializers.FloatField()


class LightOut(serializers.Serializer[Any]):
    """The version of a principle for one or two days."""

    name = serializers.CharField()
    text = serializers.CharField()
    ratings = serializers.DictField(child=serializers.FloatField())
    effort = DaysOut()


class PrincipleOut(serializers.Serializer[Any]):
    """One MLOps principle for online machine learning."""

    slug = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.CharField()
    serves = serializers.ListField(child=serializers.CharField(), help_text="Keys of the benefits it brings.")
    requires = serializers.ListField(child=serializers.CharField(), help_text="Principles it rests on.")
    why = StatementOut(many=True)
    limits = StatementOut(many=True)
    worth_more = StatementOut(many=True)
    worth_less = StatementOut(many=True)
    practices = PracticeOut(many=True)
    ratings = serializers.DictField(
        child=serializers.FloatField(), help_text="What it is assumed to bring per benefit, 0 to 4, before a panel."
    )
    effort = DaysOut(help_text="What it is assumed to cost, before a panel.")
    light = LightOut(allow_null=True, help_text="Its version for one or two days.")


class BenefitOut(serializers.Serializer[Any]):
    """Something that adopting principles brings."""

    key = serializers.CharField()
    name = serializers.CharField()
    swing = serializers.CharField(help_text="From nothing to everything of it.")


class SourceOut(serializers.Serializer[Any]):
    """A source that sentences name by its tag."""

    tag = serializers.CharField()
    reference = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class CatalogueOut(serializers.Serializer[Any]):
    """The catalogue of principles."""

    edition = serializers.CharField()
    title = serializers.CharField()
    principles = PrincipleOut(many=True)
    benefits = BenefitOut(many=True)
    sources = SourceOut(many=True)


HEAD: dict[str, Any] = {
    "edition": "2026.11",
    "title": "MLOps principles",
    "principles": [],
    "benefits": [],
    "sources": [],
}


class Principles(APIView):
    """The catalogue of principles."""

    @extend_schema(
        operation_id="principles_list",
        summary="Read the catalogue of principles",
        tags=["catalogue"],
        responses=CatalogueOut,
        examples=[OpenApiExample("Its head", HEAD, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Read the whole catalogue that ships with the portal: principles with their practices, benefits, and sources.

        A team may have editions of its own: see `teams/{slug}/catalogue/editions/`.
        """
        return Response(tell_catalogue(load_catalogue()))


def tell_catalogue(catalogue: Catalogue) -> dict[str, Any]:
    """An edition as plain values."""
    return {
        "edition": catalogue.edition,
        "title": catalogue.title,
        "principles": [tell_principle(principle) for principle in catalogue.principles],
        "benefits": [{"key": one.key, "name": one.name, "swing": one.swing} for one in catalogue.benefits],
        "sources": [{"tag": one.tag, "reference": one.reference, "url": one.url} for one in catalogue.sources],
    }


def tell_principle(principle: Principle) -> dict[str, Any]:
    """A principle as plain values."""
    light = principle.light
    return {
        "slug": principle.slug,
        "name": principle.name,
        "definition": principle.definition,
        "serves": list(principle.serves),
        "requires": list(principle.requires),
        **{name: [_say(one) for one in getattr(principle, name)] for name in SECTION_TITLES},
        "practices": [_say(one) | {"id": one.id, "evidence": one.evidence} for one in principle.practices],
        **_figures(principle.defaults),
        "light": {"name": light.name, "text": light.text, **_figures(light.defaults)} if light else None,
    }


def _say(one: Statement | Practice) -> dict[str, Any]:
    return {"text": one.text, "sources": [str(source) for source in one.sources], "own": one.own, "team": one.team}


def _figures(one: Defaults) -> dict[str, Any]:
    effort = one.effort
    return {
        "ratings": dict(one.ratings),
        "effort": {"low": effort.low, "likely": effort.likely, "high": effort.high},
    }
