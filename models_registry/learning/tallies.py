"""Running totals behind the metrics: predictions and labels in, the value of every metric after every event out.

A tally takes scored events in blocks and does not depend on how the blocks are cut. Its values equal those of River's
metrics after each event, bit by bit; a test holds every one to it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from . import measures, scores
from .catalogue import BINARY, REGRESSION
from .labels import Label
from .measures import OVERALL, ROLLING, find_measure
from .windows import Counts, RunningMean, RunningVariance, WindowSum

Floats = npt.NDArray[np.float64]
Series = dict[str, Floats]
Probabilities = dict[Label, float]

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

    #: Curves through other than the usual thresholds; states of before there were any have none.
    _curves: tuple[Curve, ...] = ()

    def __init__(self, metrics: Sequence[str], window: int, *, binary: bool) -> None:
        self.binary = binary
        self._window = window
        self._counted = [name for name in metrics if find_measure(name).use in scores.CLASS_SCORES]
        self._loss = next((name for name in metrics if name in ("LogLoss", "CrossEntropy")), None)
        self._curve = "ROCAUC" in metrics
        others = [name for name in metrics if name != "ROCAUC" and find_measure(name).use == "ROCAUC"]
        if others:
            self._curves = tuple(Curve(name, window) for name in others)
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
        if probabilities is not None and (self._curve or self._curves):
            chances = np.array([chance.get(True, 0.0) for chance in probabilities])
            # What is not a number is above no threshold.
            chances[np.isnan(chances)] = -1.0
            positive = self._labels == 1
            if self._curve:
                usual = Curve("ROCAUC", self._window, self._curve_counts, self._bins)
                series |= usual.add(chances, positive)
                self._bins = usual.bins
            for curve in self._curves:
                series |= curve.add(chances, positive)
        if probabilities is not None and self._loss:
            losses = _log_losses(labels, probabilities) if self.binary else _cross_entropies(labels, probabilities)
            overall, rolling = self._mean.add(losses)
            series |= _both(self._loss, overall, rolling)
        self._labels = self._labels[-self._window :]
        self._predictions = self._predictions[-self._window :]
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
                series[measures.key_of(view, name)] = scores.score(find_measure(name), tp, row, col)
        return series

    def _order(self) -> list[int]:
        """Return the class rows in order of the classes, which for few small numbers is River's order too."""
        return [number for _, number in sorted(self._classes.items())]


class Curve:
    """The area under the ROC curve.

    Parameters
    ----------
    name
        Name of the metric, which says through how many thresholds.
    window
        Events in the rolling view.
    counts, bins
        What is known already of events before.
    """

    def __init__(
        self, name: str, window: int, counts: Counts | None = None, bins: npt.NDArray[np.int8] | None = None
    ) -> None:
        self.name = name
        self._window = window
        self._counts = counts or Counts(window)
        # For each of the last events, how many thresholds lie below: it counts as positive for those.
        self.bins = np.zeros(0, dtype=np.int8) if bins is None else bins

    def add(self, chances: Floats, positive: npt.NDArray[np.bool_]) -> Series:
        """Take the chance of each new event, and of each event in the window and after whether it is positive."""
        size = int(dict(find_measure(self.name).settings)["n_thresholds"])
        seen = len(self.bins)
        new = np.searchsorted(_thresholds(size), chances, side="left").astype(np.int8)
        self.bins = np.concatenate((self.bins, new))
        above = self.bins > np.arange(size, dtype=np.int8)[:, None]
        happened = np.concatenate((above & positive, above & ~positive, positive[None, :], ~positive[None, :]))
        series: Series = {}
        for view, counts in zip((OVERALL, ROLLING), self._counts.add(happened, seen), strict=True):
            floats = counts.astype(float)
            areas = scores.roc_auc(floats[:size], floats[size : 2 * size], floats[-2], floats[-1])
            series[measures.key_of(view, self.name)] = areas
        self.bins = self.bins[-self._window :]
        return series


@functools.cache
def _thresholds(size: int) -> Floats:
    """Return River's thresholds: evenly spaced, the outer ones a little further out."""
    bounds = [i / (size - 1) for i in range(size)]
    bounds[0] -= 1e-7
    bounds[-1] += 1e-7
    return np.array(bounds)


