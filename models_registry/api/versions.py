"""`versions/`: the versions of a project, having a past state back, verifying one by replay."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry import doorbell
from models_registry.api.call import ProjectCall
from models_registry.api.examples import RUN, VERSION
from models_registry.api.fields import LARGEST_NUMBER, LARGEST_POSITION, Number, Whole, read
from models_registry.api.models import SPEC
from models_registry.api.shapes import RunOut, VersionDetailOut, VersionOut, list_versions
from models_registry.models import Run, Version
from models_registry.selectors.runs import find_run
from models_registry.selectors.versions import find_version
from models_registry.services.restoring import restore, verify
from projects.api_fields import Body

VERIFIED = {"run": 9, "identical": True, "differs_since": None, "at": "2026-05-04T12:00:00Z"}
DETAIL = VERSION | {"spec": SPEC, "verifications": [VERIFIED]}


class VersionQuery(serializers.Serializer[Any]):
    """Which versions to list."""

    model = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_NUMBER, help_text="Id of a model.")
    run = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_NUMBER, source="run__number", help_text="Number of a run."
    )


class RestoreIn(Body):
    """Which state to have back."""

    run = Number(help_text="The run that learned it.")
    position = Whole(min_value=1, max_value=LARGEST_POSITION, help_text="The last event it had learned.")


class Versions(ProjectCall):
    """The versions of a project."""

    @extend_schema(
        operation_id="versions_list",
        summary="List versions",
        tags=["versions"],
        parameters=[VersionQuery],
        responses=VersionOut(many=True),
        examples=[OpenApiExample("A version", VERSION, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the versions of the project, newest first."""
        project = self.reading(request, slug)
        return self.listed(list_versions(project).filter(**read(VersionQuery, request.query_params)), VersionOut)


class OneVersion(ProjectCall):
    """One version."""

    @extend_schema(
        operation_id="versions_get",
        summary="Get a version",
        tags=["versions"],
        responses=VersionDetailOut,
        examples=[OpenApiExample("A version", DETAIL, response_only=True)],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Get one version with its spec and what replaying it found."""
        versions = Version.objects.filter(project=self.reading(request, slug))
        versions = versions.select_related("model", "run", "parent", "created_by")
        found = get_object_or_404(versions.prefetch_related("verifications__run"), number=number)
        return Response(VersionDetailOut(found).data)


class RestoreVersion(ProjectCall):
    """Having a past state back."""

    @extend_schema(
        operation_id="versions_restore",
        summary="Have a past state back",
        tags=["versions"],
        request=RestoreIn,
        responses={200: VersionOut, 202: RunOut},
        examples=[
            OpenApiExample("A position", {"run": 3, "position": 10000}, request_only=True),
            OpenApiExample("It is kept", VERSION, response_only=True, status_codes=["200"]),
            OpenApiExample(
                "It is replayed",
                RUN | {"number": 8, "mode": "replay", "purpose": "restore", "state": "queued"},
                response_only=True,
                status_codes=["202"],
            ),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Have back the model as a run held it after the event at `position`.

        200 with the version where that very state is kept. Otherwise 202 with the run that replays it from the
        nearest kept version; when it is completed, the version it published (`versions/?run=`) is that state.
        """
        project, actor = self.managing(request, slug)
        given = read(RestoreIn, request.data)
        restored = restore(run=find_run(project, given["run"]), position=given["position"], actor=actor)
        if isinstance(restored, Run):
            doorbell.ring(restored.pk)
            return Response(RunOut(restored).data, status=202)
        return Response(VersionOut(restored).data)


class VerifyVersion(ProjectCall):
    """Verifying a version."""

    @extend_schema(
        operation_id="versions_verify",
        summary="Verify a version by replay",
        tags=["versions"],
        request=None,
        responses={202: RunOut},
        examples=[
            OpenApiExample(
                "The replay",
                RUN | {"number": 9, "mode": "replay", "purpose": "verify", "state": "queued", "verifies": 4},
                response_only=True,
                status_codes=["202"],
            )
        ],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Replay a version from the one before it; what that found is then told with the version."""
        project, actor = self.managing(request, slug)
        run = verify(version=find_version(project, number), actor=actor)
        doorbell.ring(run.pk)
        return Response(RunOut(run).data, status=202)
