"""`teams/<slug>/catalogue/draft/principles/`: adding, changing, retiring and bringing back principles of the draft."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.draft import DRAFT, DraftOut, DraftPrincipleOut, read_state, tell_draft, tell_draft_principle
from assessments.api.editions import TeamCall
from assessments.principles import Catalogue
from assessments.principles.compare import SECTION_TITLES
from assessments.services import catalogue_edits
from assessments.services.catalogue_edits import Figures, LightDraft, PrincipleDraft, Sentence
from models_registry.api.fields import Text, read
from ops_portal.errors import UserError
from projects.access import WORK, api_team_change
from projects.api_fields import Body
from projects.models import Team


class SentenceIn(Body):
    """A sentence with the tags of its sources."""

    text = Text(max_length=400)
    sources = serializers.ListField(
        child=Text(max_length=80),
        required=False,
        default=list,
        max_length=20,
        help_text="Tag of a source of the draft, with the place in it: `SEML 22`.",
    )


class PracticeIn(SentenceIn):
    """A practice."""

    id = Text(
        max_length=120,
        required=False,
        default="",
        allow_blank=True,
        help_text="The practice it stands for, so that answers to it still count; without one it is new.",
    )


class DaysIn(Body):
    """Effort in person-days, low to high."""

    low = serializers.FloatField(min_value=0, max_value=1000)
    likely = serializers.FloatField(min_value=0, max_value=1000)
    high = serializers.FloatField(min_value=0, max_value=1000)


def _ratings() -> serializers.DictField:
    return serializers.DictField(
        child=serializers.FloatField(min_value=0, max_value=4),
        help_text="0 to 4 by benefit, of those it serves; one left out is 0.",
    )


class LightIn(Body):
    """The version of a principle for one or two days."""

    name = Text(max_length=80)
    text = Text(max_length=400)
    ratings = _ratings()
    effort = DaysIn()


class PrincipleIn(Body):
    """All of a principle."""

    name = Text(max_length=80)
    definition = Text(max_length=600, help_text="One sentence: what holds where the principle is adopted.")
    serves = serializers.ListField(child=Text(max_length=20), min_length=1, max_length=20)
    requires = serializers.ListField(child=Text(max_length=80), required=False, default=list, max_length=60)
    why = SentenceIn(many=True, required=False, default=list)
    limits = SentenceIn(many=True, required=False, default=list)
    worth_more = SentenceIn(many=True, required=False, default=list)
    worth_less = SentenceIn(many=True, required=False, default=list)
    practices = PracticeIn(many=True, allow_empty=False)
    ratings = _ratings()
    effort = DaysIn()
    light = LightIn(required=False, allow_null=True, default=None)


class PrincipleChangeIn(PrincipleIn):
    """All of a principle, in place of what was read."""

    was = Text(max_length=16, help_text="As read with the draft.")


SAID: dict[str, Any] = {
    "name": "Cost control",
    "definition": "What a model costs is known.",
    "serves": ["K5"],
    "requires": ["versioning"],
    "practices": [{"text": "The monthly bill is read."}],
    "ratings": {"K5": 2},
    "effort": {"low": 1, "likely": 2, "high": 4},
}
PRINCIPLE: dict[str, Any] = SAID | {
    "slug": "cost-control",
    "why": [],
    "limits": [],
    "worth_more": [],
    "worth_less": [],
    "practices": [
        {
            "id": "cost-control.the-monthly-bill-is-read",
            "text": "The monthly bill is read.",
            "sources": [],
            "own": False,
            "team": True,
            "evidence": None,
        }
    ],
    "light": None,
    "was": "3f1c9a0b2d4e5f60",
    "retired_practices": [],
}


class Principles(TeamCall):
    """Adding a principle."""

    @extend_schema(
        operation_id="draft_principles_create",
        summary="Add a principle",
        tags=["catalogue"],
        request=PrincipleIn,
        responses={201: DraftPrincipleOut},
        examples=[
            OpenApiExample("A principle of the team's own", SAID, request_only=True),
            OpenApiExample("As it stands in the draft", PRINCIPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add a principle of the team's own to the draft. Its slug is made from its name."""
        team, actor = api_team_change(request, slug, WORK)
        given = read(PrincipleIn, request.data)
        draft = _read_draft(given, read_state(team).catalogue)
        made = catalogue_edits.add_principle(team=team, draft=draft, actor=actor)
        return _answer(team, made, status=201)


