"""Plausible readings of a panel: its disagreement, its doubts, the spread of efforts and the error of telemetry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assessments.principles.catalogue import Days
from assessments.scoring.benefit import shares_of, swing_weights
from assessments.scoring.need import positions
from assessments.scoring.panel import Answer, Option, Panel
from assessments.scoring.scope import Scope
from assessments.scoring.settings import Confidence, Settings

Array = NDArray[np.float64]

# The portal's own figures speak with the least confidence there is.
NOBODY: Confidence = "low"


@dataclass(frozen=True, slots=True)
class Draws:
    """D readings of a panel over the n options that can be chosen.

    Parameters
    ----------
    options
        The options that can be chosen: applicable, not in place, with figures from somebody.
    weights
        W_k, shape (D, K).
    shares
        c_ik, beyond the light level where there is one, shape (D, n, K).
    efforts
        e_i in days with overrun, beyond the light level where there is one, shape (D, n).
    assumed
        Options of which ratings or effort are the portal's own, because nobody answered.
    unrated
        Options left out because nobody answered and there is no default.
    not_applicable
        Options left out because most of those who answered say they do not apply.

    """

    options: tuple[Option, ...]
    weights: Array
    shares: Array
    efforts: Array
    requires: tuple[tuple[int, int], ...]
    assumed: tuple[str, ...]
    unrated: tuple[str, ...]
    not_applicable: tuple[str, ...]

    @property
    def slugs(self) -> tuple[str, ...]:
        """Slugs of the options, in order."""
        return tuple(option.slug for option in self.options)


def generator(seed: int, *names: str) -> np.random.Generator:
    """A stream of random numbers of its own for each name.

    A panel that gains an expert or an option keeps all other numbers, so that two results differ by what changed and
    not by chance.
    """
    text = "/".join((str(seed), *names))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def draw_panel(experts: Sequence[str], draws: int, seed: int) -> dict[str, Array]:
    r"""Weight of each expert per draw, $p \sim Dirichlet(1, \ldots, 1)$, so that disagreement stays visible.

    Drawn as exponential variables divided by their sum; each value has shape (D,).
    """
    raw = {expert: generator(seed, "panel", expert).exponential(size=draws) for expert in experts}
    total = sum(raw.values(), np.zeros(draws))
    return {expert: value / total for expert, value in raw.items()}


def draw_rating(rating: float, half_width: float, random: np.random.Generator, draws: int) -> Array:
    """A rating 0..4 with triangular noise, cut at the ends of the scale. Shape (D,)."""
    # The noise is drawn even when its width is zero, so that later draws from the stream stay the same.
    noise = random.triangular(-1, 0, 1, size=draws)
    return np.asarray(np.clip(rating + half_width * noise, 0, 4))


def draw_effort(effort: Days, random: np.random.Generator, draws: int) -> Array:
    r"""Effort in days from a PERT-beta distribution with mean (low + 4 likely + high) / 6.

    $$low + (high - low) \cdot Beta\left(1 + 4 \frac{likely - low}{high - low},\ 1 + 4 \frac{high - likely}{high - low}
    \right)$$

    With low = high it is that number.

    Parameters
    ----------
    effort
        Low, likely and high in person-days.
    random
        Where the numbers come from.
    draws
        How many.

    Returns
    -------
    Days, shape (D,).

    Examples
    --------
    >>> draw_effort(Days(2, 2, 2), generator(1), 3).tolist()
    [2.0, 2.0, 2.0]
    >>> float(draw_effort(Days(1, 2, 9), generator(1), 20000).mean().round(1))
    3.0

    """
    width = effort.high - effort.low
    if width <= 0:
        return np.full(draws, float(effort.likely))
    left = 1 + 4 * (effort.likely - effort.low) / width
    right = 1 + 4 * (effort.high - effort.likely) / width
    return np.asarray(effort.low + width * random.beta(left, right, size=draws))


def draw_positions(scope: Scope, settings: Settings, draws: int) -> Array:
    r"""Positions of the scope factors, shape (D, F); ``nan`` where nothing is known.

    A measured rate is drawn from $Gamma(n + 1/2, T)$ for n events in T periods; anything else is the same in all draws.
    """
    found = np.tile(positions(scope, settings), (draws, 1))
    for f, factor in enumerate(settings.factors):
        if scope.uses_measurement(factor.name, settings.telemetry_rule):
            measured = scope.measured[factor.name]
            random = generator(settings.seed, "telemetry", factor.name)
            found[:, f] = factor.positions(random.gamma(measured.count + 0.5, 1 / measured.periods, size=draws))
    return found


def draw_weights(panel: Panel, people: dict[str, Array], settings: Settings, draws: int) -> Array:
    """Swing weights pooled over those who gave points; equal weights if nobody did. Shape (D, K)."""
    given = {expert: swing_weights(points, settings.benefits) for expert, points in panel.swing.items() if points}
    if not given:
        return np.full((draws, len(settings.benefits)), 1 / len(settings.benefits))
    order = sorted(given)
    share = np.stack([people[expert] for expert in order], axis=1)
    return np.asarray((share / share.sum(axis=1, keepdims=True)) @ np.stack([given[expert] for expert in order]))


def draw(panel: Panel, settings: Settings, draws: int | None = None) -> Draws:
    """Draw readings of a panel.

    Ratings are pooled before they are mapped to shares: the map is convex, and mapping first would let the few
    enthusiasts of a split panel outvote the rest.

    Parameters
    ----------
    panel
        Options and answers.
    settings
        Assumptions.
    draws
        How many readings; `settings.draws` if not given.

    Returns
    -------
    The readings. The same panel and settings always give the same ones.

    """
    count = settings.draws if draws is None else draws
    people = draw_panel(panel.experts, count, settings.seed)
    assumed, unrated, not_applicable = [], [], []
    shares: dict[str, Array] = {}
    efforts: dict[str, Array] = {}
    for option in panel.options:
        answers = panel.answers_on(option.slug)
        refusing = sum(not answer.applies for answer in answers)
        if answers and refusing > settings.not_applicable_share * len(answers) and not option.in_place:
            not_applicable.append(option.slug)
            continue
        speaking = [answer for answer in answers if answer.applies]
        rated, own_ratings = _ratings(option, speaking, people, settings, count)
        effort, own_effort = _effort(option, speaking, people, settings, count)
        if (rated is None or effort is None) and not option.in_place:
            unrated.append(option.slug)
            continue
        shares[option.slug] = np.zeros((count, len(settings.benefits))) if rated is None else rated
        efforts[option.slug] = np.zeros(count) if effort is None else effort * settings.overrun
        if (own_ratings or own_effort) and not option.in_place:
            assumed.append(option.slug)
    chosen = tuple(option for option in panel.options if option.slug in shares and not option.in_place)
    for option in chosen:
        if option.light in shares:
            shares[option.slug] = np.maximum(0, shares[option.slug] - shares[option.light])
            efforts[option.slug] = np.maximum(0, efforts[option.slug] - efforts[option.light])
    place = {option.slug: i for i, option in enumerate(chosen)}
    # A prerequisite that is in place, does not apply or that nobody can rate asks nothing of the choice.
    pairs = {
        (place[option.slug], place[needed])
        for option in chosen
        for needed in (*option.requires, option.light)
        if needed in place
    }
    return Draws(
        options=chosen,
        weights=draw_weights(panel, people, settings, count),
        shares=_stacked([shares[o.slug] for o in chosen], (count, 0, len(settings.benefits))),
        efforts=_stacked([efforts[o.slug] for o in chosen], (count, 0)),
        requires=tuple(sorted(pairs)),
        assumed=tuple(assumed),
        unrated=tuple(unrated),
        not_applicable=tuple(not_applicable),
    )


def _stacked(arrays: list[Array], shape: tuple[int, ...]) -> Array:
    return np.stack(arrays, axis=1) if arrays else np.zeros(shape)


def _ratings(
    option: Option, answers: Sequence[Answer], people: dict[str, Array], settings: Settings, draws: int
) -> tuple[Array | None, bool]:
    """Shares (D, K) of an option and whether any is the portal's own; ``None`` if nobody knows any of them."""
    pooled = np.zeros((draws, len(settings.benefits)))
    found, own = False, False
    for k, key in enumerate(settings.benefits):
        if key not in option.serves:
            continue
        total, weight = np.zeros(draws), np.zeros(draws)
        for answer in answers:
            rating = answer.ratings.get(key)
            if rating is not None:
                random = generator(settings.seed, "rating", answer.expert, option.slug, key)
                width = settings.noise_half_widths[answer.confidence]
                total += people[answer.expert] * draw_rating(rating, width, random, draws)
                weight += people[answer.expert]
        if weight.any():
            pooled[:, k] = total / weight
            found = True
        elif option.ratings and key in option.ratings:
            random = generator(settings.seed, "rating", "", option.slug, key)
            pooled[:, k] = draw_rating(option.ratings[key], settings.noise_half_widths[NOBODY], random, draws)
            found, own = True, True
    return (shares_of(pooled, settings) if found else None), own


def _effort(
    option: Option, answers: Sequence[Answer], people: dict[str, Array], settings: Settings, draws: int
) -> tuple[Array | None, bool]:
    """Effort (D,) of an option and whether it is the portal's own; ``None`` if nobody knows it."""
    known = [answer for answer in answers if answer.effort is not None]
    if not known:
        if option.effort is None:
            return None, False
        return draw_effort(option.effort, generator(settings.seed, "effort", "", option.slug), draws), True
    total, weight = np.zeros(draws), np.zeros(draws)
    for answer in known:
        if answer.effort is not None:
            random = generator(settings.seed, "effort", answer.expert, option.slug)
            total += people[answer.expert] * draw_effort(answer.effort, random, draws)
            weight += people[answer.expert]
    return total / weight, False
