"""What the portal answers, as frozen dataclasses. Fields that a newer portal adds are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

_TIMES = frozenset({"at", "created_at", "started_at", "updated_at", "finished_at"})


class Answer:
    """Reads an answer of the API into a dataclass."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Return the answer that `body` tells."""
        names = {each.name for each in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: _read(name, value) for name, value in body.items() if name in names})


def _read(name: str, value: Any) -> Any:
    if name == "steps":
        return tuple(map(Step.of, value))
    return datetime.fromisoformat(value) if name in _TIMES and isinstance(value, str) else value


@dataclass(frozen=True)
class Prediction(Answer):
    """What the deployed model says; send the label later with this `id`.

    `version` is None where no model answered but the project's fallback; `fallback` says then by which `rule`, and why
    (`code`, `message`).
    """

    id: str
    prediction: Any
    version: int | None
    deployment: int | None
    probabilities: dict[str, float] | None = None
    fallback: dict[str, str] | None = None


@dataclass(frozen=True)
class Rejection:
    """An item that was not taken: the `index` it had among those sent (from 0), and why."""

    index: int
    error: str


@dataclass(frozen=True)
class Receipt:
    """What became of the items sent; every one is counted once. `waiting` are labels whose event has not come yet.

    A call that was repeated because its answer got lost counts what had arrived as `duplicates`.
    """

    accepted: int = 0
    duplicates: int = 0
    corrections: int = 0
    rejected_count: int = 0
    rejected: tuple[Rejection, ...] = ()
    waiting: int = 0

    @property
    def taken(self) -> int:
        """How many items the portal has now."""
        return self.accepted + self.duplicates + self.corrections + self.waiting

    def plus(self, other: Receipt) -> Receipt:
        """Return the sum of two receipts."""
        return Receipt(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.corrections + other.corrections,
            self.rejected_count + other.rejected_count,
            self.rejected + other.rejected,
            self.waiting + other.waiting,
        )


@dataclass(frozen=True)
class Run(Answer):
    """One incremental training."""

    number: int
    model: int
    model_name: str
    mode: str
    purpose: str
    state: str
    seed: int
    position: int
    start_position: int
    target_position: int | None
    learned: int
    set_aside: int
    created_at: datetime
    error: str = ""
    from_version: int | None = None
    verifies: int | None = None
    publish_every: int = 0
    trigger: str = ""
    events_per_second: float = 0.0
    metrics: dict[str, float | None] = field(default_factory=dict)
    created_by: str | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Say whether the run is over for good."""
        return self.state in {"completed", "cancelled", "failed"}


@dataclass(frozen=True)
class Version(Answer):
    """The immutable published state of a model at one position."""

    number: int
    model: int
    model_name: str
    run: int
    position: int
    reason: str
    created_at: datetime
    parent: int | None = None
    digest: str = ""
    artifact_bytes: int = 0
    metrics: dict[str, float | None] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    created_by: str | None = None


@dataclass(frozen=True)
class Deployment(Answer):
    """A fact: from here on this version served, with `canary` answering `canary_share` per cent of the traffic."""

    number: int
    version: int
    kind: str
    mode: str
    created_at: datetime
    previous: int | None = None
    canary: int | None = None
    canary_share: int = 0
    since: str = ""
    replay_run: int | None = None
    proposal: int | None = None
    reason: str = ""
    created_by: str | None = None


@dataclass(frozen=True)
class Step(Answer):
    """A fact about a proposal: `approved`; or what ended it: `declined`, `withdrawn`, `done`, `failed`."""

    kind: str
    created_at: datetime
    note: str = ""
    created_by: str | None = None


@dataclass(frozen=True)
class Proposal(Answer):
    """A deployment that waits: for the time `at`, for a second person, or for both; with what happened to it."""

    number: int
    action: str
    version: int
    mode: str
    needs_approval: bool
    created_at: datetime
    share: int = 0
    at: datetime | None = None
    reason: str = ""
    created_by: str | None = None
    steps: tuple[Step, ...] = ()

    @property
    def settled(self) -> bool:
        """Say whether it waits no longer."""
        return any(step.kind != "approved" for step in self.steps)


@dataclass(frozen=True)
class Challenger(Answer):
    """A version that predicts in the shadow of what serves.

    `verdict` is the paired test against it, None while no event that both predicted has a label: a mapping with
    `metric`, the values of `serving` and `challenger`, `events`, which one is `better` (empty: chance may explain the
    difference), `test`, `p` and `words`.
    """

    version: int
    model_name: str
    since: datetime
    asked: int
    reason: str = ""
    created_by: str | None = None
    verdict: dict[str, Any] | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Return the challenger that `body` tells."""
        return super().of({**body, "since": datetime.fromisoformat(body["since"])})
