"""What several models did on the same events, kept small enough for any run and rich enough for a paired test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .catalogue import BINARY, REGRESSION
from .labels import Label

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

START_WIDTH = 20
MAX_BLOCKS = 1_000
COLUMNS: dict[str, tuple[str, ...]] = {
    "binary": ("events", "wrong", "true_positive", "false_positive", "false_negative"),
    "multiclass": ("events", "wrong"),
    "regression": ("events", "absolute", "squared"),
}


def columns_of(task: str, labels: Sequence[Label], said: Sequence[Label | None]) -> Floats:
    """Return one row per column of `COLUMNS[task]`, one column per event; all zero where nothing was said.

    Examples
    --------
    >>> columns_of("binary", [True, False, True], [True, True, None]).sum(axis=1).tolist()
    [2.0, 1.0, 1.0, 1.0, 0.0]
    """
    scored = np.array([answer is not None for answer in said], dtype=bool)
    if task == REGRESSION:
        answers = [label if answer is None else answer for label, answer in zip(labels, said, strict=True)]
        misses = np.array(labels, dtype=float) - np.array(answers, dtype=float)
        return np.stack((scored.astype(float), np.abs(misses), misses * misses))
    wrong = scored & np.array([y != p for y, p in zip(labels, said, strict=True)], dtype=bool)
    if task != BINARY:
        return np.stack((scored, wrong)).astype(float)
    positive, called = np.array(labels, dtype=bool) & scored, np.array(said, dtype=bool) & scored
    return np.stack((scored, wrong, positive & called, called & ~positive, positive & ~called)).astype(float)


class Pairing:
    """Counts of who was right where, and sums of what everyone did in each block of events.

    An event for which a model had no prediction does not count for that model. Blocks are as many events wide as needed
    to keep at most `MAX_BLOCKS` of them; they follow the number of events, not how the stream was cut.

    Parameters
    ----------
    task
        `binary`, `multiclass` or `regression`.
    names
        The models.
    """

    def __init__(self, task: str, names: Sequence[str]) -> None:
        self.task = task
        self.names = list(names)
        self.width = START_WIDTH
        self._shared: Integers = np.zeros((len(names), len(names)), dtype=np.int64)
        self._wins: Integers = np.zeros((len(names), len(names)), dtype=np.int64)
        self._blocks: list[Floats] = []
        self._open: Floats = self._empty()
        self._filled = 0

    def _empty(self) -> Floats:
        return np.zeros((len(self.names), len(COLUMNS[self.task])))

    def add(self, labels: Sequence[Label], said: Sequence[Sequence[Label | None]]) -> None:
        """Take what each model predicted for the same events, in the order of `names`."""
        columns = np.stack([columns_of(self.task, labels, answers) for answers in said])
        scored = columns[:, 0].astype(np.int64)
        self._shared += scored @ scored.T
        if self.task != REGRESSION:
            wrong = columns[:, 1].astype(np.int64)
            self._wins += (scored - wrong) @ wrong.T
        start = 0
        while start < len(labels):
            stop = min(len(labels), start + self.width - self._filled)
            parts = np.concatenate((self._open[:, :, None], columns[:, :, start:stop]), axis=2)
            # Accumulated from the left: the same sums however the events were cut.
            self._open = np.add.accumulate(parts, axis=2)[:, :, -1]
            self._filled += stop - start
            start = stop
            if self._filled == self.width:
                self._close()

    def _close(self) -> None:
        self._blocks.append(self._open)
        self._open, self._filled = self._empty(), 0
        if len(self._blocks) == MAX_BLOCKS:
            self._blocks = [a + b for a, b in zip(self._blocks[::2], self._blocks[1::2], strict=True)]
            self.width *= 2

    def count_shared(self, one: str, other: str) -> int:
        """Return how many events both were scored on."""
        return int(self._shared[self.names.index(one), self.names.index(other)])

    def count_wins(self, one: str, other: str) -> tuple[int, int]:
        """Return how often the one was right and the other wrong, and the reverse."""
        i, j = self.names.index(one), self.names.index(other)
        return int(self._wins[i, j]), int(self._wins[j, i])

    def sum_blocks(self, name: str) -> Floats:
        """Return a model's sums, one row per finished block, one column per name in `COLUMNS`."""
        i = self.names.index(name)
        return np.array([block[i] for block in self._blocks]).reshape(-1, len(COLUMNS[self.task]))
