"""What a ballot looks like over HTTP: what is asked, what an expert answered, and what the round before said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from assessments.api.catalogue import BenefitOut, DaysOut
from assessments.forms.panel import EFFORTS, LIGHT, levels_of
from assessments.models import Confidence, Rating, Stance, Weights
from assessments.principles import Principle
from assessments.principles.catalogue import Defaults, LightLevel
from assessments.selectors.voting import Ballot, BallotLine, Feedback
from assessments.services.panel_ratings import LEVEL_WRONG, MOST_POINTS, VOTE_WRONG, Effort
from models_registry.api.fields import LARGEST_NUMBER, Figure, Text, Whole
from projects.api_fields import Body
from projects.api_schema import ErrorOut


def _within(message: str) -> dict[str, Any]:
    return dict.fromkeys(("min_value", "max_value"), message)


def _levels(**kwargs: Any) -> serializers.DictField:
    level = Whole(min_value=0, max_value=4, allow_null=True, error_messages=_within(LEVEL_WRONG))
    help_text = "0 (none) to 4 (decisive) by key of a benefit it serves; null: don't know; left out: not rated."
    return serializers.DictField(child=level, help_text=help_text, **kwargs)


def _version() -> Whole:
    return Whole(
        min_value=0,
        max_value=LARGEST_NUMBER,
        help_text="As read with the ballot, 0 where there is none yet: 409 with `theirs` where it has another by now.",
    )


class EstimateOut(serializers.Serializer[Any]):
    """An expert's estimate in person-days; null is not estimated."""

    low = serializers.FloatField(allow_null=True)
    likely = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class LevelAnswerOut(serializers.Serializer[Any]):
    """What an expert says about the light level alone."""

    benefits = _levels()
    effort = EstimateOut()


class BallotAnswerOut(serializers.Serializer[Any]):
    """One's own answer to a principle. Sent back as it is, without the last two, it is confirmed."""

    stance = serializers.ChoiceField(Stance.choices)
    vote = serializers.IntegerField(allow_null=True)
    confidence = serializers.ChoiceField(Confidence.choices, allow_null=True)
    benefits = _levels()
    effort = EstimateOut()
    light = LevelAnswerOut(allow_null=True, help_text="Null where no light level is asked.")
    reason = serializers.CharField(allow_blank=True)
    evidence_url = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    carried = serializers.BooleanField(help_text="From the round before, and not looked at since.")
    saved_at = serializers.DateTimeField()


class FeedbackReasonOut(serializers.Serializer[Any]):
    """A reason given in the round before."""

    text = serializers.CharField()
    evidence_url = serializers.CharField(allow_blank=True)
    stance = serializers.ChoiceField(Stance.choices)
    expert = serializers.CharField(allow_null=True, help_text="Who gave it; null where the panel is anonymous.")


class FeedbackOut(serializers.Serializer[Any]):
    """What the closed round before said about a principle."""

    round = serializers.IntegerField()
    reasons = FeedbackReasonOut(many=True)
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="How often each vote from 1 to 9 came.")
    voters = serializers.IntegerField()
    own_vote = serializers.IntegerField(allow_null=True)


class PracticeAskedOut(serializers.Serializer[Any]):
    """A practice of the principle."""

    id = serializers.CharField()
    text = serializers.CharField()


class LightAskedOut(serializers.Serializer[Any]):
    """A light level that is asked about by itself."""

    name = serializers.CharField()
    text = serializers.CharField()
    serves = serializers.ListField(child=serializers.CharField())
    assumed = DaysOut()


class BallotLineOut(serializers.Serializer[Any]):
    """A principle of the ballot."""

    slug = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.CharField()
    practices = PracticeAskedOut(many=True)
    serves = serializers.ListField(child=serializers.CharField(), help_text="Keys of the benefits to rate.")
    assumed = DaysOut(help_text="The effort that is assumed where nobody estimates it.")
    light = LightAskedOut(allow_null=True)
    feedback = FeedbackOut(allow_null=True, help_text="Null in the first round.")
    answer = BallotAnswerOut(allow_null=True)
    done = serializers.BooleanField(help_text="Whether it was answered, or confirmed, in this round.")


class BallotWeightsOut(serializers.Serializer[Any]):
    """One's own weights of the benefits."""

    points = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    version = serializers.IntegerField()
    carried = serializers.BooleanField(help_text="From the round before, and not looked at since.")
    saved_at = serializers.DateTimeField()


class BallotOut(serializers.Serializer[Any]):
    """What an expert of the panel has to fill in, with their own answers and nobody else's."""

    assessment = serializers.IntegerField()
    round = serializers.IntegerField(allow_null=True, help_text="The newest; null before the first.")
    open = serializers.BooleanField(help_text="Whether it takes answers now.")
    anonymous = serializers.BooleanField(allow_null=True)
    done = serializers.IntegerField(help_text="Principles answered in this round.")
    total = serializers.IntegerField()
    principles = BallotLineOut(many=True)
    benefits = BenefitOut(many=True)
    weights = BallotWeightsOut(allow_null=True)


class AnswerConflictOut(ErrorOut):
    """A refusal: the same answer was changed elsewhere after it was read."""

    theirs = BallotAnswerOut(
        required=False, help_text="The answer as it stands; not there where something else is wrong."
    )


