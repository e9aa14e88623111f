"""Labels that come late: predict when the features arrive, score and learn when the label does."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from .errors import DataError, EstimatorFailed, describe
from .intake import Batch, Features, Intake, SetAside
from .labels import Label

MAX_WAITING = 100_000
"""Predictions that wait for their label at one time; beyond it the oldest is given up."""


class Question(NamedTuple):
    """Features whose label is not known yet."""

    key: Hashable
    features: Any


class Answer(NamedTuple):
    """The label for an earlier question; `position` is its place in the order of labels."""

    position: int
    key: Hashable
    label: Any


Occurrence = Question | Answer


class Waiting(NamedTuple):
    """A question asked: its features and what the model said then, or why there was nothing to ask."""

    features: Features
    said: Any
    reason: str = ""


class WaitingRoom:
    """The questions whose labels have not come.

    River's `progressive_val_score(delay=...)` goes through a stream in the same way: the model predicts with what it
    knew when the features came, and is scored and taught with that when the label comes.

    References
    ----------
    [^1]: Grzenda, M., Gomes, H. M. and Bifet, A. (2020). Delayed labelling evaluation for data streams.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def go_through(
        self,
        occurrences: Sequence[Occurrence],
        intake: Intake,
        predict: Callable[[Features], Any],
        learn: Callable[[Features, Label], None],
    ) -> tuple[Batch, list[Any]]:
        """Predict and learn in the order in which things happened.

        Parameters
        ----------
        occurrences
            Questions and answers. An answer to a question never asked is set aside.
        intake
            Checks features and labels.
        predict
            Asks the model.
        learn
            Teaches the model.

        Returns
        -------
        The events that were learned, and what the model had said of each.
        """
        batch = Batch([], [], [], [], intake.position)
        said: list[Any] = []
        for occurrence in occurrences:
            if isinstance(occurrence, Question):
                self._ask(occurrence, intake, predict)
                continue
            found = self._take(occurrence, intake, batch)
            if found is None:
                continue
            try:
                learn(batch.features[-1], batch.labels[-1])
            except Exception as error:
                raise EstimatorFailed(occurrence.position, describe(error)) from error
            said.append(found.said)
        return batch._replace(last=intake.position), said

    def _ask(self, question: Question, intake: Intake, predict: Callable[[Features], Any]) -> None:
        try:
            # A copy, because the answer may come long after the caller has gone on with the dictionary.
            features = dict(intake.check_features(question.features, remember=True))
        except DataError as error:
            waiting = Waiting({}, None, str(error))
        else:
            try:
                waiting = Waiting(features, predict(features))
            except Exception as error:
                # Between two labels: the next one is the first that cannot be learned.
                raise EstimatorFailed(intake.position + 1, describe(error)) from error
        self._waiting.pop(question.key, None)
        self._waiting[question.key] = waiting
        if len(self._waiting) > MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]

    def _take(self, answer: Answer, intake: Intake, batch: Batch) -> Waiting | None:
        """Check an answer and put it in the batch, or set it aside."""
        intake.advance(answer.position)
        found = self._waiting.pop(answer.key, None)
        try:
            if found is None:
                raise DataError("no prediction waits for this label: never asked for, or given up as too old")
            if found.reason:
                raise DataError(found.reason)
            label = intake.labels.encode(answer.label)
        except DataError as error:
            batch.set_aside.append(SetAside(answer.position, str(error)))
            return None
        batch.positions.append(answer.position)
        batch.features.append(found.features)
        batch.labels.append(label)
        return found
