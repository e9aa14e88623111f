"""New events with the answers they got, stored by as few statements as each database allows.

PostgreSQL is asked once: with a statement that inserts the events, their answers and the count, and that is a
transaction by itself. SQLite takes three statements in one transaction; being told costs it little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from ops_portal.raw_sql import fetch_all
from projects.event_store import find_events

#: Rows of one statement: SQLite takes at most 32,766 parameters.
ROWS = 1_000

_POSTGRESQL = """
WITH given (key, features, event_at, received_at, output, deployment_id, version_id, fallback) AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[],
                         %s::bigint[], %s::bigint[], %s::text[])
), locked AS (
    -- Before any event, as those do who send events: the other way round the two would wait on each other.
    SELECT id FROM projects_project WHERE id = %s FOR NO KEY UPDATE
), event AS (
    INSERT INTO projects_event (project_id, key, features, event_at, received_at)
    SELECT locked.id, key, features, event_at, received_at FROM given CROSS JOIN locked
    ON CONFLICT (project_id, key) DO NOTHING RETURNING id, key
), answer AS (
    INSERT INTO models_registry_prediction (project_id, event_id, deployment_id, version_id, fallback, output, at)
    SELECT %s, event.id, deployment_id, version_id, fallback, output, received_at FROM event JOIN given USING (key)
), counted AS (
    UPDATE projects_project SET event_count = event_count + (SELECT count(*) FROM event)
    WHERE id = %s AND EXISTS (SELECT FROM event)
)
SELECT key FROM event
"""
_EVENTS = "INSERT INTO projects_event (project_id, key, features, event_at, received_at) VALUES "
_EVENT = "(%s, %s, %s, %s, %s)"
_ANSWERS = """
INSERT INTO models_registry_prediction (project_id, event_id, deployment_id, version_id, fallback, output, at)
SELECT e.project_id, e.id, v.column2, v.column3, v.column4, v.column5, v.column6
FROM (VALUES {}) v JOIN projects_event e ON e.project_id = %s AND e.key = v.column1
"""
_ANSWER = "(%s, %s, %s, %s, %s, %s)"
_COUNT = "UPDATE projects_project SET event_count = event_count + %s WHERE id = %s"


class NewAnswer(NamedTuple):
    """An event that came to be predicted, and its answer; times as `stored_time` gives them."""

    key: str
    features: str
    event_at: Any
    received_at: Any
    output: str
    deployment_id: int | None
    version_id: int | None
    fallback: str


def store_new(rows: Sequence[NewAnswer], *, project_id: int, may_be_known: bool) -> set[str]:
    """Store the rows whose events are not known yet and return their keys; the others are left alone.

    Parameters
    ----------
    rows
        With distinct keys.
    project_id
        Whose events they are.
    may_be_known
        False when all their keys were made up just now, and need not be looked for.

    """
    stored: set[str] = set()
    # In the order of their keys: two processes that store the same ones then wait for, but never on, each other.
    ordered = sorted(rows, key=_key)
    for start in range(0, len(ordered), ROWS):
        some = ordered[start : start + ROWS]
        if connection.vendor == "postgresql":
            stored |= _store_at_once(some, project_id)
        else:
            stored |= _store_in_steps(some, project_id, may_be_known=may_be_known)
    return stored


def _key(row: NewAnswer) -> str:
    return row.key


def _store_at_once(rows: list[NewAnswer], project_id: int) -> set[str]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    parameters = [*columns, project_id, project_id, project_id]
    return {key for (key,) in fetch_all(_POSTGRESQL, parameters, plan_once=True)}


@transaction.atomic
def _store_in_steps(rows: list[NewAnswer], project_id: int, *, may_be_known: bool) -> set[str]:
    if may_be_known:
        # The transaction began as a writer, of which SQLite allows one: what is not there now will not be.
        known = find_events(project_id, [row.key for row in rows])
        rows = [row for row in rows if row.key not in known]
    if not rows:
        return set()
    events: list[Any] = []
    answers: list[Any] = []
    for row in rows:
        events += (project_id, row.key, row.features, row.event_at, row.received_at)
        answers += (row.key, row.deployment_id, row.version_id, row.fallback, row.output, row.received_at)
    answers.append(project_id)
    fetch_all(_EVENTS + ", ".join([_EVENT] * len(rows)), events)
    fetch_all(_ANSWERS.format(", ".join([_ANSWER] * len(rows))), answers)
    fetch_all(_COUNT, [len(rows), project_id])
    return {row.key for row in rows}
