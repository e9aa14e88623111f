"""Metrics as functions of counts, for many events at once.

Every function takes counts after each event (arrays of equal length, or one row per class) and returns the metric after
each event, formed in the same order of operations as River's metric of the same name, so that the last bit is the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

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


def macro_f1(tp: Floats, row: Floats, col: Floats) -> Floats:
    """F1 per class, averaged over the classes that occurred or were predicted."""
    precision, recall = _divide(tp, col), _divide(tp, row)
    return _divide(_sum(_divide(2.0 * precision * recall, 1.0 * precision + recall)), _present(row, col))


def macro_precision(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Precision per class, averaged over the classes that occurred or were predicted."""
    return _divide(_sum(_divide(tp, col)), _present(row, col))


def macro_recall(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Recall per class, averaged over the classes that occurred or were predicted."""
    return _divide(_sum(_divide(tp, row)), _present(row, col))


def weighted_f1(tp: Floats, row: Floats, col: Floats) -> Floats:
    """F1 per class, weighted by how often the class occurred."""
    precision, recall = _divide(row * tp, col), _divide(row * tp, row)
    return _divide(_sum(_divide(2.0 * precision * recall, 1.0 * precision + recall)), _sum(row))


def precision(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Of the events called positive, the share that is; the last row is the positive class."""
    return _divide(tp[-1], col[-1])


def recall(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Of the positive events, the share found; the last row is the positive class."""
    return _divide(tp[-1], row[-1])


def f1(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Harmonic mean of precision and recall; the last row is the positive class."""
    p, r = precision(tp, row, col), recall(tp, row, col)
    return _divide(2.0 * p * r, 1.0 * p + r)


def mcc(tp: Floats, row: Floats, col: Floats) -> Floats:
    """Correlation of prediction and label; two rows, the last the positive class."""
    n = np.maximum(_sum(row), 1.0)
    s, p = row[-1] / n, col[-1] / n
    return _divide(tp[-1] / n - s * p, np.sqrt(p * s * (1 - s) * (1 - p)))


def roc_auc(tp: Floats, fp: Floats, positives: Floats, negatives: Floats) -> Floats:
    """Area under the ROC curve through ten thresholds; one row per threshold, rising."""
    tpr, fpr = _divide(tp, positives[None, :]), _divide(fp, negatives[None, :])
    parts = (fpr[1:] - fpr[:-1]) * (tpr[1:] + tpr[:-1]) / 2.0
    # The order in which numpy sums the nine parts of one curve: eight in a tree, then the rest.
    a, b, c, d, e, f, g, h, rest = parts
    area: Floats = -((((a + b) + (c + d)) + ((e + f) + (g + h))) + rest)
    return area


def _sum(rows: Floats) -> Floats:
    """Add row by row: a class that is not there yet adds 0 and changes no bit, however many come later."""
    total = np.zeros(rows.shape[1])
    for row in rows:
        total = total + row
    return total


def _present(row: Floats, col: Floats) -> Floats:
    return _sum(((row > 0) | (col > 0)).astype(float))


CLASS_SCORES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "Accuracy": accuracy,
    "BalancedAccuracy": balanced_accuracy,
    "CohenKappa": cohen_kappa,
    "MacroF1": macro_f1,
    "MacroPrecision": macro_precision,
    "MacroRecall": macro_recall,
    "WeightedF1": weighted_f1,
    "Precision": precision,
    "Recall": recall,
    "F1": f1,
    "MCC": mcc,
}
"""Metrics made of true positives, occurrences and predictions per class: one row each, one column per event."""
