"""Several models in one pass: each event is read and checked once, and learned by all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from . import baselines
from .compare import Verdict, compare_all
from .errors import EstimatorFailed
from .intake import Batch, Event
from .labels import Label
from .pairing import Pairing
from .progressive import BLOCK, ChunkResult, Learner

MAX_CANDIDATES = 50


class Contest:
    """Candidates that learn the same events, resumable like a single learner.

    Each candidate comes out exactly as if it had learned alone; the events are checked once, and the baseline is kept
    by the first alone. A candidate that fails is left behind at that event, the others go on.

    Parameters
    ----------
    learners
        A fresh learner per candidate, by name.

    Examples
    --------
    >>> from river import datasets
    >>> from models_registry.learning.templates import find_template
    >>> specs = {"logistic": find_template("logistic-regression").spec, "prior": {"use": "dummy.PriorClassifier"}}
    >>> contest = Contest.create(specs, "binary", seed=1)
    >>> results = contest.learn((i, x, y) for i, (x, y) in enumerate(datasets.Phishing(), start=1))
    >>> contest.judge("logistic")[0].better
    'logistic'
    """

    def __init__(self, learners: Mapping[str, Learner]) -> None:
        self.learners = dict(learners)
        first = next(iter(self.learners.values()))
        self.task = first.task
        self.intake = first.intake
        self.failures: dict[str, EstimatorFailed] = {}
        self.pairing = Pairing(self.task, list(self.learners))
        # An event that lacks what one candidate needs is set aside for all: they are compared on the same events.
        needed = itertools.chain.from_iterable(learner.intake.needed for learner in self.learners.values())
        self.intake.needed = tuple(dict.fromkeys(needed))
        for learner in self.learners.values():
            # One schema and one set of labels for all, pickled once.
            learner.intake, learner.labels = self.intake, first.labels

    @classmethod
    def create(
        cls,
        specs: Mapping[str, dict[str, Any]],
        task: str,
        seed: int,
        *,
        baseline: str | None = None,
        **options: Any,
    ) -> Contest:
        """Return a contest of fresh learners; the parameters are those of `Learner`, with a spec per name."""
        if not 1 <= len(specs) <= MAX_CANDIDATES:
            raise ValueError(f"a contest has between 1 and {MAX_CANDIDATES} candidates")
        kinds = [baseline] + [baselines.NONE] * (len(specs) - 1)
        named = zip(specs.items(), kinds, strict=True)
        return cls({name: Learner(spec, task, seed, baseline=kind, **options) for (name, spec), kind in named})

    @property
    def position(self) -> int:
        """Position of the last event taken."""
        return self.intake.position

    def learn(self, events: Iterable[Event]) -> dict[str, ChunkResult]:
        """Let every candidate predict, score and learn events.

        Parameters
        ----------
        events
            `(position, features, label)` tuples; positions rise, and continue those of the call before.

        Returns
        -------
        The result of each candidate; one that has failed (see `failures`) has none from then on.
        """
        results = {
            name: ChunkResult(position=learner.position, series=learner.series)
            for name, learner in self.learners.items()
            if name not in self.failures
        }
        iterator = iter(events)
        while block := list(itertools.islice(iterator, BLOCK)):
            batch = self.intake.take(block)
            self._learn_batch(batch, results)
        return results

    def _learn_batch(self, batch: Batch, results: dict[str, ChunkResult]) -> None:
        silence: list[Label | None] = [None] * len(batch.positions)
        said: list[list[Label | None]] = []
        for name, learner in self.learners.items():
            answers = silence
            if name not in self.failures:
                try:
                    answers = learner.learn_batch(batch, results[name]).labels
                except EstimatorFailed as failure:
                    self.failures[name] = failure
            said.append(answers)
        if batch.positions:
            self.pairing.add(batch.labels, said)

    def judge(self, champion: str, metric: str | None = None) -> list[Verdict]:
        """Say of each other candidate that has not failed whether it really differs from the champion."""
        names = [name for name in self.learners if name != champion and name not in self.failures]
        return compare_all(self.pairing, champion, names, metric)

    def release(self, name: str) -> Learner:
        """Return a candidate's learner as one of its own, for a version or to go on alone."""
        return self.learners[name].copy()

    def digest(self) -> dict[str, str]:
        """Return each candidate's digest of every prediction and the metrics so far."""
        return {name: learner.digest() for name, learner in self.learners.items()}
