"""`deployments/` and `rollback/`: what serves, what served, and changing it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry import doorbell
from models_registry.api.call import ProjectCall
from models_registry.api.examples import DEPLOYMENT, ROLLBACK
from models_registry.api.fields import Body, Number, Text, read
from models_registry.api.shapes import DeploymentOut, list_deployments
from models_registry.models import Deployment, Version
from models_registry.services.deployment import deploy, roll_back
from models_registry.services.expecting import expecting
from ops_portal.errors import UserError
from projects.models import Project

EXPECTED = (
    "The number of the deployment that you believe serves now, 0 for none: 409 when another one does. "
    "With it, sending the call twice changes things once."
)


class DeployIn(Body):
    """What deploying takes."""

    version = Number(help_text="The version to serve.")
    mode = serializers.ChoiceField(Deployment.Mode.choices, required=False, default=Deployment.Mode.PIN)
    reason = Text(max_length=500, required=False, allow_blank=True, default="")
    expected = Number(required=False, allow_null=True, default=None, min_value=0, help_text=EXPECTED)


class RollBackIn(Body):
    """What rolling back takes."""

    to = Number(
        required=False, allow_null=True, default=None, help_text="The version to restore; else the one served before."
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
        responses={201: DeploymentOut},
        examples=[
            OpenApiExample(
                "Pin a version", {"version": 4, "reason": "Better on the newest week", "expected": 1}, request_only=True
            ),
            OpenApiExample("The deployment", DEPLOYMENT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Let a version serve from the next prediction on, in every process.

        `pin` serves exactly this version, `follow` the newest checkpoint of its run.
        """
        project, actor = self.managing(request, slug)
        given = read(DeployIn, request.data)
        with _expecting(project, given.pop("expected")):
            made = deploy(
                project=project, version=_find(project, given.pop("version"), "version"), actor=actor, **given
            )
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
        with _expecting(project, given.pop("expected")):
            target = None if to is None else _find(project, to, "to")
            done = roll_back(project=project, to=target, actor=actor, **given)
        if done.replay:
            doorbell.ring(done.replay.pk)
        return Response(DeploymentOut(done.deployment).data, status=201)


def _expecting(project: Project, number: int | None) -> AbstractContextManager[None]:
    return nullcontext() if number is None else expecting(project, number)


def _find(project: Project, number: int, field: str) -> Version:
    version = Version.objects.filter(project=project, number=number).select_related("model", "run").first()
    if version is None:
        raise UserError(f"This project has no version {number}.", fields={field: "No such version."})
    return version
