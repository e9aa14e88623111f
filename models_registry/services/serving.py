"""Models in memory, ready to predict: a bounded set per process, keyed by the artifact."""

from __future__ import annotations

import copy
import pickle
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from django.conf import settings

from models_registry import artifacts, engine
from models_registry.learning.purity import changes_by_predicting

if TYPE_CHECKING:
    from models_registry.learning.progressive import Learner
    from models_registry.learning.serving import Prediction


class Served:
    """A model that answers, always from the state that was kept.

    Of a model that changes when it predicts, each prediction is made by a fresh copy.
    """

    __slots__ = ("_frozen", "learner")

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self._frozen = pickle.dumps(learner.model, protocol=5) if changes_by_predicting(learner.spec) else None

    def predict(self, features: dict[str, Any]) -> Prediction:
        """Return what the kept state predicts."""
        if self._frozen is None:
            return self.learner.predict(features)
        twin = copy.copy(self.learner)
        twin.model = pickle.loads(self._frozen)  # noqa: S301 - dumped above, from a signed artifact
        return twin.predict(features)


_loaded: OrderedDict[str, Served] = OrderedDict()
_lock = threading.Lock()
_loading = threading.Lock()


def find_served(artifact: str) -> Served | None:
    """Return the model kept as `artifact` if it is in memory."""
    with _lock:
        served = _loaded.get(artifact)
        if served is not None:
            _loaded.move_to_end(artifact)
        return served


def load_served(artifact: str) -> Served:
    """Return the model kept as `artifact`, from memory or from the storage.

    An artifact never changes, so neither does what is kept here: which artifact serves is asked of the database for
    each prediction, and a rollback is live at once.
    """
    with _loading:
        served = find_served(artifact)
        if served is not None:
            return served
        # Waits for the import that a web process does in the background at its start. Unpickling while another thread
        # imports the same modules, in another order, would find some of them half-made.
        engine.learner_class()
        served = Served(engine.load(artifacts.read(artifact)))
        with _lock:
            _loaded[artifact] = served
            # Two at least: what serves and its canary would push each other out.
            while len(_loaded) > max(settings.SERVING_CACHE_MODELS, 2):
                _loaded.popitem(last=False)
        return served
