"""`assessment/scope/`: what the project is like now and is meant to be, and what would follow from other values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.assessment import RecommendedOut, tell_recommended
from assessments.evidence import Measured, MeasuredScope, gather, measure_scope
from assessments.forms.scope import FIRST_VERSION, KINDS, ScopeForm, field_name, is_worded
from assessments.models import ScopeProfile
from assessments.scoring.scope import FACTORS, Factor
from assessments.selectors.recommendation import VERDICTS
from assessments.selectors.scope import FactorState, ProfileChange, read_history, read_profiles, scope_state
from assessments.services.scope import Preview, ProfileDraft, preview_profiles, save_profiles
from models_registry.api.call import ProjectCall
from models_registry.api.fields import Figure, Flag, read
from ops_portal.forms import texts_of_errors
from projects.access import RATE
from projects.api_fields import Body
from projects.models import Project

ORIGINS = [*ScopeProfile.Origin.values, "filled"]


class ScopeValuesIn(Body):
    """Scope factors by name."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {factor.name: _figure(factor) for factor in FACTORS}


class ScopeProfileIn(Body):
    """All that is said about the scope at one time."""

    values = ScopeValuesIn(help_text="A factor left out, or null, is not known; in a plan it stays as it is now.")
    first_version = Flag(
        required=False,
        allow_null=True,
        default=None,
        help_text="Whether this is about the first version, not released yet. Null: not said; in a plan, as now.",
    )


class ScopeIn(Body):
    """What is said about the scope; a kind that is left out stays as it is."""

    current = ScopeProfileIn(required=False)
    planned = ScopeProfileIn(required=False)


class ScopeProfileOut(serializers.Serializer[Any]):
    """What people said about the scope at one time, in the form that saving takes."""

    values = serializers.DictField(child=serializers.FloatField(), help_text="Factors left out are not known.")
    first_version = serializers.BooleanField(allow_null=True)


class MeasuredOut(serializers.Serializer[Any]):
    """What the portal's records say about a scope factor."""

    value = serializers.FloatField()
    sentence = serializers.CharField(help_text="What was counted.")
    query = serializers.CharField(help_text="How it was looked up, in words.")
    url = serializers.CharField(help_text="Page of the portal that shows the records.")


class FactorOut(serializers.Serializer[Any]):
    """One scope factor."""

    name = serializers.CharField()
    title = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    current = serializers.FloatField(allow_null=True, help_text="Null: not known, and left out; never zero.")
    words = serializers.CharField(allow_blank=True)
    origin = serializers.ChoiceField(
        ORIGINS,
        allow_null=True,
        help_text="`declared` by a person, `measured` and taken over by a person, or `filled` from the records as long "
        "as nobody described the scope.",
    )
    planned = serializers.FloatField(allow_null=True, help_text="Null: as now.")
    planned_words = serializers.CharField(allow_blank=True)
    measured = MeasuredOut(allow_null=True)


class FirstVersionOut(serializers.Serializer[Any]):
    """Whether the first version is still to be released."""

    current = serializers.BooleanField(help_text="What counts: what was said, else what is measured.")
    planned = serializers.BooleanField(allow_null=True, help_text="Null: as now.")
    measured = serializers.BooleanField()
    sentence = serializers.CharField()


