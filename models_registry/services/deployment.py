"""Deploying and rolling back: each change is one new row, live for the next prediction in every process."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry.models import Deployment, Run, Version
from models_registry.selectors.serving import last_good_number
from models_registry.services.numbering import next_number
from models_registry.services.runs import cancel_run, start_run
from models_registry.services.versions import check_kept, publish
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did: the new fact, and the run it started when learning since is replayed."""

    deployment: Deployment
    replay: Run | None


def current_deployment(project_id: int) -> Deployment | None:
    """The newest deployment of a project: what serves now."""
    return Deployment.objects.filter(project_id=project_id).select_related("version").order_by("-number").first()


@transaction.atomic
def deploy(
    *, project: Project, version: Version, actor: AbstractBaseUser, mode: str = Deployment.Mode.PIN, reason: str = ""
) -> Deployment:
    """Let `version` serve from now on; with mode `follow`, the newest checkpoint of its run."""
    _check(project, version, mode)
    number = next_number(Deployment, project.pk)
    previous = current_deployment(project.pk)
    if previous and previous.version_id == version.pk and previous.mode == mode:
        raise UserError(f"{version} serves already.", code="already_deployed", status=409)
    deployment = Deployment.objects.create(
        project=project,
        number=number,
        version=version,
        mode=mode,
        previous=previous,
        reason=reason.strip(),
        created_by_id=actor.pk,
    )
    was = f", before: {previous.version}" if previous else ""
    how = " (follows its run)" if mode == Deployment.Mode.FOLLOW else ""
    record(
        actor=actor,
        verb="deployed",
        summary=f"deployed {version} of {version.model.name}{how}{was}",
        project=project,
        deployment=deployment.pk,
        version=version.pk,
    )
    return deployment


@transaction.atomic
def roll_back(
    *, project: Project, actor: AbstractBaseUser, since: str, reason: str, to: Version | None = None
) -> RolledBack:
    """Restore `to` (default: what served before) and settle what happens to everything learned since.

    `drop` publishes and then cancels the runs of the replaced version's model that are still at work; `replay`
    starts a run that learns the events since onto the restored version; `challenger` lets the runs go on without
    serving.
    """
    if since not in Deployment.Since.values:
        raise UserError(
            "Say what happens to what was learned since: drop it, replay it, or keep it as challenger.",
            fields={"since": "Choose one of drop, replay, challenger."},
        )
    if not reason.strip():
        raise UserError("Give a reason: whoever reads the history later will want it.", fields={"reason": "Needed."})
    number = next_number(Deployment, project.pk)
    current = current_deployment(project.pk)
    if current is None:
        raise UserError(
            "Nothing is deployed yet, so there is nothing to roll back.", code="nothing_deployed", status=409
        )
    target = to or last_good_version(project.pk)
    if target is None:
        raise UserError("No other version served before; deploy one first.", code="nothing_before", status=409)
    _check(project, target, Deployment.Mode.PIN)
    if target.pk == current.version_id and current.mode == Deployment.Mode.PIN:
        raise UserError(f"{target} serves already.", code="already_deployed", status=409)
    replay = None
    if since == Deployment.Since.DROP:
        _drop_learning(current, actor)
    elif since == Deployment.Since.REPLAY:
        project.refresh_from_db(fields=["last_position"])
        if project.last_position > target.position:
            replay = start_run(
                model=target.model,
                mode=Run.Mode.REPLAY,
                actor=actor,
                from_version=target,
                seed=target.run.seed,
                trigger="rollback",
            )
    deployment = Deployment.objects.create(
        project=project,
        number=number,
        version=target,
        kind=Deployment.Kind.ROLLBACK,
        mode=Deployment.Mode.PIN,
        previous=current,
        since=since,
        replay_run=replay,
        reason=reason.strip(),
        created_by_id=actor.pk,
    )
    record(
        actor=actor,
        verb="rolled_back",
        summary=f"rolled back from {current.version} to {target} ({since}): {reason.strip()}",
        project=project,
        deployment=deployment.pk,
        version=target.pk,
    )
    return RolledBack(deployment=deployment, replay=replay)


def last_good_version(project_id: int) -> Version | None:
    """What a rollback restores when nothing else is asked for: what served last and was not itself rolled back."""
    current = current_deployment(project_id)
    number = last_good_number(project_id, current.version.number) if current else None
    if number is None:
        return None
    return Version.objects.select_related("model", "run").get(project_id=project_id, number=number)


def _check(project: Project, version: Version, mode: str) -> None:
    if version.project_id != project.pk:
        raise UserError("That version belongs to another project.", code="not_found", status=404)
    check_kept(version)
    if mode not in Deployment.Mode.values:
        raise UserError("Choose whether to pin the version or to follow its run.", fields={"mode": "pin or follow"})
    if mode == Deployment.Mode.FOLLOW and version.run.ended:
        raise UserError(
            f"Run {version.run.number} is over, so there is nothing to follow. Pin {version} instead, or start a run"
            " from it that follows the stream.",
            code="run_over",
            fields={"mode": "The run is over."},
            status=409,
        )


def _drop_learning(current: Deployment, actor: AbstractBaseUser) -> None:
    """Stop the runs that went on from what is rolled back; their state is published first, so nothing is lost."""
    at_work = Run.objects.filter(
        project_id=current.project_id, model_id=current.version.model_id, state__in=(*Run.ACTIVE, Run.State.PAUSED)
    )
    for run in at_work.select_for_update().select_related("model", "project__team"):
        if run.checkpoint:
            publish(run=run, reason=Version.Reason.SAFETY, actor=actor)
        cancel_run(run=run, actor=actor)
