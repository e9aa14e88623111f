"""How answers did that were really given: sums kept per stretch of the stream, and metrics made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .catalogue import REGRESSION
from .compare import BLOCK_METRICS, metric_of
from .errors import DataError
from .labels import Label, LabelBook
from .measures import Measure, find_measure
from .pairing import COLUMNS, columns_of

Sums = Mapping[str, float]
#: Fewer labelled answers than this say nothing about a version.
FEWEST = 30
_Z = 1.96


def live_measure(task: str, primary: str) -> Measure:
    """Return the metric answers are judged by: the project's own where sums are enough for it, else the simplest one.

    Examples
    --------
    >>> live_measure("binary", "F1").name, live_measure("binary", "ROCAUC").name, live_measure("regression", "R2").name
    ('F1', 'Accuracy', 'MAE')
    """
    offered = BLOCK_METRICS[task]
    return find_measure(primary if primary in offered else offered[0])


class AnswerBook:
    """Labels and answers, as people write them, made comparable.

    Parameters
    ----------
    task
        `binary`, `multiclass` or `regression`.
    classes
        The labels of a binary task in the order in which they were seen first: which of them is the positive one
        follows from it as it does for models.
    """

    def __init__(self, task: str, classes: Sequence[Label]) -> None:
        self.task = task
        self._book = LabelBook(task) if task == "binary" else None
        for label in classes if self._book else ():
            self.read(label)

    def read(self, value: Label | None) -> Label | None:
        """Return what stands for a label or an answer; `None` for no answer, or one that can be no label."""
        if value is None:
            return None
        if self.task == REGRESSION:
            return value if isinstance(value, int | float) and math.isfinite(value) else None
        if self._book is None:
            return value
        try:
            return self._book.encode(value)
        except DataError:
            return None

    def sum_up(self, labels: Sequence[Label], answers: Sequence[Label | None]) -> dict[str, float]:
        """Return the sums of `COLUMNS[task]` over answers and the labels that came for them.

        Examples
        --------
        >>> AnswerBook("multiclass", []).sum_up(["sky", "grass"], ["sky", "path"])
        {'events': 2.0, 'wrong': 1.0}
        """
        pairs = [(self.read(label), self.read(answer)) for label, answer in zip(labels, answers, strict=True)]
        known = [(label, answer) for label, answer in pairs if label is not None]
        if not known:
            return dict.fromkeys(COLUMNS[self.task], 0.0)
        columns = columns_of(self.task, [label for label, _ in known], [answer for _, answer in known])
        return dict(zip(COLUMNS[self.task], columns.sum(axis=1).tolist(), strict=True))


def value_of(task: str, metric: str, sums: Sums) -> float | None:
    """Return a metric of some sums; `None` where nothing was scored.

    Examples
    --------
    >>> value_of("multiclass", "Accuracy", {"events": 4, "wrong": 1})
    0.75
    """
    if not sums.get("events"):
        return None
    return metric_of(task, metric)(np.array([sums.get(column, 0.0) for column in COLUMNS[task]]))


@dataclass(frozen=True, slots=True)
class Apart:
    """Two models that answered different events, compared.

    Parameters
    ----------
    difference
        The mean error of the one minus that of the other.
    interval
        Where it lies, at 95 %; `None` with too few events.
    """

    difference: float
    interval: tuple[float, float] | None

    @property
    def real(self) -> bool:
        """Whether chance does not explain it."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def compare_apart(task: str, one: Sums, other: Sums) -> Apart | None:
    r"""Compare the mean error of two models over different events, such as a canary's and everybody else's.

    The error of an event is 1 for a wrong class and the distance for a number. With means $m$, variances $v$ and
    counts $n$, the difference lies within

    $$m_1 - m_2 \pm 1.96 \sqrt{v_1 / n_1 + v_2 / n_2}$$

    Parameters
    ----------
    task
        `binary`, `multiclass` or `regression`.
    one, other
        Sums of `COLUMNS[task]`.

    Examples
    --------
    >>> found = compare_apart("multiclass", {"events": 400, "wrong": 80}, {"events": 4_000, "wrong": 400})
    >>> round(found.difference, 3), found.real
    (0.1, True)

    References
    ----------
    [^1]: Kohavi, R., Longbotham, R., Sommerfield, D. and Henne, R. M. (2009). Controlled experiments on the web.
    """
    if not one.get("events") or not other.get("events"):
        return None
    (mean, spread), (their_mean, their_spread) = _error(task, one), _error(task, other)
    difference = mean - their_mean
    if min(one["events"], other["events"]) < FEWEST:
        return Apart(difference, None)
    margin = _Z * math.sqrt(spread + their_spread)
    return Apart(difference, (difference - margin, difference + margin))


def _error(task: str, sums: Sums) -> tuple[float, float]:
    """Return the mean error and the variance of that mean."""
    count = sums["events"]
    if task == REGRESSION:
        mean = sums["absolute"] / count
        return mean, max(sums["squared"] / count - mean * mean, 0.0) / count
    # One half more of each: a share of exactly 0 or 1 among few events is no certainty.
    share = (sums["wrong"] + 0.5) / (count + 1)
    return sums["wrong"] / count, share * (1 - share) / count
