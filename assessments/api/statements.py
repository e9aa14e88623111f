"""`assessment/board/statements/`: what experts said, and an expert's own calls, which only a session may make."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.board import read_state
from assessments.api.speaker import speaking
from assessments.models import Board, Expert, Reaction, Statement
from assessments.selectors.board import BoardState, StatementView, read_board_for
from assessments.selectors.panel import find_expert
from assessments.services import board as boards
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Text, read
from projects.api_fields import Body
from projects.models import ApiToken, Project


class StatementOnBoardOut(serializers.Serializer[Any]):
    """A benefit or a limitation of a principle, in an expert's words."""

    id = serializers.IntegerField()
    principle = serializers.CharField(help_text="Slug of the principle.")
    kind = serializers.ChoiceField(Statement.Kind.choices)
    text = serializers.CharField()
    expert = serializers.CharField(allow_null=True, help_text="Who said it; null where the board is anonymous.")
    code = serializers.IntegerField(allow_null=True, help_text="Id of the code it stands under.")
    code_name = serializers.CharField(allow_blank=True)
    agree = serializers.IntegerField(allow_null=True, help_text="Null, as the other two, while the board is open.")
    disagree = serializers.IntegerField(allow_null=True)
    passed = serializers.IntegerField(allow_null=True)
    mine = serializers.BooleanField(help_text="Whether the person who is signed in said it.")
    stance = serializers.ChoiceField(
        Reaction.Value.choices, allow_null=True, help_text="How the person who is signed in stands to it."
    )


class StatementQuery(serializers.Serializer[Any]):
    """Which statements to list."""

    principle = serializers.SlugField(required=False, max_length=80)
    kind = serializers.ChoiceField(Statement.Kind.choices, required=False)


class StatementIn(Body):
    """What a new statement takes."""

    principle = Text(max_length=80, help_text="Slug of the principle.")
    kind = serializers.ChoiceField(Statement.Kind.choices)
    text = Text(max_length=boards.LONGEST, help_text="One thought in one sentence.")


class RewordIn(Body):
    """The statement in other words."""

    text = Text(max_length=boards.LONGEST)


class StanceIn(Body):
    """How one stands to what another expert said."""

    stance = serializers.ChoiceField(
        Reaction.Value.choices, allow_null=True, help_text="Null takes what was said before back."
    )


STATEMENT: dict[str, Any] = {
    "id": 31,
    "principle": "monitoring",
    "kind": "benefit",
    "text": "We found the fault in minutes.",
    "expert": None,
    "code": None,
    "code_name": "",
    "agree": None,
    "disagree": None,
    "passed": None,
    "mine": True,
    "stance": None,
}
OTHERS = STATEMENT | {"id": 30, "mine": False, "stance": "agree"}


class Statements(ProjectCall):
    """The statements on the board."""

    @extend_schema(
        operation_id="board_statements_list",
        summary="List statements",
        tags=["board"],
        parameters=[StatementQuery],
        responses=StatementOnBoardOut(many=True),
        examples=[
            OpenApiExample(
                "On a closed board",
                STATEMENT | {"code": 4, "code_name": "Effort", "agree": 3, "disagree": 1, "passed": 0, "mine": False},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List what was said, newest first. Withdrawn statements are left out; nothing is counted before the close."""
        project = self.reading(request, slug)
        wanted = read(StatementQuery, request.query_params)
        state, board = read_state(project)
        if expert := _expert_of(request, project, board):
            state = read_board_for(expert)
        found = {one.pk: _tell(section.principle.slug, one) for section in state.sections for one in section.statements}
        page = self.paginate_queryset(Statement.objects.filter(pk__in=found, **wanted).only("pk"))
        return self.get_paginated_response(StatementOnBoardOut([found[one.pk] for one in page or ()], many=True).data)

    @extend_schema(
        operation_id="board_statements_create",
        summary="Say something",
        tags=["board"],
        request=StatementIn,
        responses={201: StatementOnBoardOut},
        examples=[
            OpenApiExample(
                "A benefit",
                {"principle": "monitoring", "kind": "benefit", "text": "We found the fault in minutes."},
                request_only=True,
            ),
            OpenApiExample("The statement", STATEMENT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Put a statement on the board, as an expert of the panel who is signed in."""
        expert = speaking(request, slug)
        made = boards.say(expert=expert, **read(StatementIn, request.data))
        return _answer(expert, made.pk, status=201)


class OneStatement(ProjectCall):
    """One statement."""

    @extend_schema(
        operation_id="board_statements_reword",
        summary="Reword a statement",
        tags=["board"],
        request=RewordIn,
        responses=StatementOnBoardOut,
        examples=[
            OpenApiExample("In other words", {"text": "We found the fault in minutes."}, request_only=True),
            OpenApiExample("The statement", STATEMENT, response_only=True),
        ],
    )
    def patch(self, request: Request, slug: str, number: int) -> Response:
        """Say one's own statement in other words: a new statement, with its own number, in place of the old one."""
        expert = speaking(request, slug)
        made = boards.reword(expert=expert, statement=_find(expert, number), **read(RewordIn, request.data))
        return _answer(expert, made.pk)


class WithdrawStatement(ProjectCall):
    """Withdrawing."""

    @extend_schema(
        operation_id="board_statements_withdraw",
        summary="Withdraw a statement",
        tags=["board"],
        request=None,
        responses=StatementOnBoardOut,
        examples=[OpenApiExample("What it was", STATEMENT, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Take one's own statement off the board; the answer is what it was."""
        expert = speaking(request, slug)
        statement = _find(expert, number)
        was = _answer(expert, number)
        boards.withdraw(expert=expert, statement=statement)
        return was


class TakeStance(ProjectCall):
    """Agreeing, disagreeing, passing."""

    @extend_schema(
        operation_id="board_statements_stance",
        summary="Agree, disagree or pass",
        tags=["board"],
        request=StanceIn,
        responses=StatementOnBoardOut,
        examples=[
            OpenApiExample("Agree", {"stance": "agree"}, request_only=True),
            OpenApiExample("The statement", OTHERS, response_only=True),
        ],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Say how one stands to what another expert said; the last word counts, and can be taken back."""
        expert = speaking(request, slug)
        stance = read(StanceIn, request.data)["stance"]
        boards.react(expert=expert, statement=_find(expert, number), value=stance or "")
        return _answer(expert, number)


def _expert_of(request: Request, project: Project, board: Board) -> Expert | None:
    if isinstance(request.auth, ApiToken):
        return None
    expert = find_expert(project, request.user)
    return expert if expert and expert.assessment_id == board.assessment_id else None


def _find(expert: Expert, number: int) -> Statement:
    on_board = Statement.objects.filter(board__assessment=expert.assessment_id, withdrawn_at=None)
    found = on_board.filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _answer(expert: Expert, number: int, status: int = 200) -> Response:
    state: BoardState = read_board_for(expert)
    told = [
        _tell(section.principle.slug, one)
        for section in state.sections
        for one in section.statements
        if one.pk == number
    ]
    if not told:
        raise Http404
    return Response(StatementOnBoardOut(told[0]).data, status=status)


def _tell(principle: str, one: StatementView) -> dict[str, Any]:
    return {
        "id": one.pk,
        "principle": principle,
        "kind": one.kind,
        "text": one.text,
        "expert": one.who or None,
        "code": one.code,
        "code_name": one.code_name,
        "agree": one.agree,
        "disagree": one.disagree,
        "passed": one.passed,
        "mine": one.mine,
        "stance": one.own_stance or None,
    }
