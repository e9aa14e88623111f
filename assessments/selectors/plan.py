"""The adoption plan: what was decided about each principle, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from assessments.models import Decision, Round
from assessments.principles import Principle
from assessments.scoring.scope import FACTORS
from assessments.scoring.verdict import code_of
from assessments.selectors.editions import catalogue_for
from assessments.selectors.overview import Overview, PrincipleLine, read_overview
from projects.models import Project


@dataclass(frozen=True)
class DecisionRecord:
    """A decision as a short record: what was known then, what was decided and why, what follows from it."""

    decision: Decision

    @property
    def context(self) -> str:
        """What it was decided on: the round of the panel, and what the portal's records measured that day."""
        one = self.decision.round
        after = f"after round {one.number} of assessment {one.assessment.number}" if one else "before any round closed"
        measured = self.decision.context.get("measured", {})
        known = [factor.say(measured[factor.name]) for factor in FACTORS if measured.get(factor.name) is not None]
        return f"{after}; measured: {', '.join(known)}" if known else after

    @property
    def consequences(self) -> str:
        """Who does it until when, and the days planned and spent when it was recorded."""
        one = self.decision
        owner = (one.owner.get_full_name() or one.owner.get_username()) if one.owner else ""
        parts = [owner, f"until {one.due:%Y-%m-%d}" if one.due else ""]
        parts += [f"in place since {one.adopted_on:%Y-%m-%d}" if one.adopted_on else ""]
        parts += [f"{one.effort_planned:g} days planned" if one.effort_planned is not None else ""]
        parts += [f"{one.effort_spent:g} spent" if one.effort_spent is not None else ""]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class PlanLine:
    """A principle with the decision that holds and all its records, the newest first."""

    principle: Principle
    line: PrincipleLine
    decision: Decision | None
    records: tuple[DecisionRecord, ...]
    #: The verdict that follows from the newest closed round of the panel, once it is worked out.
    panel: str

    @property
    def owner(self) -> str:
        """Who sees to it, by name."""
        person = self.decision.owner if self.decision else None
        return (person.get_full_name() or person.get_username()) if person else ""


@dataclass(frozen=True)
class Plan:
    """All principles with what was decided about them."""

    lines: tuple[PlanLine, ...]
    overview: Overview

    @property
    def decided(self) -> int:
        """How many have a decision."""
        return sum(line.decision is not None for line in self.lines)

    @property
    def adopting(self) -> tuple[PlanLine, ...]:
        """The principles that are to be adopted."""
        return tuple(line for line in self.lines if line.decision and line.decision.choice == Decision.Choice.ADOPT)

    @property
    def planned_days(self) -> float:
        """Effort planned for what is to be adopted."""
        return sum(line.decision.effort_planned or 0 for line in self.adopting if line.decision)

    @property
    def spent_days(self) -> float:
        """Effort spent on what is to be adopted."""
        return sum(line.decision.effort_spent or 0 for line in self.adopting if line.decision)


def read_plan(project: Project) -> Plan:
    """Read the plan: 2 queries beyond those of the overview."""
    overview = read_overview(project)
    by_principle: dict[str, list[Decision]] = {}
    for row in decisions_of(project):
        by_principle.setdefault(row.principle, []).append(row)
    verdicts = _panel_verdicts(overview)
    lines = []
    for one in overview.lines:
        rows = by_principle.get(one.state.principle.slug, [])
        newest = rows[0] if rows else None
        lines.append(
            PlanLine(
                principle=one.state.principle,
                line=one,
                decision=newest,
                records=tuple(DecisionRecord(row) for row in rows),
                panel=verdicts.get(one.state.principle.slug, ""),
            )
        )
    return Plan(tuple(lines), overview)


def decisions_of(project: Project) -> QuerySet[Decision]:
    """All decisions of a project, newest first, with whom and what they name."""
    rows = Decision.objects.filter(project=project).order_by("-pk")
    return rows.select_related("owner", "decided_by", "assessment", "round__assessment")


def _panel_verdicts(overview: Overview) -> dict[str, str]:
    """Verdicts of the newest closed round, by principle."""
    assessment = overview.checklist.assessment
    if assessment is None or overview.closed_round is None:
        return {}
    result = Round.objects.filter(assessment=assessment, number=overview.closed_round).values_list("result").get()[0]
    return {option["slug"]: code_of(option["verdict"]) for option in (result or {}).get("options", ())}


def find_principle(project: Project, slug: str) -> Principle | None:
    """The principle with this slug in the project's edition of the catalogue, if there is one: 2 queries."""
    return next((one for one in catalogue_for(project).principles if one.slug == slug), None)
