"""What would change a verdict: one scope factor alone, or the way from today to the plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.benefit import cost_per_day, shares_of
from assessments.scoring.choice import Flags
from assessments.scoring.draws import Draws
from assessments.scoring.evaluate import problem_at, selected
from assessments.scoring.need import floors, share_table
from assessments.scoring.scope import Factor, Scope
from assessments.scoring.search import best_sets
from assessments.scoring.settings import Settings

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Flip:
    """Where an option enters (`enters`) or leaves the best set, if only this factor moves."""

    option: str
    factor: str
    value: float
    position: float
    enters: bool
    words: str


@dataclass(frozen=True, slots=True)
class PathFlip:
    """Where on the way to the plan (`part`, 0 to 1) an option enters or leaves, with the scope at that point."""

    option: str
    part: float
    enters: bool
    scope: Scope
    words: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Probability of each option at m points on the way from one scope to another, shape (m, n)."""

    points: Array
    probabilities: Array


def sweeps(
    draws: Draws, begins: Array, ends: Array, points: Array, first_version: bool, settings: Settings
) -> list[Sweep]:
    r"""Follow the best sets along straight ways through the scope, with the same readings at each point.

    What a set is worth is linear in the needs, and the needs are linear along a way, so the best value is convex:
    a set that is best at two points is best everywhere between them. Only stretches whose ends differ are halved.

    Parameters
    ----------
    draws
        D readings over n options.
    begins, ends
        Positions at the two ends of each way, shape (w, F).
    points
        Places on each way, 0 to 1 and rising, shape (w, m).
    first_version
        Whether the first version has not been released yet.
    settings
        Assumptions.

    Returns
    -------
    One sweep per way.

    """
    ways, count = points.shape
    readings = len(draws.weights)
    chosen = np.zeros((ways * readings, count, len(draws.options)), dtype=bool)
    every = np.arange(ways * readings)
    stretches: list[tuple[int, int, NDArray[np.intp]]] = [(0, count - 1, every)]
    asked = [(0, every), (count - 1, every)]
    while asked:
        rows = np.concatenate([part for _, part in asked])
        at = np.concatenate([np.full(len(part), point) for point, part in asked])
        way, reading = np.divmod(rows, readings)
        u = begins[way] + points[way, at][:, None] * (ends - begins)[way]
        chosen[rows, at] = _best_in_parts(draws, reading, u, first_version, settings)
        asked, halves = [], []
        for low, high, part in stretches:
            same = (chosen[part, low] == chosen[part, high]).all(axis=1)
            chosen[part[same], low + 1 : high] = chosen[part[same], low][:, None]
            if high - low > 1 and not same.all():
                middle, left = (low + high) // 2, part[~same]
                asked.append((middle, left))
                halves += [(low, middle, left), (middle, high, left)]
        stretches = halves
    shares = chosen.reshape(ways, readings, count, -1).mean(axis=1)
    return [Sweep(points[w], shares[w]) for w in range(ways)]


def _best_in_parts(
    draws: Draws, reading: NDArray[np.intp], u: Array, first_version: bool, settings: Settings, size: int = 4000
) -> Flags:
    """Best sets of some readings, each at its own scope; in parts, to keep memory small."""
    found = [
        best_sets(problem_at(selected(draws, reading[part]), u[part], first_version, settings))
        for part in (slice(start, start + size) for start in range(0, len(reading), size))
    ]
    return np.concatenate(found)


def crossing(x: Array, y: Array, level: float = 0.5, start: int = 0) -> tuple[float, bool] | None:
    """Where a line through points first crosses a level, going outwards from a starting point.

    Parameters
    ----------
    x, y
        Points, x rising, shape (m,).
    level
        The level.
    start
        Index of today's point.

    Returns
    -------
    The x nearest to x[start] at which y is on the other side of the level than at `start`, and whether y is above the
    level there; ``None`` if y stays on one side.

    Examples
    --------
    >>> crossing(np.array([0.0, 100.0]), np.array([-2.0, 2.0]), 0.0)
    (50.0, True)

    """
    above = bool(y[start] >= level)
    best: float | None = None
    for direction in (-1, 1):
        i = start
        while 0 <= i + direction < len(x):
            j = i + direction
            if bool(y[j] >= level) != above:
                part = 1.0 if y[j] == y[i] else (level - y[i]) / (y[j] - y[i])
                found = float(x[i] + part * (x[j] - x[i]))
                if best is None or abs(found - x[start]) < abs(best - x[start]):
                    best = found
                break
            i = j
    return None if best is None else (best, not above)


