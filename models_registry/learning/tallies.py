"""Running totals behind the metrics: predictions and labels in, the value of every metric after every event out.

A tally takes scored events in blocks and does not depend on how the blocks are cut. Its values equal those of River's
metrics after each event, bit by bit; a test holds every one to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from . import measures, scores
from .catalogue import BINARY, REGRESSION
from .labels import Label
from .measures import OVERALL, ROLLING
from .windows import Counts, RunningMean, RunningVariance, WindowSum

Floats = npt.NDArray[np.float64]
Series = dict[str, Floats]
Probabilities = dict[Label, float]

_THRESHOLDS = [i / 9 for i in range(10)]
_THRESHOLDS[0] -= 1e-7
_THRESHOLDS[-1] += 1e-7
_BOUNDS = np.array(_THRESHOLDS)
_SMALLEST, _LARGEST = 1e-15, 1 - 1e-15


class Tally(Protocol):
    """What every task's tally does."""

    def add(
        self, labels: Sequence[Label], predictions: Sequence[Label], probabilities: Sequence[Probabilities] | None
    ) -> Series:
        """Take scored events; return the value of every series after each, keyed `view.metric`."""


def make_tally(task: str, metrics: Sequence[str], window: int) -> Tally:
    """Return the tally of a task."""
    if task == REGRESSION:
        return RegressionTally(metrics, window)
    return ClassTally(metrics, window, binary=task == BINARY)


class MeanScore:
    """A metric that is the mean of a loss per event."""

    def __init__(self, window: int) -> None:
        self._mean = RunningMean()
        self._sum = WindowSum(window)
        self._window = window
        self._events = 0

    def add(self, losses: Sequence[float]) -> tuple[Floats, Floats]:
        """Take losses; return their mean over everything and over the window after each."""
        overall = self._mean.add(losses)
        lengths = np.minimum(np.arange(self._events + 1, self._events + len(losses) + 1), self._window)
        rolling = self._sum.add(np.array(losses, dtype=float)) / lengths
        self._events += len(losses)
        return overall, rolling


class ClassTally:
    """Metrics of a classifier.

    Parameters
    ----------
    metrics
        Names of the metrics.
    window
        Events in the rolling view.
    binary
        Whether labels are bools with `True` the positive class.
    """

    def __init__(self, metrics: Sequence[str], window: int, *, binary: bool) -> None:
        self.binary = binary
        self._window = window
        self._counted = [name for name in metrics if name in scores.CLASS_SCORES]
        self._loss = next((name for name in metrics if name in ("LogLoss", "CrossEntropy")), None)
        self._curve = "ROCAUC" in metrics
        self._classes: dict[Label, int] = {False: 0, True: 1} if binary else {}
        self._counts = Counts(window)
        self._curve_counts = Counts(window)
        self._mean = MeanScore(window)
        # The last events, as class numbers: what falls out of the window has to be subtracted.
        self._labels = np.zeros(0, dtype=np.int32)
        self._predictions = np.zeros(0, dtype=np.int32)
        self._bins = np.zeros(0, dtype=np.int8)

    def add(
        self, labels: Sequence[Label], predictions: Sequence[Label], probabilities: Sequence[Probabilities] | None
    ) -> Series:
        """Take scored events; return the value of every series after each."""
        seen = len(self._labels)
        self._labels = np.concatenate((self._labels, self._number(labels)))
        self._predictions = np.concatenate((self._predictions, self._number(predictions)))
        series = self._add_counted(seen)
        if probabilities is not None and self._curve:
            chances = np.array([chance.get(True, 0.0) for chance in probabilities])
            # How many thresholds lie below: the event counts as positive for those.
            self._bins = np.concatenate((self._bins, np.searchsorted(_BOUNDS, chances, side="left").astype(np.int8)))
            series |= self._add_curve(seen)
        if probabilities is not None and self._loss:
            losses = _log_losses(labels, probabilities) if self.binary else _cross_entropies(labels, probabilities)
            overall, rolling = self._mean.add(losses)
            series |= _both(self._loss, overall, rolling)
        self._labels = self._labels[-self._window :]
        self._predictions = self._predictions[-self._window :]
        self._bins = self._bins[-self._window :]
        return series

    def _number(self, labels: Sequence[Label]) -> npt.NDArray[np.int32]:
        classes = self._classes
        try:
            return np.array([classes[label] for label in labels], dtype=np.int32)
        except KeyError:
            return np.array([classes.setdefault(label, len(classes)) for label in labels], dtype=np.int32)

    def _add_counted(self, seen: int) -> Series:
        numbers = np.arange(len(self._classes), dtype=np.int32)[:, None]
        is_label, is_prediction = self._labels == numbers, self._predictions == numbers
        happened = np.stack((is_label & is_prediction, is_label, is_prediction), axis=1)
        # Three rows per class, so that rows of a new class come last.
        views = self._counts.add(happened.reshape(-1, happened.shape[2]), seen)
        order = self._order()
        series: Series = {}
        for view, counts in zip((OVERALL, ROLLING), views, strict=True):
            tp, row, col = counts.astype(float).reshape(len(self._classes), 3, -1)[order].swapaxes(0, 1)
            for name in self._counted:
                series[measures.key_of(view, name)] = scores.CLASS_SCORES[name](tp, row, col)
        return series

    def _order(self) -> list[int]:
        """Return the class rows in the order River goes through them: that of a set of small numbers."""
        return [number for _, number in sorted(self._classes.items(), key=lambda item: hash(item[0]))]

    def _add_curve(self, seen: int) -> Series:
        above = self._bins > np.arange(len(_THRESHOLDS), dtype=np.int8)[:, None]
        positive = self._labels == 1
        happened = np.concatenate((above & positive, above & ~positive, positive[None, :], ~positive[None, :]))
        series: Series = {}
        for view, counts in zip((OVERALL, ROLLING), self._curve_counts.add(happened, seen), strict=True):
            floats = counts.astype(float)
            series[measures.key_of(view, "ROCAUC")] = scores.roc_auc(floats[:10], floats[10:20], floats[20], floats[21])
        return series


