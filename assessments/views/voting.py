"""Voting: one principle per page, every answer saved by itself; the same for members and guests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from assessments.evidence import gather, measure_scope
from assessments.forms.panel import LEVELS, NO_VOTE, VOTES, RatingForm, WeightsForm
from assessments.models import Board, Confidence
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
from assessments.views.ballot_rows import differences, level_rows, point_differences, show_draft
from assessments.views.jump import JumpItem
from assessments.views.voters import Voter, guest_voter, member_voter
from ops_portal.errors import UserError
from ops_portal.forms import texts_of_errors
from ops_portal.http import see_other

VOTING = "assessments/voting.html"
WEIGHTS = "assessments/voting_weights.html"


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
        errors = texts_of_errors(form)
    ballot = read_ballot(voter.expert)
    line = _line(ballot, principle)
    context = _context(voter, ballot, line, form if errors or theirs else None, errors)
    context["oob"] = True
    if theirs:
        there, here = (show_draft(draft, line.principle) for draft in (theirs, form.draft))
        context |= {"theirs": True, "differences": differences(there, here, line.principle, ballot.catalogue)}
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
    context = _base(voter, ballot) | {"form": form, "refusals": _refusals(form)}
    context["differences"] = point_differences(theirs.points, form.points, ballot.catalogue) if theirs else []
    context["theirs"] = theirs is not None
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


def _base(voter: Voter, ballot: Ballot) -> dict[str, Any]:
    following = ballot.next_open
    return {
        # A guest has no project pages, so the project's navigation is not offered.
        "project": None if voter.token else voter.project,
        "about": voter.project,
        "voter": voter,
        "nav_active": "assessment",
        "ballot": ballot,
        "next_url": voter.page("vote", following.principle.slug) if following else voter.weights,
    }


def _context(
    voter: Voter,
    ballot: Ballot,
    line: BallotLine,
    refused: RatingForm | None,
    errors: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    rating = line.rating
    draft = draft_of_rating(rating) if rating else RatingDraft()
    shown = (
        show_draft(draft, line.principle)
        if refused is None
        else {name: refused.data.get(name, "") for name in refused.fields}
    )
    at = ballot.lines.index(line)
    following = _following(ballot, line)
    rows = level_rows(line.principle, ballot.catalogue, shown, errors or {})
    feedback = read_feedback(voter.expert, ballot.round, line.principle.slug) if ballot.round else None
    return _base(voter, ballot) | {
        "line": line,
        "step": at + 1,
        "shown": shown,
        "whole": rows[0],
        "light": rows[1] if len(rows) > 1 else None,
        "levels": LEVELS,
        "votes": VOTES,
        "no_vote": NO_VOTE,
        "confidences": Confidence.choices,
        "feedback": feedback,
        "previous_url": voter.page("vote", ballot.lines[at - 1].principle.slug) if at else voter.start,
        "onward": following.principle.name if following else "Weights of the benefits",
        "jump": _jump(voter, ballot, line),
        "progress": f"{ballot.done} of {ballot.total} principles answered",
        "errors": errors or {},
        "refusals": [message for messages in (errors or {}).values() for message in messages],
    }


def _jump(voter: Voter, ballot: Ballot, current: BallotLine) -> list[JumpItem]:
    items = [
        JumpItem(
            url=voter.page("vote", line.principle.slug),
            name=line.principle.name,
            current=line is current,
            done=line.fresh,
            note="last round" if line.answered and not line.fresh else "",
        )
        for line in ballot.lines
    ]
    note = "last round" if ballot.weights_done and not ballot.weights_fresh else ""
    weights = JumpItem(voter.weights, "Weights of the benefits", done=ballot.weights_fresh, note=note, icon="weight")
    return [*items, weights]


def _refusals(form: WeightsForm) -> list[str]:
    """Everything that is wrong with the points, one sentence each."""
    named = [f"{field.label}: {error}" for field in form for error in field.errors]
    return [*map(str, form.non_field_errors()), *named]
