"""When a version is due: on fixed positions, so that it does not matter how the stream is cut into chunks."""

from __future__ import annotations

MOST = 40
"""So many versions at one distance; then the distance doubles."""


def next_due(position: int, start: int, every: int) -> int:
    """Return the next position after `position` at which a version is due.

    Versions stand on multiples of the distance. Each time a run has come `MOST` distances far the distance doubles, so
    that a run of any length has few of them and they stand about evenly along it.

    Parameters
    ----------
    position
        Where the run stands.
    start
        Where it started.
    every
        The first distance, in events.

    Examples
    --------
    >>> next_due(0, 0, 1_000), next_due(39_999, 0, 1_000), next_due(40_000, 0, 1_000), next_due(9_000_000, 0, 1_000)
    (1000, 40000, 42000, 9216000)
    """
    while position - start >= MOST * every:
        every *= 2
    return (position // every + 1) * every


def is_due(position: int, start: int, every: int) -> bool:
    """Say whether a version is due at `position`."""
    return next_due(position - 1, start, every) == position
