"""What to do with a budget: the best set for each, cheapest first, and what the next days would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.choice import Flags, Problem, net_days, prerequisites
from assessments.scoring.draws import Draws
from assessments.scoring.evaluate import average, problem_at
from assessments.scoring.search import best_sets
from assessments.scoring.settings import Settings

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """The best set within a budget (``None``: no limit), its steps in order, and the gain of the next step.

    `next_gain` is what `settings.plan_step_days` more would add in net days, with `next_adds` and `next_drops` the
    change of the set.
    """

    budget: float | None
    steps: tuple[str, ...]
    effort: float
    net: float
    next_gain: float
    next_adds: tuple[str, ...]
    next_drops: tuple[str, ...]


def plan(
    draws: Draws, u: Array, first_version: bool, settings: Settings, budgets: Sequence[float] | None = None
) -> tuple[BudgetPlan, ...]:
    """Plans for several budgets, worked out on the average reading.

    Parameters
    ----------
    draws
        Readings.
    u
        Positions of the scope factors, shape (F,).
    first_version
        Whether the first version has not been released yet.
    settings
        Assumptions; holds the budgets and the size of the next step.
    budgets
        Other budgets than those in the settings.

    Returns
    -------
    One plan per budget in rising order, then one without a limit.

    """
    problem = problem_at(average(draws), u[None], first_version, settings)
    limits: list[float | None] = [*sorted(settings.plan_budgets if budgets is None else budgets), None]
    return tuple(_plan(problem, limit, draws.slugs, settings) for limit in limits)


def _plan(problem: Problem, limit: float | None, slugs: tuple[str, ...], settings: Settings) -> BudgetPlan:
    chosen, net = _best(problem, limit)
    later, more = (chosen, net) if limit is None else _best(problem, limit + settings.plan_step_days)
    return BudgetPlan(
        budget=limit,
        steps=tuple(slugs[i] for i in cheapest_first(chosen, problem)),
        effort=float(problem.efforts[0] @ chosen),
        net=net,
        next_gain=more - net,
        next_adds=tuple(slugs[i] for i in np.flatnonzero(later & ~chosen)),
        next_drops=tuple(slugs[i] for i in np.flatnonzero(chosen & ~later)),
    )


def _best(problem: Problem, limit: float | None) -> tuple[Flags, float]:
    limited = replace(problem, budget=limit)
    chosen = best_sets(limited)
    return chosen[0], float(net_days(limited, chosen)[0])


def cheapest_first(chosen: Flags, problem: Problem) -> list[int]:
    """Members of a set in the order to take them: the cheapest whose prerequisites are done comes next."""
    needed = prerequisites(problem.size, problem.requires) & ~np.eye(problem.size, dtype=bool)
    order: list[int] = []
    left = set(np.flatnonzero(chosen).tolist())
    while left:
        ready = [i for i in left if not left & set(np.flatnonzero(needed[i]).tolist())]
        order.append(min(ready, key=lambda i: (problem.efforts[0, i], i)))
        left.remove(order[-1])
    return order
