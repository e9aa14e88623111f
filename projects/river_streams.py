"""Opens bundled data sets. Only the worker calls this: importing River takes three seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice

from projects.bundled import find_data_set
from projects.payload import Features, Incoming

#: Streams that a worker process keeps open, by import: reading on is cheaper than reading again from the start.
_open: dict[int, tuple[int, Iterator[Incoming]]] = {}
_KEPT = 8


def read_data_set(import_id: int, name: str, start: int, count: int) -> list[Incoming]:
    """Return up to `count` events of a data set from number `start` (0 is the first) on."""
    reached, events = _open.pop(import_id, (0, None))
    if events is None or reached != start:
        events = islice(_events(name), start, None)
    found = list(islice(events, count))
    while len(_open) >= _KEPT:
        close_data_set(next(iter(_open)))
    _open[import_id] = (start + len(found), events)
    return found


def close_data_set(import_id: int) -> None:
    """Let go of the stream of an import that is over."""
    _, events = _open.pop(import_id, (0, iter(())))
    deque(events, maxlen=0)  # River closes the file of a stream at its end only


def _events(name: str) -> Iterator[Incoming]:
    data_set = find_data_set(name)
    stream = getattr(import_module("river.datasets"), data_set.name)()
    for number, (features, label) in enumerate(stream, start=1):
        plain, at = _without_times(features)
        yield Incoming(number, f"{name}-{number}", plain, label, at)


def _without_times(features: Features) -> tuple[Features, datetime | None]:
    """Split a time among the features into numbers that can be learned from; it is the event's time as well."""
    plain, at = {}, None
    for name, value in features.items():
        if not isinstance(value, datetime):
            plain[name] = value
            continue
        at = value if value.tzinfo else value.replace(tzinfo=UTC)
        for part in ("year", "month", "day"):
            plain[f"{name} {part}"] = getattr(value, part)
        plain[f"{name} weekday"] = value.isoweekday()
        plain[f"{name} hour"] = value.hour
    return plain, at
