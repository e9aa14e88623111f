"""The statements board: opening and closing it, what experts say and how they stand to it, and codes for groups."""

from __future__ import annotations

import hashlib
import json

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from assessments.models import Board, Code, Expert, Reaction, Statement
from assessments.selectors.editions import catalogue_of
from assessments.services.assessments import ensure_open
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record

LONGEST = 500
#: More codes than this group nothing any more.
MOST_CODES = 60


@transaction.atomic
def open_board(*, project: Project, anonymous: bool, actor: AbstractBaseUser) -> Board:
    """Open the board of the project's assessment; where rounds were held it is as anonymous as they are."""
    assessment = ensure_open(project=project, actor=actor)
    if Board.objects.filter(assessment=assessment).exists():
        raise UserError("This assessment has its board already.", code="board_exists", status=409)
    held = assessment.rounds.order_by("number").first()
    board = Board.objects.create(
        assessment=assessment, anonymous=held.anonymous if held else anonymous, opened_by_id=actor.pk
    )
    summary = f"opened the statements board of assessment {assessment.number}"
    record(actor=actor, verb="board.opened", summary=summary, project=project, board=board.pk)
    return board


@transaction.atomic
def close_board(*, board: Board, actor: AbstractBaseUser) -> Board:
    """Close the board: statements and stances are sealed, and only now counts are shown."""
    locked = _locked(board.pk)
    # What somebody said who was taken off the panel meanwhile does not count.
    revoked = {"expert__revoked_at__isnull": False}
    Reaction.objects.filter(statement__board=locked, **revoked).delete()
    Statement.objects.filter(board=locked, **revoked).update(withdrawn_at=timezone.now())
    if not locked.statements.filter(withdrawn_at=None).exists():
        raise UserError("Nobody has said anything yet; there is nothing to close.", code="no_statements", status=409)
    locked.state, locked.closed_by_id, locked.closed_at = Board.State.CLOSED, actor.pk, timezone.now()
    locked.invited = locked.assessment.experts.filter(revoked_at=None).count()
    locked.seal = seal_of_board(locked)
    locked.save()
    project = locked.assessment.project
    summary = f"closed the statements board of assessment {locked.assessment.number}"
    record(actor=actor, verb="board.closed", summary=summary, project=project, board=locked.pk, seal=locked.seal)
    return locked


@transaction.atomic
def say(*, expert: Expert, principle: str, kind: str, text: str) -> Statement:
    """Put a statement on the board."""
    board = _board_of(expert)
    if principle not in catalogue_of(expert.assessment).slugs:
        raise UserError("This principle is not in the catalogue.", code="unknown_principle", status=404)
    if kind not in Statement.Kind.values:
        raise UserError("Say whether it is a benefit or a limitation.", fields={"kind": "Choose one of the two."})
    text = _new_words(board, principle, kind, text)
    return Statement.objects.create(board=board, expert=expert, principle=principle, kind=kind, text=text)


@transaction.atomic
def reword(*, expert: Expert, statement: Statement, text: str) -> Statement:
    """Say one's own statement in other words: a new statement, to which nobody has reacted, in place of the old one.

    It is always done, whether or not somebody had reacted: to refuse it would tell the author that somebody had.
    """
    board = _board_of(expert)
    mine = _own(expert, statement)
    if " ".join(text.split()) == mine.text:
        return mine
    text = _new_words(board, mine.principle, mine.kind, text, instead_of=mine)
    mine.withdrawn_at = timezone.now()
    mine.save(update_fields=["withdrawn_at"])
    return Statement.objects.create(
        board=board, expert=expert, principle=mine.principle, kind=mine.kind, text=text, code=mine.code
    )


@transaction.atomic
def withdraw(*, expert: Expert, statement: Statement) -> None:
    """Take one's own statement off the board."""
    _board_of(expert)
    mine = _own(expert, statement)
    mine.withdrawn_at = timezone.now()
    mine.save(update_fields=["withdrawn_at"])


@transaction.atomic
def react(*, expert: Expert, statement: Statement, value: str) -> None:
    """Agree, disagree or pass; an empty value takes the stance back."""
    board = _board_of(expert)
    if value and value not in Reaction.Value.values:
        raise UserError("Agree, disagree or pass.", fields={"value": "Choose one of the three."})
    found = Statement.objects.filter(pk=statement.pk, board=board, withdrawn_at=None).first()
    if found is None:
        raise UserError("This statement was withdrawn.", code="withdrawn", status=409)
    if found.expert_id == expert.pk:
        raise UserError("This is your own statement; the others say how they stand to it.", code="own", status=409)
    if value:
        Reaction.objects.update_or_create(statement=found, expert=expert, defaults={"value": value})
    else:
        Reaction.objects.filter(statement=found, expert=expert).delete()


