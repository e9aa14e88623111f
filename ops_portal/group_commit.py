"""Concurrent calls of one process that share one transaction: none returns before what it did is durable.

A commit costs the same whether it makes one row durable or a hundred. While one call commits, the calls that come
meanwhile queue up; the first of them then does the work of all of them in one transaction, in the order in which they
came. With a single caller it is a plain call: no thread of its own, no waiting for company.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import connection

Job = TypeVar("Job")
Result = TypeVar("Result")

log = logging.getLogger(__name__)

#: Calls that share one transaction at most; it bounds how long the first of them waits for the last.
MOST = 128
#: The first waits for others in steps of so many seconds.
STEP = 0.0002
#: At most so many seconds, and this share of what the last transaction took.
LONGEST, SHARE = 0.002, 0.5


class _Ticket(Generic[Job, Result]):
    """One call in the queue."""

    __slots__ = ("done", "job", "outcome", "signal")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.outcome: Result | BaseException
        self.done = False
        self.signal = threading.Lock()  # an Event costs five times as much
        self.signal.acquire()


class GroupCommit(Generic[Job, Result]):
    """Carries out calls, those that come at the same time together.

    Parameters
    ----------
    carry_out
        Does the work of some jobs in one transaction and returns an outcome for each: its result, or the exception
        that its caller gets. It is called by one thread at a time. When it raises, its transaction is rolled back and
        each job is carried out by itself, so that one bad job fails alone.

    """

    def __init__(self, carry_out: Callable[[Sequence[Job]], Sequence[Result | Exception]]) -> None:
        self._carry_out = carry_out
        self._mutex = threading.Lock()
        self._queue: list[_Ticket[Job, Result]] = []
        self._busy = False
        #: How many had called when the last transaction ended, and how long it took, in seconds.
        self._callers = 1
        self._took = 0.0

    def call(self, job: Job) -> Result:
        """Carry out `job`, alone or with others; return its result or raise its exception."""
        if connection.in_atomic_block:
            # The caller decides when this becomes durable, so nobody else's job may depend on it.
            return _unwrap(self._carry_out([job])[0])
        ticket: _Ticket[Job, Result] = _Ticket(job)
        with self._mutex:
            self._queue.append(ticket)
            leads = not self._busy
            self._busy = True
        if not leads:
            ticket.signal.acquire()  # until somebody has done it, or it is this caller's turn to lead
        if not ticket.done:
            self._lead()
        return _unwrap(ticket.outcome)

    def _lead(self) -> None:
        """Carry out what is queued, this caller's job first, then hand over to the first who came meanwhile."""
        started = self._gather()
        with self._mutex:
            together, self._queue = self._queue[:MOST], self._queue[MOST:]
        outcomes: Sequence[Result | BaseException] = ()
        try:
            outcomes = try_together(self._carry_out, [ticket.job for ticket in together])
        except BaseException as stopped:
            outcomes = [stopped] * len(together)
            raise
        finally:
            with self._mutex:
                following = self._queue[0] if self._queue else None
                self._busy = following is not None
                self._callers = len(together) + len(self._queue)
                self._took = time.perf_counter() - started
            if following is not None:
                following.signal.release()
            for ticket, outcome in zip(together, outcomes, strict=True):
                ticket.outcome, ticket.done = outcome, True
                ticket.signal.release()

    def _gather(self) -> float:
        """Wait for those who called a moment ago: they have their answers, and their next calls can share this turn.

        Return when the waiting was over, in seconds.
        """
        now = time.perf_counter()
        until = now + min(LONGEST, self._took * SHARE)
        while len(self._queue) < self._callers and now < until:
            time.sleep(STEP)
            now = time.perf_counter()
        return now


def try_together(
    carry_out: Callable[[Sequence[Job]], Sequence[Result | Exception]], jobs: Sequence[Job]
) -> Sequence[Result | Exception]:
    """Carry out jobs in one transaction; when it fails, each in one of its own, so that one bad job fails alone.

    Returns an outcome for each job: its result or its exception.
    """
    try:
        return carry_out(jobs)
    except Exception as error:  # noqa: BLE001 - whose fault it is shows when each is tried alone
        if len(jobs) == 1:
            return [error]
        log.warning("%d calls could not share a transaction (%s); each is tried alone", len(jobs), error)
    outcomes: list[Result | Exception] = []
    for job in jobs:
        try:
            outcomes.extend(carry_out([job]))
        except Exception as error:  # noqa: BLE001 - it is raised where it belongs: in the caller's thread
            outcomes.append(error)
    return outcomes


def _unwrap(outcome: Result | BaseException) -> Result:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
