"""`teams/<slug>/catalogue/draft/`: starting, reading, publishing and discarding the draft of a team's catalogue."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.catalogue import HEAD, CatalogueOut, PrincipleOut, SourceOut, tell_catalogue, tell_principle
from assessments.api.editions import (
    CHANGED,
    EDITION,
    EditionOut,
    PrincipleChangeOut,
    TeamCall,
    tell_changes,
    tell_sources,
)
from assessments.selectors.catalogue import DraftPrinciple, DraftState, read_draft, read_import, visible_editions
from assessments.services import catalogue_edits, editions
from assessments.services.catalogue_edits import state_of
from models_registry.api.fields import Text, name_user, read
from ops_portal.errors import UserError
from projects.access import WORK, api_team_change
from projects.api_fields import Body
from projects.models import Team


class DraftPrincipleOut(PrincipleOut):
    """A principle of the draft, with the state that saving it sends back."""

    was = serializers.CharField(help_text="Names what was read: saving sends it back, so that nobody is overwritten.")
    retired_practices = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of practices of the portal's edition that the draft took out."
    )


class DraftOut(CatalogueOut):
    """The draft of a team's catalogue. Nothing of it counts before it is published."""

    principles = DraftPrincipleOut(many=True)
    started_by = name_user()
    against = serializers.CharField(help_text="The edition that `changes` compares with: the one in use.")
    changes = PrincipleChangeOut(many=True)
    new_sources = SourceOut(many=True)
    retired = serializers.ListField(child=serializers.CharField(), help_text="Slugs that can be brought back.")
    newer = serializers.CharField(allow_blank=True, help_text="Name of the portal's newer edition; see `import/`.")


class StartIn(Body):
    """What starting a draft takes."""

    source = serializers.ChoiceField(  # type: ignore[assignment]
        ["current", "shipped"], required=False, default="current", help_text="The edition in use, or the portal's."
    )


class PublishIn(Body):
    """What publishing takes."""

    note = Text(max_length=500, required=False, allow_blank=True, default="", help_text="What changed, and why.")


class SourceIn(Body):
    """A source of the team's own."""

    tag = Text(max_length=12, help_text="Such as INC-7; sentences name the source by it.")
    reference = Text(max_length=500)
    url = serializers.URLField(max_length=500, required=False, allow_blank=True, default="")


class ConflictOut(serializers.Serializer[Any]):
    """Something that the team and the portal's newer edition both changed."""

    key = serializers.CharField(help_text="Named in `take`, the portal's side wins.")
    principle = serializers.CharField()
    what = serializers.CharField()
    ours = serializers.CharField()
    theirs = serializers.CharField()


class ImportOut(serializers.Serializer[Any]):
    """What taking in the portal's newer edition would change."""

    edition = serializers.CharField()
    against = serializers.CharField(help_text="The edition of the portal that the team's rests on.")
    changes = PrincipleChangeOut(many=True)
    conflicts = ConflictOut(many=True)


class ImportIn(Body):
    """What taking it in needs to know."""

    take = serializers.ListField(
        child=Text(max_length=200),
        required=False,
        default=list,
        max_length=1000,
        help_text="Keys of the conflicts in which the portal's side is taken; elsewhere the team's own stays.",
    )


DRAFT: dict[str, Any] = HEAD | {
    "edition": "2026.11",
    "started_by": "olga",
    "against": "2026.11",
    "changes": [CHANGED],
    "new_sources": [],
    "retired": ["governance"],
    "newer": "",
}
IMPORT: dict[str, Any] = {
    "edition": "2027.02",
    "against": "2026.11",
    "changes": [],
    "conflicts": [
        {
            "key": "monitoring/name",
            "principle": "Monitoring",
            "what": "Name",
            "ours": "Monitoring",
            "theirs": "Continuous monitoring of models",
        }
    ],
}