class WeightsConflictOut(ErrorOut):
    """A refusal: the same weights were changed elsewhere after they were read."""

    theirs = BallotWeightsOut(
        required=False, help_text="The weights as they stand; not there where something else is wrong."
    )


class EstimateIn(Body):
    """An estimate in person-days; what is left out is not estimated."""

    low = Figure(required=False, allow_null=True, min_value=0, max_value=1000)
    likely = Figure(required=False, allow_null=True, min_value=0, max_value=1000)
    high = Figure(required=False, allow_null=True, min_value=0, max_value=1000)


class LevelAnswerIn(Body):
    """What is said about the light level alone."""

    benefits = _levels(required=False)
    effort = EstimateIn(required=False, allow_null=True)


class BallotAnswerIn(Body):
    """The whole answer to a principle: what is left out is not answered, and replaces what was."""

    stance = serializers.ChoiceField(Stance.choices)
    vote = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=9,
        error_messages=_within(VOTE_WRONG),
        help_text="1, adopting it now is clearly wrong, to 9, clearly right; with the stance `rates` only.",
    )
    confidence = serializers.ChoiceField(Confidence.choices, required=False, allow_null=True)
    benefits = _levels(required=False)
    effort = EstimateIn(required=False, allow_null=True)
    light = LevelAnswerIn(required=False, allow_null=True, help_text="Where the principle has a light level.")
    reason = Text(required=False, allow_blank=True, help_text="At most 2,000 characters; needed for `not_applicable`.")
    evidence_url = Text(required=False, allow_blank=True, help_text="A link, http or https, of at most 500 characters.")
    version = _version()


class BallotWeightsIn(Body):
    """All swing points; a benefit that is left out has none."""

    points = serializers.DictField(
        child=Whole(min_value=0, max_value=MOST_POINTS, allow_null=True),
        help_text="By key of the benefit: 100 for the swing that matters most, the others what they are beside it.",
    )
    version = _version()


def tell_ballot(ballot: Ballot, feedback: Mapping[str, Feedback]) -> dict[str, Any]:
    """A ballot as plain values."""
    current = ballot.round
    return {
        "assessment": ballot.expert.assessment.number,
        "round": current.number if current else None,
        "open": current is not None and current.is_open,
        "anonymous": current.anonymous if current else None,
        "done": ballot.done,
        "total": ballot.total,
        "principles": [_tell_line(line, feedback.get(line.principle.slug)) for line in ballot.lines],
        "benefits": [{"key": one.key, "name": one.name, "swing": one.swing} for one in ballot.catalogue.benefits],
        "weights": tell_weights(ballot.weights) if ballot.weights else None,
    }


def tell_answer(rating: Rating, principle: Principle) -> dict[str, Any]:
    """An expert's own answer as plain values."""
    light = {
        "benefits": rating.light_benefits,
        "effort": _days((rating.light_effort_low, rating.light_effort_likely, rating.light_effort_high)),
    }
    return {
        "stance": rating.stance,
        "vote": rating.vote,
        "confidence": rating.confidence or None,
        "benefits": rating.benefits,
        "effort": _days((rating.effort_low, rating.effort_likely, rating.effort_high)),
        "light": light if asks_light(principle) else None,
        "reason": rating.reason,
        "evidence_url": rating.evidence_url,
        "version": rating.version,
        "carried": rating.carried,
        "saved_at": rating.saved_at,
    }


def tell_weights(weights: Weights) -> dict[str, Any]:
    """An expert's own weights as plain values."""
    return {
        "points": weights.points,
        "version": weights.version,
        "carried": weights.carried,
        "saved_at": weights.saved_at,
    }


def asks_light(principle: Principle) -> bool:
    """Say whether the light level is asked about by itself."""
    return any(prefix == LIGHT for prefix, _ in levels_of(principle))


def _days(effort: Effort) -> dict[str, float | None]:
    return dict(zip(EFFORTS, effort, strict=True))


def _tell_line(line: BallotLine, feedback: Feedback | None) -> dict[str, Any]:
    principle = line.principle
    return {
        "slug": principle.slug,
        "name": principle.name,
        "definition": principle.definition,
        "practices": [{"id": one.id, "text": one.text} for one in principle.practices],
        "serves": list(principle.serves),
        "assumed": _assumed(principle.defaults),
        "light": _tell_light(principle.light) if principle.light and asks_light(principle) else None,
        "feedback": _tell_feedback(feedback) if feedback else None,
        "answer": tell_answer(line.rating, principle) if line.rating else None,
        "done": line.fresh,
    }


def _tell_light(light: LightLevel) -> dict[str, Any]:
    return {
        "name": light.name,
        "text": light.text,
        "serves": list(light.serves),
        "assumed": _assumed(light.defaults),
    }


def _assumed(defaults: Defaults) -> dict[str, float]:
    return {name: getattr(defaults.effort, name) for name in EFFORTS}


def _tell_feedback(feedback: Feedback) -> dict[str, Any]:
    return {
        "round": feedback.round,
        "reasons": [
            {"text": one.text, "evidence_url": one.evidence_url, "stance": one.stance, "expert": one.who or None}
            for one in feedback.reasons
        ],
        "counts": {str(vote): count for vote, count in feedback.counts},
        "voters": feedback.voters,
        "own_vote": feedback.own_vote,
    }
