"""`deployments/` and `rollback/`: what serves, what served, and changing it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry import doorbell
from models_registry.api.call import ProjectCall
from models_registry.api.examples import DEPLOYMENT, PROPOSAL, ROLLBACK
from models_registry.api.fields import Number, Text, Whole, read
from models_registry.api.shapes import DeploymentOut, ProposalOut, list_deployments
from models_registry.models import Deployment, Proposal, Version
from models_registry.services.canary import SHARES
from models_registry.services.deployment import roll_back
from models_registry.services.expecting import expecting
from models_registry.services.proposals import canary_or_propose, deploy_or_propose
from ops_portal.errors import UserError
from projects.api_fields import Body
from projects.models import Project

EXPECTED = (
    "The number of the deployment that you believe serves now, 0 for none: 409 when another one does. "
    "With it, sending the call twice changes things once."
)


class DeployIn(Body):
    """What deploying takes."""

    version = Number(help_text="The version to serve.")
    mode = serializers.ChoiceField(Deployment.Mode.choices, required=False, default=Deployment.Mode.PIN)
    canary = Whole(
        required=False,
        allow_null=True,
        default=None,
        min_value=SHARES[0],
        max_value=SHARES[1],
        help_text="Per cent of the traffic to answer as canary, beside what serves; null: serve everything.",
    )
    at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="When to do it; null: at once. ISO 8601."
    )
    reason = Text(max_length=500, required=False, allow_blank=True, default="")
    expected = Number(required=False, allow_null=True, default=None, min_value=0, help_text=EXPECTED)


class RollBackIn(Body):
    """What rolling back takes."""

    to = Number(
        required=False,
        allow_null=True,
        default=None,
        help_text="The version to restore; else the last good one by the live metric.",
    )
    since = serializers.ChoiceField(Deployment.Since.choices, help_text="What becomes of what was learned since.")
    reason = Text(max_length=500, help_text="For whoever reads the history later.")
    expected = Number(required=False, allow_null=True, default=None, min_value=0, help_text=EXPECTED)


class Deployments(ProjectCall):
    """The deployments of a project."""

    @extend_schema(
        operation_id="deployments_list",
        summary="List deployments",
        tags=["deployments"],
        responses=DeploymentOut(many=True),
        examples=[OpenApiExample("A deployment", DEPLOYMENT, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the deployments of the project, newest first: the first one says what serves now."""
        return self.listed(list_deployments(self.reading(request, slug)), DeploymentOut)

    @extend_schema(
        operation_id="deployments_create",
        summary="Deploy a version",
        tags=["deployments"],
        request=DeployIn,
        responses={201: DeploymentOut, 202: ProposalOut},
        examples=[
            OpenApiExample(
                "Pin a version", {"version": 4, "reason": "Better on the newest week", "expected": 1}, request_only=True
            ),
            OpenApiExample("A canary", {"version": 6, "canary": 5, "expected": 2}, request_only=True),
            OpenApiExample("Tonight", {"version": 4, "at": "2026-05-04T22:00:00Z"}, request_only=True),
            OpenApiExample("The deployment", DEPLOYMENT, response_only=True, status_codes=["201"]),
            OpenApiExample("What waits", PROPOSAL, response_only=True, status_codes=["202"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Let a version serve from the next prediction on, in every process, or answer a share of them as canary.

        `pin` serves exactly this version, `follow` the newest checkpoint of its run. Deploying the canary promotes it.
        With `at`, or in a project where a second person approves, the answer is 202 with the proposal that waits.
        """
        project, actor = self.managing(request, slug)
        given = read(DeployIn, request.data)
        with expecting_if(project, given["expected"]):
            made = _deploy(project, actor, find_version(project, given["version"], "version"), given)
        if isinstance(made, Proposal):
            return Response(ProposalOut(made).data, status=202)
        return Response(DeploymentOut(made).data, status=201)


class RollBack(ProjectCall):
    """Rolling back."""

    @extend_schema(
        operation_id="rollback",
        summary="Roll back",
        tags=["deployments"],
        request=RollBackIn,
        responses={201: DeploymentOut},
        examples=[
            OpenApiExample(
                "Restore and learn again", {"since": "replay", "reason": "Worse since noon"}, request_only=True
            ),
            OpenApiExample(
                "To a version",
                {"to": 3, "since": "drop", "reason": "Learned from wrong labels", "expected": 2},
                request_only=True,
            ),
            OpenApiExample("The deployment", ROLLBACK, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Restore a version, live for the next prediction in every process.

        `since` settles what becomes of what was learned since: `drop` stops the runs that went on, `replay` starts a
        run (`replay_run`) that learns it onto the restored version and is deployed if it does not do worse,
        `challenger` lets the runs go on without serving, and what is replaced predicts in the shadow.
        """
        project, actor = self.managing(request, slug)
        given = read(RollBackIn, request.data)
        to = given.pop("to")
        with expecting_if(project, given.pop("expected")):
            target = None if to is None else find_version(project, to, "to")
            done = roll_back(project=project, to=target, actor=actor, **given)
        if done.replay:
            doorbell.ring(done.replay.pk)
        return Response(DeploymentOut(done.deployment).data, status=201)


def _deploy(project: Project, actor: User, version: Version, given: dict[str, Any]) -> Deployment | Proposal:
    when: dict[str, Any] = {"now": timezone.now(), "due_at": given["at"], "reason": given["reason"]}
    if given["canary"] is None:
        return deploy_or_propose(project=project, version=version, actor=actor, mode=given["mode"], **when)
    if given["mode"] != Deployment.Mode.PIN:
        raise UserError("A canary is pinned.", fields={"mode": "pin, for a canary."})
    return canary_or_propose(project=project, version=version, actor=actor, share=given["canary"], **when)


def expecting_if(project: Project, number: int | None) -> AbstractContextManager[None]:
    """Open a transaction in which deployment `number` stays the newest one, where a caller names one."""
    return nullcontext() if number is None else expecting(project, number)


def find_version(project: Project, number: int, field: str) -> Version:
    """Return the version that a body names in `field`."""
    version = Version.objects.filter(project=project, number=number).select_related("model", "run").first()
    if version is None:
        raise UserError(f"This project has no version {number}.", fields={field: "No such version."})
    return version
