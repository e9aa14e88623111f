"""Opening and closing assessments. An assessment opens by itself with the first answer; closed, it is a milestone."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from assessments.evidence import gather
from assessments.evidence.practices import findings_for
from assessments.models import Answer, Assessment, Round, ScopeProfile, SealedFinding
from assessments.selectors.editions import catalogue_of
from assessments.services.editions import edition_to_take
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record


@transaction.atomic
def ensure_open(*, project: Project, actor: AbstractBaseUser) -> Assessment:
    """Return the project's open assessment, opening one where there is none.

    A new assessment takes the team's newest edition of the catalogue, and starts from the answers of the last one as
    far as their practices are still in it: what was true stays true until somebody says otherwise.
    """
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()
    current = Assessment.objects.filter(project=project, state=Assessment.State.OPEN).first()
    if current:
        return current
    last = Assessment.objects.filter(project=project).first()
    newest = Assessment.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    edition = edition_to_take(project.team_id)
    assessment = Assessment.objects.create(
        project=project, number=newest + 1, edition=edition.name, catalogue=edition, opened_by_id=actor.pk
    )
    carried = 0
    if last:
        asked = {one.id for principle in catalogue_of(assessment).principles for one in principle.practices}
        said = last.answers.exclude(value="", comment="", evidence_url="")
        answers = [answer for answer in said if answer.practice in asked]
        for answer in answers:
            answer.pk, answer.assessment = None, assessment
        carried = len(Answer.objects.bulk_create(answers))
    record(
        actor=actor,
        verb="assessment.opened",
        summary=f"opened assessment {assessment.number}"
        + (f", with {carried} answers of assessment {last.number}" if last and carried else ""),
        project=project,
        assessment=assessment.pk,
    )
    return assessment


@transaction.atomic
def close(*, project: Project, actor: AbstractBaseUser) -> Assessment:
    """Close the open assessment: its answers, scope and what the records said are kept as they are now."""
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()
    assessment = Assessment.objects.filter(project=project, state=Assessment.State.OPEN).first()
    if assessment is None:
        raise UserError("No assessment is open, so there is nothing to close.", code="not_open", status=409)
    if assessment.rounds.filter(state=Round.State.OPEN).exists():
        raise UserError("A round of the panel is open; close it first.", code="round_open", status=409)
    profiles = ScopeProfile.objects.filter(project=project)
    assessment.scope_current = profiles.filter(kind=ScopeProfile.Kind.CURRENT).first()
    assessment.scope_planned = profiles.filter(kind=ScopeProfile.Kind.PLANNED).first()
    assessment.state = Assessment.State.CLOSED
    assessment.closed_by_id = actor.pk
    assessment.closed_at = timezone.now()
    assessment.save()
    SealedFinding.objects.bulk_create(
        SealedFinding(
            assessment=assessment,
            practice=practice,
            check_name=finding.check,
            value=finding.value,
            sentence=finding.sentence[:500],
            url=finding.url[:300],
            query=finding.query[:500],
        )
        for practice, finding in findings_for(catalogue_of(assessment), gather(project)).items()
    )
    record(
        actor=actor,
        verb="assessment.closed",
        summary=f"closed assessment {assessment.number}",
        project=project,
        assessment=assessment.pk,
    )
    return assessment
