"""From a panel and a scope to a recommendation: everything tied together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from assessments.scoring.choice import Flags, Problem, net_days
from assessments.scoring.consensus import Agreement, Concordance, kendall_w, krippendorff_alpha, rand_ucla
from assessments.scoring.draws import Draws, draw, draw_positions
from assessments.scoring.evaluate import problem_at
from assessments.scoring.flip import Flip, PathFlip, path_flips, single_flips
from assessments.scoring.need import needs, positions
from assessments.scoring.panel import Option, Panel
from assessments.scoring.plan import BudgetPlan, plan
from assessments.scoring.scope import Scope
from assessments.scoring.search import best_sets
from assessments.scoring.sensitivity import Tornado, tornado
from assessments.scoring.settings import Settings
from assessments.scoring.verdict import Verdict, Worth, explain, judge, worths_of

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OptionResult:
    """What came out for one option.

    `probability` is the share of draws in which it belongs in the best set; `effort` is the mean effort in days;
    `flips` are the scope factors that alone would change its side, the soonest first;
    `assumed` says that ratings or effort are the portal's own because nobody answered.
    """

    slug: str
    name: str
    verdict: Verdict
    borderline: bool
    probability: float | None
    planned_probability: float | None
    effort: float | None
    worth: Worth | None
    reasons: tuple[str, ...]
    flips: tuple[Flip, ...]
    path_flip: PathFlip | None
    assumed: bool
    answers: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the best sets are worth at one scope: needs and weights per benefit, quantiles of net days, mean size."""

    needs: Mapping[str, float]
    weights: Mapping[str, float]
    net_p10: float
    net_p50: float
    net_p90: float
    size: float


