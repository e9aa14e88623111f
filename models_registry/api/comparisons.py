"""`comparisons/`: several models, or variants of one, learning the same events in one pass, and what came out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry import doorbell
from models_registry.api.call import ProjectCall
from models_registry.api.examples import COMPARISON, COMPARISON_RESULT
from models_registry.api.fields import LARGEST_NUMBER, Flag, ModelReference, Text, Whole, name_user, read
from models_registry.api.judging import JudgingIn, take_judging
from models_registry.api.runs import find_model
from models_registry.models import Comparison, Run
from models_registry.selectors.comparisons import candidates_of, find_comparison
from models_registry.selectors.side_by_side import Line, SideBySide, compare_runs
from models_registry.services.comparisons import MOST_CANDIDATES, plan_sweep, start_comparison, start_sweep
from models_registry.services.runs import PUBLISH_EVERY
from ops_portal.errors import UserError
from projects.api_fields import Body


class RangeIn(Body):
    """A range to draw numbers from."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    log = Flag(required=False, default=False, help_text="As many between 0.01 and 0.1 as to 1.")
    whole = Flag(required=False, default=False, help_text="Whole numbers only.")


class SweepIn(Body):
    """What to vary in a model."""

    model = ModelReference(help_text="Id or name of the model to vary.")
    values = serializers.DictField(
        child=serializers.ListField(child=serializers.JSONField(allow_null=True), min_length=1, max_length=50),
        required=False,
        help_text="Values by place in the spec, such as `steps[1].params.l2`.",
    )
    ranges = serializers.DictField(child=RangeIn(), required=False, help_text="Ranges by place; they need `draws`.")
    draws = Whole(
        required=False,
        allow_null=True,
        default=None,
        min_value=2,
        max_value=MOST_CANDIDATES,
        help_text="Draw so many candidates at random, with `seed`, or with 0 where none is given. Without it every "
        "combination of the values is one.",
    )


class ComparisonIn(JudgingIn):
    """What starting a comparison takes: `models`, or `sweep`."""

    models = serializers.ListField(
        child=ModelReference(), required=False, min_length=2, max_length=MOST_CANDIDATES, help_text="Ids or names."
    )
    sweep = SweepIn(required=False)
    name = Text(max_length=80, required=False, allow_blank=True, default="", help_text="Only with `models`.")
    mode = serializers.ChoiceField(Run.Mode.choices, required=False, default=Run.Mode.REPLAY)
    seed = Whole(required=False, allow_null=True, default=None, min_value=0, max_value=LARGEST_NUMBER)
    publish_every = Whole(required=False, default=PUBLISH_EVERY, min_value=0, max_value=100_000_000)


class ComparisonOut(serializers.ModelSerializer[Comparison]):
    """Runs that learn the same events in one pass."""

    runs = serializers.SerializerMethodField(help_text="Numbers of the runs, in the order they were given.")
    created_by = name_user(source="created_by.username")

    class Meta:
        model = Comparison
        fields = ["number", "name", "kind", "runs", "created_by", "created_at"]
        read_only_fields = fields

    def get_runs(self, comparison: Comparison) -> list[int]:
        return sorted(run.number for run in comparison.runs.all())


class PairedTestOut(serializers.Serializer[Any]):
    """Whether a challenger really differs from the champion, on the events that both predicted."""

    metric = serializers.CharField(read_only=True)
    better = serializers.ChoiceField(
        ["champion", "challenger", ""], read_only=True, help_text="Which is really better; empty when it may be chance."
    )
    test = serializers.CharField(read_only=True, help_text="`McNemar` or `block bootstrap`.")
    p = serializers.FloatField(read_only=True, allow_null=True, help_text="Corrected for the number of challengers.")
    interval = serializers.ListField(
        child=serializers.FloatField(), read_only=True, allow_null=True, help_text="Champion minus challenger, at 95 %."
    )
    events = serializers.IntegerField(read_only=True)
    words = serializers.CharField(read_only=True)


class CandidateOut(serializers.Serializer[Any]):
    """One run of a comparison."""

    run = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    model = serializers.IntegerField(read_only=True, help_text="Id of the model.")
    state = serializers.CharField(read_only=True)
    position = serializers.IntegerField(read_only=True)
    champion = serializers.BooleanField(read_only=True)
    version = serializers.IntegerField(read_only=True, allow_null=True, help_text="Its newest version.")
    metrics = serializers.DictField(
        child=serializers.FloatField(allow_null=True), read_only=True, help_text="Overall value of every metric."
    )
    parameters = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="Those that differ between the candidates."
    )
    verdict = PairedTestOut(read_only=True, allow_null=True)


class ComparisonResultOut(ComparisonOut):
    """A comparison with its candidates, the champion first, then the best first."""

    metric = serializers.CharField(read_only=True)
    champion_because = serializers.CharField(read_only=True)
    headline = serializers.CharField(read_only=True)
    candidates = CandidateOut(many=True, read_only=True)

    class Meta(ComparisonOut.Meta):
        fields = [*ComparisonOut.Meta.fields, "metric", "champion_because", "headline", "candidates"]
        read_only_fields = fields


