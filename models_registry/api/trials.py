"""`deployments/live/`, the canary and `challengers/`: how what serves does, and what is tried beside it."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry.api.call import ProjectCall
from models_registry.api.deployments import EXPECTED, expecting_if, find_version
from models_registry.api.examples import CANARY, CHALLENGER, LIVE
from models_registry.api.fields import Number, Text, name_user, read
from models_registry.api.shapes import DeploymentOut
from models_registry.models import Version
from models_registry.selectors.canary import CanaryNow, read_canary
from models_registry.selectors.last_good import find_last_good
from models_registry.selectors.live import live_lately
from models_registry.selectors.serving import serving_now
from models_registry.selectors.shadows import ShadowRow, list_shadows
from models_registry.services.canary import abort_canary
from models_registry.services.shadows import start_shadow, stop_shadow
from ops_portal.errors import UserError
from projects.api_fields import Body
from projects.models import Project


class CanaryLiveOut(serializers.Serializer[Any]):
    """How a canary does against what serves the rest in the same time."""

    version = serializers.IntegerField()
    share = serializers.IntegerField(help_text="Per cent of the traffic.")
    value = serializers.FloatField(allow_null=True, help_text="The live metric over its answers.")
    answers = serializers.IntegerField(help_text="Its answers whose label has come.")
    standing = serializers.ChoiceField(["better", "worse", "open"], help_text="`open`: chance may explain it.")
    words = serializers.CharField()


class LastGoodOut(serializers.Serializer[Any]):
    """What a rollback without `to` restores."""

    version = serializers.IntegerField()
    reason = serializers.CharField(help_text="Why this one, in words.")


class LiveOut(serializers.Serializer[Any]):
    """How the answers of what serves did, once their labels came."""

    deployment = serializers.IntegerField(help_text="The newest deployment.")
    version = serializers.IntegerField(help_text="What serves.")
    metric = serializers.CharField(help_text="The metric answers are judged by.")
    value = serializers.FloatField(allow_null=True, help_text="Over its newest answers with a label; null: none yet.")
    answers = serializers.IntegerField(help_text="How many those are.")
    canary = CanaryLiveOut(allow_null=True)
    last_good = LastGoodOut(allow_null=True)


class VerdictOut(serializers.Serializer[Any]):
    """The paired test of a challenger against what serves, on the events that both predicted."""

    metric = serializers.CharField()
    serving = serializers.FloatField(help_text="Its value for what serves.")
    challenger = serializers.FloatField(help_text="Its value for the challenger.")
    events = serializers.IntegerField(help_text="Events that both predicted and whose label has come.")
    better = serializers.ChoiceField(
        ["serving", "challenger", ""], help_text="Which is really better; empty: chance may explain the difference."
    )
    test = serializers.CharField()
    p = serializers.FloatField(allow_null=True)
    words = serializers.CharField()


class ChallengerOut(serializers.Serializer[Any]):
    """A version that predicts in the shadow of what serves."""

    version = serializers.IntegerField()
    model_name = serializers.CharField()
    since = serializers.DateTimeField()
    reason = serializers.CharField()
    created_by = name_user()
    asked = serializers.IntegerField(help_text="Events it predicted for.")
    verdict = VerdictOut(allow_null=True, help_text="Null while no such event has a label.")


class ChallengersOut(serializers.Serializer[Any]):
    """The challengers of a project, the newest first: a handful, so not paged."""

    results = ChallengerOut(many=True)


class AbortIn(Body):
    """What aborting a canary takes."""

    reason = Text(max_length=500, required=False, allow_blank=True, default="")
    expected = Number(required=False, allow_null=True, default=None, min_value=0, help_text=EXPECTED)


class ChallengerIn(Body):
    """What a new challenger takes."""

    version = Number(help_text="The version that predicts in the shadow.")
    reason = Text(max_length=500, required=False, allow_blank=True, default="")


class Live(ProjectCall):
    """The live metric."""

    @extend_schema(
        operation_id="deployments_live",
        summary="Read the live metric",
        tags=["deployments"],
        responses=LiveOut,
        examples=[OpenApiExample("What serves, and its canary", LIVE, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Say how the answers of what serves did lately, how its canary does, and what a rollback would restore."""
        project = self.reading(request, slug)
        serving = serving_now(project)
        if serving is None:
            raise UserError("Nothing is deployed in this project yet.", code="nothing_deployed", status=404)
        live = live_lately(project, serving.origin_pk, serving.version_id)
        canary, good = read_canary(project, serving), find_last_good(project, live)
        found = {
            "deployment": serving.number,
            "version": serving.version,
            "metric": live.measure.name,
            "value": live.figure.value,
            "answers": live.answers,
            "canary": _tell_canary(canary) if canary else None,
            "last_good": {"version": good.number, "reason": good.reason} if good else None,
        }
        return Response(LiveOut(found).data)


