"""Proposed deployments: they wait for a second person, for their time, or for both. Each step is one fact."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from models_registry.models import Deployment, Proposal, ProposalStep, Version
from models_registry.services.canary import check_share, start_canary
from models_registry.services.deployment import check_deployable, current_deployment, deploy
from models_registry.services.numbering import next_number
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record
from projects.services.archived import check_open

log = logging.getLogger(__name__)

#: A time that was missed by more than this (the portal was down) is not made up for: somebody should look first.
LATEST = timedelta(hours=1)
FARTHEST = timedelta(days=366)


@transaction.atomic
def propose(
    *,
    project: Project,
    version: Version,
    actor: AbstractBaseUser,
    now: datetime,
    action: str = Proposal.Action.DEPLOY,
    mode: str = Deployment.Mode.PIN,
    share: int = 0,
    due_at: datetime | None = None,
    reason: str = "",
) -> Proposal:
    """Propose to let `version` serve, or answer a share as canary, at `due_at` and once a second person agrees.

    What needs neither time nor person is not proposed but done.
    """
    project.refresh_from_db(fields=["deploys_need_approval"])
    if due_at is None and not project.deploys_need_approval:
        raise UserError("Nothing has to be waited for here: deploy it.", code="nothing_to_wait_for", status=409)
    if due_at is not None and not now < due_at <= now + FARTHEST:
        raise UserError("Choose a time within the next year.", fields={"at": "A time in the next year."})
    canary = action == Proposal.Action.CANARY
    if canary:
        check_share(share)
    check_deployable(project, version, Deployment.Mode.PIN if canary else mode)
    number = next_number(Proposal, project.pk)
    same = open_proposals().filter(
        project=project,
        version=version,
        action=action,
        mode="" if canary else mode,
        share=share if canary else 0,
        due_at=due_at,
        created_by=actor.pk,
    )
    if known := same.first():
        return known  # asked again, perhaps because the answer got lost
    current = current_deployment(project.pk)
    proposal = Proposal.objects.create(
        project=project,
        number=number,
        action=action,
        version=version,
        mode="" if canary else mode,
        share=share if canary else 0,
        needs_approval=project.deploys_need_approval,
        due_at=due_at,
        seen=current.number if current else 0,
        reason=reason.strip(),
        created_by_id=actor.pk,
    )
    when = f" at {due_at:%Y-%m-%d %H:%M} UTC" if due_at else ""
    _record(proposal, actor, "deployment.proposed", f"proposed to {describe(proposal)}{when}")
    return proposal


def deploy_or_propose(
    *,
    project: Project,
    version: Version,
    actor: AbstractBaseUser,
    now: datetime,
    mode: str = Deployment.Mode.PIN,
    due_at: datetime | None = None,
    reason: str = "",
) -> Deployment | Proposal:
    """Deploy at once where nothing has to be waited for, else propose it."""
    if due_at is None:
        try:
            return deploy(project=project, version=version, actor=actor, mode=mode, reason=reason)
        except UserError as refused:
            if refused.code != "approval_needed":
                raise
    return propose(project=project, version=version, actor=actor, now=now, mode=mode, due_at=due_at, reason=reason)


def canary_or_propose(
    *,
    project: Project,
    version: Version,
    actor: AbstractBaseUser,
    now: datetime,
    share: int,
    due_at: datetime | None = None,
    reason: str = "",
) -> Deployment | Proposal:
    """Start or change a canary at once where nothing has to be waited for, else propose it."""
    if due_at is None:
        try:
            return start_canary(project=project, version=version, share=share, actor=actor, reason=reason)
        except UserError as refused:
            if refused.code != "approval_needed":
                raise
    return propose(
        project=project,
        version=version,
        actor=actor,
        now=now,
        action=Proposal.Action.CANARY,
        share=share,
        due_at=due_at,
        reason=reason,
    )


@transaction.atomic
def approve(*, proposal: Proposal, actor: AbstractBaseUser, now: datetime, note: str = "") -> Deployment | None:
    """Agree to a proposal of somebody else; it is carried out at once unless its time is still to come.

    Returns
    -------
    The deployment, or None while its time is still to come.

    """
    _lock(proposal)
    _check_unsettled(proposal)
    check_open(proposal.project)
    if not proposal.needs_approval:
        raise UserError("This proposal needs nobody's approval; it waits for its time.", code="conflict", status=409)
    if proposal.created_by_id == actor.pk:
        raise UserError("A second person has to approve: you proposed this yourself.", code="own_proposal", status=403)
    if proposal.steps.filter(kind=ProposalStep.Kind.APPROVED).exists():
        raise UserError(f"{proposal} is approved already.", code="conflict", status=409)
    _step(proposal, ProposalStep.Kind.APPROVED, actor, note)
    _record(proposal, actor, "deployment.approved", f"approved proposal {proposal.number}: {describe(proposal)}")
    if proposal.due_at is not None and proposal.due_at > now:
        return None
    return _carry_out(proposal, now)


@transaction.atomic
def decline(*, proposal: Proposal, actor: AbstractBaseUser, note: str) -> None:
    """Refuse a proposal, saying why."""
    _lock(proposal)
    _check_unsettled(proposal)
    if not note.strip():
        raise UserError("Say why: whoever proposed it will want to know.", fields={"note": "Needed."})
    _step(proposal, ProposalStep.Kind.DECLINED, actor, note)
    said = f"declined proposal {proposal.number} ({describe(proposal)}): {note.strip()}"
    _record(proposal, actor, "deployment.declined", said)


@transaction.atomic
def withdraw(*, proposal: Proposal, actor: AbstractBaseUser, note: str = "") -> None:
    """Take a proposal or a schedule back before it is carried out; any maintainer or owner may."""
    _lock(proposal)
    _check_unsettled(proposal)
    _step(proposal, ProposalStep.Kind.WITHDRAWN, actor, note)
    _record(proposal, actor, "deployment.withdrawn", f"withdrew proposal {proposal.number}: {describe(proposal)}")


def open_proposals() -> QuerySet[Proposal]:
    """The proposals that nothing has ended yet."""
    ended = ProposalStep.objects.filter(proposal=OuterRef("pk")).exclude(kind=ProposalStep.Kind.APPROVED)
    return Proposal.objects.filter(~Exists(ended))


def carry_out_due(*, now: datetime) -> int:
    """Carry out what is due and may be; return how many proposals were settled."""
    approved = Exists(ProposalStep.objects.filter(proposal=OuterRef("pk"), kind=ProposalStep.Kind.APPROVED))
    due = open_proposals().filter(Q(needs_approval=False) | approved, due_at__lte=now)
    settled = 0
    for proposal in due.select_related("project__team", "version__model", "version__run", "created_by"):
        with transaction.atomic():
            _lock(proposal)
            if open_proposals().filter(pk=proposal.pk).exists():
                _carry_out(proposal, now)
                settled += 1
    return settled


def describe(proposal: Proposal) -> str:
    """What a proposal would do, in words: `deploy v4 of logistic-1`."""
    what = f"{proposal.version} of {proposal.version.model.name}"
    if proposal.action == Proposal.Action.CANARY:
        return f"let {what} answer {proposal.share}% as canary"
    return f"deploy {what}" + (" (follows its run)" if proposal.mode == Deployment.Mode.FOLLOW else "")


def _carry_out(proposal: Proposal, now: datetime) -> Deployment | None:
    """Do what was proposed, or record why it was not done; the caller holds the project's lock."""
    refused = _outdated(proposal, now)
    if refused is None:
        try:
            with transaction.atomic():
                made = _do(proposal)
                _step(proposal, ProposalStep.Kind.DONE, None, f"Deployment {made.number}")
                return made
        except UserError as error:
            refused = error.message
    _step(proposal, ProposalStep.Kind.FAILED, None, refused)
    _record(
        proposal, None, "deployment.missed", f"did not {describe(proposal)} (proposal {proposal.number}): {refused}"
    )
    return None


