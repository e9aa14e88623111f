"""What comes in: events checked one by one, the bad ones set aside with a reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .catalogue import REGRESSION
from .errors import DataError, OutOfOrderError
from .labels import LARGEST, Label, LabelBook, show

Features = dict[str, Any]
Event = tuple[int, Features, Any]
"""A position, the features, the label."""

MAX_FEATURES = 10_000
_MAX_SHAPES = 256
_NUMBER, _TEXT = "a number", "text"


class SetAside(NamedTuple):
    """An event that was not learned."""

    position: int
    reason: str


class Batch(NamedTuple):
    """Events ready to learn, column by column."""

    positions: list[int]
    features: list[Features]
    labels: list[Label]
    set_aside: list[SetAside]
    last: int
    """Position of the last event taken, set aside or not."""

    def before(self, i: int) -> Batch:
        """Return the part before the event of this index, with what was set aside before it."""
        return self.first(i, last=self.positions[i] - 1)

    def first(self, count: int, *, last: int) -> Batch:
        """Return the first events, with what was set aside up to a position."""
        aside = [event for event in self.set_aside if event.position <= last]
        return Batch(self.positions[:count], self.features[:count], self.labels[:count], aside, last)


class Intake:
    """Checks events against what the stream has held so far.

    A feature is a number, text, true or false; `null` means missing and is dropped. What a feature was first, a number
    or text, it has to stay: an event that breaks this, holds NaN or infinity, or has no usable label is set aside.

    Parameters
    ----------
    labels
        How labels are read.
    needed
        Features without which an event cannot be learned.
    """

    def __init__(self, labels: LabelBook, needed: Iterable[str] = ()) -> None:
        self.labels = labels
        self.needed = tuple(needed)
        self.position = 0
        self._kinds: dict[str, str] = {}
        # Names of events found all numeric: for those one sum finds anything that is not a finite number.
        self._shapes: set[tuple[str, ...]] = set()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_shapes": set()}

    def take(self, events: Iterable[Event]) -> Batch:
        """Check events, in order of position.

        Parameters
        ----------
        events
            `(position, features, label)` tuples, positions rising.

        Raises
        ------
        OutOfOrderError
            If a position does not come after the one before: learning it would learn an event twice.
        """
        positions: list[int] = []
        features: list[Features] = []
        labels: list[Label] = []
        aside: list[SetAside] = []
        last = self.position
        shapes, codes = self._shapes, self.labels.codes
        coded = self.labels.task != REGRESSION
        for position, x, label in events:
            if position <= last:
                raise OutOfOrderError(position, last)
            last = position
            try:
                if coded and label in codes:
                    y = codes[label]
                elif not coded and type(label) is float and -LARGEST < label < LARGEST:
                    y = label
                else:
                    y = self.labels.encode(label)
                try:
                    # A sum is finite only if every number in it is, and fails on anything that is not a number.
                    plain = tuple(x) in shapes and -LARGEST < sum(x.values()) < LARGEST
                except (TypeError, AttributeError):
                    plain = False
                if not plain:
                    x = self.check_features(x, remember=True)
            except DataError as error:
                aside.append(SetAside(position, str(error)))
                continue
            except TypeError:
                # A list or an object: nothing that could be looked up.
                aside.append(SetAside(position, f"the label is {show(label)}; expected text or a number"))
                continue
            positions.append(position)
            features.append(x)
            labels.append(y)
        self.position = last
        return Batch(positions, features, labels, aside, last)

    def advance(self, position: int) -> None:
        """Take note of a position, which has to come after the one before."""
        if position <= self.position:
            raise OutOfOrderError(position, self.position)
        self.position = position

    def check_features(self, x: object, *, remember: bool = False) -> Features:
        """Return the features to learn or predict from, or raise `DataError` with the reason they cannot be used.

        Parameters
        ----------
        x
            The features as they came.
        remember
            Whether what is new in them is held against later events.
        """
        if not isinstance(x, Mapping):
            raise DataError(f"the features are {show(x)}; expected an object of names and values")
        kinds = self._kinds
        new: dict[str, str] = {}
        missing = False
        for name, value in x.items():
            kind = _kind_of(name, value)
            if kind is None:
                missing = True
                continue
            before = kinds.get(name)
            if before is None:
                new[name] = kind
            elif before != kind:
                raise DataError(f"feature {show(name)} is {show(value)}; expected {before}, as before")
        kept = {name: value for name, value in x.items() if value is not None} if missing else x
        if not kept:
            raise DataError("there are no features")
        for name in self.needed:
            if name not in kept:
                raise DataError(f"feature {show(name)} is missing, and the model needs it")
        if remember:
            if new and len(kinds) < MAX_FEATURES:
                kinds.update(new)
            if not missing and len(self._shapes) < _MAX_SHAPES and all(kinds.get(name) == _NUMBER for name in x):
                self._shapes.add(tuple(x))
        return kept  # type: ignore[return-value]


def _kind_of(name: object, value: object) -> str | None:
    """Return what a value is, `None` for a missing one."""
    if isinstance(value, int | float):
        if not -LARGEST < value < LARGEST:
            wrong = (
                "too large to compute with" if isinstance(value, int) or math.isfinite(value) else "not a finite number"
            )
            raise DataError(f"feature {show(name)} is {wrong}")
        return _NUMBER
    if isinstance(value, str):
        return _TEXT
    if value is None:
        return None
    raise DataError(f"feature {show(name)} is {show(value)}; expected a number, text, true or false")
