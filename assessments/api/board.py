"""`assessment/board/`: the statements board as the team's page shows it, opening and closing it, and its codes."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.models import Board, Code, Statement
from assessments.selectors.board import BoardState, read_board, summarise
from assessments.services import board as boards
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Flag, Number, Text, read
from ops_portal.errors import UserError
from projects.access import WORK
from projects.api_fields import Body
from projects.models import Project


class CodeOut(serializers.Serializer[Any]):
    """A code with what stands under it; the counts are null while the board is open."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    statements = serializers.IntegerField()
    benefits = serializers.IntegerField(allow_null=True)
    limitations = serializers.IntegerField(allow_null=True)
    agree = serializers.IntegerField(allow_null=True)
    disagree = serializers.IntegerField(allow_null=True)


class BoardOut(serializers.Serializer[Any]):
    """The statements board of the assessment."""

    assessment = serializers.IntegerField()
    state = serializers.ChoiceField(Board.State.choices)
    anonymous = serializers.BooleanField(help_text="Whether nobody, here neither, is told who said what.")
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    invited = serializers.IntegerField(help_text="Experts on the panel.")
    taking_part = serializers.IntegerField(help_text="Those who said something or said how they stand to it.")
    statements = serializers.IntegerField()
    seal = serializers.CharField(allow_blank=True, help_text="SHA-256 over everything said, once it is closed.")
    codes = CodeOut(many=True)


class BoardIn(Body):
    """What opening the board takes."""

    anonymous = Flag(
        required=False, default=True, help_text="Cannot be changed later; where rounds were held, theirs holds."
    )


class CodeIn(Body):
    """What a new code takes."""

    name = Text(max_length=80, help_text="A code of this name that is there already is given back.")


class GroupIn(Body):
    """What grouping takes."""

    code = Number(allow_null=True, help_text="Id of a code of this board; null takes the statement out of its group.")


CODE: dict[str, Any] = {
    "id": 4,
    "name": "Effort",
    "statements": 2,
    "benefits": None,
    "limitations": None,
    "agree": None,
    "disagree": None,
}
BOARD: dict[str, Any] = {
    "assessment": 1,
    "state": "open",
    "anonymous": True,
    "opened_at": "2026-05-04T12:00:00Z",
    "closed_at": None,
    "invited": 6,
    "taking_part": 4,
    "statements": 11,
    "seal": "",
    "codes": [CODE],
}
CLOSED = BOARD | {
    "state": "closed",
    "closed_at": "2026-05-04T14:00:00Z",
    "seal": "9f2c",
    "codes": [CODE | {"benefits": 0, "limitations": 2, "agree": 7, "disagree": 1}],
}


class OneBoard(ProjectCall):
    """The statements board."""

    @extend_schema(
        operation_id="board_get",
        summary="Read the statements board",
        tags=["board"],
        responses=BoardOut,
        examples=[OpenApiExample("A closed board", CLOSED, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read how the board of the newest assessment stands. Nothing is counted before it is closed."""
        return tell_board(self.reading(request, slug))

    @extend_schema(
        operation_id="board_open",
        summary="Open the statements board",
        tags=["board"],
        request=BoardIn,
        responses={201: BoardOut},
        examples=[
            OpenApiExample("Without names", {"anonymous": True}, request_only=True),
            OpenApiExample("The board", BOARD, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Open the board: each expert of the panel can write on it. An assessment has one; without one it is begun."""
        project, actor = self.changing(request, slug, WORK)
        boards.open_board(project=project, actor=actor, **read(BoardIn, request.data))
        return tell_board(project, status=201)


class CloseBoard(ProjectCall):
    """Closing the board."""

    @extend_schema(
        operation_id="board_close",
        summary="Close the statements board",
        tags=["board"],
        request=None,
        responses=BoardOut,
        examples=[OpenApiExample("The closed board", CLOSED, response_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Close and seal the board: from now on the counts are shown. Grouping under codes can go on."""
        project, actor = self.changing(request, slug, WORK)
        boards.close_board(board=find_board(project), actor=actor)
        return tell_board(project)


class Codes(ProjectCall):
    """Codes of the board."""

    @extend_schema(
        operation_id="board_codes_create",
        summary="Make a code",
        tags=["board"],
        request=CodeIn,
        responses={201: BoardOut},
        examples=[
            OpenApiExample("A code", {"name": "Effort"}, request_only=True),
            OpenApiExample("The board", BOARD, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make a code to group statements under."""
        project, actor = self.changing(request, slug, WORK)
        boards.add_code(board=find_board(project), actor=actor, **read(CodeIn, request.data))
        return tell_board(project, status=201)


class RemoveCode(ProjectCall):
    """Removing a code."""

    @extend_schema(
        operation_id="board_codes_remove",
        summary="Remove a code",
        tags=["board"],
        request=None,
        responses=BoardOut,
        examples=[OpenApiExample("The board", BOARD | {"codes": []}, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Remove the code with this id; its statements stay, without one."""
        project, actor = self.changing(request, slug, WORK)
        boards.remove_code(code=_find_code(find_board(project), number), actor=actor)
        return tell_board(project)


class GroupStatement(ProjectCall):
    """Grouping."""

    @extend_schema(
        operation_id="board_statements_group",
        summary="Put a statement under a code",
        tags=["board"],
        request=GroupIn,
        responses=BoardOut,
        examples=[
            OpenApiExample("Under a code", {"code": 4}, request_only=True),
            OpenApiExample("The board", BOARD, response_only=True),
        ],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Put the statement with this id under a code of the board, or under none."""
        project, actor = self.changing(request, slug, WORK)
        board, wanted = find_board(project), read(GroupIn, request.data)["code"]
        statement = Statement.objects.filter(pk=number, board=board, withdrawn_at=None).first()
        if statement is None:
            raise Http404
        boards.group(statement=statement, code=_find_code(board, wanted) if wanted else None, actor=actor)
        return tell_board(project)


def read_state(project: Project) -> tuple[BoardState, Board]:
    """Return the board of the project's newest assessment as the team sees it; `UserError` where there is none."""
    state = read_board(project)
    if state is None or state.board is None:
        raise UserError("There is no statements board yet; a facilitator opens it.", code="no_board", status=404)
    return state, state.board


def find_board(project: Project) -> Board:
    """Return the board of the project's newest assessment."""
    return read_state(project)[1]


def tell_board(project: Project, status: int = 200) -> Response:
    """Answer with the board as it stands now."""
    state, board = read_state(project)
    counted = {} if board.is_open else {one.name: one for one in summarise(state)}
    told = {
        "assessment": board.assessment.number,
        "state": board.state,
        "anonymous": board.anonymous,
        "opened_at": board.opened_at,
        "closed_at": board.closed_at,
        "invited": state.invited,
        "taking_part": state.taking_part,
        "statements": state.total,
        "seal": board.seal,
        "codes": [
            {"id": code.pk, "name": code.name, "statements": statements}
            | {
                name: getattr(counted.get(code.name), name, None)
                for name in ("benefits", "limitations", "agree", "disagree")
            }
            for code, statements in state.codes
        ],
    }
    return Response(BoardOut(told).data, status=status)


def _find_code(board: Board, number: int) -> Code:
    found = Code.objects.filter(pk=number, board=board).first()
    if found is None:
        raise UserError(f"This board has no code {number}.", code="unknown_code", status=404)
    return found