class RegressionTally:
    """Metrics of a regressor."""

    def __init__(self, metrics: Sequence[str], window: int) -> None:
        self._metrics = list(metrics)
        self._window = window
        self._means = {name: MeanScore(window) for name in metrics if name != "R2"}
        self._variance = RunningVariance()
        self._residual = 0.0
        self._origin: float | None = None
        self._sums = [WindowSum(window) for _ in range(3)]
        self._events = 0

    def add(
        self, labels: Sequence[Label], predictions: Sequence[Label], probabilities: Sequence[Probabilities] | None
    ) -> Series:
        """Take scored events; return the value of every series after each."""
        pairs = list(zip(labels, predictions, strict=True))
        series: Series = {}
        for name, mean in self._means.items():
            overall, rolling = mean.add([_LOSSES[name](y, p) for y, p in pairs])
            series |= _both(name, _finish(name, overall), _finish(name, rolling))
        if "R2" in self._metrics:
            series |= _both("R2", self._add_r2(labels, pairs), self._add_rolling_r2(pairs))
        return series

    def _add_r2(self, labels: Sequence[Label], pairs: list[tuple[Label, Label]]) -> Floats:
        totals = self._variance.add(labels)  # type: ignore[arg-type]
        residual = self._residual
        residuals = []
        for y, p in pairs:
            residual += (y - p) * (y - p) * 1.0  # type: ignore[operator]
            residuals.append(residual)
        self._residual = residual
        ok = totals != 0
        return np.where(ok, 1 - np.divide(np.array(residuals), totals, out=np.zeros(len(pairs)), where=ok), 0.0)

    def _add_rolling_r2(self, pairs: list[tuple[Label, Label]]) -> Floats:
        values = np.array(pairs, dtype=float)
        if self._origin is None:
            self._origin = float(values[0, 0])
        # Distances to a fixed label, not to 0: labels far from 0 would cancel in the difference of the squares.
        shifted = values[:, 0] - self._origin
        misses = values[:, 0] - values[:, 1]
        lengths = np.minimum(np.arange(self._events + 1, self._events + len(pairs) + 1), self._window)
        self._events += len(pairs)
        parts = (shifted, shifted * shifted, misses * misses)
        sums = [window.add(part) for window, part in zip(self._sums, parts, strict=True)]
        totals = sums[1] - sums[0] * sums[0] / lengths
        ok = (totals > 0) & (lengths > 1)
        return np.where(ok, 1 - np.divide(sums[2], totals, out=np.zeros(len(pairs)), where=ok), 0.0)


def _log_losses(labels: Sequence[Label], probabilities: Sequence[Probabilities]) -> list[float]:
    log, losses = math.log, []
    for label, chance in zip(labels, probabilities, strict=True):
        p = min(max(chance.get(True, 0.0), _SMALLEST), _LARGEST)
        losses.append(-log(p) if label else -log(1 - p))
    return losses


def _cross_entropies(labels: Sequence[Label], probabilities: Sequence[Probabilities]) -> list[float]:
    log = math.log
    return [
        -log(min(max(chance[label], _SMALLEST), _LARGEST)) if label in chance else 0.0
        for label, chance in zip(labels, probabilities, strict=True)
    ]


def _squared(y: float, p: float) -> float:
    try:
        return float((y - p) ** 2)
    except OverflowError:
        return math.inf


def _relative(y: float, p: float) -> float:
    return abs(y - p) / abs(y) if y else 0.0


def _symmetric(y: float, p: float) -> float:
    size = abs(y) + abs(p)
    return 2.0 * abs(y - p) / size if size else 0.0


_LOSSES = {
    "MAE": lambda y, p: abs(y - p),
    "MSE": _squared,
    "RMSE": _squared,
    "MAPE": _relative,
    "SMAPE": _symmetric,
}


def _finish(name: str, means: Floats) -> Floats:
    if name == "RMSE":
        # Python's power, as in River: its last bit may differ from that of a square root.
        return np.array([mean**0.5 for mean in means.tolist()])
    return 100 * means if name in ("MAPE", "SMAPE") else means


def _both(name: str, overall: Floats, rolling: Floats) -> Series:
    return {measures.key_of(OVERALL, name): overall, measures.key_of(ROLLING, name): rolling}
