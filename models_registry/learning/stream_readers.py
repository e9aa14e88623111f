"""Reading the streams of `streams`: features as JSON can hold them, and the label."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from river import datasets
from river.datasets import synth

from .intake import Features
from .labels import Label
from .streams import MAX_GENERATED, find_stream

Pair = tuple[Features, Label]
Pairs = Iterable[tuple[dict[Any, Any], Any]]


def read_stream(slug: str, events: int | None = None, *, seed: int = 42) -> Iterator[Pair]:
    """Return the features and labels of a stream, in order.

    Parameters
    ----------
    slug
        Slug of the stream.
    events
        How many to give at most; all of a real stream, or as many as `streams` says, when left out.
    seed
        Seed of a generator.

    Examples
    --------
    >>> features, label = next(read_stream("phishing"))
    >>> features["is_popular"], label
    (0.5, True)
    >>> next(read_stream("sea-abrupt", seed=1))[1] in (True, False)
    True
    """
    stream = find_stream(slug)
    count = stream.events if events is None else min(events, MAX_GENERATED)
    pairs: Pairs = _REAL[slug]() if stream.real else _MADE[slug](count, seed)
    # River closes the file of a real stream only at its end, so that is read to it.
    for features, label in pairs if stream.real else itertools.islice(pairs, count):
        if count > 0:
            yield _plain(features), bool(label) if stream.task == "binary" else label
        count -= 1


def _plain(features: dict[Any, Any]) -> Features:
    """Return features as JSON can hold them: named by text, and a date as its parts."""
    plain: Features = {}
    for name, value in features.items():
        if isinstance(value, datetime.datetime):
            plain |= {"year": value.year, "month": value.month, "day": value.day}
            plain |= {"weekday": value.weekday(), "hour": value.hour}
        else:
            plain[str(name) if isinstance(name, str) else f"x{name}"] = value
    return plain


def _abrupt(before: Pairs, after: Pairs, count: int) -> Iterator[Any]:
    yield from itertools.islice(before, count // 2)
    yield from after


def _gradual(before: Pairs, after: Pairs, count: int, seed: int) -> Iterator[Any]:
    """Mix two concepts: the chance of the second rises from 0 to 1 over the middle fifth."""
    rng = random.Random(seed)  # noqa: S311 (a stream is made up, not kept secret)
    first, second = iter(before), iter(after)
    for i in itertools.count():
        chance = (i / count - 0.4) / 0.2
        yield next(second if rng.random() < chance else first)


def _sea(variant: int, seed: int) -> Pairs:
    return synth.SEA(variant=variant, noise=0.1, seed=seed)


def _agrawal(function: int, seed: int) -> Pairs:
    return synth.Agrawal(classification_function=function, seed=seed)


def _friedman_drift(count: int, seed: int) -> Pairs:
    return synth.FriedmanDrift(drift_type="gra", position=(count // 3, 2 * count // 3), transition_window=1, seed=seed)


_REAL: dict[str, Callable[[], Pairs]] = {
    "phishing": datasets.Phishing,
    "image-segments": datasets.ImageSegments,
    "trump-approval": datasets.TrumpApproval,
    "shuttle": datasets.Shuttle,
    "bananas": datasets.Bananas,
    "chick-weights": datasets.ChickWeights,
    "sp500": datasets.SP500Stocks,
    "water-flow": datasets.WaterFlow,
    "airline-passengers": datasets.AirlinePassengers,
}
_MADE: dict[str, Callable[[int, int], Pairs]] = {
    "sea-abrupt": lambda count, seed: _abrupt(_sea(0, seed), _sea(3, seed + 1), count),
    "sea-gradual": lambda count, seed: _gradual(_sea(0, seed), _sea(3, seed + 1), count, seed),
    "agrawal": lambda _, seed: _agrawal(0, seed),
    "agrawal-abrupt": lambda count, seed: _abrupt(_agrawal(0, seed), _agrawal(4, seed + 1), count),
    "hyperplane": lambda _, seed: synth.Hyperplane(
        seed=seed, n_features=10, n_drift_features=5, mag_change=0.001, noise_percentage=0.05
    ),
    "led": lambda _, seed: synth.LED(seed=seed, noise_percentage=0.1),
    "friedman": lambda _, seed: synth.Friedman(seed=seed),
    "friedman-drift": _friedman_drift,
}
