"""Statements past Django's cursors: the same rows, counted where somebody counts, planned once where that was asked."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.utils import DataError, OperationalError

from ops_portal.raw_sql import fetch_all

pytestmark = pytest.mark.django_db

ADD = "SELECT CAST(%s AS integer) + 1"


@pytest.mark.parametrize("plan_once", [False, True])
def test_rows_come_as_tuples(plan_once):
    assert fetch_all(ADD, [1], plan_once=plan_once) == [(2,)]
    assert fetch_all(ADD, [41], plan_once=plan_once) == [(42,)]


def test_statements_are_counted_where_somebody_counts(django_assert_num_queries):
    with django_assert_num_queries(1):
        fetch_all(ADD, [1], plan_once=True)


def test_errors_are_those_of_django():
    wrong = "SELECT 1 / %s" if connection.vendor == "postgresql" else "SELECT nothing_like_it(%s)"
    with pytest.raises((DataError, OperationalError)), transaction.atomic():
        fetch_all(wrong, [0], plan_once=True)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps every statement's plan by itself")
def test_postgresql_keeps_the_plan_where_that_was_asked():
    def kept(marked: str) -> int:
        return fetch_all("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{marked}%"])[0][0]

    for number in range(8):
        fetch_all(f"{ADD} -- planned once", [number], plan_once=True)
        fetch_all(f"{ADD} -- planned each time", [number])
    assert (kept("-- planned once"), kept("-- planned each time")) == (1, 0)