class ScopeChangeOut(serializers.Serializer[Any]):
    """A change of the scope."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    changes = serializers.ListField(child=serializers.CharField())


class ScopeOut(serializers.Serializer[Any]):
    """The scope of a project."""

    current = ScopeProfileOut(allow_null=True, help_text="Null while nobody described it; then the records speak.")
    planned = ScopeProfileOut(allow_null=True)
    factors = FactorOut(many=True)
    first_version = FirstVersionOut()
    unknown = serializers.ListField(child=serializers.CharField(), help_text="Factors nothing is known about.")
    history = ScopeChangeOut(many=True, help_text="The newest 20 changes.")


class WouldBeOut(serializers.Serializer[Any]):
    """What would be recommended about one principle."""

    slug = serializers.CharField()
    name = serializers.CharField()
    recommendation = RecommendedOut()
    before = serializers.ChoiceField(
        list(VERDICTS), allow_null=True, help_text="The verdict for the scope that is kept; null while none is known."
    )
    changes = serializers.BooleanField(help_text="Whether the verdict would be another one.")


class PreviewOut(serializers.Serializer[Any]):
    """What would be recommended."""

    principles = WouldBeOut(many=True, help_text="Empty when no factor is known.")
    unknown = serializers.ListField(child=serializers.CharField(), help_text="Factors left out, not counted as zero.")


SAID: dict[str, Any] = {
    "current": {"values": {"people": 3, "deployments_per_week": 0.5, "regulated": 0.5}, "first_version": False},
    "planned": {"values": {"people": 8}, "first_version": None},
}
SCOPE: dict[str, Any] = SAID | {
    "factors": [
        {
            "name": "people",
            "title": "People changing the system",
            "unit": "people",
            "current": 3,
            "words": "3 people changing the system",
            "origin": "declared",
            "planned": 8,
            "planned_words": "8 people changing the system",
            "measured": {
                "value": 2,
                "sentence": "2 people changed something in this project in 90 days.",
                "query": "Different people in this project's activity log of the last 90 days; "
                "answers in assessments do not count.",
                "url": "/projects/pump-failures/",
            },
        }
    ],
    "first_version": {
        "current": False,
        "planned": None,
        "measured": False,
        "sentence": "v3 is deployed, so a first version is out.",
    },
    "unknown": ["criticality"],
    "history": [
        {"at": "2026-05-04T12:00:00Z", "by": "olga", "kind": "planned", "changes": ["8 people changing the system"]}
    ],
}
WOULD_BE: dict[str, Any] = {
    "slug": "monitoring",
    "name": "Continuous monitoring",
    "recommendation": {
        "verdict": "now",
        "reasons": ["4 drift alarms a month call for it."],
        "share": 0.91,
        "borderline": False,
        "light": None,
        "effort": {"low": 4, "likely": 8, "high": 15},
    },
    "before": "later",
    "changes": True,
}


class OneScope(ProjectCall):
    """The scope."""

    @extend_schema(
        operation_id="assessment_scope_get",
        summary="Read the scope",
        tags=["assessments"],
        responses=ScopeOut,
        examples=[OpenApiExample("A scope, one of its nine factors", SCOPE, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read the nine factors of the scope, now and planned: what people said, and what the records measure."""
        return _answer(self.reading(request, slug))

    @extend_schema(
        operation_id="assessment_scope_set",
        summary="Describe the scope",
        tags=["assessments"],
        request=ScopeIn,
        responses=ScopeOut,
        examples=[
            OpenApiExample("Now and planned", SAID, request_only=True),
            OpenApiExample("The scope, one of its nine factors", SCOPE, response_only=True),
        ],
    )
    def put(self, request: Request, slug: str) -> Response:
        """Say what the project is like now (`current`) and is meant to be (`planned`), both or neither is kept.

        A kind that is left out stays as it is; one that is given is replaced as a whole. A value that is the measured
        one is marked so. What is wrong is told by place, such as `current.people`.
        """
        project, actor = self.changing(request, slug, RATE)
        drafts = read_drafts(request.data)
        measured = measure_scope(gather(project))
        save_profiles(project=project, drafts=drafts, measured=measured, actor=actor)
        return _answer(project, measured)


