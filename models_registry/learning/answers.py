"""The predictions of a block of events: asked for in the loop with one call each, made sense of afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import river_private, serving
from .catalogue import REGRESSION
from .intake import Features
from .labels import Label
from .serving import Probabilities

MAX_BLANK = 1_000
BLANK_COST = 10
"""A prediction that is not a number costs this, a good one earns 1: more than one in eleven, for long, is too many."""
DIVERGED = "the model diverged: too many of its predictions are not numbers; scale the features or lower the rate"
UNKNOWN = -(2**63)
"""Stands for "no prediction" where a number is needed."""


class Answers:
    """Predictions of one model for a block of events.

    `predict` is what the loop calls, its results go into `raw`; after `finish`, `labels` and `probabilities` hold what
    River's `predict_one` and `predict_proba_one` would have said, the latter `None` for a model or task without any.

    Parameters
    ----------
    model
        A River model.
    task
        `binary`, `multiclass` or `regression`.
    probabilities
        Whether they are wanted even where getting them costs a second call.
    """

    def __init__(self, model: Any, task: str, *, probabilities: bool) -> None:
        self.task = task
        self.raw: list[Any] = []
        self.labels: list[Label | None] = []
        self.probabilities: list[Probabilities] | None = None
        self.predict: Callable[[Features], Any] = model.predict_one
        self._twofold = self._derived = False
        self._classes: list[int] = []
        self._values: list[float] = []
        if task != REGRESSION and serving.has_probabilities(model):
            if river_private.derives_label_from_probabilities(model):
                self.predict, self._derived = model.predict_proba_one, True
            elif probabilities:
                self.predict, self._twofold = _ask_both(model), True

    def finish(self) -> None:
        """Make sense of `raw`."""
        if self._derived:
            self.probabilities = self.raw
            self.labels = [max(chances, key=chances.get) if chances else None for chances in self.raw]
        elif self._twofold:
            self.labels = [label for label, _ in self.raw]
            self.probabilities = [chances for _, chances in self.raw]
        else:
            self.labels = self.raw
            if self.task == REGRESSION and (None in self.raw or not np.isfinite(np.array(self.raw, dtype=float)).all()):
                # Some scalers know no range before the first event: what is not a number is no prediction.
                self.labels = [value if value is not None and math.isfinite(value) else None for value in self.raw]
        self._classes, self._values = self._numbers()

    def count_blanks(self, cost: int) -> tuple[int, int | None]:
        """Watch for predictions that have stopped being numbers.

        Parameters
        ----------
        cost
            What those that were none had cost before these.

        Returns
        -------
        What they have cost after these, and the index at which it became too much, if it did.
        """
        undefined = np.isnan(np.array(self._values, dtype=float))
        if not undefined.any():
            return max(0, cost - len(self.raw)), None
        for i, (missing, said) in enumerate(zip(undefined.tolist(), self.raw, strict=True)):
            cost = cost + BLANK_COST if missing and said is not None else max(0, cost - 1)
            if cost >= MAX_BLANK:
                return cost, i
        return cost, None

    def cut(self, stop: int) -> None:
        """Forget the predictions from an index on."""
        del self.raw[stop:]
        self.finish()

    def numbers(self) -> tuple[list[int], list[float]]:
        """Return a class number and a probability (or the value of a regression) per event, for a digest."""
        return self._classes, self._values

    def _numbers(self) -> tuple[list[int], list[float]]:
        if self.task == REGRESSION:
            return [0] * len(self.labels), [math.nan if value is None else float(value) for value in self.labels]
        # The hash of a class is its number, whatever the process.
        classes = [UNKNOWN if label is None else hash(label) for label in self.labels]
        if self.probabilities is None:
            return classes, [0.0] * len(classes)
        if self.task == "binary":
            return classes, [chances.get(True, 0.0) for chances in self.probabilities]
        pairs = zip(self.labels, self.probabilities, strict=True)
        return classes, [chances.get(label, 0.0) if label is not None else 0.0 for label, chances in pairs]


def _ask_both(model: Any) -> Callable[[Features], tuple[Label | None, Probabilities]]:
    label, chances = model.predict_one, model.predict_proba_one
    return lambda features: (label(features), chances(features))
