"""Calls that are carried out together: the queue by itself, without a database behind the work."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import DatabaseError

from ops_portal.group_commit import GroupCommit
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def test_calls_that_come_meanwhile_share_the_next_turn():
    sizes = []
    slow = threading.Event()

    def carry_out(jobs):
        sizes.append(len(jobs))
        slow.wait(0.2)
        return [job * 2 for job in jobs]

    group = GroupCommit(carry_out)
    assert in_threads(8, group.call) == [number * 2 for number in range(8)]
    assert sum(sizes) == 8 and len(sizes) <= 4


def test_an_outcome_that_is_an_exception_is_raised_where_it_belongs():
    group = GroupCommit(lambda jobs: [ValueError(job) if job == 3 else job for job in jobs])

    def work(number):
        try:
            return group.call(number)
        except ValueError as error:
            return str(error)

    assert in_threads(6, work) == [0, 1, 2, "3", 4, 5]


def test_a_transaction_that_fails_is_tried_job_by_job(caplog):
    alone = []

    def carry_out(jobs):
        if 4 in jobs:
            raise DatabaseError("not that one")
        if len(jobs) == 1:
            alone.append(jobs[0])
        time.sleep(0.05)
        return jobs

    group = GroupCommit(carry_out)

    def work(number):
        try:
            return group.call(number)
        except DatabaseError as error:
            return str(error)

    assert in_threads(8, work) == [0, 1, 2, 3, "not that one", 5, 6, 7]


def test_a_stopped_thread_lets_the_others_go():
    def carry_out(jobs):
        time.sleep(0.05)
        if 0 in jobs:
            raise SystemExit
        return jobs

    group = GroupCommit(carry_out)

    def work(number):
        try:
            return group.call(number)
        except SystemExit:
            return "stopped"

    results = in_threads(6, work)
    assert results[0] == "stopped" and set(results[1:]) <= {1, 2, 3, 4, 5, "stopped"}
    assert group.call(9) == 9, "and the next caller finds it free"
