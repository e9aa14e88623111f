"""Statements of the busiest paths, past the layers of Django's cursors, which cost more than a short statement itself.

The connection, its transactions and its exceptions stay Django's. Where somebody counts queries (a test, DEBUG), the
statements take the ordinary way, so that they are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

Row = tuple[Any, ...]


def fetch_all(sql: str, parameters: Sequence[Any]) -> list[Row]:
    """Return the rows of a statement with `%s` for its parameters."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.queries_logged or connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []
    with connection.wrap_database_errors:
        if connection.vendor == "sqlite":
            done = connection.connection.execute(_for_sqlite(sql), parameters)
        else:
            done = connection.connection.execute(sql, parameters)
        return done.fetchall() if done.description else []


def run_many(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement for each row of parameters."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite" and not connection.queries_logged and connection.connection is not None:
        with connection.wrap_database_errors:
            connection.connection.executemany(_for_sqlite(sql), rows)
    else:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


@lru_cache(maxsize=512)
def _for_sqlite(sql: str) -> str:
    return sql.replace("%s", "?")