class OnePrinciple(TeamCall):
    """Changing a principle."""

    @extend_schema(
        operation_id="draft_principles_change",
        summary="Change a principle",
        tags=["catalogue"],
        request=PrincipleChangeIn,
        responses=DraftPrincipleOut,
        examples=[
            OpenApiExample("In other words", SAID | {"was": "3f1c9a0b2d4e5f60"}, request_only=True),
            OpenApiExample("As it stands in the draft", PRINCIPLE, response_only=True),
        ],
    )
    def put(self, request: Request, slug: str, principle: str) -> Response:
        """Put a principle of the draft in other words; what is left out goes.

        What reads as in the portal's edition keeps its sources and marks, the rest becomes the team's own. 409 where
        somebody else changed it after it was read.
        """
        team, actor = api_team_change(request, slug, WORK)
        given = read(PrincipleChangeIn, request.data)
        draft = _read_draft(given, read_state(team).catalogue)
        catalogue_edits.save_principle(team=team, slug=principle, draft=draft, was=given["was"], actor=actor)
        return _answer(team, principle)


class RetirePrinciple(TeamCall):
    """Retiring a principle."""

    @extend_schema(
        operation_id="draft_principles_retire",
        summary="Retire a principle",
        tags=["catalogue"],
        request=None,
        responses=DraftOut,
        examples=[OpenApiExample("The draft", DRAFT, response_only=True)],
    )
    def post(self, request: Request, slug: str, principle: str) -> Response:
        """Take a principle out of the draft; assessments made with earlier editions keep it."""
        team, actor = api_team_change(request, slug, WORK)
        catalogue_edits.retire_principle(team=team, slug=principle, actor=actor)
        return tell_draft(team)


class BringBack(TeamCall):
    """Bringing a principle back."""

    @extend_schema(
        operation_id="draft_principles_back",
        summary="Bring a principle back",
        tags=["catalogue"],
        request=None,
        responses=DraftOut,
        examples=[OpenApiExample("The draft", DRAFT | {"retired": []}, response_only=True)],
    )
    def post(self, request: Request, slug: str, principle: str) -> Response:
        """Bring a retired principle of the portal's edition back into the draft."""
        team, actor = api_team_change(request, slug, WORK)
        catalogue_edits.bring_back(team=team, slug=principle, actor=actor)
        return tell_draft(team)


def _read_draft(given: dict[str, Any], catalogue: Catalogue) -> PrincipleDraft:
    _check_names(given, catalogue)
    light = given["light"]
    return PrincipleDraft(
        name=given["name"],
        definition=given["definition"],
        serves=tuple(given["serves"]),
        requires=tuple(given["requires"]),
        figures=_figures(given),
        practices=_sentences(given["practices"]),
        light=LightDraft(light["name"], light["text"], _figures(light)) if light else None,
        sections={name: _sentences(given[name]) for name in SECTION_TITLES},
    )


def _check_names(given: dict[str, Any], catalogue: Catalogue) -> None:
    """Refuse what the draft does not know, field by field, before anything is written."""
    tags = {source.tag for source in catalogue.sources}
    lists = {name: given[name] for name in (*SECTION_TITLES, "practices")}
    cited = {name: [tag for one in rows for tag in one["sources"]] for name, rows in lists.items()}
    rated = [*given["ratings"], *(given["light"]["ratings"] if given["light"] else ())]
    wrong = {
        "serves": [key for key in given["serves"] if key not in catalogue.benefit_keys],
        "requires": [slug for slug in given["requires"] if slug not in catalogue.slugs],
        "ratings": [key for key in rated if key not in given["serves"]],
        **{name: [tag for tag in said if tag.partition(" ")[0] not in tags] for name, said in cited.items()},
    }
    fields = {name: [f"Not known here: {', '.join(found[:5])}."] for name, found in wrong.items() if found}
    if fields:
        raise UserError("The draft does not have everything that this names.", fields=fields)


def _figures(given: dict[str, Any]) -> Figures:
    effort = given["effort"]
    return Figures(given["ratings"], (effort["low"], effort["likely"], effort["high"]))


def _sentences(rows: list[dict[str, Any]]) -> tuple[Sentence, ...]:
    return tuple(Sentence(one["text"], tuple(one["sources"]), one.get("id", "")) for one in rows)


def _answer(team: Team, slug: str, status: int = 200) -> Response:
    found = read_state(team).of(slug)
    if found is None:
        raise NotFound("A colleague has just taken this principle out of the draft.")
    return Response(DraftPrincipleOut(tell_draft_principle(found)).data, status=status)
