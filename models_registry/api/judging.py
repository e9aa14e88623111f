"""What starting a run or a comparison takes about how it is judged."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from models_registry.api.fields import Text, Whole
from models_registry.learning.baselines import TITLES
from models_registry.services.judging import LARGEST_WINDOW, WINDOW, Judging
from projects.api_fields import Body


@extend_schema_field({"oneOf": [{"type": "boolean"}, {"type": "object"}]})
class Detector(serializers.Field[Any, Any, Any, Any]):
    """True, false, or the spec of a drift detector."""

    def to_internal_value(self, data: Any) -> bool | dict[str, Any]:
        if not isinstance(data, bool | dict):
            raise serializers.ValidationError("Expected true, false, or the spec of a drift detector.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class JudgingIn(Body):
    """How what is started is judged, each as usual where it is left out."""

    metrics = serializers.ListField(
        child=Text(max_length=60),
        required=False,
        default=list,
        max_length=20,
        help_text="Names of metrics, with parameters where they have some: `F1`, `FBeta(beta=0.5)`. The project's "
        "primary one is always among them. Empty: the usual ones.",
    )
    window = Whole(
        required=False,
        default=WINDOW,
        min_value=2,
        max_value=LARGEST_WINDOW,
        help_text="Events over which rolling metrics are taken.",
    )
    baseline = serializers.ChoiceField(
        sorted(TITLES), required=False, allow_blank=True, default="", help_text="The guess that a model has to beat."
    )
    drift = Detector(
        required=False,
        default=True,
        help_text="What watches the error: true for the usual detector, false for none, or the spec of one: "
        '`{"use": "drift.ADWIN", "params": {"delta": 0.01}}`.',
    )


def take_judging(given: dict[str, Any]) -> Judging:
    """Take the fields of `JudgingIn` out of checked values and return what they say."""
    return Judging(tuple(given.pop("metrics")), given.pop("window"), given.pop("baseline"), given.pop("drift"))