def single_flips(draws: Draws, u: Array, first_version: bool, settings: Settings) -> dict[str, tuple[Flip, ...]]:
    """For each option the factors that alone change its side, the soonest first; none if no single factor does.

    Each known factor is swept over its whole range with the readings unchanged, and the nearest point to today, in
    positions, where p crosses one half is reported.

    Parameters
    ----------
    draws
        Readings; a few hundred are enough.
    u
        Today's positions, shape (F,), ``nan`` where unknown.
    first_version
        Whether the first version has not been released yet.
    settings
        Assumptions.

    """
    known = np.flatnonzero(~np.isnan(u))
    begins, ends = np.tile(u, (len(known), 1)), np.tile(u, (len(known), 1))
    begins[np.arange(len(known)), known], ends[np.arange(len(known)), known] = 0.0, 1.0
    steps = np.linspace(0, 1, settings.flip_steps)
    # Today's position is a point of its own; where it meets a step the two stand side by side.
    points = np.array([np.sort(np.append(steps, u[f])) for f in known])
    flips: dict[str, list[tuple[float, Flip]]] = {slug: [] for slug in draws.slugs}
    for f, sweep in zip(known.tolist(), sweeps(draws, begins, ends, points, first_version, settings), strict=True):
        start = int(np.searchsorted(sweep.points, u[f]))
        for i, slug in enumerate(draws.slugs):
            found = crossing(sweep.points, sweep.probabilities[:, i], 0.5, start)
            if found:
                flip = _flip(slug, settings.factors[f], found, float(u[f]))
                flips[slug].append((abs(found[0] - float(u[f])), flip))
    return {slug: tuple(flip for _, flip in sorted(found, key=lambda pair: pair[0])) for slug, found in flips.items()}


def _flip(slug: str, factor: Factor, found: tuple[float, bool], today: float) -> Flip:
    position, enters = found
    rising = position > today
    value = factor.reached(position, rising)
    edge = "" if factor.declared else (" or more" if rising else " or fewer")
    words = f"{'Worth it' if enters else 'No longer worth it'} from {factor.say(value)}{edge}, all else unchanged."
    return Flip(slug, factor.name, value, position, enters, words)


def path_flips(
    draws: Draws, u: Array, planned_u: Array, first_version: bool, planned_first: bool, settings: Settings
) -> dict[str, PathFlip | None]:
    """For each option the first point on the way to the planned scope at which it changes side.

    All factors move together. The way begins with the release of the first version, if the plan has one.

    Parameters
    ----------
    draws
        Readings.
    u, planned_u
        Positions today and planned, shape (F,). A factor unknown in one of them is left out of both.
    first_version, planned_first
        Whether the first version is still to be released, today and in the plan.
    settings
        Assumptions.

    """
    unknown = np.isnan(u) | np.isnan(planned_u)
    begin, end = np.where(unknown, np.nan, u), np.where(unknown, np.nan, planned_u)
    if unknown.all():
        return dict.fromkeys(draws.slugs)
    parts = np.linspace(0, 1, settings.flip_steps)
    [now] = sweeps(draws, begin[None], begin[None], parts[None, :1], first_version, settings)
    [way] = sweeps(draws, begin[None], end[None], parts[None], planned_first, settings)
    # The extra first point is today's scope, before the release; it stands at the same place on the way.
    points, p = np.concatenate([[0.0], parts]), np.concatenate([now.probabilities, way.probabilities])
    flips: dict[str, PathFlip | None] = {}
    for i, slug in enumerate(draws.slugs):
        found = crossing(points, p[:, i], 0.5, 0)
        flips[slug] = None if found is None else _path_flip(slug, found, begin, end, first_version, settings)
    return flips


def _path_flip(
    slug: str, found: tuple[float, bool], begin: Array, end: Array, first_version: bool, settings: Settings
) -> PathFlip:
    part, enters = found
    here = begin + part * (end - begin)
    values = {
        factor.name: None if np.isnan(here[f]) else factor.reached(float(here[f]), bool(end[f] >= begin[f]))
        for f, factor in enumerate(settings.factors)
    }
    side = "Worth it" if enters else "No longer worth it"
    if part == 0 and first_version:
        return PathFlip(slug, part, enters, Scope(values), f"{side} as soon as the first version is released.")
    moving = np.argsort(-np.abs(np.nan_to_num(end - begin)), kind="stable")[:3]
    points = [
        settings.factors[f].say(value)
        for f in moving
        if end[f] != begin[f] and (value := values[settings.factors[f].name]) is not None
    ]
    return PathFlip(slug, part, enters, Scope(values), f"{side} on the way to the plan, at about {', '.join(points)}.")


def closed_form_flip(
    ratings: Array, weights: Array, effort: float, u: Array, factor: int, first_version: bool, settings: Settings
) -> float:
    r"""Position of one factor at which one option alone is worth exactly its cost.

    $$u_f^* = \frac{C_i / (L H / 12) - \sum_{g \ne f} G_g u_g - G_0}{G_f}, \quad
      G_f = \sum_k W_k c_{ik} (1 - m_k) a_{kf}, \quad G_0 = \sum_k W_k c_{ik} m_k$$

    Parameters
    ----------
    ratings, weights
        Pooled ratings 0..4 and weights of the benefits, shape (K,).
    effort
        Days, with overrun.
    u
        Positions of all factors, shape (F,).
    factor
        Index f of the factor that moves.
    first_version
        Whether the first version has not been released yet.
    settings
        Assumptions.

    Returns
    -------
    The position; outside 0..1 the factor alone cannot tip the balance, and ``nan`` if it does not matter at all.

    """
    brought = weights * shares_of(ratings, settings)
    gains = brought @ ((1 - floors(settings))[:, None] * share_table(settings))
    if gains[factor] == 0:
        return float("nan")
    cost = effort * cost_per_day(first_version, settings) / (settings.full_benefit_days * settings.years)
    others = float(gains @ u - gains[factor] * u[factor])
    return float((cost - others - brought @ floors(settings)) / gains[factor])
