"""A project's stream past the ORM: locking it, finding events by key, inserting them, giving them their labels.

Raw inserts are five times as fast as `bulk_create` on SQLite, and COPY as much on PostgreSQL; for a single event the
ORM's making of queries would cost more than the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import dropwhile
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from ops_portal.raw_sql import fetch_all, run_many

_decode = msgspec.json.Decoder().decode

COLUMNS = ("project_id", "key", "features", "label", "position", "event_at", "received_at", "labelled_at", "label_at")
_NAMES = ", ".join(COLUMNS)
_PLACES = ", ".join(["%s"] * len(COLUMNS))
_INSERT = f"INSERT INTO projects_event ({_NAMES}) VALUES ({_PLACES})"  # noqa: S608 - constants only
_INSERT_ARRAYS = (
    f"INSERT INTO projects_event ({_NAMES}) SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[],"  # noqa: S608 - constants only
    " %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])"
)
_READ = (
    "SELECT task, label_type, label_classes, last_position, event_count, archived_at, early_labels"
    " FROM projects_project WHERE id = %s"
)
#: A full lock would wait for every transaction that inserts a row pointing at the project.
_LOCK = f"{_READ} FOR NO KEY UPDATE"
_ADVANCE = "UPDATE projects_project SET last_position = %s, event_count = %s WHERE id = %s"
_FIND = "SELECT key, id, label, octet_length(features) FROM projects_event WHERE project_id = %s AND key "
#: SQLite has `octet_length` only since 3.43.
_FIND_IN_SQLITE = _FIND.replace("octet_length(features)", "length(CAST(features AS BLOB))")
_FIND_FEATURES = "SELECT key, features FROM projects_event WHERE project_id = %s AND key "
_IN_ARRAY = "= ANY(%s)"
_IN_JSON = "IN (SELECT value FROM json_each(%s))"


#: Bytes of features that are compared at a time: those of a thousand known events may be gigabytes.
SLICE = 4 * 2**20
#: PostgreSQL: more rows than this are copied; for fewer, COPY's own round trips cost more than they save.
COPIED = 100


class Stored(NamedTuple):
    """An event that is in the database already: `label` is JSON text, `size` the bytes of its features."""

    pk: int
    label: str | None
    size: int


class Stream(NamedTuple):
    """What taking events in has to know of a project."""

    task: str
    label_type: str
    label_classes: list[Any]
    last_position: int
    event_count: int
    archived: bool
    early_labels: int


class LabelToJoin(NamedTuple):
    """A label, as JSON text, for an event that had none: the position it gives, when it came and was observed."""

    pk: int
    label: str
    position: int
    at: datetime
    label_at: datetime | None = None


def lock_stream(project_id: int) -> Stream | None:
    """Lock the project's row until the transaction ends and return its stream, None when there is no such project.

    SQLite has no row locks: its transactions are made to wait for each other (`transaction_mode` IMMEDIATE).
    """
    rows = fetch_all(_LOCK if connection.features.has_select_for_update else _READ, [project_id], plan_once=True)
    if not rows:
        return None
    task, label_type, classes, last_position, event_count, archived_at, early = rows[0]
    archived = archived_at is not None
    return Stream(task, label_type, msgspec.json.decode(classes), last_position, event_count, archived, early)


def advance_stream(project_id: int, *, last_position: int, event_count: int) -> None:
    """Write how far a locked stream has come."""
    fetch_all(_ADVANCE, [last_position, event_count, project_id], plan_once=True)


def find_events(project_id: int, keys: Sequence[str]) -> dict[str, Stored]:
    """Return the stored events among `keys`, by key, in one query."""
    select = _FIND_IN_SQLITE if connection.vendor == "sqlite" else _FIND
    return {key: Stored(pk, label, size) for key, pk, label, size in _find(select, project_id, keys)}


class StoredFeatures:
    """The features of stored events, as JSON text: read when they are asked for, a few megabytes of them at a time.

    Parameters
    ----------
    project_id
        Whose events.
    stored
        The events, as `find_events` returns them.
    keys
        Their keys, among others, in the order in which they will be asked for: then one query for each `SLICE` is
        enough.

    """

    def __init__(self, project_id: int, stored: Mapping[str, Stored], keys: Iterable[str]) -> None:
        self._project_id = project_id
        self._sizes = {key: stored[key].size for key in keys if key in stored}
        self._held: dict[str, str] = {}

    def of(self, key: str) -> str:
        """Return the features of one of the events."""
        if key not in self._held:
            self._held = {}  # before the next ones come
            self._held = dict(_find(_FIND_FEATURES, self._project_id, self._slice_from(key)))
        return self._held[key]

    def _slice_from(self, first: str) -> list[str]:
        some: list[str] = []
        size = 0
        for key in dropwhile(lambda key: key != first, self._sizes):
            size += self._sizes[key]
            if some and size > SLICE:
                break
            some.append(key)
        return some


def _find(select: str, project_id: int, keys: Sequence[str]) -> Sequence[Any]:
    """Planned each time: while there are few events, PostgreSQL would settle for reading them all."""
    if not keys:
        return []
    # One parameter however many keys there are: SQLite limits the number of parameters.
    if connection.vendor == "sqlite":
        return fetch_all(select + _IN_JSON, [project_id, msgspec.json.encode(keys).decode()])
    return fetch_all(select + _IN_ARRAY, [project_id, list(keys)])


def same_features(one: str, other: str) -> bool:
    """Say whether two JSON texts are the same features: the order of names and 3 for 3.0 make no difference."""
    if one == other:
        return True
    these, those = _decode(one), _decode(other)
    # To Python, true is 1.
    return bool(these == those) and all((type(these[name]) is bool) == (type(those[name]) is bool) for name in these)


def insert_events(rows: Sequence[Sequence[Any]]) -> None:
    """Insert events, each a row of `COLUMNS`; times as `stored_time` gives them."""
    if not rows:
        return
    if connection.vendor != "postgresql":
        run_many(_INSERT, rows)
    elif len(rows) <= COPIED:
        fetch_all(_INSERT_ARRAYS, [list(column) for column in zip(*rows, strict=True)], plan_once=True)
    else:
        with connection.cursor() as cursor, cursor.copy(f"COPY projects_event ({_NAMES}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def join_labels(labels: Sequence[LabelToJoin]) -> None:
    """Give stored events the labels that came after them."""
    if not labels:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE projects_event AS e SET label = v.label, position = v.position, labelled_at = v.at,"
                " label_at = v.label_at FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[],"
                " %s::timestamptz[]) AS v (id, label, position, at, label_at)"
                " WHERE e.id = v.id",
                [list(column) for column in zip(*labels, strict=True)],
            )
        else:
            cursor.executemany(
                "UPDATE projects_event SET label = %s, position = %s, labelled_at = %s, label_at = %s WHERE id = %s",
                [
                    (label, position, stored_time(at), stored_time(label_at), pk)
                    for pk, label, position, at, label_at in labels
                ],
            )


@lru_cache(maxsize=256)
def stored_time(moment: datetime | None) -> Any:
    """`moment` as a raw query of this database takes it; the rows of one commit share it."""
    return None if moment is None else connection.ops.adapt_datetimefield_value(moment)
