"""The one place that touches what River keeps private; River's version is pinned and a test holds these to it."""

from __future__ import annotations

from typing import Any

from river import base, compose


def make_example(cls: type) -> Any:
    """Return an instance of a River class with the parameters River tests it with."""
    return cls(**next(iter(cls._unit_test_params())))  # type: ignore[attr-defined]


def is_multiclass(model: Any) -> bool:
    """Whether a classifier can tell more than two classes apart."""
    return bool(model._multiclass)


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
