"""What an expert says in an open round. Nothing of it goes to the activity log: who said what is not for it to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from assessments.models import Confidence, Expert, Rating, Round, Stance, Weights
from assessments.principles import Principle
from assessments.selectors.editions import catalogue_of
from ops_portal.errors import UserError

MOST_POINTS = 100
VOTE_WRONG = "Vote from 1 to 9."
LEVEL_WRONG = "Choose one of the five levels."

#: Low, likely and high days.
Effort = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class RatingDraft:
    """What an expert says about one principle; None is "not answered".

    `benefits` and `effort` are about all of it, `light_benefits` and `light_effort` about its light level alone.
    """

    stance: str = Stance.RATES
    vote: int | None = None
    benefits: Mapping[str, int | None] = field(default_factory=dict)
    effort: Effort = (None, None, None)
    light_benefits: Mapping[str, int | None] = field(default_factory=dict)
    light_effort: Effort = (None, None, None)
    confidence: str = ""
    reason: str = ""
    evidence_url: str = ""


class WeightsConflictError(UserError):
    """The same expert gave other points elsewhere after the page was opened."""

    def __init__(self, theirs: Weights) -> None:
        super().__init__(
            "You gave other points in another window while this page was open.", code="weights_conflict", status=409
        )
        self.theirs = theirs


class RatingConflictError(UserError):
    """The same expert changed this rating elsewhere after the page was opened."""

    def __init__(self, theirs: Rating) -> None:
        super().__init__(
            "You answered this in another window while this page was open.", code="rating_conflict", status=409
        )
        self.theirs = theirs


def open_round_for(expert: Expert) -> Round:
    """Return the round this expert may answer now.

    Raises
    ------
    UserError
        No round is open, or the invitation no longer holds.

    """
    if not expert.may_vote:
        raise UserError("This invitation no longer holds. Ask whoever invited you for a new one.", code="expired")
    current = Round.objects.filter(assessment=expert.assessment_id, state=Round.State.OPEN).first()
    if current is None:
        raise UserError(
            "No round is open now. What you meant to say goes into the next one; nothing in a closed round changes.",
            code="round_closed",
            status=409,
        )
    return current


def find_principle(expert: Expert, slug: str) -> Principle:
    """Return a principle of the edition that the panel judges by; `UserError` if it has none of this name."""
    try:
        return catalogue_of(expert.assessment).principle(slug)
    except KeyError as unknown:
        raise UserError("This principle is not in the catalogue.", code="unknown_principle", status=404) from unknown


@transaction.atomic
def save_rating(*, expert: Expert, principle: str, draft: RatingDraft, base_version: int) -> Rating:
    """Keep what `expert` says about a principle in the open round."""
    found = find_principle(expert, principle)
    _check(draft, found)
    current = _locked(expert)
    stored = Rating.objects.filter(round=current, expert=expert, principle=principle).first()
    if stored and draft_of_rating(stored) == draft and not stored.carried:
        return stored
    if stored and stored.version != base_version:
        raise RatingConflictError(stored)
    rating = stored or Rating(round=current, expert=expert, principle=principle, version=0)
    rating.stance, rating.vote, rating.confidence = draft.stance, draft.vote, draft.confidence
    rating.benefits = dict(draft.benefits)
    rating.effort_low, rating.effort_likely, rating.effort_high = draft.effort
    rating.light_benefits = dict(draft.light_benefits)
    rating.light_effort_low, rating.light_effort_likely, rating.light_effort_high = draft.light_effort
    rating.reason, rating.evidence_url = draft.reason, draft.evidence_url
    rating.version += 1
    rating.carried = False
    rating.saved_at = timezone.now()
    rating.save()
    return rating


@transaction.atomic
def save_weights(*, expert: Expert, points: Mapping[str, int | None], base_version: int | None = None) -> Weights:
    """Keep an expert's swing points; a benefit without points is left open.

    `base_version` is the version the page showed; without it, what is there is replaced.
    """
    keys = catalogue_of(expert.assessment).benefit_keys
    if unknown := {key: "The catalogue has no such benefit." for key in points if key not in keys}:
        raise UserError("These points are for something that is no benefit.", fields=unknown)
    given = {key: points.get(key) for key in keys}
    for key, value in given.items():
        if value is not None and not 0 <= value <= MOST_POINTS:
            raise UserError("Points go from 0 to 100.", fields={key: "From 0 to 100."})
    if all(value is not None for value in given.values()) and not any(given.values()):
        raise UserError("Give at least one benefit some points.", code="no_points")
    current = _locked(expert)
    stored = Weights.objects.filter(round=current, expert=expert).first()
    if stored and stored.points == given and not stored.carried:
        return stored
    if stored and base_version is not None and stored.version != base_version:
        raise WeightsConflictError(stored)
    weights = stored or Weights(round=current, expert=expert, version=0)
    weights.points = given
    weights.version += 1
    weights.carried = False
    weights.saved_at = timezone.now()
    weights.save()
    return weights


def draft_of_rating(rating: Rating) -> RatingDraft:
    """Return what a stored rating says."""
    return RatingDraft(
        stance=rating.stance,
        vote=rating.vote,
        benefits=dict(rating.benefits),
        effort=(rating.effort_low, rating.effort_likely, rating.effort_high),
        light_benefits=dict(rating.light_benefits),
        light_effort=(rating.light_effort_low, rating.light_effort_likely, rating.light_effort_high),
        confidence=rating.confidence,
        reason=rating.reason,
        evidence_url=rating.evidence_url,
    )


def _locked(expert: Expert) -> Round:
    """The open round, locked: closing it waits for whoever is saving, and a save after it is refused."""
    current = open_round_for(expert)
    state = Round.objects.select_for_update().filter(pk=current.pk).values_list("state", flat=True).get()
    if state != Round.State.OPEN:
        raise UserError("The round was just closed; nothing in it changes.", code="round_closed", status=409)
    return current


def _check(draft: RatingDraft, principle: Principle) -> None:
    wrong: dict[str, str] = {}
    if draft.stance not in Stance.values:
        wrong["stance"] = "Say whether you can rate it."
    if draft.vote is not None and draft.vote not in range(1, 10):
        wrong["vote"] = VOTE_WRONG
    elif draft.vote is not None and draft.stance in (Stance.UNKNOWN, Stance.NOT_APPLICABLE):
        wrong["vote"] = "Leave the vote out where you cannot rate it."
    if draft.confidence and draft.confidence not in Confidence.values:
        wrong["confidence"] = "Choose low, medium or high."
    wrong |= _check_figures(draft.benefits, draft.effort, principle.serves)
    light = _check_figures(draft.light_benefits, draft.light_effort, principle.light.serves if principle.light else ())
    wrong |= {f"light_{name}": f"Light level: {message}" for name, message in light.items()}
    wrong |= _compare_levels(draft)
    if draft.stance == Stance.NOT_APPLICABLE and not draft.reason.strip():
        wrong["reason"] = "Say why it does not apply here; then it is saved."
    if wrong:
        raise UserError(next(iter(wrong.values())), fields=wrong)


def _check_figures(benefits: Mapping[str, int | None], effort: Effort, serves: Sequence[str]) -> dict[str, str]:
    wrong = {}
    for key, value in benefits.items():
        if key not in serves:
            wrong[f"benefit_{key}"] = "This principle does not serve that benefit."
        elif value is not None and value not in range(5):
            wrong[f"benefit_{key}"] = LEVEL_WRONG
    known = [days for days in effort if days is not None]
    if any(days < 0 or days > 1000 for days in known):
        wrong["effort"] = "Days from 0 to 1,000."
    elif known != sorted(known):
        wrong["effort"] = "Low, likely and high must rise: the low estimate first."
    return wrong


def _compare_levels(draft: RatingDraft) -> dict[str, str]:
    """The light level is a part of the whole: it neither takes longer nor brings more."""
    wrong = {}
    for key, part in draft.light_benefits.items():
        whole = draft.benefits.get(key)
        if part is not None and whole is not None and part > whole:
            wrong[f"light_benefit_{key}"] = "The light level is a part of the whole and cannot bring more than it."
    pairs = zip(draft.light_effort, draft.effort, strict=True)
    if any(part is not None and whole is not None and part > whole for part, whole in pairs):
        wrong["light_effort"] = "The light level is a part of the whole and cannot take longer than it."
    return wrong
