"""The scope of a project as pages show it, and as the scoring reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from assessments.evidence import Measured, MeasuredScope
from assessments.models import ScopeProfile
from assessments.scoring.scope import FACTORS, Factor, Measurement, Scope
from projects.models import Project

HISTORY = 20


@dataclass(frozen=True)
class FactorState:
    """A scope factor: what is said of now and of the plan, and what the records say."""

    factor: Factor
    current: float | None
    current_words: str
    origin: str
    planned: float | None
    planned_words: str
    measured: Measured | None

    @property
    def mark(self) -> str:
        """How the value stands to the records: filled, agrees, overridden, differs, or nothing to say."""
        if self.measured is None or self.current is None:
            return ""
        if self.measured.value == self.current:
            return "agrees" if self.origin == ScopeProfile.Origin.DECLARED else "filled"
        return "overridden" if self.origin == ScopeProfile.Origin.DECLARED else "differs"

    @property
    def differs(self) -> bool:
        """Say whether a person declared something other than what is measured."""
        return self.measured is not None and self.current is not None and self.measured.value != self.current


@dataclass(frozen=True)
class ProfileChange:
    """One change of the scope, in words."""

    at: datetime
    by: str
    kind: str
    changes: tuple[str, ...]

    @property
    def title(self) -> str:
        """Which scope changed, for people."""
        return str(ScopeProfile.Kind(self.kind).label)

    @property
    def text(self) -> str:
        """The changes in one line."""
        return "; ".join(self.changes) or "nothing known"


@dataclass(frozen=True)
class ScopeState:
    """Everything about the scope."""

    factors: tuple[FactorState, ...]
    first_version: bool
    planned_first_version: bool | None
    current: Scope
    planned: Scope | None
    known: int

    @property
    def missing(self) -> tuple[str, ...]:
        """Titles of the factors nothing is known about."""
        return tuple(state.factor.title for state in self.factors if state.current is None)


def newest_profile(project: Project, kind: str) -> ScopeProfile | None:
    """Return the profile of this kind that holds now: 1 query."""
    return ScopeProfile.objects.filter(project=project, kind=kind).order_by("-pk").first()


def read_profiles(project: Project) -> tuple[ScopeProfile | None, ScopeProfile | None]:
    """Return the newest current and planned profile: 1 query."""
    later = ScopeProfile.objects.filter(project=OuterRef("project"), kind=OuterRef("kind"), pk__gt=OuterRef("pk"))
    newest = {row.kind: row for row in ScopeProfile.objects.filter(~Exists(later), project=project)}
    return newest.get(ScopeProfile.Kind.CURRENT), newest.get(ScopeProfile.Kind.PLANNED)


def scope_state(current: ScopeProfile | None, planned: ScopeProfile | None, measured: MeasuredScope) -> ScopeState:
    """Combine the profiles with what is measured, without queries."""
    said = dict(current.values) if current else {}
    # Before anybody said anything, the records speak; once there is a profile, a factor left out is left out.
    values = said if current else {name: one.value for name, one in measured.factors.items()}
    plan = dict(planned.values) if planned else {}
    first = current.first_version if current and current.first_version is not None else measured.first_version
    states = tuple(
        FactorState(
            factor=factor,
            current=values.get(factor.name),
            current_words=_words(factor, values.get(factor.name)),
            origin=(current.origins.get(factor.name, "") if current else "filled" if factor.name in values else ""),
            planned=plan.get(factor.name),
            planned_words=_words(factor, plan.get(factor.name)),
            measured=measured.factors.get(factor.name),
        )
        for factor in FACTORS
    )
    now = Scope(values=values, first_version=first, measured=_measurements(current, measured))
    later = None
    if planned and (plan or planned.first_version is not None):
        planned_first = planned.first_version if planned.first_version is not None else first
        later = Scope(values={**values, **plan}, first_version=planned_first)
    return ScopeState(states, first, planned.first_version if planned else None, now, later, known=len(values))


def read_history(project: Project) -> tuple[ProfileChange, ...]:
    """Return the newest changes of the scope in words: 1 query."""
    rows = list(
        ScopeProfile.objects.filter(project=project).select_related("created_by").order_by("-pk")[: 2 * HISTORY]
    )
    changes = []
    for position, row in enumerate(rows):
        before = next((older for older in rows[position + 1 :] if older.kind == row.kind), None)
        by = (row.created_by.get_full_name() or row.created_by.get_username()) if row.created_by else "portal"
        changes.append(ProfileChange(row.created_at, by, row.kind, tuple(describe_changes(before, row))))
    return tuple(changes[:HISTORY])


def _measurements(current: ScopeProfile | None, measured: MeasuredScope) -> dict[str, Measurement]:
    """The counts behind the values in use, so that the scoring knows how sure a rate is."""
    if current:
        return {name: Measurement(**found) for name, found in current.measurements.items()}
    return {name: one.measurement for name, one in measured.factors.items() if one.measurement}


def _words(factor: Factor, value: float | None) -> str:
    return "" if value is None else factor.say(value)


def describe_changes(before: ScopeProfile | None, after: ScopeProfile) -> list[str]:
    """Say in short phrases what `after` says differently from `before`."""
    old = before.values if before else {}
    changes = []
    for factor in FACTORS:
        was, now = old.get(factor.name), after.values.get(factor.name)
        if was != now:
            changes.append(f"{factor.title.lower()}: {_say(was)} → {_say(now)}" if before else factor.say(now or 0))
    if (before.first_version if before else None) != after.first_version:
        changes.append("first version not released yet" if after.first_version else "a first version is out")
    return changes


def _say(value: float | None) -> str:
    return "not known" if value is None else f"{value:g}"
