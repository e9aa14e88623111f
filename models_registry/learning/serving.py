"""Predicting with a model: one call, whatever the task, and the label exactly as River would name it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from river import base

from . import river_private
from .catalogue import REGRESSION
from .intake import Features
from .labels import Label

Probabilities = dict[Label, float]


class Prediction(NamedTuple):
    """What a model says of one event.

    Parameters
    ----------
    label
        The label it expects; `None` when it has seen too little to say.
    probabilities
        The probability of each label, where the model gives any.
    """

    label: Label | None
    probabilities: Probabilities | None


def has_probabilities(model: Any) -> bool:
    """Whether a model gives probabilities."""
    last = river_private.find_last_step(model)
    return isinstance(last, base.Classifier) and type(last).predict_proba_one is not base.Classifier.predict_proba_one


def predict(model: Any, task: str, features: Features) -> Prediction:
    """Return what a model predicts.

    Some models (nearest neighbours) change when they predict: a model that goes on learning from a fixed state must not
    be passed here, only a copy of it.

    Parameters
    ----------
    model
        A River model.
    task
        `binary`, `multiclass` or `regression`.
    features
        The features, checked.

    Examples
    --------
    >>> from river import dummy
    >>> model = dummy.PriorClassifier()
    >>> model.learn_one({}, True)
    >>> predict(model, "binary", {"a": 1})
    Prediction(label=True, probabilities={True: 1.0})
    """
    if task == REGRESSION:
        value = model.predict_one(features)
        return Prediction(value if value is None or math.isfinite(value) else None, None)
    if not has_probabilities(model):
        return Prediction(model.predict_one(features), None)
    probabilities = model.predict_proba_one(features)
    derived = river_private.derives_label_from_probabilities(model)
    label = most_probable(probabilities) if derived else model.predict_one(features)
    defined = all(map(math.isfinite, probabilities.values()))
    return Prediction(label, probabilities if defined else None)


def most_probable(probabilities: Probabilities) -> Label | None:
    """Return the label of the greatest probability, the first of several, as River's `Classifier.predict_one` does."""
    return max(probabilities, key=probabilities.get) if probabilities else None  # type: ignore[arg-type]
