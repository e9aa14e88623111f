"""Deploying and rolling back: each change is one new row, live for the next prediction in every process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry.models import Deployment, Proposal, Run, Version
from models_registry.selectors.last_good import find_last_good
from models_registry.services.numbering import next_number
from models_registry.services.runs import cancel_run, start_run
from models_registry.services.shadows import shadow_what_was_replaced
from models_registry.services.versions import check_kept, publish
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record
from projects.services.archived import check_open


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did: the new fact, and the run it started when learning since is replayed."""

    deployment: Deployment
    replay: Run | None


def current_deployment(project_id: int) -> Deployment | None:
    """The newest deployment of a project: what serves now."""
    found = Deployment.objects.filter(project_id=project_id).select_related("version", "canary", "origin")
    return found.order_by("-number").first()


@transaction.atomic
def deploy(
    *,
    project: Project,
    version: Version,
    actor: AbstractBaseUser | None,
    mode: str = Deployment.Mode.PIN,
    reason: str = "",
    proposal: Proposal | None = None,
) -> Deployment:
    """Let `version` serve from now on; with mode `follow`, the newest checkpoint of its run.

    Deploying what is a canary promotes it; deploying anything else ends the canary. `proposal` is what a second person
    has agreed to, in a project that asks for one.
    """
    number = next_number(Deployment, project.pk)
    check_deployable(project, version, mode)
    check_approved(project, proposal)
    previous = current_deployment(project.pk)
    if previous and previous.version_id == version.pk and previous.mode == mode:
        raise UserError(f"{version} serves already.", code="already_deployed", status=409)
    promoted = previous is not None and previous.canary_id == version.pk
    deployment = Deployment.objects.create(
        project=project,
        number=number,
        version=version,
        kind=Deployment.Kind.PROMOTE if promoted else Deployment.Kind.DEPLOY,
        mode=mode,
        previous=previous,
        proposal=proposal,
        reason=reason.strip(),
        created_by_id=actor.pk if actor else None,
    )
    was = f", before: {previous.version}" if previous else ""
    how = " (follows its run)" if mode == Deployment.Mode.FOLLOW else ""
    did = "promoted the canary" if promoted else "deployed"
    ended = f"; this ends the canary of {previous.canary}" if previous and previous.canary and not promoted else ""
    record(
        actor=actor,
        verb="deployed",
        summary=f"{did} {version} of {version.model.name}{how}{was}{ended}",
        project=project,
        deployment=deployment.pk,
        version=version.pk,
    )
    return deployment


@transaction.atomic
def roll_back(
    *, project: Project, actor: AbstractBaseUser, since: str, reason: str, to: Version | None = None
) -> RolledBack:
    """Restore `to` (default: the last good version) and settle what happens to everything learned since.

    `drop` publishes and then cancels the runs still at work that learned what is replaced or went on from it; `replay`
    starts a run that learns the events since onto the restored version, to be deployed if it is not worse;
    `challenger` lets the runs go on without serving, and what is replaced predicts in the shadow.
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
    target = to or last_good_version(project)
    if target is None:
        raise UserError("No other version served before; deploy one first.", code="nothing_before", status=409)
    check_deployable(project, target, Deployment.Mode.PIN)
    if target.pk == current.version_id and current.mode == Deployment.Mode.PIN:
        raise UserError(f"{target} serves already.", code="already_deployed", status=409)
    _check_served_before(project, target)
    replay = None
    if since == Deployment.Since.DROP:
        _drop_learning(current, actor)
    elif since == Deployment.Since.REPLAY:
        replay = _start_replay(project, target, actor)
    else:
        shadow_what_was_replaced(project=project, current=current, actor=actor)
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


def last_good_version(project: Project) -> Version | None:
    """What a rollback restores when nothing else is asked for: the last good version by the live metric."""
    found = find_last_good(project)
    if found is None:
        return None
    return Version.objects.select_related("model", "run").get(project=project, number=found.number)


def check_deployable(project: Project, version: Version, mode: str) -> None:
    """Raise `UserError` when `version` cannot serve in this project in this mode."""
    if version.project_id != project.pk:
        raise UserError("That version belongs to another project.", code="not_found", status=404)
    check_open(project)
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


def check_approved(project: Project, proposal: Proposal | None) -> None:
    """Raise `UserError` when the project asks for a second person and none has agreed."""
    project.refresh_from_db(fields=["deploys_need_approval"])
    if project.deploys_need_approval and proposal is None:
        raise UserError(
            "In this project a second person approves what is deployed: propose it instead.",
            code="approval_needed",
            status=409,
        )


def _check_served_before(project: Project, target: Version) -> None:
    """Keep rolling back from being a way round the second person."""
    if project.deploys_need_approval and not Deployment.objects.filter(project=project, version=target).exists():
        raise UserError(
            f"{target} never served here. In this project a second person approves what is deployed first: propose it,"
            " or roll back to a version that served before.",
            code="approval_needed",
            fields={"to": "Never served."},
            status=409,
        )


def _start_replay(project: Project, target: Version, actor: AbstractBaseUser) -> Run | None:
    project.refresh_from_db(fields=["last_position"])
    if project.last_position <= target.position:
        return None
    return start_run(
        model=target.model,
        mode=Run.Mode.REPLAY,
        actor=actor,
        from_version=target,
        seed=target.run.seed,
        trigger="rollback",
    )


def _drop_learning(current: Deployment, actor: AbstractBaseUser) -> None:
    """Stop the runs that went on from what is rolled back; their state is published first, so nothing is lost."""
    at_work = Run.objects.filter(
        project_id=current.project_id, model_id=current.version.model_id, state__in=(*Run.ACTIVE, Run.State.PAUSED)
    )
    made_of = Run.objects.filter(project_id=current.project_id, model_id=current.version.model_id)
    begun = {
        pk: (run, position)
        for pk, run, position in made_of.values_list("pk", "from_version__run_id", "from_version__position")
    }
    for run in at_work.select_for_update().select_related("model", "project__team"):
        if not _goes_on_from(run.pk, current.version, begun):
            continue
        if run.checkpoint:
            publish(run=run, reason=Version.Reason.SAFETY, actor=actor)
        cancel_run(run=run, actor=actor)


def _goes_on_from(run_id: int, version: Version, begun: Mapping[int, tuple[int | None, int | None]]) -> bool:
    """Say whether a run is the one that made `version`, or one that began with it or with what that run made later.

    `begun` holds, by run, the run and the position of the version that it began with.
    """
    if run_id == version.run_id:
        return True
    before, position = begun.get(run_id, (None, None))
    while before is not None and position is not None:
        if before == version.run_id and position >= version.position:
            return True
        before, position = begun.get(before, (None, None))
    return False
