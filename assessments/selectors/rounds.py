"""The closed rounds of a project: an open one has no result to show, not even a number."""

from __future__ import annotations

from django.db.models import QuerySet

from assessments.models import Round
from assessments.selectors.checklist import current_assessment
from projects.models import Project


def closed_rounds(project: Project) -> QuerySet[Round]:
    """The closed rounds of all assessments of a project."""
    return Round.objects.filter(assessment__project=project, state=Round.State.CLOSED).select_related(
        "assessment__project", "scope_current", "scope_planned"
    )


def find_closed_round(project: Project, number: int) -> Round | None:
    """The closed round with this number in the newest assessment, if there is one."""
    assessment = current_assessment(project)
    return closed_rounds(project).filter(assessment=assessment, number=number).first() if assessment else None
