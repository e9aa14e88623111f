"""Watching a model's error for a change that chance does not explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .build import build
from .catalogue import REGRESSION


class Drift(NamedTuple):
    """A change of the error."""

    position: int
    detector: str
    what: str


class ErrorWatch:
    """Feeds a drift detector the error of every scored event.

    The error is 1 for a wrong class and 0 for a right one, or the absolute error of a regression.

    Parameters
    ----------
    spec
        The detector's spec: `{"use": "drift.ADWIN", "params": {"delta": 0.001}}`.
    seed
        The run's seed.
    task
        `binary`, `multiclass` or `regression`; says how the change is put in words.

    Examples
    --------
    >>> watch = ErrorWatch({"use": "drift.ADWIN"}, 1, "binary")
    >>> drifts = watch.follow(range(1, 2001), [0.0] * 1000 + [1.0] * 1000)
    >>> drifts[0].position, drifts[0].what.split(" from ")[0]
    (1024, 'the error rate rose')

    References
    ----------
    [^1]: Bifet, A. and Gavaldà, R. (2007). Learning from time-changing data with adaptive windowing.
    """

    def __init__(self, spec: dict[str, Any], seed: int, task: str) -> None:
        self.name = str(spec["use"]).rpartition(".")[2]
        self._detector = build(spec, seed)
        self._task = task
        self._sum = 0.0
        self._events = 0

    def follow(self, positions: Sequence[int], errors: Sequence[float]) -> list[Drift]:
        """Take the errors of scored events; return the drifts found."""
        detector = self._detector
        update = detector.update
        total, events = self._sum, self._events
        drifts = []
        for i, error in enumerate(errors):
            update(error)
            total += error
            events += 1
            if detector.drift_detected:
                drifts.append(Drift(positions[i], self.name, self._describe(total, events)))
                total, events = 0.0, 0
        self._sum, self._events = total, events
        return drifts

    def _describe(self, total: float, events: int) -> str:
        """Put the change in words; a detector that keeps the newer events can say from what to what."""
        kept = getattr(self._detector, "width", 0)
        what = "the mean error" if self._task == REGRESSION else "the error rate"
        if not 0 < kept < events:
            return f"{what} changed"
        after = self._detector.total / kept
        before = (total - self._detector.total) / (events - kept)
        verb = "rose" if after > before else "fell"
        if self._task == REGRESSION:
            return f"{what} {verb} from {before:.4g} to {after:.4g}"
        return f"{what} {verb} from {100 * max(before, 0):.1f}% to {100 * after:.1f}%"
