"""Which assumptions hold in a project, and how they became what they are."""

from __future__ import annotations

from dataclasses import dataclass

from assessments.models import AssumptionSet
from assessments.principles import Catalogue
from assessments.scoring.settings import Settings
from assessments.selectors.assumptions import describe_settings
from projects.models import Project


@dataclass(frozen=True)
class SetLine:
    """A set with what it changed: name of the assumption, before, after."""

    row: AssumptionSet
    changes: tuple[tuple[str, str, str], ...]


def newest_set(project: Project) -> AssumptionSet | None:
    """The set that holds: 1 query; None while the portal's own assumptions do."""
    return AssumptionSet.objects.filter(project=project).order_by("-number").first()


def assumptions_for(project: Project) -> Settings:
    """The assumptions that hold: 1 query."""
    newest = newest_set(project)
    return Settings.from_json(newest.settings) if newest else Settings()


def assumptions_in(project: Project, number: int) -> Settings | None:
    """The assumptions of one set, 0 for the portal's own: at most 1 query; None where there is no such set."""
    if number == 0:
        return Settings()
    found = AssumptionSet.objects.filter(project=project, number=number).first()
    return Settings.from_json(found.settings) if found else None


def read_sets(project: Project, catalogue: Catalogue) -> list[SetLine]:
    """All sets, newest first, each with what it changed: 1 query."""
    rows = list(AssumptionSet.objects.filter(project=project).order_by("-number"))
    held = [Settings.from_json(row.settings) for row in rows] + [Settings()]
    return [SetLine(row, changed(held[i + 1], held[i], catalogue)) for i, row in enumerate(rows)]


def changed(before: Settings, after: Settings, catalogue: Catalogue) -> tuple[tuple[str, str, str], ...]:
    """Assumptions that differ, in the words of the assumptions page."""
    said = [
        {(s.title, one.name): one.value for s in describe_settings(each, catalogue) for one in s.assumptions}
        for each in (before, after)
    ]
    keys = dict.fromkeys([*said[0], *said[1]])
    rows = [(key[1], said[0].get(key, "not there"), said[1].get(key, "not there")) for key in keys]
    return tuple(row for row in rows if row[1] != row[2])
