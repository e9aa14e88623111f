"""River's own metric objects, for where one is needed: checks, and anything scored outside a run."""

from __future__ import annotations

from typing import Any

from river import metrics

from .measures import find_measure


def make_metric(name: str) -> Any:
    """Return a fresh River metric.

    Examples
    --------
    >>> make_metric("MAE")
    MAE: 0.
    >>> make_metric("FBeta(beta=0.5)").beta
    0.5
    """
    measure = find_measure(name)
    return getattr(metrics, measure.use)(**dict(measure.settings))
