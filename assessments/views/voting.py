"""Voting: one principle per page, every answer saved by itself; the same for members and guests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from assessments.evidence import gather, measure_scope
from assessments.forms.panel import EFFORTS, LEVELS, NO_VOTE, UNKNOWN, VOTES, RatingForm, WeightsForm
from assessments.models import Board, Confidence, Stance, Weights
from assessments.principles import Benefit, Principle
from assessments.selectors.delivery import read_brought
from assessments.selectors.scope import read_profiles, scope_state
from assessments.selectors.voting import Ballot, BallotLine, read_ballot, read_feedback
from assessments.services.panel_ratings import (
    RatingConflictError,
    RatingDraft,
    WeightsConflictError,
    draft_of_rating,
    save_rating,
    save_weights,
)
from assessments.views.voters import Voter, guest_voter, member_voter
from ops_portal.errors import UserError
from ops_portal.http import see_other

VOTING = "assessments/voting.html"
WEIGHTS = "assessments/voting_weights.html"


@dataclass(frozen=True)
class BenefitRow:
    """One benefit a principle can bring, with the chosen level as the form sends it."""

    benefit: Benefit
    value: str


@require_safe
def show_start(request: HttpRequest, voter: Voter) -> HttpResponse:
    """Say what this is about, who will see what, and how far one is."""
    ballot = read_ballot(voter.expert)
    judged = ballot.round if ballot.round and ballot.round.scope_current else None
    profiles = (judged.scope_current, judged.scope_planned) if judged else read_profiles(voter.project)
    scope = scope_state(*profiles, measure_scope(gather(voter.project)))
    brought = read_brought(voter.project, ballot.catalogue)
    board = Board.objects.filter(assessment=voter.expert.assessment_id).first()
    context = {"scope": scope, "brought": brought, "board": board, "board_url": voter.page("expert_board")}
    return render(request, "assessments/voting_start.html", _base(voter, ballot) | context)


@require_http_methods(["GET", "HEAD", "POST"])
def show_principle(request: HttpRequest, voter: Voter, principle: str) -> HttpResponse:
    """Ask about one principle; a POST saves what was said."""
    ballot = read_ballot(voter.expert)
    line = _line(ballot, principle)
    if request.method != "POST" or ballot.round is None or not ballot.round.is_open:
        status = 409 if request.method == "POST" else 200
        return render(request, VOTING, _context(voter, ballot, line, None), status=status)
    form = RatingForm(request.POST, principle=line.principle)
    errors: Mapping[str, Sequence[str]] = {}
    theirs = None
    if form.is_valid():
        try:
            save_rating(expert=voter.expert, principle=principle, draft=form.draft, base_version=form.base_version)
        except RatingConflictError as conflict:
            theirs = draft_of_rating(conflict.theirs)
        except UserError as wrong:
            errors = {name: [str(text)] for name, text in wrong.fields.items()} or {"vote": [wrong.message]}
    else:
        errors = {name: [str(one) for one in messages] for name, messages in form.errors.items()}
    ballot = read_ballot(voter.expert)
    line = _line(ballot, principle)
    context = _context(voter, ballot, line, form if errors or theirs else None)
    context |= {"errors": errors, "theirs": theirs, "oob": True}
    status = 422 if errors or theirs else 200
    if "go_on" in request.POST and status == 200:
        following = _following(ballot, line)
        return see_other(request, voter.page("vote", following.principle.slug) if following else voter.weights)
    saves_itself = request.htmx and "go_on" not in request.POST  # type: ignore[attr-defined]
    return render(request, f"{VOTING}#saved" if saves_itself else VOTING, context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def show_weights(request: HttpRequest, voter: Voter) -> HttpResponse:
    """Ask how much each benefit's whole swing matters."""
    ballot = read_ballot(voter.expert)
    points = ballot.weights.points if ballot.weights else {}
    form = WeightsForm(request.POST or None, catalogue=ballot.catalogue, initial=points)
    status, theirs = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                save_weights(expert=voter.expert, points=form.points, base_version=form.base_version)
                status = 200
            except WeightsConflictError as conflict:
                theirs = conflict.theirs
            except UserError as wrong:
                form.add_error(None, wrong.message)
        if status == 200 and "go_on" in request.POST:
            return see_other(request, voter.start)
        ballot = read_ballot(voter.expert)
    context = _base(voter, ballot) | {"form": form, "oob": request.method == "POST"}
    context["theirs"] = _points_in_words(theirs, ballot) if theirs else ""
    saves_itself = request.method == "POST" and request.htmx and "go_on" not in request.POST  # type: ignore[attr-defined]
    return render(request, f"{WEIGHTS}#saved" if saves_itself else WEIGHTS, context, status=status)


