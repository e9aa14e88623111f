"""Reading a project's labelled events in the order of learning, fast."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import connection

#: One labelled event: its position, its features in the order they came, its label.
LabelledEvent = tuple[int, dict[str, Any], object]

_MAX = 2**63 - 1
_decode_features = msgspec.json.Decoder(list[dict[str, Any]]).decode
_decode_labels = msgspec.json.Decoder(list[Any]).decode


def read_labelled(project_id: int, after: int, limit: int, upto: int | None = None) -> list[LabelledEvent]:
    """Return up to `limit` labelled events with a position above `after` and not above `upto`, in order.

    One query; a second one when there is nothing next to `after`.
    """
    last = after + limit if upto is None else min(upto, after + limit)
    # Positions have no gaps, so the next ones are known: a range with both ends needs no statistics to be planned well.
    rows = _rows(project_id, after, last, limit)
    if not rows and last != upto:
        rows = _rows(project_id, after, _MAX if upto is None else upto, limit)  # old events may have been removed
    if not rows:
        return []
    positions, features, labels = zip(*rows, strict=True)
    # The texts are JSON already: joined to one array they are decoded in C at once, not one by one.
    decoded = _decode_features("[" + ",".join(features) + "]")
    return list(zip(positions, decoded, _decode_labels("[" + ",".join(labels) + "]"), strict=True))


def _rows(project_id: int, after: int, last: int, limit: int) -> list[tuple[int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, features, label FROM projects_event"
            " WHERE project_id = %s AND position > %s AND position <= %s ORDER BY position LIMIT %s",
            [project_id, after, last, limit],
        )
        rows: list[tuple[int, str, str]] = cursor.fetchall()
    return rows
