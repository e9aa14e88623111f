"""Keeping a project's assumptions: each change is a new set, and results that were worked out keep theirs."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from assessments.models import AssumptionSet
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import assumptions_for
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import actor_name, record


@transaction.atomic
def keep_assumptions(
    *, project: Project, settings: Settings, reason: str, base: int, actor: AbstractBaseUser
) -> AssumptionSet:
    """Keep `settings` as the newest set. `base` is the number of the set that was changed (0: the portal's own)."""
    reason = reason.strip()
    if not reason:
        raise UserError("Say why: whoever reads the next result will ask.", fields={"reason": "A reason is needed."})
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()
    last = AssumptionSet.objects.filter(project=project).first()
    number = last.number if last else 0
    if base != number:
        raise UserError(
            f"{last.created_by_name if last else 'Somebody'} changed the assumptions meanwhile. "
            "Look at theirs in the history and save again.",
            code="changed_meanwhile",
            status=409,
        )
    if settings.digest() == assumptions_for(project).digest():
        raise UserError("Nothing is different from the assumptions that hold.", code="no_change", status=409)
    kept = AssumptionSet.objects.create(
        project=project,
        number=number + 1,
        settings=settings.to_json(),
        digest=settings.digest(),
        reason=reason[:500],
        created_by_id=actor.pk,
        created_by_name=actor_name(actor)[:150],
    )
    record(
        actor=actor,
        verb="assumptions.changed",
        summary=f"changed the assumptions of the assessment (set {kept.number}): {reason}",
        project=project,
        assumptions=kept.pk,
        digest=kept.digest,
    )
    return kept