@dataclass(frozen=True, slots=True)
class Result:
    """A recommendation with all it rests on. `assumptions` is the digest of settings and options together."""

    options: tuple[OptionResult, ...]
    today: Outcome
    planned: Outcome | None
    concordance: Concordance | None
    alpha: float | None
    plans: tuple[BudgetPlan, ...]
    tornado: Tornado | None
    experts: int
    draws: int
    seed: int
    settings: Settings
    scope: Scope
    planned_scope: Scope | None
    unknown_factors: tuple[str, ...]
    assumptions: str

    def option(self, slug: str) -> OptionResult:
        """The result of this option; `KeyError` if there is none."""
        for option in self.options:
            if option.slug == slug:
                return option
        raise KeyError(slug)

    def adopt_now(self) -> tuple[str, ...]:
        """Slugs of the options to adopt now."""
        return tuple(option.slug for option in self.options if option.verdict == "now")

    def to_json(self) -> dict[str, Any]:
        """The result as plain dictionaries, lists and numbers."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {**plain, "settings": self.settings.to_json()}


def recommend_from_panel(
    panel: Panel,
    scope: Scope,
    planned: Scope | None = None,
    settings: Settings | None = None,
    *,
    details: bool = True,
) -> Result:
    r"""Recommend what to adopt, from what a panel said and what a project needs.

    In each draw, one plausible reading of the panel, the best set is found:

    $$S^* = \arg\max_S \; L \frac{H}{12} \sum_k W_k n_k(x) \min\left(1, \sum_{i \in S} c_{ik}\right)
      - \sum_{i \in S} e_i \left(1 + \delta \cdot first(x) + upkeep \frac{H}{12}\right)$$

    under prerequisites and budget. The share of draws in which an option is in it decides its verdict. The experts' own
    votes are judged apart from this and never mixed in.

    Parameters
    ----------
    panel
        Options, experts and answers. Without answers the options' own figures are used and marked as assumed.
    scope, planned
        The project today, and at the end of the horizon if it is planned.
    settings
        Assumptions; the portal's own by default.
    details
        Whether to look for flips, plans and sensitivities too, which takes most of the time.

    Returns
    -------
    The recommendation; the same input always gives the same one.

    """
    settings = settings or Settings()
    draws = draw(panel, settings)
    u, today_problem, chosen = _choose(draws, scope, settings)
    today = _outcome(draws, u, net_days(today_problem, chosen), chosen, settings)
    p = _shares(draws, chosen)
    planned_p: dict[str, float] = {}
    planned_outcome = None
    if planned is not None:
        planned_u, planned_problem, planned_chosen = _choose(draws, planned, settings)
        planned_outcome = _outcome(
            draws, planned_u, net_days(planned_problem, planned_chosen), planned_chosen, settings
        )
        planned_p = _shares(draws, planned_chosen)
    worths = dict(zip(draws.slugs, worths_of(draws, today_problem, chosen, u, scope, settings), strict=True))
    now = positions(scope, settings)
    flips: dict[str, tuple[Flip, ...]] = {}
    paths: dict[str, PathFlip | None] = {}
    if details and draws.options:
        few = draw(panel, settings, min(settings.flip_draws, settings.draws))
        flips = single_flips(few, now, scope.first_version, settings)
        if planned is not None:
            there = positions(planned, settings)
            paths = path_flips(few, now, there, scope.first_version, planned.first_version, settings)
    votes = panel.votes()
    options = tuple(
        _option_result(option, panel, draws, p, planned_p, worths, flips, paths, votes, settings)
        for option in panel.options
    )
    matrix = _vote_matrix(panel, votes)
    return Result(
        options=options,
        today=today,
        planned=planned_outcome,
        concordance=kendall_w(matrix),
        alpha=krippendorff_alpha(matrix, "ordinal"),
        plans=plan(draws, now, scope.first_version, settings) if details and draws.options else (),
        tornado=tornado(draws, now, scope.first_version, settings) if details and draws.options else None,
        experts=len(panel.experts),
        draws=settings.draws,
        seed=settings.seed,
        settings=settings,
        scope=scope,
        planned_scope=planned,
        unknown_factors=scope.unknown(settings.factors),
        assumptions=assumptions_digest(panel, settings),
    )


def share_of_readings(panel: Panel, scope: Scope, settings: Settings) -> dict[str, float]:
    """How often each option that can be chosen belongs in the best set, 0..1: that of `recommend_from_panel` alone."""
    draws = draw(panel, settings)
    return _shares(draws, _choose(draws, scope, settings)[2])


def assumptions_digest(panel: Panel, settings: Settings) -> str:
    """SHA-256 over the settings and the options: masks, prerequisites, light levels and default figures."""
    options = msgspec.to_builtins(panel.options)
    text = json.dumps([settings.digest(), options], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def quick(settings: Settings, draws: int = 400) -> Settings:
    """The same assumptions with fewer draws, for first looks and comparisons."""
    return replace(settings, draws=min(draws, settings.draws))


def _choose(draws: Draws, scope: Scope, settings: Settings) -> tuple[Array, Problem, Flags]:
    """Positions of the factors, the problem they pose, and the best set, for each reading."""
    u = draw_positions(scope, settings, settings.draws)
    problem = problem_at(draws, u, scope.first_version, settings)
    return u, problem, best_sets(problem)


def _shares(draws: Draws, chosen: Flags) -> dict[str, float]:
    return dict(zip(draws.slugs, chosen.mean(axis=0).tolist(), strict=True))


def _outcome(draws: Draws, u: Array, net: Array, chosen: Flags, settings: Settings) -> Outcome:
    low, middle, high = (float(value) for value in np.percentile(net, [10, 50, 90]))
    need = needs(u, settings).mean(axis=0)
    return Outcome(
        needs=dict(zip(settings.benefits, need.tolist(), strict=True)),
        weights=dict(zip(settings.benefits, draws.weights.mean(axis=0).tolist(), strict=True)),
        net_p10=low,
        net_p50=middle,
        net_p90=high,
        size=float(chosen.sum(axis=1).mean()),
    )


def _option_result(
    option: Option,
    panel: Panel,
    draws: Draws,
    p: Mapping[str, float],
    planned_p: Mapping[str, float],
    worths: Mapping[str, Worth],
    flips: Mapping[str, tuple[Flip, ...]],
    paths: Mapping[str, PathFlip | None],
    votes: Mapping[str, Mapping[str, int]],
    settings: Settings,
) -> OptionResult:
    verdict: Verdict
    borderline, effort = False, None
    reasons: tuple[str, ...] = ()
    if option.slug in p:
        verdict, borderline = judge(p[option.slug], planned_p.get(option.slug), settings)
        reasons = explain(verdict, worths[option.slug], settings, planned_p.get(option.slug))
        if option.light in draws.slugs:
            reasons = (*reasons, "These are the days beyond its light level.")
        effort = float(draws.efforts[:, draws.slugs.index(option.slug)].mean())
    elif option.in_place:
        verdict = "in place"
    elif option.slug in draws.not_applicable:
        verdict, reasons = "does not apply", ("Most of those who answered say that it does not apply here.",)
    else:
        verdict, reasons = "unrated", ("Nobody could rate it, and there is no default.",)
    return OptionResult(
        slug=option.slug,
        name=option.name,
        verdict=verdict,
        borderline=borderline,
        probability=p.get(option.slug),
        planned_probability=planned_p.get(option.slug),
        effort=effort,
        worth=worths.get(option.slug),
        reasons=reasons,
        flips=flips.get(option.slug, ()),
        path_flip=paths.get(option.slug),
        assumed=option.slug in draws.assumed,
        answers=len(panel.answers_on(option.slug)),
        agreement=rand_ucla(list(votes[option.slug].values())),
    )


def _vote_matrix(panel: Panel, votes: Mapping[str, Mapping[str, int]]) -> Array:
    """Holistic votes as experts by options, ``nan`` where missing; options without a vote are left out."""
    voted = [option.slug for option in panel.options if votes[option.slug]]
    found = np.full((len(panel.experts), len(voted)), np.nan)
    for e, expert in enumerate(panel.experts):
        for i, slug in enumerate(voted):
            found[e, i] = votes[slug].get(expert, np.nan)
    return found
