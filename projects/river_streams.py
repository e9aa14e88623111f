"""Opens bundled data sets and generators. Only the worker calls this: importing River takes three seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from itertools import count as counted
from itertools import islice
from random import Random
from typing import Any

from projects.bundled import find_data_set
from projects.payload import Features, Incoming
from projects.synthetic import ABRUPT, GRADUAL, Recipe, find_stream

#: Streams that a worker process keeps open, by import: reading on is cheaper than reading again from the start.
_open: dict[int, tuple[int, Iterator[Incoming]]] = {}
_KEPT = 8


def read_data_set(import_id: int, name: str, start: int, count: int) -> list[Incoming]:
    """Return up to `count` events of a data set from number `start` (0 is the first) on."""
    return _read(import_id, partial(_events, name), start, count)


def read_synthetic(import_id: int, recipe: Recipe, start: int, count: int) -> list[Incoming]:
    """Return `count` events of a synthetic stream from number `start` (0 is the first) on."""
    return _read(import_id, partial(_made_up, recipe), start, count)


def _read(import_id: int, opened: Callable[[], Iterator[Incoming]], start: int, count: int) -> list[Incoming]:
    reached, events = _open.pop(import_id, (0, None))
    if events is None or reached != start:
        events = islice(opened(), start, None)
    found = list(islice(events, count))
    while len(_open) >= _KEPT:
        _open.pop(next(iter(_open)))
    _open[import_id] = (start + len(found), events)
    return found


def close_data_set(import_id: int) -> None:
    """Let go of the data set of an import that is over."""
    _, events = _open.pop(import_id, (0, iter(())))
    deque(events, maxlen=0)  # River closes the file of a data set at its end only


def close_synthetic(import_id: int) -> None:
    """Let go of the stream of an import that is over; a generator has no end to read to."""
    _open.pop(import_id, None)


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


Pairs = Iterator[tuple[dict[Any, Any], Any]]


def _made_up(recipe: Recipe) -> Iterator[Incoming]:
    """Yield the events of a synthetic stream, without end."""
    task = find_stream(recipe.stream).task
    for number, (features, label) in enumerate(_drifting(recipe), start=1):
        plain = {name if isinstance(name, str) else f"x{name}": value for name, value in features.items()}
        yield Incoming(number, f"{recipe.key_prefix}{number}", plain, bool(label) if task == "binary" else label)


def _drifting(recipe: Recipe) -> Pairs:
    """Change from one concept to the other: at once, or ever more often over a stretch.

    River's `ConceptDriftStream` does the same by a sigmoid that overflows where an abrupt drift is more than some
    hundred events away.
    """
    before, after = (_concept(recipe.stream, second, recipe.seed + second) for second in (False, True))
    rng = Random(recipe.seed)  # noqa: S311 - a stream is made up, not kept secret
    for number in counted(1):
        if recipe.drift == ABRUPT:
            changed = number >= recipe.drift_at
        elif recipe.drift == GRADUAL:
            changed = rng.random() < (number - recipe.drift_at) / recipe.drift_width + 0.5
        else:
            changed = False
        yield next(after if changed else before)


def _concept(name: str, second: bool, seed: int) -> Pairs:
    """Open the generator of one of the two concepts of a stream."""
    made = import_module("river.datasets.synth")
    match name:
        case "sea":
            return iter(made.SEA(variant=3 if second else 0, noise=0.1, seed=seed))
        case "agrawal":
            return iter(made.Agrawal(classification_function=4 if second else 0, seed=seed))
        case "hyperplane":
            turning = {"n_features": 10, "n_drift_features": 5, "mag_change": 0.001, "noise_percentage": 0.05}
            return iter(made.Hyperplane(seed=seed, **turning))
        case "led" if second:
            return iter(made.LEDDrift(seed=seed, noise_percentage=0.1, n_drift_features=7))
        case "led":
            return iter(made.LED(seed=seed, noise_percentage=0.1))
        case "rbf":
            return iter(made.RandomRBFDrift(seed_model=seed, seed_sample=seed, n_classes=4, change_speed=0.001))
        case _:
            stream = iter(made.Friedman(seed=seed))
            return _reversed_features(stream) if second else stream


def _reversed_features(stream: Pairs) -> Pairs:
    for features, label in stream:
        yield dict(zip(features, reversed(features.values()), strict=True)), label
