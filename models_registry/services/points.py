"""Keeping the metric points of a run few: neighbours are merged, extremes stay exact.

Rows go past the ORM: a run writes a thousand points in its first ten thousand events, and a linear model learns those
in a quarter of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from models_registry.learning.points import Point, merge_points

_TABLE = 'models_registry_metricpoint (run_id, first, position, "values")'
_INSERT = f"INSERT INTO {_TABLE} VALUES (%s, %s, %s, %s)"  # noqa: S608 - constants only
_READ = 'SELECT first, position, "values" FROM models_registry_metricpoint WHERE run_id = %s ORDER BY position'
_DELETE = "DELETE FROM models_registry_metricpoint WHERE run_id = %s"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


def keep_points(*, run_id: int, points: Sequence[Point], width: int | None = None) -> None:
    """Add points to a run, in the caller's transaction.

    Parameters
    ----------
    run_id
        The run.
    points
        What its last chunk found, after all that are stored.
    width
        The bucket width that all points of the run are to have now, when it has grown.

    """
    with connection.cursor() as cursor:
        if width is not None:
            cursor.execute(_READ, [run_id])
            stored = cursor.fetchall()
            cursor.execute(_DELETE, [run_id])
            found = _decode("[" + ",".join(values for _, _, values in stored) + "]")
            before = [
                Point(first, position, values) for (first, position, _), values in zip(stored, found, strict=True)
            ]
            points = merge_points([*before, *points], width)
        rows = [(run_id, point.first, point.position, _encode(point.values).decode()) for point in points]
        if connection.vendor == "postgresql" and rows:
            with cursor.copy(f"COPY {_TABLE} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        elif rows:
            cursor.executemany(_INSERT, rows)
