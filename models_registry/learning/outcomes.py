r"""How each single prediction of a run turned out, kept small, so that any two runs can be compared pairwise later.

Outcomes are kept in segments of `SPAN` positions, at fixed places of the stream: segment $k$ holds the positions from
$k \cdot SPAN + 1$ to $(k + 1) \cdot SPAN$. A segment is an array with one value per position:

- classification: a byte of three bits, 1 *scored*, 2 *wrong*, 4 *the label is the positive one* (binary tasks only);
- regression: label minus prediction as a 32-bit number, NaN where nothing was predicted.

What was not learned, or not predicted, is 0 or NaN. Compressed, a binary outcome takes about two bits.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .catalogue import BINARY, REGRESSION
from .labels import Label
from .pairing import COLUMNS, MAX_BLOCKS, START_WIDTH

#: Positions to a segment: a multiple of every block width in use.
SPAN = START_WIDTH * 512
#: Segments kept of a run, the newest ones: about a million events.
MOST_SEGMENTS = 100
SCORED, WRONG, POSITIVE = 1, 2, 4

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class Outcomes(NamedTuple):
    """How some predictions turned out."""

    positions: npt.NDArray[np.int64]
    values: Values


def note_outcomes(
    task: str, positions: Sequence[int], labels: Sequence[Label], said: Sequence[Label | None]
) -> Outcomes:
    """Return how predictions turned out.

    Examples
    --------
    >>> note_outcomes("binary", [1, 2, 3], [True, False, True], [True, True, None]).values.tolist()
    [5, 3, 0]
    """
    where = np.array(positions, dtype=np.int64)
    if task == REGRESSION:
        answers = np.array([np.nan if answer is None else answer for answer in said], dtype=float)
        with np.errstate(over="ignore"):
            return Outcomes(where, (np.array(labels, dtype=float) - answers).astype(np.float32))
    wrong = np.fromiter((y != p for y, p in zip(labels, said, strict=True)), dtype=bool, count=len(labels))
    values = SCORED + WRONG * wrong.astype(np.uint8)
    if task == BINARY:
        values = values + POSITIVE * np.array(labels, dtype=np.uint8)
    if None in said:
        values[[answer is None for answer in said]] = 0
    return Outcomes(where, values.astype(np.uint8))


def split_segments(outcomes: Iterable[Outcomes]) -> dict[int, Outcomes]:
    """Return outcomes by the number of their segment."""
    parts = list(outcomes)
    if not parts:
        return {}
    positions = np.concatenate([part.positions for part in parts])
    values = np.concatenate([part.values for part in parts])
    numbers = (positions - 1) // SPAN
    return {int(k): Outcomes(positions[numbers == k], values[numbers == k]) for k in np.unique(numbers)}


def fill_segment(task: str, number: int, before: bytes, outcomes: Outcomes) -> bytes:
    """Return a segment with outcomes put in; `before` is what was kept of it, or nothing."""
    places = outcomes.positions - 1 - number * SPAN
    segment = _empty(task, int(places[-1]) + 1)
    if before:
        kept = unpack_segment(task, before)
        segment = np.concatenate((kept, segment[len(kept) :]))
    segment[places] = outcomes.values
    return zlib.compress(segment.tobytes(), 1)


def unpack_segment(task: str, data: bytes) -> Values:
    """Return the values of a segment, from its first position on."""
    return np.frombuffer(zlib.decompress(data), dtype=_kind(task))


def _kind(task: str) -> type[np.generic]:
    return np.float32 if task == REGRESSION else np.uint8


def _empty(task: str, size: int) -> Values:
    return np.full(size, np.nan if task == REGRESSION else 0, dtype=_kind(task))


class Pair:
    """Two runs on the events that both predicted: who was right where, and block by block what each did.

    Parameters
    ----------
    task
        `binary`, `multiclass` or `regression`.
    names
        What the two are called.
    one, other
        Their segments by number, packed.
    """

    def __init__(self, task: str, names: tuple[str, str], one: Mapping[int, bytes], other: Mapping[int, bytes]) -> None:
        self.task = task
        self.names = names
        self._shared = 0
        self._wins = [0, 0]
        self._blocks: tuple[list[Floats], list[Floats]] = ([], [])
        numbers = sorted(set(one) & set(other))
        self._width = START_WIDTH
        while len(numbers) * SPAN > MAX_BLOCKS * self._width and self._width < SPAN:
            self._width *= 2
        for number in numbers:
            self._add(unpack_segment(task, one[number]), unpack_segment(task, other[number]))

    def _add(self, one: Values, other: Values) -> None:
        size = min(len(one), len(other))
        one, other = one[:size], other[:size]
        scored = [values & SCORED > 0 if self.task != REGRESSION else ~np.isnan(values) for values in (one, other)]
        both = scored[0] & scored[1]
        self._shared += int(both.sum())
        columns = [_columns(self.task, values, both) for values in (one, other)]
        if self.task != REGRESSION:
            wrong = [found[1] > 0 for found in columns]
            self._wins[0] += int((~wrong[0] & wrong[1]).sum())
            self._wins[1] += int((wrong[0] & ~wrong[1]).sum())
        starts = np.arange(0, size, self._width)
        kept = np.add.reduceat(both, starts) > 0 if size else both
        for blocks, found in zip(self._blocks, columns, strict=True):
            if size:
                blocks.append(np.add.reduceat(found, starts, axis=1).T[kept])

    def count_shared(self, one: str, other: str) -> int:
        """Return how many events both predicted."""
        assert {one, other} <= set(self.names)
        return self._shared

    def count_wins(self, one: str, other: str) -> tuple[int, int]:
        """Return how often the one was right and the other wrong, and the reverse."""
        first, second = self._wins
        return (first, second) if (one, other) == self.names else (second, first)

    def sum_blocks(self, name: str) -> Floats:
        """Return a run's sums, one row per block of events, one column per name in `COLUMNS`."""
        blocks = self._blocks[self.names.index(name)]
        return np.concatenate(blocks) if blocks else np.empty((0, len(COLUMNS[self.task])))


def _columns(task: str, values: Values, both: npt.NDArray[np.bool_]) -> Floats:
    """Return one row per column of `COLUMNS`, all zero where not both predicted."""
    return np.stack([np.where(both, row, 0.0) for row in _rows(task, values)])


def _rows(task: str, values: Values) -> Iterator[Values]:
    if task == REGRESSION:
        misses = values.astype(np.float64)
        yield np.ones(len(values))
        yield np.abs(misses)
        yield misses * misses
        return
    wrong = values & WRONG > 0
    yield np.ones(len(values))
    yield wrong
    if task == BINARY:
        positive = values & POSITIVE > 0
        yield positive & ~wrong
        yield ~positive & wrong
        yield positive & wrong