@transaction.atomic
def add_code(*, board: Board, name: str, actor: AbstractBaseUser) -> Code:
    """Make a code to group statements under; one that is there already is given back."""
    name = " ".join(name.split())
    if not name or len(name) > 80:
        raise UserError("A code has a name of up to 80 characters.", fields={"name": "Up to 80 characters."})
    there = Code.objects.filter(board=board, name__iexact=name).first()
    if there:
        return there
    if board.codes.count() >= MOST_CODES:
        raise UserError(f"{MOST_CODES} codes are enough; remove one first.", code="too_many_codes", status=409)
    code = Code.objects.create(board=board, name=name)
    _record(board, actor, "board.coded", f"made the code {name}")
    return code


@transaction.atomic
def remove_code(*, code: Code, actor: AbstractBaseUser) -> None:
    """Remove a code; its statements stay, without one."""
    name, board = code.name, code.board
    code.delete()
    _record(board, actor, "board.uncoded", f"removed the code {name}")


@transaction.atomic
def group(*, statement: Statement, code: Code | None, actor: AbstractBaseUser) -> None:
    """Put a statement under a code, or under none."""
    if code and code.board_id != statement.board_id:
        raise UserError("This code belongs to another board.", code="unknown_code", status=404)
    if statement.code_id == (code.pk if code else None):
        return
    Statement.objects.filter(pk=statement.pk).update(code=code)
    under = f"under {code.name}" if code else "under no code"
    _record(statement.board, actor, "board.grouped", f"put a statement on {statement.principle} {under}")


def seal_of_board(board: Board) -> str:
    """SHA-256 over everything said on a board and every stance, in a fixed order and form."""
    said = [
        [row.pk, row.expert_id, row.principle, row.kind, row.text, row.withdrawn_at is None]
        for row in Statement.objects.filter(board=board).order_by("pk")
    ]
    stances = Reaction.objects.filter(statement__board=board).order_by("statement_id", "expert_id")
    text = json.dumps([said, list(stances.values_list("statement_id", "expert_id", "value"))], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _locked(pk: int) -> Board:
    """The open board, locked: closing waits for whoever is saving, and a save after it is refused."""
    board = Board.objects.select_for_update(of=("self",)).select_related("assessment__project").get(pk=pk)
    if not board.is_open:
        raise UserError("The board is closed and sealed; nothing on it changes.", code="board_closed", status=409)
    return board


def _board_of(expert: Expert) -> Board:
    if not expert.may_vote:
        raise UserError("This invitation no longer holds. Ask whoever invited you for a new one.", code="expired")
    pk = Board.objects.filter(assessment=expert.assessment_id).values_list("pk", flat=True).first()
    if pk is None:
        raise UserError("The facilitator has not opened the board yet.", code="no_board", status=409)
    return _locked(pk)


def _own(expert: Expert, statement: Statement) -> Statement:
    # Locked: a code it is grouped under meanwhile must not be lost when it is reworded.
    mine = Statement.objects.select_for_update().filter(pk=statement.pk, expert=expert, withdrawn_at=None).first()
    if mine is None:
        raise UserError("Only your own statements are yours to change.", code="not_yours", status=404)
    return mine


def _new_words(board: Board, principle: str, kind: str, text: str, instead_of: Statement | None = None) -> str:
    text = _checked(text)
    there = board.statements.filter(principle=principle, kind=kind, withdrawn_at=None, text__iexact=text)
    if (there.exclude(pk=instead_of.pk) if instead_of else there).exists():
        raise UserError(
            "This stands there already; agree with it instead.", fields={"text": "It stands there already."}
        )
    return text


def _checked(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise UserError("Say it in a sentence.", fields={"text": "Say it in a sentence."})
    if len(text) > LONGEST:
        message = f"This has {len(text):,} characters; at most {LONGEST} fit. One statement, one thought."
        raise UserError(message, fields={"text": message})
    return text


def _record(board: Board, actor: AbstractBaseUser, verb: str, summary: str) -> None:
    record(actor=actor, verb=verb, summary=summary, project=board.assessment.project, board=board.pk)
