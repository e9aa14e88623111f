"""Calls that share a transaction: each gets its own outcome, and none before the commit."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction

from ops_portal import group_commit
from ops_portal.group_commit import GroupCommit, try_together
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


class Writer:
    """Writes a row for each job, all in one transaction, and counts the transactions that were committed."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.committed: list[int] = []

    def __call__(self, names):
        with transaction.atomic():
            made = [Group.objects.create(name=name).pk for name in names]
            time.sleep(self.seconds)
            transaction.on_commit(lambda: self.committed.append(len(names)))
        return made


def test_calls_that_come_at_the_same_time_share_a_commit():
    write = Writer(seconds=0.05)
    group = GroupCommit(write)
    made = in_threads(8, lambda number: group.call(f"g{number}"))
    assert [Group.objects.get(pk=pk).name for pk in made] == [f"g{number}" for number in range(8)]
    assert sum(write.committed) == 8 and len(write.committed) <= 4


def test_nothing_is_answered_before_it_is_committed():
    group = GroupCommit(Writer(seconds=0.02))

    def work(number):
        seen = []
        for turn in range(10):
            pk = group.call(f"{number}-{turn}")
            # By the connection of this thread, which mostly is another one than wrote it.
            seen.append(Group.objects.filter(pk=pk, name=f"{number}-{turn}").exists())
        return seen

    assert all(all(seen) for seen in in_threads(6, work))


def test_one_that_fails_fails_alone(caplog):
    Group.objects.create(name="taken")
    write = Writer(seconds=0.05)
    group = GroupCommit(write)

    def work(number):
        try:
            return group.call("taken" if number == 4 else f"g{number}") > 0
        except DatabaseError as error:
            return type(error).__name__

    assert in_threads(8, work) == [True, True, True, True, "IntegrityError", True, True, True]
    assert Group.objects.count() == 8
    assert "could not share a transaction" in caplog.text


def test_an_outcome_that_is_an_exception_is_raised_where_it_belongs():
    group = GroupCommit(lambda jobs: [ValueError(job) if job == 3 else job for job in jobs])

    def work(number):
        try:
            return group.call(number)
        except ValueError as error:
            return str(error)

    assert in_threads(6, work) == [0, 1, 2, "3", 4, 5]


def test_each_is_tried_once_more_and_alone_when_the_transaction_failed():
    tried = []

    def carry_out(jobs):
        tried.append(list(jobs))
        if "bad" in jobs:
            raise DatabaseError("not that one")
        return [job.upper() for job in jobs]

    outcomes = try_together(carry_out, ["a", "bad", "b"])
    assert [str(outcome) for outcome in outcomes] == ["A", "not that one", "B"]
    assert tried == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]
    assert isinstance(try_together(carry_out, ["bad"])[0], DatabaseError)
    assert tried[4:] == [["bad"]], "alone already, so not again"


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


def test_those_who_called_a_moment_ago_are_waited_for():
    turns = []

    def carry_out(jobs):
        turns.append(len(jobs))
        time.sleep(0.02)
        return jobs

    group = GroupCommit(carry_out)
    in_threads(6, lambda number: [group.call(turn) for turn in range(20)])
    assert sum(turns) == 120
    # Without waiting, those who were answered would miss each turn that begins then: three a turn.
    assert len(turns) < 36, turns


def test_who_calls_alone_does_not_wait(monkeypatch):
    slept = []
    clock = SimpleNamespace(perf_counter=time.perf_counter, sleep=slept.append)
    monkeypatch.setattr(group_commit, "time", clock)
    group = GroupCommit(lambda jobs: jobs)
    assert [group.call(number) for number in range(50)] == list(range(50))
    assert slept == []


def test_who_stays_away_is_not_waited_for_twice():
    group = GroupCommit(lambda jobs: [time.sleep(0.02) for _ in jobs[:1]] * len(jobs))
    in_threads(4, group.call)
    group.call(0)
    assert group._callers == 1


def test_within_a_transaction_it_is_a_plain_call():
    """Whoever began the transaction decides when it is durable, so nobody else's call may be in it."""
    threads = []
    group = GroupCommit(lambda jobs: [threads.append(threading.get_ident()) for _ in jobs])
    with transaction.atomic():
        assert connection.in_atomic_block
        group.call(1)
    assert threads == [threading.get_ident()]
