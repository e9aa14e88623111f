"""What adoption brought: the delivery figures of the weeks before a principle was decided on, and since it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone

from assessments.evidence.delivery import Change, Delivery, measure_delivery, read_changes
from assessments.models import Decision
from assessments.principles import Catalogue
from assessments.selectors.editions import catalogue_for
from projects.models import Project

#: So much time before the decision is measured; since adoption, whatever time has passed.
BEFORE = timedelta(days=90)


@dataclass(frozen=True)
class Figure:
    """One figure before and after, as numbers and in words."""

    title: str
    before: float | None
    after: float | None
    before_words: str
    after_words: str
    less_is_better: bool

    @property
    def direction(self) -> str:
        """For the `change` tag: which way is good."""
        return "lower" if self.less_is_better else "higher"


@dataclass(frozen=True)
class Brought:
    """What the records say before a principle was decided on and since it is in place (or else since the decision)."""

    name: str
    decision: Decision
    in_place: bool
    before: Delivery
    after: Delivery

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The four figures."""
        a, b = self.before, self.after
        return (
            _figure("Changes a week", a.per_week, b.per_week, "{:.1f}", less=False),
            _figure("Lead time", a.lead_hours, b.lead_hours, "{:.1f} h", less=True),
            _figure("Changes that failed", a.failure_rate, b.failure_rate, "{:.0%}", less=True),
            _figure("Time to restore", a.restore_hours, b.restore_hours, "{:.1f} h", less=True),
        )


def read_brought(project: Project, catalogue: Catalogue | None = None) -> tuple[Brought, ...]:
    """What each adopted principle brought, in the catalogue's order: 2 queries, 2 more to find the catalogue."""
    rows: dict[str, list[Decision]] = {}
    for row in Decision.objects.filter(project=project).select_related("owner").order_by("-pk"):
        rows.setdefault(row.principle, []).append(row)
    adopted = {slug: mine for slug, mine in rows.items() if mine[0].choice == Decision.Choice.ADOPT}
    if not adopted:
        return ()
    changes, now = read_changes(project), timezone.now()
    catalogue = catalogue or catalogue_for(project)
    return tuple(
        brought_by(principle.name, adopted[principle.slug], changes, project.created_at, now)
        for principle in catalogue.principles
        if principle.slug in adopted
    )


def brought_by(
    name: str, rows: Sequence[Decision], changes: Sequence[Change], created_at: datetime, now: datetime
) -> Brought:
    """Measure around the decision to adopt; `rows` are all decisions on the principle, newest first."""
    held = rows[0]
    # A later row that only records effort does not move the day of the decision.
    decided_at = held.decided_at
    for row in rows:
        if row.choice != Decision.Choice.ADOPT:
            break
        decided_at = row.decided_at
    since = decided_at
    if held.adopted_on:
        since = timezone.make_aware(datetime.combine(held.adopted_on, time.min))
    end = min(decided_at, since)
    # A day long before there was a project leaves nothing to measure, nor 90 days of the calendar before it.
    begin = max(created_at, end - BEFORE) if end > created_at else created_at
    return Brought(
        name=name,
        decision=held,
        in_place=held.adopted_on is not None,
        before=measure_delivery(changes, begin, end),
        after=measure_delivery(changes, since, now),
    )


def _figure(title: str, before: float | None, after: float | None, form: str, *, less: bool) -> Figure:
    words = ["not measured" if value is None else form.format(value) for value in (before, after)]
    return Figure(title, before, after, words[0], words[1], less)
