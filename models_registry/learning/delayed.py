"""Labels that come late: predict when the features arrive, score and learn when the label does."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from .errors import DataError, EstimatorFailed, OutOfOrderError, describe
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
    ) -> tuple[Batch, list[Any], EstimatorFailed | None]:
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
        The events that were learned, what the model had said of each, and the failure that ended it, if one did.
        """
        batch = Batch([], [], [], [], intake.position)
        said: list[Any] = []
        for occurrence in occurrences:
            before = intake.position
            try:
                if isinstance(occurrence, Question):
                    self._ask(occurrence, intake, predict)
                elif (found := self._take(occurrence, intake, batch)) is not None:
                    said.append(found.said)
                    learn(batch.features[-1], batch.labels[-1])
            except OutOfOrderError:
                raise
            except Exception as error:  # noqa: BLE001 (a model may raise anything)
                # A question lies between two labels: when it fails, the next one is the first that cannot be learned.
                position, unlearned = (occurrence.position, 1) if isinstance(occurrence, Answer) else (before + 1, 0)
                failure = EstimatorFailed(position, describe(error))
                failure.__cause__ = error
                learned = len(batch.positions) - unlearned
                return batch.first(learned, last=before), said[:learned], failure
        return batch._replace(last=intake.position), said, None

    def _ask(self, question: Question, intake: Intake, predict: Callable[[Features], Any]) -> None:
        try:
            # A copy, because the answer may come long after the caller has gone on with the dictionary.
            features = dict(intake.check_features(question.features, remember=True))
        except DataError as error:
            waiting = Waiting({}, None, str(error))
        else:
            waiting = Waiting(features, predict(features))
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
