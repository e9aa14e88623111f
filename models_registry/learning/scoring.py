"""Scoring a block of predictions: every metric in every view, the baseline, and the watch over the error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import measures
from .answers import Answers
from .baselines import MAJORITY, Baseline
from .catalogue import REGRESSION
from .drift import Drift, ErrorWatch
from .labels import Label
from .measures import BASELINE, BASELINE_ROLLING, FADING, OVERALL, ROLLING
from .tallies import Probabilities, Series, make_tally
from .windows import FadingMean

Floats = npt.NDArray[np.float64]
#: The area under the diagonal: a guess that ignores the features ranks no event before another.
CHANCE = 0.5


class Scored(NamedTuple):
    """The values of all series after each event of a block."""

    names: list[str]
    values: Floats
    """One row per series, one column per event; NaN where a series has no value yet."""
    drifts: list[Drift]
    records: tuple[list[int], list[float]]
    """A class number and a value per event, for the digest of the predictions."""

    def latest(self) -> dict[str, float | None]:
        """Return the values after the last event."""
        lasts = self.values[:, -1].tolist()
        return {name: value if math.isfinite(value) else None for name, value in zip(self.names, lasts, strict=True)}


class Scorer:
    """Keeps the running totals of a run.

    An event the model had no prediction for is not scored, as in River; its series keep their values.

    Parameters
    ----------
    task
        `binary`, `multiclass` or `regression`.
    metrics
        Names of the metrics.
    window
        Events in the rolling view; the fading view forgets at the same pace.
    baseline
        Kind of the baseline; `None` for none.
    watch
        The watch over the error, if wanted.
    """

    def __init__(
        self, task: str, metrics: Sequence[str], window: int, baseline: str | None, watch: ErrorWatch | None = None
    ) -> None:
        self.task = task
        self.metrics = list(metrics)
        self.window = window
        self.watch = watch
        self.needs_probabilities = any(measures.find_measure(name).needs_probabilities for name in metrics)
        self._tally = make_tally(task, metrics, window)
        self._fading = FadingMean(1 - 1 / window)
        self._faded = measures.key_of(FADING, measures.PRIMARY[task])
        self._baseline = Baseline(baseline) if baseline else None
        self._against = [name for name in metrics if baseline and _can_be_guessed(name, baseline)]
        self._baseline_tally = make_tally(task, self._against, window)
        self._lasts: dict[str, float] = dict.fromkeys(self._names(), math.nan)

    def _names(self) -> list[str]:
        keys = [measures.key_of(view, name) for view in (OVERALL, ROLLING) for name in self.metrics]
        curves = [name for name in self.metrics if _is_curve(name)] if self._baseline else []
        against = [*self._against, *curves]
        keys += [measures.key_of(view, name) for view in (BASELINE, BASELINE_ROLLING) for name in against]
        return [*keys, self._faded]

    def score(self, positions: Sequence[int], labels: Sequence[Label], answers: Answers) -> Scored:
        """Score the predictions for some events."""
        names = list(self._lasts)
        values = np.empty((len(names), len(positions)))
        # A model on its way out of bounds takes its metrics with it; that is reported as such, not warned of.
        with np.errstate(over="ignore", invalid="ignore"):
            series, drifts, scored = self._score_model(positions, labels, answers)
            self._spread(series, scored, names, values)
            if self._baseline:
                series, scored = self._score_baseline(self._baseline, labels)
                self._spread(series, scored, names, values)
        self._lasts = dict(zip(names, values[:, -1].tolist(), strict=True))
        return Scored(names, values, drifts, answers.numbers())

    def _score_model(
        self, positions: Sequence[int], labels: Sequence[Label], answers: Answers
    ) -> tuple[Series, list[Drift], list[int] | None]:
        said: list[Label | None] = answers.labels
        chances: list[Probabilities] | None = answers.probabilities
        scored: list[int] | None = None
        if None in said:
            scored = [i for i, label in enumerate(said) if label is not None]
            said, labels, positions = (
                [said[i] for i in scored],
                [labels[i] for i in scored],
                [positions[i] for i in scored],
            )
            chances = [chances[i] for i in scored] if chances is not None else None
        if not said:
            return {name: np.empty(0) for name in self._names() if not name.startswith(BASELINE)}, [], scored
        series = self._tally.add(labels, said, chances)  # type: ignore[arg-type]
        errors = _errors(self.task, labels, said)
        drifts = self.watch.follow(positions, errors) if self.watch else []
        if self.task == REGRESSION:
            series[self._faded] = self._fading.add(errors)
        else:
            series[self._faded] = self._fading.add([1.0 - error for error in errors])
        return series, drifts, scored

    def _score_baseline(self, baseline: Baseline, labels: Sequence[Label]) -> tuple[Series, list[int] | None]:
        guesses, chances = baseline.follow(labels)
        scored = None
        if guesses[0] is None:
            scored = list(range(1, len(guesses)))
            guesses, labels, chances = guesses[1:], labels[1:], chances and chances[1:]
        series = self._baseline_tally.add(labels, guesses, chances) if guesses else {}  # type: ignore[arg-type]
        renamed: Series = {}
        for key in [name for name in self._lasts if name.startswith(BASELINE)]:
            view, _, metric = key.partition(".")
            if _is_curve(metric):
                renamed[key] = np.full(len(guesses), CHANCE)
                continue
            source = measures.key_of(OVERALL if view == BASELINE else ROLLING, metric)
            renamed[key] = series.get(source, np.empty(0))
        return renamed, scored

    def _spread(self, series: Series, scored: list[int] | None, names: list[str], values: Floats) -> None:
        """Write series into the rows of the block; where an event was not scored the value before it stands."""
        row_of = {name: i for i, name in enumerate(names)}
        count = values.shape[1]
        for name, found in series.items():
            if scored is None:
                values[row_of[name]] = found
                continue
            steps = np.zeros(count, dtype=np.int64)
            steps[scored] = 1
            values[row_of[name]] = np.concatenate(([self._lasts[name]], found))[np.cumsum(steps)]


def _can_be_guessed(metric: str, baseline: str) -> bool:
    """Whether the guesses are scored one by one. A ROC curve of theirs is the diagonal, whatever the labels."""
    return not _is_curve(metric) and (baseline == MAJORITY or not measures.find_measure(metric).needs_probabilities)


def _is_curve(metric: str) -> bool:
    return measures.find_measure(metric).use == "ROCAUC"


def _errors(task: str, labels: Sequence[Label], said: Sequence[Label | None]) -> list[float]:
    if task == REGRESSION:
        errors: list[float] = np.abs(np.array(labels, dtype=float) - np.array(said, dtype=float)).tolist()
        return errors
    return [0.0 if y == p else 1.0 for y, p in zip(labels, said, strict=True)]
