"""Which models change when they predict; without importing River."""

from __future__ import annotations

from typing import Any

_NEIGHBOURS = frozenset({"neighbors.KNNClassifier", "neighbors.KNNRegressor"})
_SEARCH_AT_RANDOM = "neighbors.SWINN"


def changes_by_predicting(spec: Any) -> bool:
    """Say whether the model that a spec describes changes when it predicts; a test asks every entry there is.

    Nearest neighbours found by a random walk (SWINN, River's default) move a random generator on with each prediction,
    so that the same question gets another answer later. Such a model may be asked only where its answer counts, or as
    a copy.

    Parameters
    ----------
    spec
        A spec, or any part of one.

    Examples
    --------
    >>> changes_by_predicting({"use": "neighbors.KNNClassifier"})
    True
    >>> changes_by_predicting({"use": "naive_bayes.GaussianNB"})
    False
    """
    if isinstance(spec, list):
        return any(map(changes_by_predicting, spec))
    if not isinstance(spec, dict):
        return False
    used = spec.get("use")
    if used == _SEARCH_AT_RANDOM or (used in _NEIGHBOURS and not (spec.get("params") or {}).get("engine")):
        return True
    return any(map(changes_by_predicting, spec.values()))