class Draft(TeamCall):
    """The draft."""

    @extend_schema(
        operation_id="draft_read",
        summary="Read the draft",
        tags=["catalogue"],
        responses=DraftOut,
        examples=[OpenApiExample("Its head", DRAFT, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read all of the draft and what it changes; maintainers and owners of the team."""
        return tell_draft(api_team_change(request, slug, WORK)[0])

    @extend_schema(
        operation_id="draft_start",
        summary="Start a draft",
        tags=["catalogue"],
        request=StartIn,
        responses={201: DraftOut},
        examples=[
            OpenApiExample("From the edition in use", {"source": "current"}, request_only=True),
            OpenApiExample("The draft", DRAFT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Start a draft; there is one at a time."""
        team, actor = api_team_change(request, slug, WORK)
        given = read(StartIn, request.data)
        editions.start_draft(team=team, actor=actor, from_shipped=given["source"] == "shipped")
        return tell_draft(team, status=201)


class PublishDraft(TeamCall):
    """Publishing."""

    @extend_schema(
        operation_id="draft_publish",
        summary="Publish the draft",
        tags=["catalogue"],
        request=PublishIn,
        responses={201: EditionOut},
        examples=[
            OpenApiExample("With a note", {"note": "We pay for it."}, request_only=True),
            OpenApiExample("The edition", EDITION | {"used": 0}, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Publish the draft: it never changes again, and assessments opened from now on take it."""
        team, actor = api_team_change(request, slug, WORK)
        made = editions.publish(team=team, actor=actor, **read(PublishIn, request.data))
        return Response(EditionOut(visible_editions(team).get(pk=made.pk)).data, status=201)


class DiscardDraft(TeamCall):
    """Discarding."""

    @extend_schema(
        operation_id="draft_discard",
        summary="Discard the draft",
        tags=["catalogue"],
        request=None,
        responses=DraftOut,
        examples=[OpenApiExample("What it was", DRAFT, response_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Throw the draft away; the answer is what it was. Published editions stay as they are."""
        team, actor = api_team_change(request, slug, WORK)
        was = tell_draft(team)
        editions.discard_draft(team=team, actor=actor)
        return was


class ImportShipped(TeamCall):
    """Taking in the portal's newer edition."""

    @extend_schema(
        operation_id="draft_import_preview",
        summary="See what the portal's newer edition changes",
        tags=["catalogue"],
        responses=ImportOut,
        examples=[OpenApiExample("A conflict", IMPORT, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Say what taking in the portal's newer edition would change, and where both sides changed something."""
        shown = read_import(api_team_change(request, slug, WORK)[0])
        if shown is None:
            raise UserError(
                "The catalogue rests on the portal's newest edition already.", code="up_to_date", status=404
            )
        conflicts = [
            {
                "key": one.key,
                "principle": one.principle,
                "what": one.what,
                "ours": one.ours_in_words,
                "theirs": one.theirs_in_words,
            }
            for one in shown.conflicts
        ]
        told = {"edition": shown.name, "against": shown.against, "changes": tell_changes(shown.changes)}
        return Response(ImportOut(told | {"conflicts": conflicts}).data)

    @extend_schema(
        operation_id="draft_import",
        summary="Take in the portal's newer edition",
        tags=["catalogue"],
        request=ImportIn,
        responses=DraftOut,
        examples=[
            OpenApiExample("One of theirs", {"take": ["monitoring/name"]}, request_only=True),
            OpenApiExample("The draft", DRAFT, response_only=True),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Take the portal's newer edition into the draft, starting one where there is none."""
        team, actor = api_team_change(request, slug, WORK)
        editions.import_shipped(team=team, actor=actor, **read(ImportIn, request.data))
        return tell_draft(team)


class Sources(TeamCall):
    """Sources of the team's own."""

    @extend_schema(
        operation_id="draft_sources_create",
        summary="Add a source",
        tags=["catalogue"],
        request=SourceIn,
        responses={201: DraftOut},
        examples=[
            OpenApiExample(
                "A report", {"tag": "INC-7", "reference": "Report on the outage of 3 March"}, request_only=True
            ),
            OpenApiExample("The draft", DRAFT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add a source to the draft, such as a report on an incident, that its sentences can then cite."""
        team, actor = api_team_change(request, slug, WORK)
        catalogue_edits.add_source(team=team, actor=actor, **read(SourceIn, request.data))
        return tell_draft(team, status=201)


def read_state(team: Team) -> DraftState:
    """Return the draft of a team; `UserError` where there is none."""
    state = read_draft(team)
    if state is None:
        raise UserError("There is no draft of the catalogue now; start one.", code="no_draft", status=404)
    return state


def tell_draft_principle(one: DraftPrinciple) -> dict[str, Any]:
    """A principle of the draft as the API tells it."""
    retired = [practice.id for practice in one.retired]
    return tell_principle(one.principle) | {"was": state_of(one.data), "retired_practices": retired}


def tell_draft(team: Team, status: int = 200) -> Response:
    """Answer with the draft as it stands now."""
    state = read_state(team)
    told = tell_catalogue(state.catalogue) | {
        "principles": [tell_draft_principle(one) for one in state.principles],
        "started_by": state.edition.created_by.username if state.edition.created_by else None,
        "against": state.against,
        "changes": tell_changes(state.changes),
        "new_sources": tell_sources(state.sources),
        "retired": [one.slug for one in state.retired],
        "newer": state.newer,
    }
    return Response(DraftOut(told).data, status=status)
