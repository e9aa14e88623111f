"""A panel's readings applied to one scope: the problem to solve, and averages of the readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.benefit import cost_per_day, worth
from assessments.scoring.choice import Problem
from assessments.scoring.draws import Draws
from assessments.scoring.need import needs
from assessments.scoring.settings import Settings

Array = NDArray[np.float64]


def problem_at(draws: Draws, u: Array, first_version: bool, settings: Settings) -> Problem:
    """The choice the readings pose at a scope.

    Parameters
    ----------
    draws
        D readings of the panel.
    u
        Positions of the scope factors, shape (D, F).
    first_version
        Whether the first version has not been released yet.
    settings
        Assumptions.

    """
    return Problem(
        worths=worth(draws.weights, needs(u, settings), settings),
        shares=draws.shares,
        costs=draws.efforts * cost_per_day(first_version, settings),
        efforts=draws.efforts,
        requires=draws.requires,
        budget=settings.budget_days,
    )


def average(draws: Draws) -> Draws:
    """One reading that is the mean of all: what plans and sensitivities are worked out on."""
    return replace(
        draws,
        weights=draws.weights.mean(axis=0, keepdims=True),
        shares=draws.shares.mean(axis=0, keepdims=True),
        efforts=draws.efforts.mean(axis=0, keepdims=True),
    )


def selected(draws: Draws, rows: NDArray[np.intp]) -> Draws:
    """Some of the readings, in this order and as often as they are named: to look at several scopes in one go."""
    return replace(draws, weights=draws.weights[rows], shares=draws.shares[rows], efforts=draws.efforts[rows])