class ResultQuery(serializers.Serializer[Any]):
    """How to look at a comparison."""

    metric = serializers.CharField(required=False, max_length=60, help_text="Name of a metric; the primary one else.")
    champion = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_NUMBER, help_text="Number of the run to compare the others with."
    )


class Comparisons(ProjectCall):
    """The comparisons of a project."""

    @extend_schema(
        operation_id="comparisons_list",
        summary="List comparisons",
        tags=["comparisons"],
        responses=ComparisonOut(many=True),
        examples=[OpenApiExample("A comparison", COMPARISON, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the comparisons and sweeps of the project, newest first."""
        found = Comparison.objects.filter(project=self.reading(request, slug))
        return self.listed(found.select_related("created_by").prefetch_related("runs"), ComparisonOut)

    @extend_schema(
        operation_id="comparisons_create",
        summary="Compare models, or sweep parameters",
        tags=["comparisons"],
        request=ComparisonIn,
        responses={201: ComparisonOut},
        examples=[
            OpenApiExample("Models", {"models": ["Scaled logistic", 8], "seed": 1}, request_only=True),
            OpenApiExample(
                "Judged by other metrics",
                {
                    "models": [7, 8],
                    "metrics": ["F1", "FBeta(beta=0.5)"],
                    "window": 200,
                    "baseline": "last",
                    "drift": False,
                },
                request_only=True,
            ),
            OpenApiExample(
                "A grid",
                {"sweep": {"model": "Scaled logistic", "values": {"steps[1].params.l2": [0, 0.01, 0.1]}}},
                request_only=True,
            ),
            OpenApiExample(
                "Random draws",
                {
                    "sweep": {
                        "model": 7,
                        "ranges": {"steps[1].params.l2": {"low": 0.001, "high": 1, "log": True}},
                        "draws": 8,
                    }
                },
                request_only=True,
            ),
            OpenApiExample("The comparison", COMPARISON, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Start one run per candidate, all with the same seed; each event is read once and learned by all.

        Give either `models` or `sweep`. The variants of a sweep are registered as models. This call is not
        idempotent: sent twice, it starts two comparisons.
        """
        project, actor = self.managing(request, slug)
        given = read(ComparisonIn, request.data)
        models, sweep, name = given.pop("models", None), given.pop("sweep", None), given.pop("name")
        if (models is None) == (sweep is None):
            raise UserError("Give either models or a sweep.", fields={"models": "This, or sweep."})
        given["judging"] = take_judging(given)
        if models is not None:
            found = [find_model(project, one) for one in models]
            made = start_comparison(project=project, name=name, models=found, actor=actor, **given)
        else:
            base = find_model(project, sweep.pop("model"))
            specs = plan_sweep(spec=base.spec, seed=given["seed"] or 0, **sweep)
            made = start_sweep(base=base, specs=specs, actor=actor, **given)
        doorbell.ring(min(made.runs.values_list("pk", flat=True)))
        return Response(ComparisonOut(made).data, status=201)


class OneComparison(ProjectCall):
    """One comparison with its result."""

    @extend_schema(
        operation_id="comparisons_get",
        summary="Get the result of a comparison",
        tags=["comparisons"],
        parameters=[ResultQuery],
        responses=ComparisonResultOut,
        examples=[OpenApiExample("The result", COMPARISON_RESULT, response_only=True)],
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Get the candidates side by side, and which of their differences are real.

        The champion is the run asked for, else the one whose model serves, else the first that has not
        failed. Accuracy is judged by
        McNemar's test; other metrics by the interval of a block bootstrap of the difference.
        """
        project = self.reading(request, slug)
        comparison = find_comparison(project, number)
        runs = candidates_of(comparison)
        answer = dict(ComparisonOut(comparison).data)
        if not runs:
            return Response(answer | {"metric": "", "champion_because": "", "headline": "", "candidates": []})
        shown = compare_runs(project, runs, **read(ResultQuery, request.query_params))
        answer |= {
            "metric": shown.measure.name,
            "champion_because": shown.why_champion,
            "headline": shown.headline,
            "candidates": [_tell(line, shown) for line in shown.lines],
        }
        return Response(answer)


def _tell(line: Line, shown: SideBySide) -> dict[str, Any]:
    parameters = {name: cell.text for name, cell in zip(shown.parameters, line.parameters, strict=True)}
    verdict = line.verdict
    return {
        "run": line.row.number,
        "name": line.name,
        "model": line.row.model_id,
        "state": line.row.state,
        "position": line.row.position,
        "champion": line.champion,
        "version": line.version,
        "metrics": {one.name: figure.value for one, figure in zip(shown.measures, line.figures, strict=True)},
        "parameters": parameters,
        "verdict": verdict
        and {
            "metric": verdict.metric,
            "better": {"": "", line.name: "challenger"}.get(verdict.better, "champion"),
            "test": verdict.test,
            "p": verdict.p,
            "interval": verdict.interval,
            "events": verdict.events,
            "words": verdict.words,
        },
    }
