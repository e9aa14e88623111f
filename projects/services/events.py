"""Taking events and labels in: exactly once, in one gapless order per project."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from django.db import IntegrityError, transaction

from ops_portal.errors import UserError
from ops_portal.group_commit import try_together
from projects.doorbell import ring_followers
from projects.early_labels import MOST, EarlyLabels
from projects.event_store import (
    LabelToJoin,
    Stored,
    StoredFeatures,
    advance_stream,
    find_events,
    insert_events,
    join_labels,
    lock_stream,
    same_features,
    stored_time,
)
from projects.labels import LabelRule
from projects.models import LabelCorrection, Project
from projects.payload import MISSING, Incoming, IncomingLabel, PayloadError, check_clock
from projects.services.archived import refuse

__all__ = [
    "MISSING",
    "Incoming",
    "IncomingLabel",
    "Part",
    "Receipt",
    "Rejection",
    "accept",
    "accept_labels",
    "accept_mixed",
    "accept_together",
]

_encode = msgspec.json.Encoder().encode
_FEATURES, _LABEL, _POSITION, _LABELLED_AT, _LABEL_AT = 2, 3, 4, 7, 8  # places in a row of event_store.COLUMNS
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Rejection:
    """An item that was not taken: where it stood, and why."""

    line: int
    error: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: every item is counted in exactly one of the five.

    `accepted` counts new events and labels that joined their event; `corrections` second, different labels, which are
    kept beside the first and change nothing that was learned; `waiting` labels kept for an event that has not come.
    """

    accepted: int
    duplicates: int
    rejected: list[Rejection]
    last_position: int
    corrections: int = 0
    waiting: int = 0


def accept(*, project_id: int, items: Sequence[Incoming], now: datetime) -> Receipt:
    """Store events, and give those with a label their place in the order of learning.

    An id that is known already is not stored twice: its label joins the event when it had none, the same label is a
    duplicate, another one is recorded as a correction. With other features than before, it is rejected.
    """
    return _accept_alone(project_id, Part(items, now))


def accept_labels(*, project_id: int, labels: Sequence[IncomingLabel], now: datetime) -> Receipt:
    """Join labels to the events they name, in the order given; one whose event has not come is kept for it."""
    return _accept_alone(project_id, Part(labels, now))


def accept_mixed(*, project_id: int, items: Sequence[Incoming | IncomingLabel], now: datetime) -> Receipt:
    """Take events and labels in as they come, in the order given."""
    return _accept_alone(project_id, Part(items, now))


def accept_together(*, project_id: int, parts: Sequence[Part]) -> Sequence[Receipt | Exception]:
    """Take what several calls sent in one transaction, in the order given: one lock, one insert, one commit.

    Returns a receipt for each, or why it could not be taken. When the transaction fails, each is tried alone.
    """
    return try_together(partial(_take_parts, project_id), parts)


@dataclass(slots=True)
class Part:
    """What one call sent, and what becomes of it in the transaction that takes it."""

    items: Sequence[Incoming | IncomingLabel]
    now: datetime
    #: Begins the keys of events without one. Unique without asking the database, and rising with time, which keeps the
    #: index's newest page warm. The same in every try: should the answer to a commit get lost, nothing is taken twice.
    made_up: str = ""
    tries: int = 0
    accepted: int = 0
    duplicates: int = 0
    corrections: int = 0
    waiting: int = 0
    position: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def begin(self) -> None:
        self.made_up = self.made_up or f"{int(self.now.timestamp() * 1000):011x}{secrets.token_hex(4)}"
        self.tries += 1
        self.accepted = self.duplicates = self.corrections = self.waiting = 0
        self.rejected = []

    def key_of(self, number: int) -> str:
        key = self.items[number].key
        return f"{self.made_up}{number:04x}" if key is None else key

    def known_keys(self) -> list[str]:
        """The keys that the database may know."""
        if self.tries > 1:
            return [self.key_of(number) for number in range(len(self.items))]
        return [item.key for item in self.items if item.key is not None]

    def reject(self, line: int, error: str) -> None:
        self.rejected.append(Rejection(line, error))

    def receipt(self) -> Receipt:
        return Receipt(self.accepted, self.duplicates, self.rejected, self.position, self.corrections, self.waiting)


def _accept_alone(project_id: int, part: Part) -> Receipt:
    receipt = _take_parts(project_id, [part])[0]
    if isinstance(receipt, UserError):
        raise receipt
    return receipt


def _take_parts(project_id: int, parts: Sequence[Part]) -> Sequence[Receipt | UserError]:
    """Take parts in one transaction; again when, without the lock, an event with one of their keys was just stored."""
    tries = 0
    while True:
        tries += 1
        try:
            return _accept(project_id, parts)
        except UserError as refused:
            return [refused] * len(parts)
        except IntegrityError:
            if tries == _ATTEMPTS:
                raise


@transaction.atomic
def _accept(project_id: int, parts: Sequence[Part]) -> list[Receipt]:
    for part in parts:
        part.begin()
    batch = _Batch(project_id, [key for part in parts for key in part.known_keys()], parts[-1].now)
    for part in parts:
        received_at = stored_time(part.now)
        for number, item in enumerate(part.items):
            if type(item) is IncomingLabel:
                batch.take_label(part, item)
            else:
                batch.take_event(part, item, part.key_of(number), received_at)  # type: ignore[arg-type]
        part.position = batch.position
    batch.finish()
    return [part.receipt() for part in parts]


