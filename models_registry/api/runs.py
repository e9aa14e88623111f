"""`runs/`: the runs of a project, starting one, and what a person may do with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry import doorbell
from models_registry.api.call import ProjectCall
from models_registry.api.examples import RUN, VERSION
from models_registry.api.fields import LARGEST_NUMBER, Flag, ModelReference, Number, Text, Whole, read
from models_registry.api.judging import JudgingIn, take_judging
from models_registry.api.shapes import RunOut, VersionOut, list_runs
from models_registry.models import RegisteredModel, Run, Version
from models_registry.selectors.run_table import search_runs
from models_registry.selectors.runs import find_run
from models_registry.services.runs import PUBLISH_EVERY, cancel_run, pause_run, resume_run, start_run
from models_registry.services.tracking import (
    LONGEST_NOTE,
    LONGEST_TAG,
    MOST_TAGS,
    archive_runs,
    describe_run,
    unarchive_runs,
)
from models_registry.services.versions import publish_now
from ops_portal.errors import UserError
from projects.api_fields import Body
from projects.models import Project


class RunIn(JudgingIn):
    """What starting a run takes."""

    model = ModelReference(help_text="Id or name of the model.")
    mode = serializers.ChoiceField(Run.Mode.choices)
    from_version = Number(
        required=False, allow_null=True, default=None, help_text="Go on from this version of the same model."
    )
    seed = Whole(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        max_value=LARGEST_NUMBER,
        help_text="The same spec, events and seed give the same model. Without one it is drawn and recorded.",
    )
    publish_every = Whole(
        required=False,
        default=PUBLISH_EVERY,
        min_value=0,
        max_value=100_000_000,
        help_text="Events between two versions, at first: as a run grows the distance doubles, so that it has few. "
        "0 publishes only at the end and on request.",
    )


class RunQuery(serializers.Serializer[Any]):
    """Which runs to list."""

    model = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_NUMBER, help_text="Id of a model.")
    state = serializers.ChoiceField(Run.State.choices, required=False)
    mode = serializers.ChoiceField(Run.Mode.choices, required=False)
    tag = serializers.CharField(required=False, max_length=40, help_text="Runs with this tag.")
    search = serializers.CharField(
        required=False, max_length=100, help_text="Words that the note, a tag or the model's name hold, all of them."
    )
    archived = serializers.BooleanField(required=False, help_text="Only archived runs, or only the others.")
    comparison = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_NUMBER, help_text="Number of a comparison."
    )


class RunPatch(Body):
    """What people write on a run. What is left out stays."""

    tags = serializers.ListField(
        child=Text(max_length=LONGEST_TAG), required=False, max_length=MOST_TAGS, help_text="In place of those it has."
    )
    note = Text(max_length=LONGEST_NOTE, required=False, allow_blank=True)
    archived = Flag(required=False, help_text="Put it away, or bring it back; only when it is over.")


class Runs(ProjectCall):
    """The runs of a project."""

    @extend_schema(
        operation_id="runs_list",
        summary="List runs",
        tags=["runs"],
        parameters=[RunQuery],
        responses=RunOut(many=True),
        examples=[OpenApiExample("A run", RUN, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the runs of the project, newest first."""
        project = self.reading(request, slug)
        asked = read(RunQuery, request.query_params)
        runs = search_runs(list_runs(project), asked.pop("search", ""))
        if (tag := asked.pop("tag", None)) is not None:
            runs = runs.filter(tags__name=tag)
        if (archived := asked.pop("archived", None)) is not None:
            runs = runs.filter(archived_at__isnull=not archived)
        if (comparison := asked.pop("comparison", None)) is not None:
            runs = runs.filter(comparison__number=comparison)
        return self.listed(runs.filter(**asked), RunOut)

    @extend_schema(
        operation_id="runs_create",
        summary="Start a run",
        tags=["runs"],
        request=RunIn,
        responses={201: RunOut},
        examples=[
            OpenApiExample("Follow the stream", {"model": "Scaled logistic", "mode": "follow"}, request_only=True),
            OpenApiExample(
                "Go on from a version", {"model": 7, "mode": "replay", "from_version": 4, "seed": 1}, request_only=True
            ),
            OpenApiExample("The run", RUN, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Start a run; a worker takes it up at once.

        `replay` learns every labelled event there is now and finishes; `follow` goes on as labels arrive. This call is
        not idempotent: sent twice, it starts two runs.
        """
        project, actor = self.managing(request, slug)
        given = read(RunIn, request.data)
        model = find_model(project, given.pop("model"))
        version = _find_version(project, given.pop("from_version"))
        judging = take_judging(given)
        run = start_run(model=model, from_version=version, actor=actor, trigger="api", judging=judging, **given)
        doorbell.ring(run.pk)
        return Response(RunOut(run).data, status=201)


class OneRun(ProjectCall):
    """One run."""

    @extend_schema(
        operation_id="runs_get",
        summary="Get a run",
        tags=["runs"],
        responses=RunOut,
        examples=[OpenApiExample("A run", RUN, response_only=True)],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Get one run: its state, how far it is, and the newest value of every metric."""
        project = self.reading(request, slug)
        return Response(RunOut(get_object_or_404(list_runs(project), number=number)).data)

    @extend_schema(
        operation_id="runs_describe",
        summary="Tag, annotate or archive a run",
        tags=["runs"],
        request=RunPatch,
        responses=RunOut,
        examples=[
            OpenApiExample("Tags and a note", {"tags": ["spring"], "note": "With clean labels"}, request_only=True),
            OpenApiExample("Put away", {"archived": True}, request_only=True),
            OpenApiExample("The run", RUN, response_only=True),
        ],
    )
    def patch(self, request: Request, slug: str, number: int) -> Response:
        """Set the tags or the note of a run, put it away, or bring it back. 409 when it is put away while at work."""
        project, actor = self.managing(request, slug)
        given = read(RunPatch, request.data)
        if not given:
            raise UserError("Give tags, note or archived.", fields={"tags": "Nothing to change was given."})
        run = find_run(project, number)
        with transaction.atomic():
            describe_run(run=run, actor=actor, tags=given.get("tags"), note=given.get("note"))
            if "archived" in given:
                put = archive_runs if given["archived"] else unarchive_runs
                put(project=project, numbers=[number], actor=actor)
        return Response(RunOut(get_object_or_404(list_runs(project), number=number)).data)


class RunChange(ProjectCall):
    """Something done to a run."""

    def change(self, request: Request, slug: str, number: int, act: Callable[..., None]) -> Response:
        """Let `act` change the run, ring for it where it is at work again, and answer with it."""
        project, actor = self.managing(request, slug)
        run = find_run(project, number)
        act(run=run, actor=actor)
        if run.active:
            doorbell.ring(run.pk)
        return Response(RunOut(run).data)


class PauseRun(RunChange):
    """Pausing a run."""

    @extend_schema(
        operation_id="runs_pause",
        summary="Pause a run",
        tags=["runs"],
        request=None,
        responses=RunOut,
        examples=[OpenApiExample("Paused", RUN | {"state": "paused"}, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Pause a run. Nothing is lost; it goes on where it stood when resumed. 409 when it is not at work."""
        return self.change(request, slug, number, pause_run)


class ResumeRun(RunChange):
    """Resuming a run."""

    @extend_schema(
        operation_id="runs_resume",
        summary="Resume a run",
        tags=["runs"],
        request=None,
        responses=RunOut,
        examples=[OpenApiExample("Queued again", RUN | {"state": "queued"}, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Let a paused run go on. 409 when it is not paused."""
        return self.change(request, slug, number, resume_run)


class CancelRun(RunChange):
    """Cancelling a run."""

    @extend_schema(
        operation_id="runs_cancel",
        summary="Cancel a run",
        tags=["runs"],
        request=None,
        responses=RunOut,
        examples=[OpenApiExample("Cancelled", RUN | {"state": "cancelled"}, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """End a run for good; its versions and metrics stay. 409 when it is over already."""
        return self.change(request, slug, number, cancel_run)


class PublishRun(ProjectCall):
    """Publishing a run's newest state."""

    @extend_schema(
        operation_id="runs_publish",
        summary="Publish a version now",
        tags=["runs"],
        request=None,
        responses=VersionOut,
        examples=[OpenApiExample("The version", VERSION | {"reason": "request"}, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Publish the run's newest state as a version; the same state is published once, and given back again."""
        project, actor = self.managing(request, slug)
        version = publish_now(run_id=find_run(project, number).pk, actor=actor)
        return Response(VersionOut(version).data)


def find_model(project: Project, given: int | str) -> RegisteredModel:
    """Return a model of the project by its id or its name."""
    named = {"pk": given} if isinstance(given, int) else {"name": given}
    model = RegisteredModel.objects.filter(project=project, **named).select_related("project__team").first()
    if model is None:
        raise UserError(f"This project has no model {given!r}.", fields={"model": "No such model in this project."})
    return model


def _find_version(project: Project, number: int | None) -> Version | None:
    if number is None:
        return None
    version = Version.objects.filter(project=project, number=number).select_related("model").first()
    if version is None:
        raise UserError(f"This project has no version {number}.", fields={"from_version": "No such version."})
    return version
