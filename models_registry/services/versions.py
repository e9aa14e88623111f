"""Publishing versions: immutable states of a model, with their lineage."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry import artifacts, engine
from models_registry.models import Run, Version
from models_registry.services.numbering import next_number
from ops_portal.errors import UserError
from projects.services.activity import record

TAG_LENGTH = 40


@transaction.atomic
def publish(*, run: Run, reason: str, actor: AbstractBaseUser | None, digest: str = "") -> Version:
    """Publish the state of `run` at its newest checkpoint; the same position is published once.

    The caller passes a row read under its lock in this transaction: position, checkpoint and summary of a run change
    together. Without `digest`, a worker computes it from the artifact afterwards (`seal`).
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
        digest=digest,
        environment=run.environment,
        created_by_id=actor.pk if actor else None,
    )
    record(
        actor=actor,
        verb="version.published",
        summary=f"published v{number} of {run.model.name} at position {run.position:,}"
        f" ({version.get_reason_display()})",
        project=run.project,
        version=version.pk,
        run=run.pk,
    )
    return version


@transaction.atomic
def tag_version(*, version: Version, tag: str, actor: AbstractBaseUser) -> None:
    """Mark a version with a word, or take the mark away with an empty one; a tagged version keeps its artifact."""
    tag = tag.strip()
    if len(tag) > TAG_LENGTH:
        raise UserError(f"A tag has at most {TAG_LENGTH} characters.", fields={"tag": "Too long."})
    Version.objects.filter(pk=version.pk).update(tag=tag)
    summary = f"tagged {version} “{tag}”" if tag else f"took the tag off {version}"
    record(actor=actor, verb="version.tagged", summary=summary, project=version.project, version=version.pk, tag=tag)


def check_kept(version: Version) -> None:
    """Raise `UserError` when retention has removed the artifact of `version`."""
    if version.artifact_removed_at is not None:
        raise UserError(
            f"The file of {version} was removed by retention. Go back to position {version.position:,} of run "
            f"{version.run.number} first: the same model is replayed from the nearest kept version.",
            code="artifact_removed",
            status=409,
        )


def seal(version_id: int) -> None:
    """Give a version the digest that names its model; it takes loading the model, so a worker does it."""
    version = Version.objects.get(pk=version_id)
    if not version.digest:
        digest = engine.load(artifacts.read(version.artifact)).model_digest()
        Version.objects.filter(pk=version_id, digest="").update(digest=digest)


@transaction.atomic
def publish_now(*, run_id: int, actor: AbstractBaseUser) -> Version:
    """Publish a run's newest state because somebody asked for it.

    The row is locked, so that its position, checkpoint and summary are of one chunk and no worker moves them meanwhile.
    """
    run = Run.objects.select_for_update(of=("self",)).select_related("model", "project__team").get(pk=run_id)
    return publish(run=run, reason=Version.Reason.REQUEST, actor=actor)
