"""What the result rests on: one assumption or scope factor moved at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.choice import Problem, net_days
from assessments.scoring.draws import Draws
from assessments.scoring.evaluate import average, problem_at
from assessments.scoring.search import best_sets
from assessments.scoring.settings import Settings

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Swing:
    """Result at the low and at the high end of one assumption: net days, size of the best set, and who differs."""

    name: str
    kind: str
    low: float
    high: float
    net_low: float
    net_high: float
    size_low: int
    size_high: int
    only_low: tuple[str, ...]
    only_high: tuple[str, ...]

    @property
    def width(self) -> float:
        """How far the net days move."""
        return abs(self.net_high - self.net_low)


@dataclass(frozen=True, slots=True)
class Tornado:
    """Net days and size of the best set as they are, and every swing, widest first."""

    net: float
    size: int
    swings: tuple[Swing, ...]


def tornado(draws: Draws, u: Array, first_version: bool, settings: Settings) -> Tornado:
    """Move one thing at a time between its low and its high end, on the average reading.

    Varied are L, overrun, upkeep and (before a first release) delta over the ranges in the settings, each benefit's
    weight times the ``weight`` range with the others scaled to keep the sum, and each known scope factor from anchor to
    anchor.

    Parameters
    ----------
    draws
        Readings.
    u
        Positions of the scope factors, shape (F,).
    first_version
        Whether the first version has not been released yet.
    settings
        Assumptions.

    """
    middle = average(draws)
    base = problem_at(middle, u[None], first_version, settings)
    names, problems = [], [base]
    for name, kind, ends, pair in _variations(middle, u, first_version, settings):
        names.append((name, kind, ends))
        problems.extend(pair)
    together = Problem(
        worths=np.concatenate([p.worths for p in problems]),
        shares=np.concatenate([p.shares for p in problems]),
        costs=np.concatenate([p.costs for p in problems]),
        efforts=np.concatenate([p.efforts for p in problems]),
        requires=base.requires,
        budget=base.budget,
    )
    chosen = best_sets(together)
    net, size = net_days(together, chosen), chosen.sum(axis=1)
    swings = []
    for i, (name, kind, (low, high)) in enumerate(names):
        a, b = 1 + 2 * i, 2 + 2 * i
        only = [tuple(draws.slugs[j] for j in np.flatnonzero(chosen[x] & ~chosen[y])) for x, y in ((a, b), (b, a))]
        swings.append(
            Swing(name, kind, low, high, float(net[a]), float(net[b]), int(size[a]), int(size[b]), only[0], only[1])
        )
    return Tornado(float(net[0]), int(size[0]), tuple(sorted(swings, key=lambda swing: -swing.width)))


def _variations(
    middle: Draws, u: Array, first_version: bool, settings: Settings
) -> Iterator[tuple[str, str, tuple[float, float], tuple[Problem, Problem]]]:
    for name in ("full_benefit_days", "overrun", "upkeep", "first_version_delay"):
        if name not in settings.sensitivity_ranges or (name == "first_version_delay" and not first_version):
            continue
        ends = settings.sensitivity_ranges[name]
        pair = []
        for value in ends:
            changed = replace(settings, **{name: value})  # type: ignore[arg-type]
            # The readings hold the overrun already.
            efforts = middle.efforts * (value / settings.overrun if name == "overrun" and settings.overrun else 1)
            pair.append(problem_at(replace(middle, efforts=efforts), u[None], first_version, changed))
        yield name, "assumption", ends, (pair[0], pair[1])
    for k, key in enumerate(settings.benefits):
        weight = float(middle.weights[0, k])
        low, high = (min(1.0, weight * times) for times in settings.sensitivity_ranges.get("weight", (1.0, 1.0)))
        if low < high and weight < 1:
            pair = []
            for value in (low, high):
                weights = middle.weights * (1 - value) / (1 - weight)
                weights[0, k] = value
                pair.append(problem_at(replace(middle, weights=weights), u[None], first_version, settings))
            yield key, "weight", (low, high), (pair[0], pair[1])
    for f in np.flatnonzero(~np.isnan(u)):
        pair = []
        for value in (0.0, 1.0):
            moved = u.copy()
            moved[f] = value
            pair.append(problem_at(middle, moved[None], first_version, settings))
        factor = settings.factors[f]
        yield factor.name, "scope", (factor.low, factor.high), (pair[0], pair[1])
