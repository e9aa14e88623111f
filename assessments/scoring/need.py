"""How much a project needs each benefit, from its scope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.scope import Scope
from assessments.scoring.settings import Settings

Array = NDArray[np.float64]


def positions(scope: Scope, settings: Settings) -> Array:
    """Position u_f of each factor of a scope; ``nan`` where nothing is known. Shape (F,)."""
    scope.check(settings.factors)
    found = np.full(len(settings.factors), np.nan)
    for f, factor in enumerate(settings.factors):
        value = scope.value(factor.name, settings.telemetry_rule)
        if value is not None:
            found[f] = factor.position(value)
    return found


def share_table(settings: Settings) -> Array:
    """The need shares a_kf as an array. Shape (K, F)."""
    return np.array(
        [[settings.need_shares[key].get(f.name, 0.0) for f in settings.factors] for key in settings.benefits]
    )


def floors(settings: Settings) -> Array:
    """The need floors m_k as an array. Shape (K,)."""
    return np.array([settings.need_floors[key] for key in settings.benefits])


def factor_needs(u: Array, settings: Settings) -> Array:
    r"""Need that each scope factor adds to each benefit, above the floor.

    $$(1 - m_k) \cdot a_{kf} \cdot u_f$$

    An unknown factor adds nothing and its share goes to the known factors of the same benefit, in proportion: leaving
    it at zero would make not knowing look like a small project.

    Parameters
    ----------
    u
        Positions, shape (..., F), ``nan`` where unknown; a factor is unknown in all rows or in none.
    settings
        Assumptions.

    Returns
    -------
    Array of shape (..., K, F).

    """
    known = ~np.isnan(u.reshape(-1, u.shape[-1])).any(axis=0)
    if not known.any():
        raise ValueError("nothing is known about the scope: answer at least one scope factor")
    table = share_table(settings)
    kept = (table * known).sum(axis=1, keepdims=True)
    # A benefit none of whose factors is known takes the plain mean of all known factors.
    shares = np.where(kept > 0, table * known / np.where(kept > 0, kept, 1), known / known.sum())
    return np.asarray((1 - floors(settings))[:, None] * shares * np.where(known, u, 0)[..., None, :])


def needs(u: Array, settings: Settings) -> Array:
    r"""Need for each benefit.

    $$n_k(x) = m_k + (1 - m_k) \sum_f a_{kf} u_f$$

    Parameters
    ----------
    u
        Positions, shape (..., F), ``nan`` where unknown.
    settings
        Assumptions.

    Returns
    -------
    Needs between m_k and 1, shape (..., K).

    Examples
    --------
    >>> from assessments.scoring.scope import FIRST, LARGE
    >>> needs(positions(LARGE, Settings()), Settings()).round(2).tolist()
    [0.87, 0.72, 0.89, 0.77, 0.76]
    >>> needs(positions(FIRST, Settings()), Settings()).round(2).tolist()
    [0.29, 0.28, 0.14, 0.16, 0.22]

    """
    return np.asarray(floors(settings) + factor_needs(u, settings).sum(axis=-1))
