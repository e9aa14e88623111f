"""From draws to a verdict per option, with the reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.benefit import marginal_days
from assessments.scoring.choice import Flags, Problem
from assessments.scoring.draws import Draws
from assessments.scoring.need import factor_needs, needs
from assessments.scoring.scope import Scope
from assessments.scoring.settings import Settings

Array = NDArray[np.float64]
Verdict = Literal["now", "later", "not yet", "in place", "does not apply", "unrated"]

IN_WORDS: Mapping[Verdict, str] = {
    "now": "Adopt now",
    "later": "Adopt later",
    "not yet": "Not worth it yet",
    "in place": "Already in place",
    "does not apply": "Does not apply",
    "unrated": "Nobody could rate it",
}


def code_of(verdict: str) -> str:
    """A verdict as one word, as the HTTP API and style sheets have it: `not yet` is `not_yet`."""
    return verdict.replace(" ", "_")


CODES = tuple(code_of(verdict) for verdict in IN_WORDS)
BENEFIT_WORDS: Mapping[str, str] = {
    "K1": "fewer manual steps",
    "K2": "restoring a previous state",
    "K3": "continuous deployment",
    "K4": "knowing when the model degrades",
    "K5": "repeatable, auditable work",
}


def judge(p: float, planned: float | None, settings: Settings) -> tuple[Verdict, bool]:
    r"""Verdict and whether it is borderline.

    Adopt now if p >= .70; adopt later if .30 < p < .70, or if p >= .70 under the planned scope; else not worth it yet.

    Parameters
    ----------
    p, planned
        Probability of belonging in the best set today and under the planned scope, if there is one.
    settings
        Holds the limits.

    Examples
    --------
    >>> judge(0.72, None, Settings()), judge(0.1, 0.9, Settings()), judge(0.1, 0.5, Settings())
    (('now', True), ('later', False), ('not yet', False))

    """
    near = min(abs(p - settings.adopt_now), abs(p - settings.not_yet)) <= settings.border
    if p >= settings.adopt_now:
        return "now", near
    if p > settings.not_yet:
        return "later", near
    # Only here does the plan decide between two verdicts.
    near = near or (planned is not None and abs(planned - settings.adopt_now) <= settings.border)
    return ("later" if planned is not None and planned >= settings.adopt_now else "not yet"), near


@dataclass(frozen=True, slots=True)
class FactorReason:
    """A scope factor behind a result: the days it adds today, or those it would add at its upper anchor."""

    factor: str
    title: str
    words: str
    days: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the readings differ on one option, in person-days: nine of ten lie between `low` and `high`.

    The standard deviations and the correlation of days saved and days it costs give the ellipse around their means.
    """

    saves_low: float
    saves_high: float
    costs_low: float
    costs_high: float
    saves_sd: float
    costs_sd: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What an option adds to the rest of the best set, against what it costs; means over the draws, in person-days."""

    saves: float
    costs: float
    by_benefit: Mapping[str, float]
    for_it: tuple[FactorReason, ...]
    against_it: tuple[FactorReason, ...]
    spread: Spread | None = None

    @property
    def net(self) -> float:
        """Days saved beyond the cost."""
        return self.saves - self.costs


def worths_of(draws: Draws, problem: Problem, chosen: Flags, u: Array, scope: Scope, settings: Settings) -> list[Worth]:
    """What each option adds as the last one in, and the two scope factors behind it.

    Parameters
    ----------
    draws, problem, chosen
        Readings, the choice they pose and the best set in each, shape (D, n).
    u
        Positions of the scope factors, shape (D, F).
    scope
        For the wording.
    settings
        Assumptions.

    Returns
    -------
    One entry per option.

    """
    per_draw = marginal_days(chosen.astype(float), problem.worths, problem.shares)
    days = per_draw.mean(axis=0)
    costs = problem.costs.mean(axis=0)
    middle = u.mean(axis=0)
    need = needs(middle, settings)
    # Days per unit of need, so that the part of each factor in a need becomes a part of the days.
    per_need = np.divide(days, need, out=np.zeros_like(days), where=need > 0)
    today = per_need @ factor_needs(middle, settings)
    at_anchor = factor_needs(np.where(np.isnan(middle), middle, 1.0), settings)
    missing = per_need @ at_anchor - today
    found = []
    for i in range(len(costs)):
        found.append(
            Worth(
                saves=float(days[i].sum()),
                costs=float(costs[i]),
                by_benefit={key: float(days[i, k]) for k, key in enumerate(settings.benefits) if days[i, k] > 0},
                for_it=_largest(today[i], scope, settings),
                against_it=_largest(missing[i], scope, settings),
                spread=spread_of(per_draw[:, i].sum(axis=1), problem.costs[:, i]),
            )
        )
    return found


def spread_of(saves: Array, costs: Array) -> Spread:
    """How far readings differ on days saved and days it costs, each of shape (D,).

    Examples
    --------
    >>> found = spread_of(np.arange(101.0), np.full(101, 7.0))
    >>> found.saves_low, found.saves_high, found.costs_sd, found.correlation
    (5.0, 95.0, 0.0, 0.0)

    """
    saves_low, saves_high = np.percentile(saves, [5, 95]).tolist()
    costs_low, costs_high = np.percentile(costs, [5, 95]).tolist()
    saves_sd, costs_sd = float(saves.std()), float(costs.std())
    together = float(((saves - saves.mean()) * (costs - costs.mean())).mean())
    correlation = together / (saves_sd * costs_sd) if saves_sd > 0 and costs_sd > 0 else 0.0
    return Spread(saves_low, saves_high, costs_low, costs_high, saves_sd, costs_sd, correlation)


def _largest(days: Array, scope: Scope, settings: Settings, most: int = 2) -> tuple[FactorReason, ...]:
    reasons = []
    for f in np.argsort(-days, kind="stable")[:most]:
        factor = settings.factors[f]
        if days[f] > 1e-9:
            value = scope.value(factor.name, settings.telemetry_rule)
            if value is None:
                continue
            reasons.append(FactorReason(factor.name, factor.title, factor.say(value), float(days[f])))
    return tuple(reasons)


def explain(verdict: Verdict, worth: Worth, settings: Settings, planned: float | None = None) -> tuple[str, ...]:
    """The reason for a verdict in sentences.

    Parameters
    ----------
    verdict
        The verdict.
    worth
        What the option adds and costs.
    settings
        For the horizon.
    planned
        Probability under the planned scope, if there is one.

    Examples
    --------
    >>> worth = Worth(
    ...     27, 17.8, {"K1": 10.9, "K3": 12.5, "K5": 2.3},
    ...     (FactorReason("manual_steps", "Manual steps", "12 manual steps per deployment", 8.0),), (),
    ... )
    >>> for sentence in explain("now", worth, Settings()):
    ...     print(sentence)
    Saves about 27 days over 12 months (12.5 continuous deployment, 10.9 fewer manual steps) and costs 17.8.
    The need comes from 12 manual steps per deployment.

    """
    largest = sorted(worth.by_benefit.items(), key=lambda item: -item[1])[:2]
    parts = ", ".join(f"{_days(days)} {BENEFIT_WORDS.get(key, key)}" for key, days in largest if days >= 0.05)
    parts = f" ({parts})" if parts else ""
    saves, costs, months = _days(worth.saves), _days(worth.costs), f"{settings.horizon_months:g} months"
    if verdict == "now":
        sentences = [f"Saves about {saves} days over {months}{parts} and costs {costs}."]
    else:
        sentences = [f"Would save about {saves} days over {months}{parts} and cost {costs}."]
    if worth.costs > 0 and abs(worth.net) <= 0.1 * worth.costs:
        sentences.append("That is close to a toss-up.")
    behind = worth.for_it if verdict != "not yet" else ()
    # A factor half way up speaks for and against at once; it is named once.
    against = tuple(r for r in worth.against_it if verdict != "now" and r.factor not in {b.factor for b in behind})
    if behind:
        sentences.append(f"The need comes from {_and(behind)}.")
    if against:
        sentences.append(f"What holds the need down: {_and(against)}.")
    if verdict == "later" and planned is not None and planned >= settings.adopt_now:
        sentences.append("Under the planned scope it belongs in the best set.")
    return tuple(sentences)


def _days(days: float) -> str:
    return f"{days:.1f}".removesuffix(".0")


def _and(reasons: tuple[FactorReason, ...]) -> str:
    return " and ".join(reason.words for reason in reasons)