class _Batch:
    """What one transaction will write, and the counts of its receipt. Opening it locks the project's row."""

    def __init__(self, project_id: int, keys: Sequence[str], now: datetime) -> None:
        stream = lock_stream(project_id)
        if stream is None:
            raise UserError("This project does not exist any more.", code="not_found", status=404)
        if stream.archived:
            raise refuse()
        self.project_id = project_id
        self.stream = stream
        self.now = now
        self.rule = LabelRule(stream.task, stream.label_type, stream.label_classes)
        self.stored = find_events(project_id, keys)
        self.early = EarlyLabels(project_id, stream.early_labels, keys)
        self.stored_features = StoredFeatures(project_id, self.stored, keys)
        self.fresh: dict[str, list[Any]] = {}
        self.joins: dict[str, LabelToJoin] = {}
        self.other_labels: list[tuple[Part | None, str, str, datetime | None]] = []
        self.position = stream.last_position

    def take_event(self, part: Part, item: Incoming, key: str, received_at: Any) -> None:
        label = None
        known = key in self.stored or key in self.fresh
        features = _encode(item.features).decode()
        try:
            check_clock(item.at, part.now)
            check_clock(item.label_at, part.now, "label_at")
            if known and not same_features(features, self._features_of(key)):
                raise PayloadError("id", f'the event "{key}" is here with other features; use a new id for a new event')
            if item.label is not MISSING:
                label = _encode(self.rule.check(item.label)).decode()
        except PayloadError as error:
            part.reject(item.line, str(error))
            return
        if known:
            self._join(part, key, label, item.label_at)
            return
        part.accepted += 1
        self.fresh[key] = [
            self.project_id,
            key,
            features,
            label,
            None if label is None else self._next_position(),
            stored_time(item.at),
            received_at,
            received_at if label is not None else None,
            stored_time(item.label_at),
        ]
        if self.early.count:
            self._join_early(key, label, item.label_at)

    def _features_of(self, key: str) -> str:
        """The features of a known event."""
        return str(self.fresh[key][_FEATURES]) if key in self.fresh else self.stored_features.of(key)

    def _join_early(self, key: str, own: str | None, own_at: datetime | None) -> None:
        """Give a new event the labels that waited for it: the first one counts, whatever it brought itself."""
        waited = self.early.take(key)
        if not waited:
            return
        row = self.fresh[key]
        if own is None:
            row[_POSITION] = self._next_position()
        row[_LABEL], row[_LABELLED_AT] = waited[0].label, stored_time(waited[0].received_at)
        row[_LABEL_AT] = stored_time(waited[0].label_at)
        others = [(one.label, one.label_at) for one in waited[1:]] + ([] if own is None else [(own, own_at)])
        self.other_labels += [(None, key, label, label_at) for label, label_at in others]

    def take_label(self, part: Part, item: IncomingLabel) -> None:
        try:
            check_clock(item.at, part.now)
            label = _encode(self.rule.check(item.label)).decode()
        except PayloadError as error:
            part.reject(item.line, str(error))
            return
        if item.key in self.stored or item.key in self.fresh:
            self._join(part, item.key, label, item.at, item.received_at)
        elif self.early.full:
            part.reject(item.line, f'id: no event is called "{item.key}", and {MOST:,} labels wait for theirs already')
        elif self.early.keep(item.key, label, part.now, item.at):
            part.waiting += 1
        else:
            part.duplicates += 1

    def _next_position(self) -> int:
        self.position += 1
        return self.position

    def _join(
        self,
        part: Part,
        key: str,
        label: str | None,
        label_at: datetime | None,
        came_at: datetime | None = None,
    ) -> None:
        """Add to a known event what another item says about it."""
        row = self.fresh.get(key)
        now_has = row[_LABEL] if row else self.joins[key].label if key in self.joins else self.stored[key].label
        if label is None or label == now_has:
            part.duplicates += 1
        elif now_has is not None:
            self.other_labels.append((part, key, label, label_at))
        else:
            part.accepted += 1
            if row:
                row[_LABEL], row[_POSITION] = label, self._next_position()
                row[_LABELLED_AT], row[_LABEL_AT] = stored_time(came_at or self.now), stored_time(label_at)
            else:
                came_at = came_at or self.now
                self.joins[key] = LabelToJoin(self.stored[key].pk, label, self._next_position(), came_at, label_at)

    def finish(self) -> None:
        """Write everything."""
        insert_events(list(self.fresh.values()))
        join_labels(list(self.joins.values()))
        self.early.write()
        self._record_corrections()
        if self.fresh or self.joins:
            count = self.stream.event_count + len(self.fresh)
            advance_stream(self.project_id, last_position=self.position, event_count=count)
        if self.rule.changed:
            Project.objects.filter(pk=self.project_id).update(
                label_type=self.rule.kind, label_classes=self.rule.classes
            )
        if self.position > self.stream.last_position:
            ring_followers(self.project_id)

    def _record_corrections(self) -> None:
        """Record labels that differ from every one their event had before; the others are duplicates."""
        if not self.other_labels:
            return
        events: dict[str, Stored] = find_events(self.project_id, list({key for _, key, *_ in self.other_labels}))
        said = {(event.pk, msgspec.json.decode(event.label)) for event in events.values() if event.label is not None}
        earlier = LabelCorrection.objects.filter(event_id__in=[event.pk for event in events.values()])
        said |= {(event_id, msgspec.json.decode(label)) for event_id, label in earlier.values_list("event_id", "label")}
        corrections = []
        for part, key, label, label_at in self.other_labels:
            event_id = events[key].pk
            fact = (event_id, msgspec.json.decode(label))  # by value: 1 and 1.0 are one label of a regression
            if part is not None:  # None: what waited was counted when it came
                part.duplicates += fact in said
                part.corrections += fact not in said
            if fact not in said:
                said.add(fact)
                corrections.append(LabelCorrection(event_id=event_id, label=label, label_at=label_at))
        LabelCorrection.objects.bulk_create(corrections)
