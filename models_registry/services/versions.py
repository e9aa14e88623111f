"""Publishing versions: immutable states of a model, with their lineage."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry.models import Run, Version
from models_registry.services.numbering import next_number
from ops_portal.errors import UserError
from projects.services.activity import record


@transaction.atomic
def publish(*, run: Run, reason: str, actor: AbstractBaseUser | None) -> Version:
    """Publish the state of `run` at its newest checkpoint; the same position is published once.

    The caller passes a row read in this transaction or just committed: position, checkpoint and summary of a run
    change together.
    """
    if not run.checkpoint:
        raise UserError(f"Run {run.number} has not learned anything yet.", code="nothing_learned", status=409)
    existing = Version.objects.filter(run=run, position=run.position).first()
    if existing:
        return existing
    number = next_number(Version, run.project_id)
    parent = Version.objects.filter(run=run).order_by("-position").first() or run.from_version
    version = Version.objects.create(
        project_id=run.project_id,
        number=number,
        run=run,
        model_id=run.model_id,
        parent=parent,
        position=run.position,
        reason=reason,
        spec=run.spec,
        metrics=run.summary,
        artifact=run.checkpoint,
        artifact_bytes=run.checkpoint_bytes,
        digest=run.digest,
        environment=run.environment,
        created_by_id=actor.pk if actor else None,
    )
    record(
        actor=actor,
        verb="version.published",
        summary=f"published v{number} of {run.model.name} at position {run.position:,} ({version.get_reason_display()})",
        project=run.project,
        version=version.pk,
        run=run.pk,
    )
    return version
