"""`deployments/proposals/`: deployments that wait for their time or for a second person."""

from __future__ import annotations

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry.api.call import ProjectCall
from models_registry.api.examples import PROPOSAL
from models_registry.api.fields import Text, read
from models_registry.api.shapes import ProposalOut, list_proposals
from models_registry.models import Proposal
from models_registry.services.proposals import approve, decline, withdraw
from projects.api_fields import Body
from projects.models import Project


class NoteIn(Body):
    """A note on a decision."""

    note = Text(max_length=500, required=False, allow_blank=True, default="", help_text="For whoever reads it later.")


class DeclineIn(Body):
    """Why a proposal is declined."""

    note = Text(max_length=500, help_text="Whoever proposed it will want to know.")


class Proposals(ProjectCall):
    """The proposals of a project."""

    @extend_schema(
        operation_id="proposals_list",
        summary="List proposals",
        tags=["deployments"],
        responses=ProposalOut(many=True),
        examples=[OpenApiExample("A proposal", PROPOSAL, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List proposed deployments and canaries, newest first, each with what happened to it."""
        return self.listed(list_proposals(self.reading(request, slug)), ProposalOut)


class OneProposal(ProjectCall):
    """One proposal."""

    @extend_schema(
        operation_id="proposals_read",
        summary="Read a proposal",
        tags=["deployments"],
        responses=ProposalOut,
        examples=[OpenApiExample("The proposal", PROPOSAL, response_only=True)],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Return one proposal."""
        return _answer(self.reading(request, slug), number)


class Approve(ProjectCall):
    """Approving."""

    @extend_schema(
        operation_id="proposals_approve",
        summary="Approve a proposal",
        tags=["deployments"],
        request=NoteIn,
        responses=ProposalOut,
        examples=[
            OpenApiExample("Agree", {"note": "Looked at the curve"}, request_only=True),
            OpenApiExample("The proposal", PROPOSAL, response_only=True),
        ],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Agree to what somebody else proposed. It is carried out at once, or at its time if that is to come."""
        project, actor = self.managing(request, slug)
        given = read(NoteIn, request.data)
        approve(proposal=_find(project, number), actor=actor, now=timezone.now(), **given)
        return _answer(project, number)


class Decline(ProjectCall):
    """Declining."""

    @extend_schema(
        operation_id="proposals_decline",
        summary="Decline a proposal",
        tags=["deployments"],
        request=DeclineIn,
        responses=ProposalOut,
        examples=[
            OpenApiExample("Refuse", {"note": "Too few labels yet"}, request_only=True),
            OpenApiExample("The proposal", PROPOSAL, response_only=True),
        ],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Refuse a proposal, saying why."""
        project, actor = self.managing(request, slug)
        given = read(DeclineIn, request.data)
        decline(proposal=_find(project, number), actor=actor, **given)
        return _answer(project, number)


class Withdraw(ProjectCall):
    """Withdrawing."""

    @extend_schema(
        operation_id="proposals_withdraw",
        summary="Withdraw a proposal",
        tags=["deployments"],
        request=NoteIn,
        responses=ProposalOut,
        examples=[
            OpenApiExample("Not tonight", {"note": "Not tonight"}, request_only=True),
            OpenApiExample("The proposal", PROPOSAL, response_only=True),
        ],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Take back a proposal, or a scheduled deployment, before it is carried out."""
        project, actor = self.managing(request, slug)
        given = read(NoteIn, request.data)
        withdraw(proposal=_find(project, number), actor=actor, **given)
        return _answer(project, number)


def _find(project: Project, number: int) -> Proposal:
    found = Proposal.objects.select_related("project__team", "version__model", "version__run", "created_by")
    proposal = found.filter(project=project, number=number).first()
    if proposal is None:
        raise Http404
    return proposal


def _answer(project: Project, number: int) -> Response:
    proposal = list_proposals(project).filter(number=number).first()
    if proposal is None:
        raise Http404
    return Response(ProposalOut(proposal).data)
