"""What can go wrong in learning, each with a sentence a person can act on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class LearningError(Exception):
    """Base of every error this package raises on purpose."""


class Fault(NamedTuple):
    """One thing wrong with a spec: where, and what."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class SpecError(LearningError):
    """A spec that cannot be built.

    Parameters
    ----------
    place
        Where the first fault is, as a path into the spec: `steps[1].params.l2`.
    message
        What is wrong there.
    errors
        Every fault found, the first one included.
    """

    def __init__(self, place: str, message: str, errors: Sequence[Fault] = ()) -> None:
        self.place = place
        self.message = message
        self.errors: list[Fault] = list(errors) or [Fault(place, message)]
        super().__init__("; ".join(str(fault) for fault in self.errors))

    def __reduce__(self) -> tuple[type[SpecError], tuple[str, str, list[Fault]]]:
        return type(self), (self.place, self.message, self.errors)


def describe(error: Exception) -> str:
    """Return an error as one line."""
    text = " ".join(str(error).split())
    if isinstance(error, NotImplementedError) and not text:
        return "a model inside it gives labels only, where probabilities are needed"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class ArtifactRejected(LearningError):  # noqa: N818
    """Stored bytes that are not a state this portal wrote, or not one it can read."""


class DataError(LearningError):
    """A label or a set of features that cannot be learned from; the message is the reason shown to people."""


class OutOfOrderError(LearningError, ValueError):
    """An event that does not come after the one before: learning it would learn an event twice."""

    def __init__(self, position: int, before: int) -> None:
        self.position, self.before = position, before
        super().__init__(f"event {position} comes after event {before}")

    def __reduce__(self) -> tuple[type[OutOfOrderError], tuple[int, int]]:
        return type(self), (self.position, self.before)


class EstimatorFailed(LearningError):  # noqa: N818
    """A model raised an error of its own, or diverged.

    The learner that raised this may hold a half-updated model: go back to the state before the chunk and learn up to
    the event before `position`.

    Parameters
    ----------
    position
        The event at which it happened; nothing from it on was learned.
    message
        What the model said.
    """

    def __init__(self, position: int, message: str) -> None:
        self.position = position
        self.message = message
        super().__init__(message)

    def __reduce__(self) -> tuple[type[EstimatorFailed], tuple[int, str]]:
        return type(self), (self.position, self.message)
