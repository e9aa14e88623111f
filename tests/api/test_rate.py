"""The limit on requests per token."""

from __future__ import annotations

import time

import pytest
from django.core.cache import cache
from django.core.exceptions import MiddlewareNotUsed
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.module_loading import import_string

from ops_portal import rate
from projects.models import Scope
from tests.api.calls import Calls, refused


@pytest.fixture(autouse=True)
def fresh():
    rate._here.clear()
    cache.clear()
    yield
    rate._here.clear()
    cache.clear()


@pytest.fixture
def at(monkeypatch):
    """The clock: 20 seconds into a window."""
    now = [1_800_000_020.0]
    monkeypatch.setattr(rate.time, "time", lambda: now[0])
    return now


@pytest.fixture
def limited(settings):
    settings.API_RATE_PER_MINUTE = 3


@pytest.mark.django_db
def test_a_token_that_asks_too_often_is_told_when_to_come_back(limited, at, project, django_assert_num_queries):
    one, two = Calls(project, Scope.READ), Calls(project, Scope.READ)
    for _ in range(3):
        assert one.get("runs/").status_code == 200
    with django_assert_num_queries(0):
        answer = one.get("runs/")
    refused(answer, 429, code="rate_limited")
    assert answer["Retry-After"] == "40"
    refused(one.post("events/", {"features": {"x": 1}}), 429)
    refused(one.post("predict/", {"features": {"x": 1}}), 429)
    assert two.get("runs/").status_code == 200, "another token has a minute of its own"
    at[0] += 40
    assert one.get("runs/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["events/", "labels/", "predict/"])
def test_calls_that_go_past_the_middleware_are_counted_once(limited, at, project, path):
    front = import_string("ops_portal.wsgi.application")
    api = Calls(project)
    said: list[str] = []
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    for _ in range(4):
        asked = RequestFactory().post(api.url(path), "{}", content_type="application/json", headers=api.headers)
        front(asked.environ, lambda status, headers: said.append(status[:3]))
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    assert said[3] == "429" and "429" not in said[:3]


def test_pages_and_sessions_are_not_counted(limited, rf: RequestFactory):
    middleware = rate.RateLimit(lambda request: HttpResponse("here"))
    for _ in range(5):
        assert middleware(rf.get("/api/v1/projects/")).status_code == 200
        assert middleware(rf.get("/projects/", headers={"Authorization": "Bearer x"})).status_code == 200
    codes = [
        middleware(rf.get("/api/v1/projects/", headers={"Authorization": "Bearer \udcff"})).status_code
        for _ in range(4)
    ]
    assert codes == [200, 200, 200, 429]


def test_zero_takes_the_limit_out(settings):
    settings.API_RATE_PER_MINUTE = 0
    with pytest.raises(MiddlewareNotUsed):
        rate.RateLimit(lambda request: HttpResponse())


def test_counting_costs_almost_nothing():
    rate.count("Bearer x", 1.0)
    best = min(_seconds(2000) for _ in range(5))
    assert best < 100e-6, f"{best * 1e6:.0f} us per request"


def _seconds(times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        rate.count("Bearer x", 1.0)
    return (time.perf_counter() - started) / times
