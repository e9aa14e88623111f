r"""Metric curves of bounded length that keep their extremes.

A curve is kept as buckets of stream positions, $w$ positions to a bucket: bucket $b$ holds the positions $p$ with
$\lfloor (p - 1) / w \rfloor = b$. For every series a bucket keeps the last, the lowest and the highest of the values
the series had **at each event** in it. As the run goes on the width doubles: at the first multiple of $2w$ that lies
`MAX_POINTS` times $w$ or more after the run's start. Merging buckets loses no extreme, so a run of any length has at
most `MAX_POINTS` buckets (and one), and they depend on the positions alone, not on how the stream was cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

START_WIDTH = 10
MAX_POINTS = 1_000

Values = dict[str, list[float | None]]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Point(NamedTuple):
    """One bucket of a run's metric curves.

    Parameters
    ----------
    first
        Position of its first scored event.
    position
        Position of its last scored event.
    values
        For each series `[last, low, high]`; `None` where the series has no value yet.
    """

    first: int
    position: int
    values: Values


def width_at(position: int, origin: int = 0) -> int:
    """Return the bucket width in force at a position of a run that started after `origin`.

    Examples
    --------
    >>> width_at(1), width_at(10_000), width_at(10_001), width_at(10_000_000)
    (10, 10, 20, 10240)
    """
    width = START_WIDTH
    while position > _last_position(width, origin):
        width *= 2
    return width


def _last_position(width: int, origin: int) -> int:
    """Return the last position at which a width is in force."""
    return math.ceil((origin + MAX_POINTS * width) / (2 * width)) * 2 * width


def merge_points(points: Iterable[Point], width: int) -> list[Point]:
    """Return the points in buckets of `width` positions; the last value is the latest, extremes are exact.

    Parameters
    ----------
    points
        Points in order of position, of this width or narrower.
    width
        The bucket width wanted.

    Examples
    --------
    >>> merge_points([Point(1, 10, {"a": [3.0, 1.0, 4.0]}), Point(11, 20, {"a": [2.0, 0.5, 3.0]})], 20)
    [Point(first=1, position=20, values={'a': [2.0, 0.5, 4.0]})]
    """
    merged: list[Point] = []
    for point in points:
        if merged and (merged[-1].position - 1) // width == (point.position - 1) // width:
            merged[-1] = _join(merged[-1], point)
        else:
            merged.append(point)
    return merged


def thin_points(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most `most` points (two or more), merged as little as needed."""
    width = START_WIDTH
    thinned = list(points)
    while len(thinned) > max(most, 2):
        thinned = merge_points(thinned, width)
        width *= 2
    return thinned


def _join(one: Point, other: Point) -> Point:
    values: Values = dict(one.values)
    for key, (last, low, high) in other.values.items():
        if key in values:
            _, low_before, high_before = values[key]
            if low is None or (low_before is not None and low_before <= low):
                low = low_before
            if high is None or (high_before is not None and high_before >= high):
                high = high_before
        values[key] = [last, low, high]
    return Point(one.first, other.position, values)


class Thinner:
    """Turns the values of all series at every event into finished buckets.

    Parameters
    ----------
    origin
        The position before the run's first event.
    """

    def __init__(self, origin: int = 0) -> None:
        self.origin = origin
        self.width = START_WIDTH
        self._open: Point | None = None

    def add(self, positions: Integers, names: Sequence[str], values: Floats) -> tuple[list[Point], int | None]:
        """Take the values at some events.

        Parameters
        ----------
        positions
            The events' positions, rising (integers, one per column).
        names
            The series' keys.
        values
            One row per series, one column per event; NaN where a series has no value.

        Returns
        -------
        The buckets that are now finished, and the width to merge stored points to, if it has grown.
        """
        width_before = self.width
        finished: list[Point] = []
        start, count = 0, len(positions)
        while start < count:
            last = _last_position(self.width, self.origin)
            stop = int(np.searchsorted(positions, last, side="right"))
            if stop > start:
                finished += self._fill(positions[start:stop], names, values[:, start:stop])
                start = stop
            if start < count or (stop and positions[stop - 1] == last):
                self.width *= 2
        if self.width == width_before:
            return finished, None
        return merge_points(finished, self.width), self.width

    def _fill(self, positions: Integers, names: Sequence[str], values: Floats) -> list[Point]:
        buckets = (positions - 1) // self.width
        starts = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
        ends = np.append(starts[1:], len(positions)) - 1
        lows, highs = np.fmin.reduceat(values, starts, axis=1), np.fmax.reduceat(values, starts, axis=1)
        found = np.stack((values[:, ends], lows, highs), axis=2).swapaxes(0, 1)
        triples = found.tolist() if np.isfinite(found).all() else _plain(found)
        firsts, finals = positions[starts].tolist(), positions[ends].tolist()
        points = [
            Point(first, final, dict(zip(names, row, strict=True)))
            for first, final, row in zip(firsts, finals, triples, strict=True)
        ]
        if self._open is not None:
            if (self._open.position - 1) // self.width == (points[0].position - 1) // self.width:
                points[0] = _join(self._open, points[0])
            else:
                points.insert(0, self._open)
            self._open = None
        if points[-1].position % self.width:
            self._open = points.pop()
        return points


def _plain(values: Floats) -> Any:
    """Return nested lists that JSON can hold: no NaN, no infinity."""
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()
