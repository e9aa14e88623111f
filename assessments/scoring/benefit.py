"""Weights of the benefits, the part of them each principle brings, and what a set of principles saves and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.settings import Settings

Array = NDArray[np.float64]


def swing_weights(points: Mapping[str, float], keys: Sequence[str]) -> Array:
    r"""Weights of one expert from swing points.

    $$w_k = s_k / \sum_j s_j$$

    Only ratios count: points times any positive number give the same weights. A swing weight compares the steps from
    worst to best on each benefit, unlike bare "importance", which stays the same however wide the step is.

    Parameters
    ----------
    points
        Swing points >= 0 per benefit, on any scale.
    keys
        The benefits, in order.

    Returns
    -------
    Weights that add up to 1, shape (K,).

    Examples
    --------
    >>> swing_weights({"K1": 100, "K2": 60, "K3": 40}, ["K1", "K2", "K3"]).tolist()
    [0.5, 0.3, 0.2]

    References
    ----------
    Goodwin and Wright, Decision Analysis for Management Judgment, chapter 3.

    """
    raw = np.array([points.get(key, np.nan) for key in keys], dtype=float)
    if np.isnan(raw).any():
        missing = [key for key, value in zip(keys, raw, strict=True) if np.isnan(value)]
        raise ValueError(f"swing points are missing for {', '.join(missing)}")
    if not np.isfinite(raw).all() or raw.min() < 0 or raw.sum() <= 0:
        raise ValueError("swing points: expected numbers >= 0, at least one above 0")
    return np.asarray(raw / raw.sum())


def shares_of(ratings: Array, settings: Settings) -> Array:
    """Share of a benefit at pooled ratings 0..4: the share map g, linear between whole ratings. Any shape."""
    return np.asarray(np.interp(ratings, np.arange(5), settings.share_map))


def worth(weights: Array, needs: Array, settings: Settings) -> Array:
    r"""Days each benefit is worth if had in full: $V_k = L \cdot H/12 \cdot W_k \cdot n_k$. Shape (..., K).

    The needs are not scaled up to 1 again, so that little need means little benefit and effort wins.
    """
    return np.asarray(settings.full_benefit_days * settings.years * weights * needs)


def saved_days(chosen: Array, worths: Array, shares: Array) -> Array:
    r"""Days a set of principles saves within the horizon.

    $$B(S) = \sum_k V_k \cdot \min\left(1, \sum_{i \in S} c_{ik}\right)$$

    A benefit can be had only once, hence the minimum; below it shares add up.

    Parameters
    ----------
    chosen
        1 for principles in the set, shape (..., n).
    worths
        V_k in days, shape (..., K).
    shares
        c_ik, shape (..., n, K).

    Returns
    -------
    Days, shape (...).

    Examples
    --------
    >>> shares = np.array([[0.4], [0.4], [0.4]])
    >>> float(saved_days(np.array([1, 1, 0]), np.array([100.0]), shares))
    80.0
    >>> float(saved_days(np.array([1, 1, 1]), np.array([100.0]), shares))
    100.0

    """
    had = np.einsum("...n,...nk->...k", chosen, shares)
    return np.asarray((worths * np.minimum(1, had)).sum(axis=-1))


def cost_per_day(first_version: bool, settings: Settings) -> float:
    r"""What a day of effort costs: $1 + \delta \cdot first + upkeep \cdot H/12$."""
    return 1 + settings.first_version_delay * first_version + settings.upkeep * settings.years


def marginal_days(chosen: Array, worths: Array, shares: Array) -> Array:
    """Last-in days per benefit: what each principle adds to the rest of the set. Shape (..., n, K).

    Parameters
    ----------
    chosen
        1 for principles in the set, shape (..., n); a principle outside is judged as an addition to the set.
    worths
        V_k in days, shape (..., K).
    shares
        c_ik, shape (..., n, K).

    """
    had = np.einsum("...n,...nk->...k", chosen, shares)[..., None, :]
    rest = had - chosen[..., None] * shares
    return np.asarray(worths[..., None, :] * (np.minimum(1, rest + shares) - np.minimum(1, rest)))