class RegressionTally:
    """Metrics of a regressor."""

    def __init__(self, metrics: Sequence[str], window: int) -> None:
        self._window = window
        self._means = {name: MeanScore(window) for name in metrics if name != "R2"}
        self._r2 = R2Score(window) if "R2" in metrics else None

    def add(
        self, labels: Sequence[Label], predictions: Sequence[Label], probabilities: Sequence[Probabilities] | None
    ) -> Series:
        """Take scored events; return the value of every series after each."""
        truth, said = np.array(labels, dtype=float), np.array(predictions, dtype=float)
        series: Series = {}
        for name, mean in self._means.items():
            overall, rolling = mean.add(_LOSSES[name](truth, said))
            if name == "RMSE":
                # Python's power, as in River: its last bit may differ from that of a square root.
                overall, rolling = np.array([mean**0.5 for mean in overall.tolist()]), np.sqrt(rolling)
            elif name in ("MAPE", "SMAPE"):
                overall, rolling = 100 * overall, 100 * rolling
            series |= _both(name, overall, rolling)
        if self._r2:
            series |= _both("R2", *self._r2.add(truth, said))
        return series


class R2Score:
    """Share of the labels' variance that the predictions explain."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._variance = RunningVariance()
        self._residual = 0.0
        self._origin: float | None = None
        self._sums = [WindowSum(window) for _ in range(3)]
        self._events = 0

    def add(self, truth: Floats, said: Floats) -> tuple[Floats, Floats]:
        """Take labels and predictions; return the metric over everything and over the window after each."""
        misses = truth - said
        squares = misses * misses
        residuals = np.cumsum(np.concatenate(([self._residual], squares)))[1:]
        self._residual = float(residuals[-1])
        overall = _explained(residuals, self._variance.add(truth.tolist()))
        if self._origin is None:
            self._origin = float(truth[0])
        # Distances to a fixed label, not to 0: labels far from 0 would cancel in the difference of the squares.
        shifted = truth - self._origin
        lengths = np.minimum(np.arange(self._events + 1, self._events + len(truth) + 1), self._window)
        self._events += len(truth)
        parts = (shifted, shifted * shifted, squares)
        sums = [window.add(part) for window, part in zip(self._sums, parts, strict=True)]
        totals = sums[1] - sums[0] * sums[0] / lengths
        return overall, _explained(sums[2], np.where(lengths > 1, np.maximum(totals, 0.0), 0.0))


def _explained(residuals: Floats, totals: Floats) -> Floats:
    ok = totals != 0
    return np.where(ok, 1 - np.divide(residuals, totals, out=np.zeros(len(totals)), where=ok), 0.0)


def _log_losses(labels: Sequence[Label], probabilities: Sequence[Probabilities]) -> list[float]:
    log, losses = math.log, []
    for label, chance in zip(labels, probabilities, strict=True):
        p = chance.get(True, 0.0)
        # A probability that is not a number says nothing; River would carry it on for good.
        p = min(max(p, _SMALLEST), _LARGEST) if p == p else 0.5
        losses.append(-log(p) if label else -log(1 - p))
    return losses


def _cross_entropies(labels: Sequence[Label], probabilities: Sequence[Probabilities]) -> list[float]:
    log, losses = math.log, []
    for label, chance in zip(labels, probabilities, strict=True):
        p = chance.get(label, 1.0)
        p = min(max(p, _SMALLEST), _LARGEST) if p == p else 1 / len(chance)
        losses.append(-log(p) if label in chance else 0.0)
    return losses


def _distances(truth: Floats, said: Floats) -> list[float]:
    losses: list[float] = np.abs(truth - said).tolist()
    return losses


def _squares(truth: Floats, said: Floats) -> list[float]:
    misses = (truth - said).tolist()
    try:
        # Python's power, as in River: its last bit may differ from that of a product.
        return [miss**2 for miss in misses]
    except OverflowError:
        return [miss * miss for miss in misses]


def _relative(truth: Floats, said: Floats) -> list[float]:
    size = np.abs(truth)
    losses: list[float] = np.divide(np.abs(truth - said), size, out=np.zeros(len(size)), where=size != 0).tolist()
    return losses


def _symmetric(truth: Floats, said: Floats) -> list[float]:
    size = np.abs(truth) + np.abs(said)
    double = 2.0 * np.abs(truth - said)
    losses: list[float] = np.divide(double, size, out=np.zeros(len(size)), where=size != 0).tolist()
    return losses


_LOSSES = {"MAE": _distances, "MSE": _squares, "RMSE": _squares, "MAPE": _relative, "SMAPE": _symmetric}


def _both(name: str, overall: Floats, rolling: Floats) -> Series:
    return {measures.key_of(OVERALL, name): overall, measures.key_of(ROLLING, name): rolling}