vote_start, guest_vote_start = member_voter(show_start), guest_voter(show_start)
vote, guest_vote = member_voter(show_principle), guest_voter(show_principle)
vote_weights, guest_vote_weights = member_voter(show_weights), guest_voter(show_weights)


def _line(ballot: Ballot, slug: str) -> BallotLine:
    try:
        return ballot.of(slug)
    except KeyError as unknown:
        raise Http404 from unknown


def _following(ballot: Ballot, line: BallotLine) -> BallotLine | None:
    at = ballot.lines.index(line)
    return ballot.lines[at + 1] if at + 1 < len(ballot.lines) else None


def _base(voter: Voter, ballot: Ballot) -> dict[str, object]:
    lines = [(line, voter.page("vote", line.principle.slug)) for line in ballot.lines]
    following = ballot.next_open
    return {
        # A guest has no project pages, so the project's navigation is not offered.
        "project": None if voter.token else voter.project,
        "about": voter.project,
        "voter": voter,
        "nav_active": "assessment",
        "ballot": ballot,
        "lines": lines,
        "next_url": voter.page("vote", following.principle.slug) if following else voter.weights,
    }


def _context(voter: Voter, ballot: Ballot, line: BallotLine, refused: RatingForm | None) -> dict[str, object]:
    rating = line.rating
    draft = draft_of_rating(rating) if rating else RatingDraft()
    shown = (
        _shown(draft, line.principle)
        if refused is None
        else {name: refused.data.get(name, "") for name in refused.fields}
    )
    at = ballot.lines.index(line)
    following = _following(ballot, line)
    feedback = read_feedback(voter.expert, ballot.round, line.principle.slug) if ballot.round else None
    return _base(voter, ballot) | {
        "line": line,
        "step": at + 1,
        "shown": shown,
        "benefits": [
            BenefitRow(ballot.catalogue.benefit(key), shown[f"benefit_{key}"]) for key in line.principle.serves
        ],
        "levels": LEVELS,
        "votes": VOTES,
        "no_vote": NO_VOTE,
        "confidences": Confidence.choices,
        "efforts": [(name, shown[f"effort_{name}"]) for name in EFFORTS],
        "feedback": feedback,
        "previous_url": voter.page("vote", ballot.lines[at - 1].principle.slug) if at else voter.start,
        "following": following,
        "errors": {},
        "theirs": None,
    }


def _points_in_words(weights: Weights, ballot: Ballot) -> str:
    given = [(ballot.catalogue.benefit(key).name, value) for key, value in weights.points.items()]
    return "; ".join(f"{name} {'none' if value is None else value}" for name, value in given)


def _shown(draft: RatingDraft, principle: Principle) -> dict[str, str]:
    """A draft as the form's fields have it."""
    shown = {
        "vote": str(draft.vote or "") if draft.stance == Stance.RATES else str(draft.stance),
        "confidence": str(draft.confidence),
        "reason": draft.reason,
        "evidence_url": draft.evidence_url,
    }
    for key in principle.serves:
        level = draft.benefits.get(key, "")
        shown[f"benefit_{key}"] = UNKNOWN if level is None else str(level)
    for name, days in zip(EFFORTS, draft.effort, strict=True):
        shown[f"effort_{name}"] = "" if days is None else f"{days:g}"
    return shown
