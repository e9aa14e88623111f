"""What an expert sees: their own answers, and of earlier rounds only what was closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assessments.models import Assessment, Expert, Rating, Round, Stance, Weights
from assessments.principles import Catalogue, Principle
from assessments.selectors.editions import catalogue_of


@dataclass(frozen=True)
class Said:
    """A reason given in an earlier round; `who` is empty where the panel is anonymous."""

    text: str
    evidence_url: str
    who: str
    stance: str


@dataclass(frozen=True)
class Feedback:
    """What the closed round before said about one principle: reasons first, then how often each vote was given."""

    round: int
    reasons: tuple[Said, ...]
    counts: tuple[tuple[int, int], ...]
    own_vote: int | None
    voters: int

    @property
    def most(self) -> int:
        """The largest count, for drawing."""
        return max((count for _, count in self.counts), default=0)


@dataclass(frozen=True)
class BallotLine:
    """A principle with the expert's own answer to it."""

    principle: Principle
    rating: Rating | None

    @property
    def answered(self) -> bool:
        """Say whether this round has an answer, be it carried over."""
        return self.rating is not None and (self.rating.stance != Stance.RATES or self.rating.vote is not None)

    @property
    def fresh(self) -> bool:
        """Say whether the answer was given or looked at in this round."""
        return self.answered and self.rating is not None and not self.rating.carried


@dataclass(frozen=True)
class Ballot:
    """Everything an expert has to fill in."""

    expert: Expert
    round: Round | None
    catalogue: Catalogue
    lines: tuple[BallotLine, ...]
    weights: Weights | None

    @property
    def done(self) -> int:
        """How many principles are answered in this round."""
        return sum(line.fresh for line in self.lines)

    @property
    def total(self) -> int:
        """How many principles there are."""
        return len(self.lines)

    @property
    def weights_done(self) -> bool:
        """Say whether every benefit has swing points."""
        points = self.weights.points if self.weights else {}
        return bool(points) and all(value is not None for value in points.values())

    @property
    def weights_fresh(self) -> bool:
        """Say whether they were given or looked at in this round."""
        return self.weights_done and self.weights is not None and not self.weights.carried

    @property
    def next_open(self) -> BallotLine | None:
        """The first principle to look at."""
        return next((line for line in self.lines if not line.fresh), None)

    def of(self, slug: str) -> BallotLine:
        """The line of a principle; `KeyError` if there is none."""
        for line in self.lines:
            if line.principle.slug == slug:
                return line
        raise KeyError(slug)


def read_ballot(expert: Expert) -> Ballot:
    """Return the expert's own answers of the open round, or of the last one: 3 queries."""
    rounds = Round.objects.filter(assessment=expert.assessment_id).select_related("scope_current", "scope_planned")
    current = rounds.defer("result").order_by("-number").first()
    ratings = {row.principle: row for row in Rating.objects.filter(round=current, expert=expert)} if current else {}
    weights = Weights.objects.filter(round=current, expert=expert).first() if current else None
    catalogue = catalogue_of(expert.assessment)
    lines = tuple(BallotLine(one, ratings.get(one.slug)) for one in catalogue.principles)
    return Ballot(expert, current, catalogue, lines, weights)


def read_feedback(expert: Expert, current: Round, slug: str) -> Feedback | None:
    """Return what the closed round before `current` said about a principle: 2 queries; None in the first round."""
    return _read_feedback(expert, current, [slug]).get(slug)


def read_all_feedback(ballot: Ballot) -> dict[str, Feedback]:
    """Return what the closed round before the ballot's said about each principle: 2 queries; empty in the first one."""
    slugs = [line.principle.slug for line in ballot.lines]
    return _read_feedback(ballot.expert, ballot.round, slugs) if ballot.round else {}


def _read_feedback(expert: Expert, current: Round, slugs: Sequence[str]) -> dict[str, Feedback]:
    before = (
        Round.objects.filter(assessment=expert.assessment_id, number=current.number - 1, state=Round.State.CLOSED)
        .defer("result")
        .first()
    )
    if before is None:
        return {}
    rows: dict[str, list[Rating]] = {slug: [] for slug in slugs}
    said = Rating.objects.filter(round=before, principle__in=slugs).select_related("expert")
    for row in said.order_by("expert__code"):
        rows[row.principle].append(row)
    return {slug: _feedback(expert, before, rows[slug]) for slug in slugs}


def _feedback(expert: Expert, before: Round, rows: Sequence[Rating]) -> Feedback:
    votes = Counter(row.vote for row in rows if row.stance == Stance.RATES and row.vote is not None)
    own = next((row.vote for row in rows if row.expert_id == expert.pk), None)
    # By text, not by expert: the order would otherwise tell which reasons come from the same person.
    reasons = sorted(
        (
            Said(row.reason, row.evidence_url, "" if before.anonymous else row.expert.name, row.stance)
            for row in rows
            if row.reason
        ),
        key=lambda said: said.text.lower(),
    )
    return Feedback(
        round=before.number,
        reasons=tuple(reasons),
        counts=tuple((vote, votes.get(vote, 0)) for vote in range(1, 10)),
        own_vote=own,
        voters=sum(votes.values()),
    )


@dataclass(frozen=True)
class Attendance:
    """An expert as the facilitator sees them: how far they are, never what they said."""

    expert: Expert
    answered: int
    total: int
    weights: bool
    last_saved: datetime | None

    @property
    def complete(self) -> bool:
        """Say whether every principle is answered."""
        return self.answered == self.total

    @property
    def dialog(self) -> str:
        """Name the dialog that asks before they are taken off the panel."""
        return f"take-off-{self.expert.pk}"


def read_attendance(assessment: Assessment, current: Round | None) -> tuple[Attendance, ...]:
    """Return who was invited and how far each is in a round: 3 queries, none of which reads a vote."""
    total = len(catalogue_of(assessment).principles)
    answered: Counter[int] = Counter()
    last: dict[int, datetime] = {}
    weighted: set[int] = set()
    if current:
        rows = Rating.objects.filter(round=current, carried=False).exclude(stance=Stance.RATES, vote=None)
        for expert_id, saved_at in rows.values_list("expert_id", "saved_at"):
            answered[expert_id] += 1
            last[expert_id] = max(saved_at, last.get(expert_id, saved_at))
        weighted = set(Weights.objects.filter(round=current, carried=False).values_list("expert_id", flat=True))
    experts = Expert.objects.filter(assessment=assessment).order_by("pk")
    return tuple(
        Attendance(expert, answered[expert.pk], total, expert.pk in weighted, last.get(expert.pk)) for expert in experts
    )
