"""The doorbell rings at once, then at most every quarter second, and never fails what rang it."""

from __future__ import annotations

import pytest
from celery import current_app

from projects import doorbell
from projects.doorbell import Doorbell


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(doorbell.time, "monotonic", lambda: now[0])
    return now


def waits(rung):
    return [(args[0], options["countdown"]) for _, args, options in rung]


def test_a_burst_rings_once_at_once_and_once_after_it(rung, clock):
    bell = Doorbell()
    for _ in range(5):
        bell.ring(1)
        clock[0] += 0.01
    assert waits(rung) == [(1, None), (1, 0.25)]
    clock[0] += 0.25
    bell.ring(1)
    assert len(rung) == 3, "the booked ring was over, so this one is booked anew"
    clock[0] += 10
    bell.ring(1)
    assert waits(rung)[-1] == (1, None)


def test_projects_do_not_silence_each_other(rung, clock):
    bell = Doorbell()
    bell.ring(1)
    bell.ring(2)
    assert waits(rung) == [(1, None), (2, None)]


def test_a_broker_that_is_down_fails_nothing_and_is_left_alone_for_a_while(monkeypatch, clock):
    tries = []

    def fail(*args, **options):
        tries.append(args)
        clock[0] += 3  # it took its time to fail
        raise ConnectionError("no broker")

    monkeypatch.setattr(current_app._get_current_object(), "send_task", fail)
    bell = Doorbell()
    bell.ring(1)
    clock[0] += 1
    bell.ring(1)
    bell.ring(2)
    assert len(tries) == 1
    clock[0] += 1.5
    bell.ring(2)
    assert len(tries) == 2