class AbortCanary(ProjectCall):
    """Aborting a canary."""

    @extend_schema(
        operation_id="canary_abort",
        summary="Abort the canary",
        tags=["deployments"],
        request=AbortIn,
        responses={201: DeploymentOut},
        examples=[
            OpenApiExample("Take it back", {"reason": "Slow on long texts"}, request_only=True),
            OpenApiExample(
                "The deployment",
                CANARY | {"kind": "abort", "canary": None, "canary_share": 0, "reason": "Slow on long texts"},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Take the canary back: what serves answers everything again, from the next prediction on."""
        project, actor = self.managing(request, slug)
        given = read(AbortIn, request.data)
        with expecting_if(project, given["expected"]):
            made = abort_canary(project=project, actor=actor, reason=given["reason"])
        return Response(DeploymentOut(made).data, status=201)


class Challengers(ProjectCall):
    """Challengers in the shadow."""

    @extend_schema(
        operation_id="challengers_list",
        summary="List challengers",
        tags=["deployments"],
        responses=ChallengersOut,
        examples=[OpenApiExample("A challenger", {"results": [CHALLENGER]}, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the versions that predict in the shadow, each with the paired test against what serves."""
        return Response(ChallengersOut({"results": _tell_shadows(self.reading(request, slug))}).data)

    @extend_schema(
        operation_id="challengers_create",
        summary="Add a challenger",
        tags=["deployments"],
        request=ChallengerIn,
        responses={201: ChallengersOut},
        examples=[
            OpenApiExample("Let it predict", {"version": 6, "reason": "Newer"}, request_only=True),
            OpenApiExample("All of them", {"results": [CHALLENGER]}, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Let a version predict for everything that is asked from now on; it answers nobody."""
        project, actor = self.managing(request, slug)
        given = read(ChallengerIn, request.data)
        version = find_version(project, given["version"], "version")
        start_shadow(project=project, version=version, actor=actor, reason=given["reason"])
        return Response(ChallengersOut({"results": _tell_shadows(project)}).data, status=201)


class StopChallenger(ProjectCall):
    """Stopping a challenger."""

    @extend_schema(
        operation_id="challengers_stop",
        summary="Stop a challenger",
        tags=["deployments"],
        request=None,
        responses=ChallengersOut,
        examples=[OpenApiExample("The others", {"results": []}, response_only=True)],
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Let a challenger, named by its version, predict no longer; what it said stays."""
        project, actor = self.managing(request, slug)
        version = Version.objects.filter(project=project, number=number).first()
        if version is None:
            raise Http404
        stop_shadow(project=project, version=version, actor=actor)
        return Response(ChallengersOut({"results": _tell_shadows(project)}).data)


def _tell_canary(canary: CanaryNow) -> dict[str, Any]:
    return {
        "version": canary.version,
        "share": canary.share,
        "value": canary.ours.figure.value,
        "answers": canary.ours.answers,
        "standing": canary.standing,
        "words": canary.words,
    }


def _tell_shadows(project: Project) -> list[dict[str, Any]]:
    serving = serving_now(project)
    rows = list_shadows(project, serving.version_id if serving else None, serving.version if serving else None)
    return [_tell_shadow(row) for row in rows]


def _tell_shadow(row: ShadowRow) -> dict[str, Any]:
    verdict = row.verdict
    return {
        "version": row.version,
        "model_name": row.model,
        "since": row.since,
        "reason": row.reason,
        "created_by": row.by,
        "asked": row.asked,
        "verdict": verdict
        and {
            "metric": verdict.metric,
            "serving": verdict.values[0],
            "challenger": verdict.values[1],
            "events": verdict.events,
            "better": "challenger" if row.leads else "serving" if verdict.better else "",
            "test": verdict.test,
            "p": verdict.p,
            "words": verdict.words,
        },
    }
