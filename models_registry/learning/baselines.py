"""Guesses that ignore the features: what a model has to beat.

- `majority`: the label that is most frequent so far, a tie keeping the one that got there first; its probabilities are
  the (smoothed) shares of the labels so far;
- `mean`: the mean of the labels so far;
- `last`: the last label;
- `none`: no guess is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from .catalogue import REGRESSION
from .labels import Label

MAJORITY, MEAN, LAST, NONE = "majority", "mean", "last", "none"
TITLES = {MAJORITY: "Commonest label so far", MEAN: "Mean so far", LAST: "Last label"}


def list_baselines(task: str) -> list[str]:
    """Return the baselines of a task, the default first."""
    return [MEAN, LAST] if task == REGRESSION else [MAJORITY, LAST]


class Baseline:
    """Predicts every event from the labels before it.

    Parameters
    ----------
    kind
        `majority`, `mean` or `last`.

    Examples
    --------
    >>> Baseline("majority").follow([True, False, False, True])[0]
    [None, True, True, False]
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._counts: dict[Label, int] = {}
        self._most = 0
        self._guess: Label | None = None
        self._mean = 0.0
        self._events = 0

    def follow(self, labels: Sequence[Label]) -> tuple[list[Label | None], list[dict[Label, float]] | None]:
        """Take labels.

        Returns
        -------
        The guess made before each, `None` before the first of all; and, where the guess has any, the probability it
        gave the label that came, and to `True`.
        """
        if self.kind == MAJORITY:
            return self._follow_majority(labels)
        guesses: list[Label | None] = []
        if self.kind == LAST:
            if labels:
                guesses = [self._guess, *labels[:-1]]
                self._guess = labels[-1]
            return guesses, None
        mean, events = self._mean, self._events
        for label in labels:
            guesses.append(mean if events else None)
            events += 1
            mean += (label - mean) / events  # type: ignore[operator]
        self._mean, self._events = mean, events
        return guesses, None

    def _follow_majority(self, labels: Sequence[Label]) -> tuple[list[Label | None], list[dict[Label, float]]]:
        counts, most, guess, events = self._counts, self._most, self._guess, self._events
        guesses: list[Label | None] = []
        chances: list[dict[Label, float]] = []
        for label in labels:
            guesses.append(guess)
            count = counts.get(label, 0)
            # Each class counted once more than it was seen (Laplace): one that is new is unlikely, not impossible.
            total = events + (2 if isinstance(label, bool) else len(counts) + 1)
            chance = {label: (count + 1) / total}
            if label is False:
                chance[True] = (counts.get(True, 0) + 1) / total
            chances.append(chance)
            counts[label] = count + 1
            events += 1
            if count >= most:
                most, guess = count + 1, label
        self._most, self._guess, self._events = most, guess, events
        return guesses, chances
