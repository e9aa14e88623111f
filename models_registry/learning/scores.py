"""Metrics as functions of counts, for many events at once.

Every function takes counts after each event (arrays of equal length, or one row per class) and returns the metric after
each event, formed in the same order of operations as River's metric of the same name, so that the last bit is the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .measures import Measure

Floats = npt.NDArray[np.float64]


def _divide(above: Floats, below: Floats) -> Floats:
    """Divide, with 0 where River catches a `ZeroDivisionError`."""
    out = np.zeros(np.broadcast(above, below).shape)
    return np.divide(above, below, out=out, where=below != 0)


def accuracy(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Share of events predicted right."""
    return _divide(_sum(tp), _sum(row))


def balanced_accuracy(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Mean recall of the classes that occurred."""
    return _divide(_sum(_divide(tp, row)), _sum((row > 0).astype(float)))


def cohen_kappa(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Agreement beyond chance."""
    total = _sum(row)
    observed = _divide(_sum(tp), total)
    expected = _sum(_divide(row, total[None, :]) * _divide(col, total[None, :]))
    return _divide(observed - expected, 1 - expected)


def macro_f_beta(tp: Floats, row: Floats, col: Floats, beta: float = 1.0) -> Floats:
    """F-beta per class, averaged over the classes that occurred or were predicted."""
    return _divide(_sum(_weigh(_divide(tp, col), _divide(tp, row), beta)), _present(row, col))


def macro_precision(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Precision per class, averaged over the classes that occurred or were predicted."""
    return _divide(_sum(_divide(tp, col)), _present(row, col))


def macro_recall(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Recall per class, averaged over the classes that occurred or were predicted."""
    return _divide(_sum(_divide(tp, row)), _present(row, col))


def weighted_f_beta(tp: Floats, row: Floats, col: Floats, beta: float = 1.0) -> Floats:
    """F-beta per class, weighted by how often the class occurred."""
    return _divide(_sum(_weigh(_divide(row * tp, col), _divide(row * tp, row), beta)), _sum(row))


def precision(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Of the events called positive, the share that is; the last row is the positive class."""
    return _divide(tp[-1], col[-1])


def recall(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Of the positive events, the share found; the last row is the positive class."""
    return _divide(tp[-1], row[-1])


def f_beta(tp: Floats, row: Floats, col: Floats, beta: float = 1.0) -> Floats:
    """Mean of precision and recall, recall counting beta times as much; the last row is the positive class."""
    return _weigh(precision(tp, row, col), recall(tp, row, col), beta)


def _weigh(precision: Floats, recall: Floats, beta: float) -> Floats:
    square = float(beta) ** 2
    return _divide((1.0 + square) * precision * recall, square * precision + recall)


def mcc(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Correlation of prediction and label; two rows, the last the positive class."""
    n = np.maximum(_sum(row), 1.0)
    s, p = row[-1] / n, col[-1] / n
    return _divide(tp[-1] / n - s * p, np.sqrt(p * s * (1 - s) * (1 - p)))


def roc_auc(tp: Floats, fp: Floats, positives: Floats, negatives: Floats) -> Floats:
    """Area under the ROC curve through some thresholds; one row per threshold, rising."""
    tpr, fpr = _divide(tp, positives[None, :]), _divide(fp, negatives[None, :])
    return -_sum_parts((fpr[1:] - fpr[:-1]) * (tpr[1:] + tpr[:-1]) / 2.0)


def _sum_parts(parts: Floats) -> Floats:
    """Add up to 128 rows in the order in which numpy sums one curve: eight sums side by side, a tree, then the rest."""
    whole = len(parts) - len(parts) % 8
    lanes = list(parts[: 8 if whole else 1])
    for place in range(len(lanes), whole):
        lanes[place % 8] = lanes[place % 8] + parts[place]
    while len(lanes) > 1:
        lanes = [lanes[i] + lanes[i + 1] for i in range(0, len(lanes), 2)]
    total: Floats = lanes[0]
    for rest in parts[whole or 1 :]:
        total = total + rest
    return total


def _sum(rows: Floats) -> Floats:
    """Add row by row: a class that is not there yet adds 0 and changes no bit, however many come later."""
    total = np.zeros(rows.shape[1])
    for row in rows:
        total = total + row
    return total


def _present(row: Floats, col: Floats) -> Floats:
    return _sum(((row > 0) | (col > 0)).astype(float))


CLASS_SCORES: dict[str, Callable[..., Floats]] = {
    "Accuracy": accuracy,
    "BalancedAccuracy": balanced_accuracy,
    "CohenKappa": cohen_kappa,
    "MacroF1": macro_f_beta,
    "MacroFBeta": macro_f_beta,
    "MacroPrecision": macro_precision,
    "MacroRecall": macro_recall,
    "WeightedF1": weighted_f_beta,
    "WeightedFBeta": weighted_f_beta,
    "Precision": precision,
    "Recall": recall,
    "F1": f_beta,
    "FBeta": f_beta,
    "MCC": mcc,
}
"""Metrics made of true positives, occurrences and predictions per class: one row each, one column per event."""


def score(measure: Measure, tp: Floats, row: Floats, col: Floats) -> Floats:
    """Return one of `CLASS_SCORES` with the parameters of the metric."""
    return CLASS_SCORES[measure.use](tp, row, col, **dict(measure.settings))
