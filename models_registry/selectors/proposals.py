"""Proposed deployments as people read them: what waits, for whom or for when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404

from models_registry.models import Deployment, Proposal, ProposalStep
from models_registry.selectors.people import name_person
from projects.models import Project

OPEN, SCHEDULED = "proposed", "scheduled"
#: How the steps of a proposal look in its history.
LOOKS = {
    ProposalStep.Kind.APPROVED: ("Approved", "ok", "check"),
    ProposalStep.Kind.DECLINED: ("Declined", "bad", "x"),
    ProposalStep.Kind.WITHDRAWN: ("Withdrawn", "", "ban"),
    ProposalStep.Kind.DONE: ("Carried out", "live", "rocket"),
    ProposalStep.Kind.FAILED: ("Not carried out", "bad", "x"),
}


@dataclass(frozen=True)
class Step:
    """One fact about a proposal."""

    title: str
    tone: str
    icon: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class ProposalRow:
    """A proposal with everything that happened to it."""

    number: int
    canary: bool
    share: int
    follows: bool
    version: int
    model: str
    reason: str
    by: str
    by_id: int | None
    at: datetime
    due_at: datetime | None
    needs_approval: bool
    state: str
    steps: tuple[Step, ...]

    @property
    def waits(self) -> bool:
        """Say whether nothing has ended it yet."""
        return self.state in {OPEN, SCHEDULED}

    @property
    def title(self) -> str:
        """What it would do, in words."""
        what = f"v{self.version} of {self.model}"
        if self.canary:
            return f"Let {what} answer {self.share}% as canary"
        return f"Deploy {what}" + (", following its run" if self.follows else "")

    def may_approve(self, user: User) -> bool:
        """Say whether this person, who may deploy, can approve it."""
        return self.state == OPEN and self.needs_approval and self.by_id != user.pk


def list_waiting(project: Project) -> list[ProposalRow]:
    """Return the proposals that wait, newest first: two queries."""
    ended = ProposalStep.objects.filter(proposal=OuterRef("pk")).exclude(kind=ProposalStep.Kind.APPROVED)
    return [_row(proposal) for proposal in _proposals().filter(~Exists(ended), project=project)]


def read_proposal(project: Project, number: int) -> ProposalRow:
    """Return one proposal, or raise `Http404`: two queries."""
    proposal = _proposals().filter(project=project, number=number).first()
    if proposal is None:
        raise Http404
    return _row(proposal)


def _proposals() -> QuerySet[Proposal]:
    steps = Prefetch("steps", ProposalStep.objects.select_related("created_by"))
    proposals = Proposal.objects.select_related("version__model", "created_by").prefetch_related(steps)
    return proposals.defer("version__spec", "version__metrics", "version__environment", "version__model__spec")


def _row(proposal: Proposal) -> ProposalRow:
    steps: list[Any] = list(proposal.steps.all())
    return ProposalRow(
        number=proposal.number,
        canary=proposal.action == Proposal.Action.CANARY,
        share=proposal.share,
        follows=proposal.mode == Deployment.Mode.FOLLOW,
        version=proposal.version.number,
        model=proposal.version.model.name,
        reason=proposal.reason,
        by=name_person(proposal.created_by),
        by_id=proposal.created_by_id,
        at=proposal.created_at,
        due_at=proposal.due_at,
        needs_approval=proposal.needs_approval,
        state=_state(proposal, [step.kind for step in steps]),
        steps=tuple(
            Step(*LOOKS[ProposalStep.Kind(step.kind)], step.note, _name(step), step.created_at) for step in steps
        ),
    )


def _state(proposal: Proposal, kinds: list[str]) -> str:
    end = next((kind for kind in kinds if kind != ProposalStep.Kind.APPROVED), None)
    if end is not None:
        return end
    return OPEN if proposal.needs_approval and ProposalStep.Kind.APPROVED not in kinds else SCHEDULED


def _name(step: ProposalStep) -> str:
    return name_person(step.created_by) if step.created_by else "the portal"
