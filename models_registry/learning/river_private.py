"""The one place that touches what River keeps private; River's version is pinned and a test holds these to it."""

from __future__ import annotations

from typing import Any

from river import base, compose


def is_multiclass(model: Any) -> bool:
    """Whether a classifier can tell more than two classes apart."""
    return bool(model._multiclass)


def is_supervised(model: Any) -> bool:
    """Whether `learn_one` wants the label."""
    return bool(model._supervised)


def find_last_step(model: Any) -> Any:
    """Return what predicts in the end: the last step of a pipeline, of its last step, and so on."""
    while isinstance(model, compose.Pipeline):
        model = model._last_step
    return model


def derives_label_from_probabilities(model: Any) -> bool:
    """Whether `predict_one` is River's own: the label `predict_proba_one` gives the greatest probability.

    Only then may one call of `predict_proba_one` stand for both.
    """
    last = find_last_step(model)
    return isinstance(last, base.Classifier) and type(last).predict_one is base.Classifier.predict_one


def get_params(model: Any) -> dict[str, Any]:
    """Return the parameters a model was made with."""
    params: dict[str, Any] = model._get_params()
    return params


def get_memory_usage(model: Any) -> int:
    """Return a walk over all objects of a model, in bytes; slow for forests."""
    return int(model._raw_memory_usage)
