"""Taking events and labels in: exactly once, in one gapless order per project."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from django.db import IntegrityError, transaction

from ops_portal.errors import UserError
from projects.doorbell import ring_followers
from projects.event_store import (
    LabelToJoin,
    Stored,
    advance_stream,
    find_events,
    insert_events,
    join_labels,
    lock_stream,
    stored_time,
)
from projects.labels import LabelRule
from projects.models import LabelCorrection, Project
from projects.payload import MISSING, Incoming, IncomingLabel, PayloadError

__all__ = ["MISSING", "Incoming", "IncomingLabel", "Receipt", "Rejection", "accept", "accept_labels"]

_encode = msgspec.json.Encoder().encode
_LABEL, _POSITION, _LABELLED_AT = 3, 4, 7  # places in a row of event_store.COLUMNS
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Rejection:
    """An item that was not taken: where it stood, and why."""

    line: int
    error: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: every item is counted in exactly one of the four.

    `accepted` counts new events and labels that joined their event; `corrections` second, different labels, which are
    kept beside the first and change nothing that was learned.
    """

    accepted: int
    duplicates: int
    rejected: list[Rejection]
    last_position: int
    corrections: int = 0


def accept(*, project_id: int, items: Sequence[Incoming], now: datetime) -> Receipt:
    """Store events, and give those with a label their place in the order of learning.

    An id that is known already is not stored twice: its label joins the event when it had none, the same label is a
    duplicate, another one is recorded as a correction.
    """
    return _retried(partial(_accept, project_id, items, now))


def accept_labels(*, project_id: int, labels: Sequence[IncomingLabel], now: datetime) -> Receipt:
    """Join labels to the events they name, in the order given; an unknown id is rejected."""
    return _retried(partial(_accept_labels, project_id, labels, now))


def _retried(take: Callable[[], Receipt]) -> Receipt:
    """Take a batch again when an event with one of its keys was stored, without the lock, while it was being taken."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return take()
        except IntegrityError:
            continue
    return take()


@transaction.atomic
def _accept(project_id: int, items: Sequence[Incoming], now: datetime) -> Receipt:
    batch = _Batch(project_id, [item.key for item in items if item.key is not None], now)
    # Unique without asking the database, and rising with time, which keeps the index's newest page warm.
    made_up = f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(4)}"
    received_at = stored_time(now)
    for number, item in enumerate(items):
        label = None
        if item.label is not MISSING:
            try:
                label = _encode(batch.rule.check(item.label)).decode()
            except PayloadError as error:
                batch.reject(item.line, str(error))
                continue
        key = f"{made_up}{number:04x}" if item.key is None else item.key
        if item.key is not None and batch.knows(key):
            batch.join(key, label)
            continue
        position = None if label is None else batch.next_position()
        batch.add(
            key,
            [
                project_id,
                key,
                _encode(item.features).decode(),
                label,
                position,
                stored_time(item.at),
                received_at,
                received_at if label is not None else None,
            ],
        )
    return batch.finish()


@transaction.atomic
def _accept_labels(project_id: int, labels: Sequence[IncomingLabel], now: datetime) -> Receipt:
    batch = _Batch(project_id, [item.key for item in labels], now)
    for item in labels:
        if not batch.knows(item.key):
            batch.reject(item.line, f'id: no event of this project is called "{item.key}"; send the event first')
            continue
        try:
            label = batch.rule.check(item.label)
        except PayloadError as error:
            batch.reject(item.line, str(error))
            continue
        batch.join(item.key, _encode(label).decode())
    return batch.finish()


class _Batch:
    """What one transaction will write, and the counts of its receipt. Opening it locks the project's row."""

    def __init__(self, project_id: int, keys: Sequence[str], now: datetime) -> None:
        stream = lock_stream(project_id)
        if stream is None:
            raise UserError("This project does not exist any more.", code="not_found", status=404)
        if stream.archived:
            raise UserError("This project is archived and takes no more events.", code="archived", status=409)
        self.project_id = project_id
        self.stream = stream
        self.now = now
        self.rule = LabelRule(stream.task, stream.label_type, stream.label_classes)
        self.stored = find_events(project_id, keys)
        self.fresh: dict[str, list[Any]] = {}
        self.joins: dict[str, LabelToJoin] = {}
        self.other_labels: list[tuple[str, str]] = []
        self.rejected: list[Rejection] = []
        self.position = stream.last_position
        self.accepted = 0
        self.duplicates = 0

    def knows(self, key: str) -> bool:
        return key in self.stored or key in self.fresh

    def next_position(self) -> int:
        self.position += 1
        return self.position

    def add(self, key: str, row: list[Any]) -> None:
        self.fresh[key] = row
        self.accepted += 1

    def reject(self, line: int, error: str) -> None:
        self.rejected.append(Rejection(line, error))

    def join(self, key: str, label: str | None) -> None:
        """Add to a known event what another item says about it."""
        row = self.fresh.get(key)
        now_has = row[_LABEL] if row else self.joins[key].label if key in self.joins else self.stored[key].label
        if label is None or label == now_has:
            self.duplicates += 1
        elif now_has is not None:
            self.other_labels.append((key, label))
        else:
            self.accepted += 1
            if row:
                row[_LABEL], row[_POSITION] = label, self.next_position()
                row[_LABELLED_AT] = stored_time(self.now)
            else:
                self.joins[key] = LabelToJoin(self.stored[key].pk, label, self.next_position())

    def finish(self) -> Receipt:
        """Write everything and say what became of the batch."""
        insert_events(list(self.fresh.values()))
        join_labels(list(self.joins.values()), self.now)
        corrections = self._record_corrections()
        if self.accepted:
            count = self.stream.event_count + len(self.fresh)
            advance_stream(self.project_id, last_position=self.position, event_count=count)
        if self.rule.changed:
            Project.objects.filter(pk=self.project_id).update(
                label_type=self.rule.kind, label_classes=self.rule.classes
            )
        if self.position > self.stream.last_position:
            ring_followers(self.project_id)
        return Receipt(self.accepted, self.duplicates, self.rejected, self.position, corrections)

    def _record_corrections(self) -> int:
        """Record labels that differ from every one their event had before; the others are duplicates."""
        if not self.other_labels:
            return 0
        events: dict[str, Stored] = find_events(self.project_id, list({key for key, _ in self.other_labels}))
        said = {(event.pk, msgspec.json.decode(event.label)) for event in events.values() if event.label is not None}
        earlier = LabelCorrection.objects.filter(event_id__in=[event.pk for event in events.values()])
        said |= {(event_id, msgspec.json.decode(label)) for event_id, label in earlier.values_list("event_id", "label")}
        corrections = []
        for key, label in self.other_labels:
            event_id = events[key].pk
            fact = (event_id, msgspec.json.decode(label))  # by value: 1 and 1.0 are one label of a regression
            if fact in said:
                self.duplicates += 1
            else:
                said.add(fact)
                corrections.append(LabelCorrection(event_id=event_id, label=label))
        LabelCorrection.objects.bulk_create(corrections)
        return len(corrections)