def _outdated(proposal: Proposal, now: datetime) -> str | None:
    """Say why a proposal must not be carried out any more, if so."""
    if proposal.due_at is not None and now > proposal.due_at + LATEST:
        return "Its time was missed by more than an hour; the portal was not running."
    since = Deployment.objects.filter(
        project_id=proposal.project_id, number__gt=proposal.seen, kind=Deployment.Kind.ROLLBACK
    ).first()
    if since is not None:
        return f"There was a rollback meanwhile (deployment {since.number}): look at it, then propose again."
    return None


def _do(proposal: Proposal) -> Deployment:
    if proposal.action == Proposal.Action.CANARY:
        return start_canary(
            project=proposal.project,
            version=proposal.version,
            share=proposal.share,
            actor=proposal.created_by,
            reason=proposal.reason,
            proposal=proposal,
        )
    return deploy(
        project=proposal.project,
        version=proposal.version,
        actor=proposal.created_by,
        mode=proposal.mode,
        reason=proposal.reason,
        proposal=proposal,
    )


def _lock(proposal: Proposal) -> None:
    Project.objects.select_for_update().filter(pk=proposal.project_id).values_list("pk").get()


def _check_unsettled(proposal: Proposal) -> None:
    end = proposal.steps.exclude(kind=ProposalStep.Kind.APPROVED).first()
    if end is not None:
        said = end.get_kind_display().lower()
        raise UserError(f"{proposal} is settled: {said}.", code="conflict", status=409)


def _step(proposal: Proposal, kind: str, actor: AbstractBaseUser | None, note: str) -> None:
    ProposalStep.objects.create(
        proposal=proposal, kind=kind, note=note.strip()[:500], created_by_id=actor.pk if actor else None
    )


def _record(proposal: Proposal, actor: AbstractBaseUser | None, verb: str, summary: str) -> None:
    record(
        actor=actor,
        verb=verb,
        summary=summary,
        project=proposal.project,
        proposal=proposal.pk,
        version=proposal.version_id,
    )
