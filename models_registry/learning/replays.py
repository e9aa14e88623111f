"""Whether learning again what came since was worth it: the replayed model against the restored one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from . import serving
from .intake import Event
from .pairing import Pairing
from .progressive import BLOCK, ChunkResult, Learner

REPLAYED, RESTORED = "the replay", "the restored version"


class ReplayTrial:
    """Lets a model that learns on and the state it started from predict the same events.

    Each event is predicted by both before the one learns it, so neither has seen its label.

    Parameters
    ----------
    restored
        The state that stays as it is.
    learner
        A state that learns the events; its own copy, at the position before the first of them.

    Examples
    --------
    >>> from river import datasets
    >>> from models_registry.learning.templates import find_template
    >>> events = [(i, x, y) for i, (x, y) in enumerate(datasets.Phishing(), start=1)]
    >>> restored = Learner.create(find_template("logistic-regression").spec, "binary", seed=42)
    >>> result = restored.learn(events[:100])
    >>> trial = ReplayTrial(restored, restored.copy())
    >>> trial.take(events[100:])
    >>> trial.pairing.count_shared(REPLAYED, RESTORED)
    1150
    """

    def __init__(self, restored: Learner, learner: Learner) -> None:
        self.restored = restored
        self.learner = learner
        self.pairing = Pairing(learner.task, [REPLAYED, RESTORED])

    def take(self, events: Iterable[Event]) -> None:
        """Let both predict events, in the order of their positions, and the one learn them."""
        task, model = self.learner.task, self.restored.model
        iterator = iter(events)
        while block := list(itertools.islice(iterator, BLOCK)):
            batch = self.learner.intake.take(block)
            before = [serving.predict(model, task, features).label for features in batch.features]
            result = ChunkResult(position=self.learner.position, series=self.learner.series)
            after = self.learner.learn_batch(batch, result).labels
            if batch.positions:
                self.pairing.add(batch.labels, [after, before])
