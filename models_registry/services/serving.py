"""Models in memory, ready to predict: a bounded set per process, keyed by the artifact."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from django.conf import settings

from models_registry import artifacts, engine

if TYPE_CHECKING:
    from models_registry.learning.progressive import Learner

_loaded: OrderedDict[str, Learner] = OrderedDict()
_lock = threading.Lock()


def learner_of(artifact: str) -> Learner:
    """Return the learner kept as `artifact`, from memory or from the storage.

    An artifact never changes, so neither does what is kept here: which artifact serves is asked of the database for
    each prediction, and a rollback is live at once.
    """
    learner = _loaded.get(artifact)
    if learner is not None:
        return learner
    with _lock:
        learner = _loaded.get(artifact)
        if learner is None:
            learner = engine.load(artifacts.read(artifact))
            _loaded[artifact] = learner
            while len(_loaded) > settings.SERVING_CACHE_MODELS:
                _loaded.popitem(last=False)
    return learner
