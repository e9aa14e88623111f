"""The statements board as an expert and as the team see it: no counts before it is closed, no names if anonymous."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assessments.models import Board, Code, Expert, Reaction, Statement
from assessments.principles import Catalogue, Principle
from assessments.selectors.checklist import current_assessment
from assessments.selectors.editions import catalogue_of
from projects.models import Project


@dataclass(frozen=True)
class StatementView:
    """A statement. `who` is empty where the board is anonymous, the counts are None while it is open."""

    pk: int
    kind: str
    label: str
    text: str
    who: str
    code: int | None
    code_name: str
    mine: bool
    own_stance: str
    own_at: datetime | None
    agree: int | None
    disagree: int | None
    passed: int | None


@dataclass(frozen=True)
class BoardSection:
    """A principle with what was said about it."""

    principle: Principle
    statements: tuple[StatementView, ...]

    @property
    def waiting(self) -> int:
        """How many statements of others the expert has not reacted to."""
        return sum(not one.mine and not one.own_stance for one in self.statements)


@dataclass(frozen=True)
class BoardState:
    """The board of an assessment, for one expert or for the team."""

    board: Board | None
    catalogue: Catalogue
    sections: tuple[BoardSection, ...]
    codes: tuple[tuple[Code, int], ...]
    taking_part: int
    invited: int

    @property
    def total(self) -> int:
        """How many statements there are."""
        return sum(len(section.statements) for section in self.sections)

    @property
    def waiting(self) -> int:
        """How many statements of others the expert has not reacted to."""
        return sum(section.waiting for section in self.sections)

    def of(self, slug: str) -> BoardSection | None:
        """The section of a principle."""
        return next((one for one in self.sections if one.principle.slug == slug), None)


def read_board_for(expert: Expert) -> BoardState:
    """Read the board as an expert sees it: 5 queries."""
    board = Board.objects.filter(assessment=expert.assessment_id).first()
    return _state(board, catalogue_of(expert.assessment), expert)


def read_board(project: Project) -> BoardState | None:
    """Read the board as the team sees it: 6 queries; None while the project has no assessment."""
    assessment = current_assessment(project)
    if assessment is None:
        return None
    board = Board.objects.filter(assessment=assessment).select_related("closed_by").first()
    return _state(board, catalogue_of(assessment), None)


def _state(board: Board | None, catalogue: Catalogue, expert: Expert | None) -> BoardState:
    if board is None:
        return BoardState(None, catalogue, tuple(BoardSection(one, ()) for one in catalogue.principles), (), 0, 0)
    ever = list(Statement.objects.filter(board=board).select_related("expert", "code"))
    said = [one for one in ever if one.withdrawn_at is None]
    stances = list(Reaction.objects.filter(statement__board=board))
    counts = Counter((one.statement_id, one.value) for one in stances)
    own = {one.statement_id: one for one in stances if expert and one.expert_id == expert.pk}

    def view(one: Statement) -> StatementView:
        mine = expert is not None and one.expert_id == expert.pk
        agree, disagree, passed = (
            None if board.is_open else counts[one.pk, value] for value in Reaction.Value.values
        )  # no count leaves this function while somebody may still be swayed by it
        return StatementView(
            pk=one.pk,
            kind=one.kind,
            label=one.get_kind_display(),
            text=one.text,
            who="" if board.anonymous else one.expert.name,
            code=one.code_id,
            code_name=one.code.name if one.code else "",
            mine=mine,
            own_stance=own[one.pk].value if one.pk in own else "",
            own_at=own[one.pk].saved_at if one.pk in own else None,
            agree=agree,
            disagree=disagree,
            passed=passed,
        )

    views = {slug: [view(one) for one in said if one.principle == slug] for slug in catalogue.slugs}
    used = Counter(one.code_id for one in said)
    # With what was withdrawn: else the number would fall, and tell an author who withdraws that somebody had reacted.
    active = {one.expert_id for one in ever if one.withdrawn_at is None or one.expert.revoked_at is None}
    active |= {one.expert_id for one in stances}
    invited = Expert.objects.filter(assessment=board.assessment_id, revoked_at=None).count()
    return BoardState(
        board=board,
        catalogue=catalogue,
        sections=tuple(BoardSection(one, tuple(views[one.slug])) for one in catalogue.principles),
        codes=tuple((code, used[code.pk]) for code in board.codes.all()),
        taking_part=len(active),
        invited=invited if board.is_open else board.invited,
    )


def board_rows(state: BoardState) -> list[dict[str, Any]]:
    """The statements of a closed board as plain values, for the page's table, CSV and JSON."""
    return [
        {
            "principle": section.principle.slug,
            "name": section.principle.name,
            "kind": one.kind,
            "statement": one.text,
            "code": one.code_name,
            "agree": one.agree,
            "disagree": one.disagree,
            "pass": one.passed,
            "invited": state.invited,
            "expert": one.who,
        }
        for section in state.sections
        for one in section.statements
    ]


@dataclass(frozen=True)
class CodeSummary:
    """What was said under one code."""

    name: str
    benefits: int
    limitations: int
    agree: int
    disagree: int


def summarise(state: BoardState) -> tuple[CodeSummary, ...]:
    """Count what stands under each code of a closed board; statements without one come last."""
    said = [one for section in state.sections for one in section.statements]
    names = [code.name for code, _ in state.codes] + ([""] if any(not one.code_name for one in said) else [])
    return tuple(
        CodeSummary(
            name=name,
            benefits=sum(one.kind == Statement.Kind.BENEFIT for one in said if one.code_name == name),
            limitations=sum(one.kind == Statement.Kind.LIMITATION for one in said if one.code_name == name),
            agree=sum(one.agree or 0 for one in said if one.code_name == name),
            disagree=sum(one.disagree or 0 for one in said if one.code_name == name),
        )
        for name in names
    )
