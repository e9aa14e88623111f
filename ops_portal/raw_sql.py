"""Statements of the busiest paths, past the layers of Django's cursors, which cost more than a short statement itself.

The connection, its transactions and its exceptions stay Django's. Where somebody counts queries (a test, DEBUG), the
statements take the ordinary way, so that they are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import Cursor

Row = tuple[Any, ...]


def fetch_all(sql: str, parameters: Sequence[Any], *, plan_once: bool = False) -> list[Row]:
    """Return the rows of a statement with `%s` for its parameters.

    With `plan_once` PostgreSQL keeps its plan for as long as the connection lasts (a prepared statement): planning the
    query of a token takes ten times as long as running it. Only for statements that one plan suits however large their
    tables become, which are empty when a portal starts: those that find rows by a unique key, or only insert.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.queries_logged or connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []
    with connection.wrap_database_errors:
        if connection.vendor == "sqlite":
            done = connection.connection.execute(_for_sqlite(sql), parameters)
        else:
            # Django's own cursors write parameters into the text, which could not be prepared.
            done = Cursor(connection.connection).execute(sql, parameters, prepare=plan_once)
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
