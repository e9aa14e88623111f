"""Whether one model is really better than another on the same events, and how to say so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .catalogue import REGRESSION
from .measures import Measure, find_measure
from .pairing import COLUMNS, Pairing

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
DRAWS = 2_000
FEWEST_BLOCKS = 20
_EXACT = 1_000
BLOCK_METRICS: dict[str, tuple[str, ...]] = {
    "binary": ("Accuracy", "BalancedAccuracy", "F1", "Precision", "Recall", "MCC", "CohenKappa"),
    "multiclass": ("Accuracy",),
    "regression": ("MAE", "RMSE", "MSE"),
}
"""Metrics that can be worked out from the sums of blocks."""


class Paired(Protocol):
    """What is known of models that predicted the same events."""

    task: str

    def count_shared(self, one: str, other: str) -> int:
        """Return how many events both were scored on."""

    def count_wins(self, one: str, other: str) -> tuple[int, int]:
        """Return how often the one was right and the other wrong, and the reverse."""

    def sum_blocks(self, name: str) -> Floats:
        """Return a model's sums, one row per block, one column per name in `COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a paired comparison.

    Parameters
    ----------
    one, other
        The models.
    metric
        The metric compared.
    values
        Its value for the one and for the other, on the events both were scored on.
    events
        How many those are.
    better
        Name of the one that is really better; empty when chance may explain the difference, or too little is known.
    test
        The test used.
    p
        The chance of a difference this large if there were none; `None` for an interval.
    interval
        Where the difference (one minus other) lies, at 95 %; `None` for a test that gives none.
    words
        All of it in a sentence or two.
    """

    one: str
    other: str
    metric: str
    values: tuple[float, float]
    events: int
    better: str
    test: str
    p: float | None
    interval: tuple[float, float] | None
    words: str


def mcnemar(only_one: int, only_other: int) -> float:
    r"""Return how likely so uneven a split is if both models were equally often right.

    Of the $n = b + c$ events that exactly one of the two got right, each falls to either with chance one half. The
    two-sided p-value is exact for up to a thousand such events, beyond that it is that of the normal distribution with
    continuity correction, $z = (|b - c| - 1) / \sqrt{n}$.

    Parameters
    ----------
    only_one
        Events that only the one got right.
    only_other
        Events that only the other got right.

    Examples
    --------
    >>> round(mcnemar(10, 2), 4), mcnemar(5, 5)
    (0.0386, 1.0)

    References
    ----------
    [^1]: McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions.
    [^2]: Dietterich, T. G. (1998). Approximate statistical tests for comparing supervised classification algorithms.
    """
    count, least = only_one + only_other, min(only_one, only_other)
    if only_one == only_other:
        return 1.0
    if count <= _EXACT:
        tail = sum(math.comb(count, i) for i in range(least + 1))
        return min(1.0, tail / (1 << (count - 1)))
    z = (abs(only_one - only_other) - 1) / math.sqrt(count)
    return math.erfc(z / math.sqrt(2))


def holm(chances: Sequence[float]) -> list[float]:
    """Return p-values corrected for there being several, so that one in twenty errs at most, all of them together.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]

    References
    ----------
    [^1]: Holm, S. (1979). A simple sequentially rejective multiple test procedure.
    """
    order = sorted(range(len(chances)), key=lambda i: chances[i])
    corrected = [0.0] * len(chances)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, chances[i] * (len(chances) - rank)))
        corrected[i] = largest
    return corrected


def block_bootstrap(
    one: Floats,
    other: Floats,
    metric: Callable[[Floats], float],
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 1,
) -> tuple[float, float]:
    r"""Return the interval in which the difference of a metric lies.

    Neighbouring events resemble each other, so whole runs of blocks are drawn, with replacement, instead of events: of
    $n$ blocks, stretches of $\lceil n^{1/3} \rceil$ until $n$ are together, the same ones for both models. The interval
    holds the middle of the differences.

    Parameters
    ----------
    one, other
        The two models' sums, one row per block.
    metric
        The metric as a function of summed columns, one row per draw.
    level
        How much of them it holds.
    draws
        How many times to draw.
    seed
        Seed of the draws.

    References
    ----------
    [^1]: Künsch, H. R. (1989). The jackknife and the bootstrap for general stationary observations.
    """
    count = len(one)
    stretch = math.ceil(count ** (1 / 3))
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, count - stretch + 1, size=(draws, math.ceil(count / stretch)))
    picks = (starts[:, :, None] + np.arange(stretch)).reshape(draws, -1)[:, :count]
    differences = np.array([metric(one[pick].sum(axis=0)) - metric(other[pick].sum(axis=0)) for pick in picks])
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high


def compare(pairing: Pairing, one: str, other: str, metric: str | None = None) -> Verdict:
    """Say whether the difference of two models is real.

    Accuracy is judged by McNemar's test, other metrics by the interval of a block bootstrap.

    Parameters
    ----------
    pairing
        What both did on the same events.
    one, other
        Their names.
    metric
        One of `BLOCK_METRICS`; the first when left out.
    """
    return compare_pairs(one, {other: pairing}, pairing.task, metric)[0]


def compare_pairs(champion: str, pairs: Mapping[str, Paired], task: str, metric: str | None = None) -> list[Verdict]:
    """Compare a champion with each challenger, whose name leads to what is known of the two.

    The more challengers there are, the more each has to show: p-values are corrected by Holm's procedure and intervals
    are widened, so that with no real difference anywhere one is found in at most one case of twenty.
    """
    measure = find_measure(metric or BLOCK_METRICS[task][0])
    offered = BLOCK_METRICS[task]
    if measure.name not in offered:
        raise ValueError(f"{measure.name} cannot be compared block by block; {', '.join(offered)} can")
    exact = measure.name == "Accuracy"
    chances = holm([mcnemar(*pair.count_wins(champion, name)) for name, pair in pairs.items()]) if exact else []
    return [
        _judge(pair, measure, (champion, name), chances[i] if exact else None, len(pairs))
        for i, (name, pair) in enumerate(pairs.items())
    ]


def _judge(pairing: Paired, measure: Measure, names: tuple[str, str], p: float | None, tests: int) -> Verdict:
    work_out = metric_of(pairing.task, measure.name)
    blocks, others = pairing.sum_blocks(names[0]), pairing.sum_blocks(names[1])
    events = pairing.count_shared(*names)
    values = (work_out(blocks.sum(axis=0)), work_out(others.sum(axis=0)))
    test, interval = "McNemar", None
    if p is None:
        test = "block bootstrap"
        if len(blocks) >= FEWEST_BLOCKS:
            interval = block_bootstrap(blocks, others, work_out, level=1 - (1 - LEVEL) / tests)
    known = bool(len(blocks)) if p is not None else interval is not None
    real = known and (p < 1 - LEVEL if p is not None else not interval[0] <= 0 <= interval[1])  # type: ignore[index]
    leader, loser = names if values[0] == values[1] or measure.is_better(*values) else names[::-1]
    return Verdict(
        *names,
        metric=measure.name,
        values=values,
        events=events,
        better=leader if real else "",
        test=test,
        p=p if known else None,
        interval=interval,
        words=_say(measure, (leader, loser), values, events, test, p, interval, known=known, real=real),
    )


def _say(
    measure: Measure,
    names: tuple[str, str],
    values: tuple[float, float],
    events: int,
    test: str,
    p: float | None,
    interval: tuple[float, float] | None,
    *,
    known: bool,
    real: bool,
) -> str:
    if not known:
        return f"Too few events to tell: both predicted {events:,}."
    best, worst = sorted(values, reverse=measure.greater_is_better)
    facts = f"{measure.title} {measure.format(best)} against {measure.format(worst)} on the same {events:,} events"
    how = f"p {_small(p)}" if p is not None else f"difference {_between(measure, interval)}"
    if real:
        return f"{names[0]} is better than {names[1]}, and not by chance: {facts} ({test}, {how})."
    return f"No real difference between {names[0]} and {names[1]}: {facts} may be chance ({test}, {how})."


def _small(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _between(measure: Measure, interval: tuple[float, float] | None) -> str:
    assert interval is not None
    if measure.style == "percent":
        return f"{100 * interval[0]:+.1f} to {100 * interval[1]:+.1f} points"
    return f"{interval[0]:+.3g} to {interval[1]:+.3g}"


def _confusion(sums: Floats, column: Mapping[str, int]) -> tuple[float, float, float, float]:
    """Return true and false positives, false and true negatives."""
    tp, fp, fn = (float(sums[column[key]]) for key in ("true_positive", "false_positive", "false_negative"))
    return tp, fp, fn, float(sums[column["events"]]) - tp - fp - fn


def _balanced_accuracy(tp: float, fp: float, fn: float, tn: float) -> float:
    """The mean of the recalls of the classes that were seen."""
    recalls = [right / all_of for right, all_of in ((tp, tp + fn), (tn, tn + fp)) if all_of]
    return sum(recalls) / len(recalls) if recalls else 0.0


def _mcc(tp: float, fp: float, fn: float, tn: float) -> float:
    below = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / below if below else 0.0


def _kappa(tp: float, fp: float, fn: float, tn: float) -> float:
    """Agreement beyond chance: (observed - expected) / (1 - expected)."""
    total = tp + fp + fn + tn
    expected = ((tp + fp) * (tp + fn) + (tn + fp) * (tn + fn)) / total**2 if total else 1.0
    return ((tp + tn) / total - expected) / (1 - expected) if expected < 1 else 0.0


_OF_CONFUSION = {"BalancedAccuracy": _balanced_accuracy, "MCC": _mcc, "CohenKappa": _kappa}


def metric_of(task: str, name: str) -> Callable[[Floats], float]:
    """Return one of `BLOCK_METRICS[task]` as a function of the summed columns of `COLUMNS[task]`."""
    column = {key: i for i, key in enumerate(COLUMNS[task])}

    def share(above: Sequence[str], below: Sequence[str]) -> Callable[[Floats], float]:
        def work_out(sums: Floats) -> float:
            total = sum(sums[column[key]] for key in below)
            return float(sum(sums[column[key]] for key in above) / total) if total else 0.0

        return work_out

    if task == REGRESSION:
        mean = share(["absolute" if name == "MAE" else "squared"], ["events"])
        return (lambda sums: math.sqrt(mean(sums))) if name == "RMSE" else mean
    if name == "Accuracy":
        wrong = share(["wrong"], ["events"])
        return lambda sums: 1 - wrong(sums)
    if name in _OF_CONFUSION:
        return lambda sums: _OF_CONFUSION[name](*_confusion(sums, column))
    parts = {"Precision": ["false_positive"], "Recall": ["false_negative"], "F1": ["false_positive", "false_negative"]}
    above = ["true_positive"] * (2 if name == "F1" else 1)
    return share(above, above + parts[name])
