"""Canaries: a version answers a share of the traffic, is watched, and is promoted or taken back.

A canary is a part of the newest deployment, so the query that finds what serves finds it too. Promoting it is deploying
it (`deployment.deploy`).
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry.models import Deployment, Proposal, Version
from models_registry.services.deployment import check_approved, check_deployable, current_deployment
from models_registry.services.numbering import next_number
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record
from projects.services.archived import check_open

#: Per cent of the traffic: a canary is the smaller part.
SHARES = (1, 50)


@transaction.atomic
def start_canary(
    *,
    project: Project,
    version: Version,
    share: int,
    actor: AbstractBaseUser | None,
    reason: str = "",
    proposal: Proposal | None = None,
) -> Deployment:
    """Let `version` answer `share` per cent of the traffic; of a canary that runs already, change the share."""
    check_share(share)
    number = next_number(Deployment, project.pk)
    check_deployable(project, version, Deployment.Mode.PIN)
    current = _check_beside(project, version)
    if current.canary_id is not None and current.canary_id != version.pk:
        raise UserError(
            f"{current.canary} is the canary already. Promote or abort it first.", code="canary_runs", status=409
        )
    widens = current.canary_id == version.pk
    if widens and current.canary_share == share:
        raise UserError(f"{version} answers {share}% already.", code="unchanged", status=409)
    if not widens or share > current.canary_share:
        check_approved(project, proposal)
    made = _change(
        current,
        number,
        actor,
        kind=Deployment.Kind.WIDEN if widens else Deployment.Kind.CANARY,
        canary=version,
        canary_share=share,
        reason=reason.strip(),
        proposal=proposal,
    )
    summary = (
        f"changed the share of canary {version} from {current.canary_share}% to {share}%"
        if widens
        else f"started {version} of {version.model.name} as canary with {share}% of the traffic beside {made.version}"
    )
    record(
        actor=actor,
        verb="canary.widened" if widens else "canary.started",
        summary=summary,
        project=project,
        deployment=made.pk,
        version=version.pk,
        share=share,
    )
    return made


@transaction.atomic
def abort_canary(*, project: Project, actor: AbstractBaseUser, reason: str = "") -> Deployment:
    """Take the canary back: what serves beside it answers everything again, from the next prediction on."""
    number = next_number(Deployment, project.pk)
    check_open(project)
    current = current_deployment(project.pk)
    if current is None or current.canary is None:
        raise UserError("No canary runs here any more.", code="no_canary", status=409)
    made = _change(current, number, actor, kind=Deployment.Kind.ABORT, reason=reason.strip())
    said = f": {reason.strip()}" if reason.strip() else ""
    record(
        actor=actor,
        verb="canary.aborted",
        summary=f"aborted canary {current.canary}; {current.version} answers everything again{said}",
        project=project,
        deployment=made.pk,
        version=current.canary_id,
    )
    return made


def check_share(share: int) -> None:
    """Raise `UserError` when a canary cannot have this share."""
    if not SHARES[0] <= share <= SHARES[1]:
        raise UserError(
            f"A canary answers {SHARES[0]} to {SHARES[1]}% of the traffic; to answer more, promote it.",
            fields={"share": f"{SHARES[0]} to {SHARES[1]}."},
        )


def _check_beside(project: Project, version: Version) -> Deployment:
    current = current_deployment(project.pk)
    if current is None:
        raise UserError(
            "A canary runs beside what serves, and nothing is deployed yet. Deploy a version first.",
            code="nothing_deployed",
            status=409,
        )
    if current.version_id == version.pk and current.mode == Deployment.Mode.PIN:
        raise UserError(f"{version} serves already.", code="already_deployed", status=409)
    return current


def _change(current: Deployment, number: int, actor: AbstractBaseUser | None, **fields: object) -> Deployment:
    """Append a row that changes only the canary; what serves beside it stays as its origin put it there."""
    return Deployment.objects.create(
        project_id=current.project_id,
        number=number,
        version=current.version,
        mode=current.mode,
        previous=current,
        origin=current.origin or current,
        created_by_id=actor.pk if actor else None,
        **fields,
    )
