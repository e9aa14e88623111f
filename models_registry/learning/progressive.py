"""Progressive (prequential) learning: predict, score, learn, event by event, resumable after any of them."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import baselines, measures, serving
from . import spec as specs
from .answers import DIVERGED, Answers
from .build import build
from .catalogue import REGRESSION
from .delayed import Occurrence, WaitingRoom
from .digests import RunningDigest, digest_of
from .drift import Drift, ErrorWatch
from .errors import EstimatorFailed, describe
from .intake import Batch, Event, Features, Intake, SetAside
from .labels import Label, LabelBook
from .outcomes import Outcomes, note_outcomes
from .points import Point, Thinner
from .purity import changes_by_predicting
from .scoring import Scorer
from .serving import Prediction

BLOCK = 1_000
"""Events predicted and learned before they are scored together."""
WINDOW = 500
PROBES = 50


@dataclass(slots=True)
class ChunkResult:
    """What learning some events brought.

    Parameters
    ----------
    events
        Events taken, those set aside included.
    position
        Position of the last of them.
    points
        Metric buckets that are now finished.
    drifts
        Changes of the error.
    set_aside
        Events not learned, with the reason.
    compact_to
        The bucket width to merge this run's stored points to, when it has grown.
    series
        The latest value of every series.
    outcomes
        How each prediction turned out.
    """

    events: int = 0
    position: int = 0
    points: list[Point] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    compact_to: int | None = None
    series: dict[str, float | None] = field(default_factory=dict)
    outcomes: list[Outcomes] = field(default_factory=list)

    def summary(self) -> dict[str, float | None]:
        """Return the latest value of every series, not rounded; `None` where there is none yet."""
        return dict(self.series)


class Learner:
    """A model and everything a run knows of it, resumable after any event.

    Each event is predicted, scored and learned, in this order. What comes out (predictions, metrics, buckets, drifts,
    digests) depends on the spec, the seed and the events alone: not on how the stream is cut into chunks, nor on
    pickling the learner between them, nor on the process.

    Parameters
    ----------
    spec
        The spec of the model.
    task
        `binary`, `multiclass` or `regression`.
    seed
        Seed of everything random in the model.
    metrics
        Names of metrics; those of `measures.DEFAULTS` when left out. Those that need probabilities are dropped for a
        model that has none.
    window
        Events in the rolling view.
    drift
        Whether to watch the error, or the spec of the detector that does.
    baseline
        One of `baselines.list_baselines(task)`, the first when left out, or `none`.
    classes
        For a binary task, the negative and the positive label, if known.
    start
        The position before the first event.

    Raises
    ------
    SpecError
        If the spec or the detector's is not valid.
    ValueError
        If a metric or the baseline does not fit the task.

    Examples
    --------
    >>> from river import datasets
    >>> from models_registry.learning.templates import find_template
    >>> learner = Learner.create(find_template("logistic-regression").spec, "binary", seed=42)
    >>> result = learner.learn((i, x, y) for i, (x, y) in enumerate(datasets.Phishing(), start=1))
    >>> result.events, round(learner.summary()["overall.Accuracy"], 3)
    (1250, 0.893)

    References
    ----------
    [^1]: Gama, J., Sebastião, R. and Rodrigues, P. P. (2013). On evaluating stream learning algorithms.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        task: str,
        seed: int,
        *,
        metrics: Sequence[str] | None = None,
        window: int = WINDOW,
        drift: bool | dict[str, Any] = True,
        baseline: str | None = None,
        classes: Sequence[Label] | None = None,
        start: int = 0,
    ) -> None:
        self.spec = spec
        self.task = task
        self.seed = seed
        self.model = build(spec, seed, task=task)
        self.labels = LabelBook(task, classes)
        self.intake = Intake(self.labels, specs.find_needed_features(spec))
        self.scorer = self._make_scorer(metrics, window, drift, baseline)
        self.thinner = Thinner(start)
        self.waiting = WaitingRoom()
        self.predictions = RunningDigest()
        self.position = self.intake.position = start
        self.events = 0
        self.learned = 0
        self.set_aside = 0
        self.series: dict[str, float | None] = {}
        self._probes: list[Features] = []
        self._blank = 0

    @classmethod
    def create(cls, spec: dict[str, Any], task: str, seed: int, **options: Any) -> Learner:
        """Return a learner that has seen nothing; the parameters are those of the class."""
        return cls(spec, task, seed, **options)

    def _make_scorer(
        self, metrics: Sequence[str] | None, window: int, drift: bool | dict[str, Any], baseline: str | None
    ) -> Scorer:
        try:
            found = [measures.find_measure(name) for name in metrics or measures.DEFAULTS[self.task]]
        except LookupError as wrong:
            raise ValueError(wrong.args[0]) from wrong
        if unknown := [measure.name for measure in found if self.task not in measure.tasks]:
            raise ValueError(f"{', '.join(unknown)}: no metric of a {self.task} task")
        names = list(dict.fromkeys(measure.name for measure in found))
        if not 2 <= window <= 100_000:
            raise ValueError("the window has to hold between 2 and 100,000 events")
        kinds = baselines.list_baselines(self.task)
        kind = baseline or kinds[0]
        if kind not in (*kinds, baselines.NONE):
            raise ValueError(f"{kind}: no baseline of a {self.task} task")
        watch = None if drift is False else ErrorWatch(_detector(drift, self.task), self.seed, self.task)
        if self.task != REGRESSION and not serving.has_probabilities(self.model):
            names = [name for name in names if not measures.find_measure(name).needs_probabilities]
        return Scorer(self.task, names, window, None if kind == baselines.NONE else kind, watch)

    def learn(self, events: Iterable[Event]) -> ChunkResult:
        """Predict, score and learn events.

        Parameters
        ----------
        events
            `(position, features, label)` tuples; positions rise, and continue those of the call before.

        Raises
        ------
        EstimatorFailed
            If the model fails. The events before that one are scored and its own learning may be half done, so the
            learner is of no further use: to go on, start from a copy and stop before this event.
        """
        result = ChunkResult(position=self.position, series=self.series)
        iterator = iter(events)
        while block := list(itertools.islice(iterator, BLOCK)):
            self.learn_batch(self.intake.take(block), result)
        return result

    def learn_batch(self, batch: Batch, result: ChunkResult) -> Answers:
        """Predict, score and learn events that are checked already, perhaps for several learners at once.

        Parameters
        ----------
        batch
            The events.
        result
            What they bring is added to it.

        Returns
        -------
        What the model had predicted.
        """
        answers = Answers(self.model, self.task, probabilities=self.scorer.needs_probabilities)
        predict, learn, keep = answers.predict, self.model.learn_one, answers.raw.append
        i = 0
        try:
            # The loop that everything else is kept out of.
            for i, x, y in zip(itertools.count(), batch.features, batch.labels):  # noqa: B007 (read when it fails)
                keep(predict(x))
                learn(x, y)
        except Exception as error:  # noqa: BLE001 (a model may raise anything)
            failure = EstimatorFailed(batch.positions[i], describe(error))
            failure.__cause__ = error
            del answers.raw[i:]
            self._finish_batch(batch.before(i), answers, result, failure)
        else:
            self._finish_batch(batch, answers, result)
        return answers

    def learn_delayed(self, occurrences: Iterable[Occurrence]) -> ChunkResult:
        """Predict when features come, score and learn when their label comes.

        Parameters
        ----------
        occurrences
            `Question(key, features)` and `Answer(position, key, label)`, in the order in which they happened. Only
            answers have positions, which rise; only answered questions count as events.
        """
        result = ChunkResult(position=self.position, series=self.series)
        iterator = iter(occurrences)
        while block := list(itertools.islice(iterator, BLOCK)):
            answers = Answers(self.model, self.task, probabilities=self.scorer.needs_probabilities)
            learn = self.model.learn_one
            batch, answers.raw, failure = self.waiting.go_through(block, self.intake, answers.predict, learn)
            self._finish_batch(batch, answers, result, failure)
        return result

    def predict(self, features: object) -> Prediction:
        """Return what the model predicts, with labels as people write them.

        Parameters
        ----------
        features
            The features as they came; `DataError` says what is wrong with them.
        """
        return self.decode(serving.predict(self.model, self.task, self.intake.check_features(features)))

    def decode(self, prediction: Prediction) -> Prediction:
        """Return a prediction with labels as people write them."""
        if self.task == REGRESSION:
            return prediction
        decode = self.labels.decode
        chances = prediction.probabilities
        named = {decode(label): chance for label, chance in chances.items()} if chances is not None else None
        return Prediction(decode(prediction.label), named)  # type: ignore[arg-type]

    def summary(self) -> dict[str, float | None]:
        """Return the latest value of every series, not rounded; `None` where there is none yet."""
        return dict(self.series)

    def copy(self) -> Learner:
        """Return a copy that learns apart from this one; a pickle round trip, several times faster than `deepcopy`."""
        twin: Learner = pickle.loads(pickle.dumps(self, protocol=5))  # noqa: S301 (made on this very line)
        return twin

    def digest(self) -> str:
        """Return the digest of every prediction and of the metrics so far."""
        return self.predictions.finish(self.events, self.set_aside, self.series)

    def metrics_digest(self, series: Iterable[str] | None = None) -> str:
        """Return the digest of the metrics so far: of all, or of these series alone."""
        return digest_of(self.series if series is None else {name: self.series.get(name) for name in series})

    def probe_digest(self) -> str:
        """Return the digest of the model's predictions on the first events it met.

        Two states are the same model if they have the same metrics and predict these alike. A model that changes when
        it predicts is asked as a copy.
        """
        model = self.copy().model if changes_by_predicting(self.spec) else self.model
        answers: list[object] = []
        for probe in self._probes:
            label, chances = self.decode(serving.predict(model, self.task, probe))
            answers.append((label, sorted((str(name), chance) for name, chance in (chances or {}).items())))
        return digest_of((answers, [str(label) for label in self.labels.classes]))

    def model_digest(self, series: Iterable[str] | None = None) -> str:
        """Return the one digest that names this model's state, kept with a version: metrics and probe predictions.

        With `series`, of those metrics alone: what a version names that was published before there were others.
        """
        return digest_of((specs.canonical(self.spec), self.events, self.metrics_digest(series), self.probe_digest()))

    def measure_size(self) -> int:
        """Return the size of the model in bytes, as pickled; about 30 ms for a forest of 5 MB."""
        return len(pickle.dumps(self.model, protocol=5))

    def _finish_batch(
        self, batch: Batch, answers: Answers, result: ChunkResult, failure: EstimatorFailed | None = None
    ) -> None:
        """Score what was predicted and learned, take note of it, and raise the failure it ended with."""
        answers.finish()
        self._blank, stop = answers.count_blanks(self._blank)
        if stop is not None:
            failure = EstimatorFailed(batch.positions[stop], DIVERGED)
            batch = batch.before(stop)
            answers.cut(stop)
        if len(self._probes) < PROBES:
            self._probes += batch.features[: PROBES - len(self._probes)]
        events = len(batch.positions) + len(batch.set_aside)
        self.position = batch.last
        self.events += events
        self.learned += len(batch.positions)
        self.set_aside += len(batch.set_aside)
        if batch.positions:
            scored = self.scorer.score(batch.positions, batch.labels, answers)
            positions = np.array(batch.positions, dtype=np.int64)
            self.predictions.add(positions, *scored.records)
            points, width = self.thinner.add(positions, scored.names, scored.values)
            self.series = scored.latest()
            result.points += points
            result.compact_to = width or result.compact_to
            result.drifts += scored.drifts
            result.outcomes.append(note_outcomes(self.task, batch.positions, batch.labels, answers.labels))
        result.events += events
        result.position = self.position
        result.set_aside += batch.set_aside
        result.series = self.series
        if failure is not None:
            raise failure


def _detector(given: bool | dict[str, Any], task: str) -> dict[str, Any]:
    detector = measures.USUAL_DETECTOR if given is True else given
    assert isinstance(detector, dict)
    # Binary detectors know right and wrong, not the size of an error.
    roles = ("drift_detector",) if task == REGRESSION else ("drift_detector", "binary_drift_detector")
    specs.validate_component(detector, roles, task)
    return detector


__all__ = ["ChunkResult", "Learner"]