class ScopePreview(ProjectCall):
    """Trying a scope."""

    @extend_schema(
        operation_id="assessment_scope_preview",
        summary="Try a scope",
        tags=["assessments"],
        request=ScopeIn,
        responses=PreviewOut,
        examples=[
            OpenApiExample("Four times as many people", {"current": {"values": {"people": 12}}}, request_only=True),
            OpenApiExample(
                "What would follow, for one principle",
                {"principles": [WOULD_BE], "unknown": ["criticality"]},
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Work out what would be recommended if this were the scope. Nothing is kept, so whoever reads may try.

        The body is that of describing the scope. Before any panel, and as if no practice were in place yet.
        """
        project = self.reading(request, slug)
        preview = preview_profiles(project=project, drafts=read_drafts(request.data))
        return Response(PreviewOut(_tell_preview(preview)).data)


def read_drafts(given: Any) -> dict[str, ProfileDraft]:
    """Return what a body says by kind of scope, held to the same limits as on the page."""
    try:
        said = read(ScopeIn, given)
    except ValidationError as wrong:
        raise ValidationError(dict(_places(wrong.detail))) from wrong
    typed = {}
    for kind, profile in said.items():
        for name, value in profile["values"].items():
            typed[field_name(kind, name)] = "" if value is None else _typed(value)
        typed[field_name(kind, FIRST_VERSION)] = {True: "yes", False: "no", None: ""}[profile["first_version"]]
    form = ScopeForm(typed)
    if not form.is_valid():
        raise ValidationError({name.replace("-", ".", 1): told for name, told in texts_of_errors(form).items()})
    return {kind: form.draft(kind) for kind in said}


def _places(detail: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """What is wrong by place: `current.people`, where the body has it under `values`."""
    if not isinstance(detail, Mapping):
        yield ".".join(part for part in at if part != "values" or at[-1] == part), detail
        return
    for name, below in detail.items():
        inner = name == "non_field_errors" and at
        yield from _places(below, at if inner else (*at, name))


def _typed(value: float) -> str:
    """The number as the form's choices have it."""
    return f"{value:.0f}" if value.is_integer() else repr(value)


def _figure(factor: Factor) -> Figure:
    levels = ", ".join(f"{level.value:.3g} ({level.words})" for level in factor.levels)
    offered = f" {'One of' if is_worded(factor) else 'Such as'} {levels}." if levels else ""
    return Figure(
        required=False,
        allow_null=True,
        min_value=factor.minimum,
        max_value=None if factor.maximum == float("inf") else factor.maximum,
        help_text=f"{factor.title}.{offered}",
    )


def _answer(project: Project, measured: MeasuredScope | None = None) -> Response:
    measured = measured or measure_scope(gather(project))
    current, planned = read_profiles(project)
    state = scope_state(current, planned, measured)
    told = {
        "current": _tell_profile(current),
        "planned": _tell_profile(planned),
        "factors": [_tell_factor(one) for one in state.factors],
        "first_version": {
            "current": state.first_version,
            "planned": state.planned_first_version,
            "measured": measured.first_version,
            "sentence": measured.first_version_sentence,
        },
        "unknown": [one.factor.name for one in state.factors if one.current is None],
        "history": [_tell_change(one) for one in read_history(project)],
    }
    return Response(ScopeOut(told).data)


def _tell_profile(profile: ScopeProfile | None) -> dict[str, Any] | None:
    return {"values": profile.values, "first_version": profile.first_version} if profile else None


def _tell_factor(state: FactorState) -> dict[str, Any]:
    return {
        "name": state.factor.name,
        "title": state.factor.title,
        "unit": state.factor.unit,
        "current": state.current,
        "words": state.current_words,
        "origin": state.origin or None,
        "planned": state.planned,
        "planned_words": state.planned_words,
        "measured": _tell_measured(state.measured),
    }


def _tell_measured(found: Measured | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"value": found.value, "sentence": found.sentence, "query": found.query, "url": found.url}


def _tell_change(change: ProfileChange) -> dict[str, Any]:
    return {"at": change.at, "by": change.by, "kind": change.kind, "changes": list(change.changes)}


def _tell_preview(preview: Preview) -> dict[str, Any]:
    """What would be recommended per principle, beside what is."""
    if preview.typed is None:
        return {"principles": [], "unknown": [factor.name for factor in FACTORS]}
    before = {one.principle.slug: one.verdict for one in preview.kept.items} if preview.kept else {}
    names = {factor.title: factor.name for factor in FACTORS}
    return {
        "principles": [
            {
                "slug": one.principle.slug,
                "name": one.principle.name,
                "recommendation": tell_recommended(one),
                "before": before.get(one.principle.slug),
                "changes": bool(before) and before.get(one.principle.slug) != one.verdict,
            }
            for one in preview.typed.items
        ],
        "unknown": [names[title] for title in preview.typed.unknown],
    }
