"""The assessment at a glance: progress, recommendation, what to do next, earlier assessments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from assessments.evidence import measure_scope
from assessments.models import Assessment, Round
from assessments.scoring.scope import FACTORS
from assessments.selectors.checklist import Checklist, PrincipleState, checklist_of
from assessments.selectors.recommendation import Recommendation, Recommended, recommend_for
from assessments.selectors.scope import ScopeState, read_profiles, scope_state
from projects.models import Project

#: Closed assessments that are listed.
MILESTONES = 10


@dataclass(frozen=True)
class NextStep:
    """What to do now, with the page for it."""

    title: str
    text: str
    action: str
    url: str


@dataclass(frozen=True)
class PrincipleLine:
    """A principle with its progress and its verdict, if there is one."""

    state: PrincipleState
    verdict: Recommended | None


@dataclass(frozen=True)
class Overview:
    """Everything the first page shows."""

    checklist: Checklist
    scope: ScopeState
    scope_declared: bool
    recommendation: Recommendation | None
    lines: tuple[PrincipleLine, ...]
    next_step: NextStep
    milestones: tuple[Assessment, ...]
    #: The newest closed round of the panel and the open one, by number; None where there is none.
    closed_round: int | None
    open_round: int | None

    @property
    def factors_total(self) -> int:
        """How many scope factors there are."""
        return len(FACTORS)

    @property
    def can_close(self) -> bool:
        """Say whether an assessment is open."""
        return self.checklist.assessment is not None and self.checklist.assessment.is_open


def read_overview(project: Project) -> Overview:
    """Read the assessment at a glance: 11 queries, of which 8 read the records."""
    newest = _newest(project)
    assessment = newest[0] if newest else None
    checklist = checklist_of(project, assessment)
    current, planned = read_profiles(project)
    scope = scope_state(current, planned, measure_scope(checklist.records))
    in_place = frozenset(state.principle.slug for state in checklist.principles if state.all_in_place)
    recommendation = recommend_for(
        scope, in_place=in_place, catalogue=checklist.catalogue, settings=checklist.records.assumptions
    )
    lines = tuple(
        PrincipleLine(state, recommendation.of(state.principle.slug) if recommendation else None)
        for state in checklist.principles
    )
    return Overview(
        checklist=checklist,
        scope=scope,
        scope_declared=current is not None,
        recommendation=recommendation,
        lines=lines,
        next_step=_next_step(project, checklist, declared=current is not None),
        milestones=tuple(row for row in newest if not row.is_open)[:MILESTONES],
        closed_round=assessment.closed_round if assessment else None,
        open_round=assessment.open_round if assessment else None,
    )


def _newest(project: Project) -> list[Any]:
    """The newest assessments, each with the numbers of its newest closed round and of its open one: 1 query."""

    def round_in(state: str) -> Subquery:
        rounds = Round.objects.filter(assessment=OuterRef("pk"), state=state).order_by("-number")
        return Subquery(rounds.values("number")[:1])

    rows = Assessment.objects.filter(project=project).select_related("opened_by", "closed_by").order_by("-number")
    rows = rows.annotate(closed_round=round_in(Round.State.CLOSED), open_round=round_in(Round.State.OPEN))
    return list(rows[: MILESTONES + 1])


def _next_step(project: Project, checklist: Checklist, *, declared: bool) -> NextStep:
    """The one thing worth doing now."""

    def page(name: str, *args: str) -> str:
        return reverse(f"assessments:{name}", args=[project.slug, *args])

    if not declared:
        return NextStep(
            "Describe the scope first",
            "The recommendation depends on it. What the portal's records know is filled in already; five minutes.",
            "Describe the scope",
            page("scope"),
        )
    if checklist.differing:
        first = checklist.differing[0].practice
        count = len(checklist.differing)
        return NextStep(
            f"The records differ from {count} answer{'s' if count > 1 else ''} now",
            f"First: {first.text} Look again; your answer stands until you change it.",
            "Look at it",
            f"{page('checklist', first.id.partition('.')[0])}#practice-{first.id.replace('.', '-')}",
        )
    following = checklist.next_open
    if following:
        left = following.total - following.answered
        return NextStep(
            f"Go on with {following.principle.name}",
            f"{left} of its {following.total} practices {'is' if left == 1 else 'are'} still open; "
            f"{checklist.total - checklist.answered} in all.",
            "Answer them",
            page("checklist", following.principle.slug),
        )
    return NextStep(
        "Everything is answered",
        "Read the recommendation with your team; closing the assessment keeps it as a milestone to compare with.",
        "Read the recommendation",
        page("recommendation"),
    )
