"""Labels that came before their event: kept in the order they came, and joined to it when it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from projects.models import EarlyLabel, Project

#: Labels that wait for their event at one time, per project; a sender with wrong ids must not fill the disk.
MOST = 100_000

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Kept:
    """A label that waits for its event, as JSON text; without `pk` it came in this transaction."""

    label: str
    received_at: datetime
    label_at: datetime | None
    pk: int | None = None


class EarlyLabels:
    """What one transaction, which holds the lock of the project, needs of its early labels and changes about them.

    Parameters
    ----------
    project_id
        Whose labels they are.
    count
        How many wait; while there are none, nothing is asked of the database.
    keys
        The events that the transaction is about.

    """

    def __init__(self, project_id: int, count: int, keys: Sequence[str]) -> None:
        self.project_id, self.count = project_id, count
        self._waiting: dict[str, list[Kept]] = {}
        self._taken: list[int] = []
        if count:
            found = EarlyLabel.objects.filter(project_id=project_id, key__in=list(keys)).order_by("pk")
            for pk, key, label, received_at, label_at in found.values_list(
                "pk", "key", "label", "received_at", "label_at"
            ):
                self._waiting.setdefault(key, []).append(Kept(label, received_at, label_at, pk))

    @property
    def full(self) -> bool:
        """Say whether no further label can wait."""
        return self.count >= MOST

    def keep(self, key: str, label: str, now: datetime, label_at: datetime | None) -> bool:
        """Keep a label for the event called `key`; say whether it is not there already."""
        kept = self._waiting.setdefault(key, [])
        if any(_decode(one.label) == _decode(label) for one in kept):
            return False
        kept.append(Kept(label, now, label_at))
        self.count += 1
        return True

    def take(self, key: str) -> list[Kept]:
        """Return the labels that waited for `key`, the first one first; they wait no longer."""
        taken = self._waiting.pop(key, [])
        self._taken += [one.pk for one in taken if one.pk is not None]
        self.count -= len(taken)
        return taken

    def write(self) -> None:
        """Write what changed."""
        fresh = [
            EarlyLabel(
                project_id=self.project_id,
                key=key,
                label=one.label,
                received_at=one.received_at,
                label_at=one.label_at,
            )
            for key, kept in self._waiting.items()
            for one in kept
            if one.pk is None
        ]
        if not fresh and not self._taken:
            return
        EarlyLabel.objects.bulk_create(fresh)
        EarlyLabel.objects.filter(pk__in=self._taken).delete()
        Project.objects.filter(pk=self.project_id).update(early_labels=self.count)
