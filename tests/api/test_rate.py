"""The limit on requests per token, counted for all processes."""

from __future__ import annotations

import logging
import secrets
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import redis
from django.core.exceptions import MiddlewareNotUsed
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.module_loading import import_string

from ops_portal import rate, shared_counts
from ops_portal.broker import server
from ops_portal.rate import Allowances
from ops_portal.shared_counts import SharedCounts
from projects.models import Scope
from tests.api.calls import Calls, refused

#: Where no server is.
NOWHERE = "unix:///nowhere/redis.sock"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """A server of this module's own, and its address."""
    path = tmp_path_factory.mktemp("broker") / "b.sock"
    started = server(path)
    started.start()
    yield f"unix://{path}"
    started.stop()


@pytest.fixture(params=["shared", "away"])
def here(request, broker, monkeypatch):
    """What this process counts with: the same holds for one process whether or not the server is there."""
    counts = SharedCounts(broker if request.param == "shared" else NOWHERE)
    monkeypatch.setattr(rate, "_here", Allowances(counts))
    yield
    counts.close()


@pytest.fixture
def at(monkeypatch):
    """The clock: 20 seconds into a window."""
    now = [1_800_000_020.0]
    monkeypatch.setattr(rate.time, "time", lambda: now[0])
    return now


@pytest.fixture
def limited(settings, here):
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
    token = f"Bearer \udcff{secrets.token_hex()}"
    for _ in range(5):
        assert middleware(rf.get("/api/v1/projects/")).status_code == 200
        assert middleware(rf.get("/projects/", headers={"Authorization": token})).status_code == 200
    codes = [middleware(rf.get("/api/v1/projects/", headers={"Authorization": token})).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]


def test_zero_takes_the_limit_out(settings):
    settings.API_RATE_PER_MINUTE = 0
    with pytest.raises(MiddlewareNotUsed):
        rate.RateLimit(lambda request: HttpResponse())


@pytest.mark.parametrize("limit", [1, 7, 399, 400, 1_000, 4_321])
@pytest.mark.parametrize("address", ["broker", "away"])
def test_one_process_lets_through_exactly_the_limit(broker, limit, address):
    with closing(SharedCounts(broker if address == "broker" else NOWHERE)) as counts:
        here, caller = Allowances(counts), secrets.token_hex()
        for window in (5, 6):
            assert sum(here.take(caller, window, limit) for _ in range(limit + 50)) == limit


@pytest.mark.parametrize("limit", [60, 1_000, 20_000])
def test_several_processes_share_one_limit(broker, limit):
    """Three of them, with connections of their own, each asked by several threads at once."""
    several = [SharedCounts(broker) for _ in range(3)]
    processes = [Allowances(counts) for counts in several]
    caller = secrets.token_hex()

    def ask(number):
        return sum(processes[number % 3].take(caller, 9, limit) for _ in range(limit // 5))

    with ThreadPoolExecutor(9) as pool:
        got = sum(pool.map(ask, range(9)))  # 1.8 times the limit
    for counts in several:
        counts.close()
    share = max(1, limit // rate.SHARES)
    assert limit - 9 * share <= got <= limit + 3, "what is held and not used is lost; one each is owed"


def test_what_one_process_used_up_another_refuses(broker):
    with closing(SharedCounts(broker)) as mine, closing(SharedCounts(broker)) as other:
        one, two, caller = Allowances(mine), Allowances(other), secrets.token_hex()
        assert [one.take(caller, 9, 3) for _ in range(4)] == [True, True, True, False]
        assert not two.take(caller, 9, 3)
        assert two.take(secrets.token_hex(), 9, 3) and two.take(caller, 10, 3)


def test_made_up_tokens_ask_nothing(broker):
    with closing(SharedCounts(broker)) as counts, closing(redis.Redis.from_url(broker)) as client:
        here, before = Allowances(counts), client.info("stats")["total_commands_processed"]
        assert all(here.take(secrets.token_hex(), 9, 1_000) for _ in range(500))
        assert client.info("stats")["total_commands_processed"] - before < 10


@pytest.mark.parametrize("uses", [1, 2])
@pytest.mark.parametrize("limit", [300, 1_000])
def test_a_flood_of_made_up_tokens_fills_no_memory_and_frees_nobody(broker, monkeypatch, uses, limit):
    monkeypatch.setattr(rate, "MOST_CALLERS", 100)
    with closing(SharedCounts(broker)) as counts:
        here, spent, busy = Allowances(counts), secrets.token_hex(), secrets.token_hex()
        assert sum(here.take(spent, 9, limit) for _ in range(limit + 5)) == limit
        got = 0
        for number in range(limit + 200):
            got += here.take(busy, 9, limit)
            caller = secrets.token_hex()
            assert [here.take(caller, 9, limit) for _ in range(uses)] == [True] * uses
            assert max(map(len, (here._left, here._taken, here._spent))) <= 101, number
        # Each time that all are forgotten costs a share at most, and lets one request through for nothing.
        assert limit - 100 <= got <= limit + 20
        assert sum(here.take(spent, 9, limit) for _ in range(5)) <= 1


def test_a_clock_that_is_set_back_locks_nobody_out(broker):
    with closing(SharedCounts(broker)) as counts:
        here, caller = Allowances(counts), secrets.token_hex()
        assert [here.take(caller, 500, 2) for _ in range(3)] == [True, True, False]
        assert not here.take(caller, 499, 2), "a thread that read the clock just before the minute was over"
        assert here.take(caller, 440, 2)


def test_a_server_that_is_away_is_told_once_and_found_again(broker, monkeypatch, caplog, tmp_path):
    monkeypatch.setattr(shared_counts, "LEFT_ALONE", 0.3)
    path = tmp_path / "late.sock"
    with closing(SharedCounts(f"unix://{path}")) as counts, caplog.at_level(logging.WARNING):
        assert [counts.add("n", 1, 60) for _ in range(50)] == [None] * 50
        assert len(caplog.messages) == 1 and "away" in caplog.messages[0]
        late = server(path)
        late.start()
        try:
            time.sleep(0.35)
            assert [counts.add("n", 2, 60) for _ in range(3)] == [2, 4, 6]
            assert len(caplog.messages) == 2 and "back" in caplog.messages[1]
        finally:
            late.stop()
        assert counts.add("n", 1, 60) is None
        assert len(caplog.messages) == 3


def test_a_server_that_closed_a_kept_connection_is_asked_again(broker, caplog):
    with closing(SharedCounts(broker)) as counts, closing(redis.Redis.from_url(broker)) as client:
        name = secrets.token_hex()
        assert counts.add(name, 1, 60) == 1
        client.client_kill_filter(_type="normal", skipme=True)
        assert counts.add(name, 1, 60) == 2
        assert not caplog.messages


def test_a_server_that_does_not_answer_is_hardly_waited_for(tmp_path):
    """It takes connections and says nothing, as one that was stopped does."""
    path = str(tmp_path / "mute.sock")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(path)
        mute.listen(64)
        with closing(SharedCounts(f"unix://{path}")) as counts:
            here = Allowances(counts)
            started = time.perf_counter()
            with ThreadPoolExecutor(8) as pool:
                let = sum(pool.map(lambda n: sum(here.take(f"c{n}", 9, 100) for _ in range(500)), range(8)))
            took = time.perf_counter() - started
    assert let == 8 * 100, "each process counts for itself"
    assert took < 2, f"{took:.1f} s for 4,000 requests"


def test_an_address_that_redis_does_not_know_is_told_and_counts_nothing(caplog):
    counts = SharedCounts("sentinel://host:26379/0")
    assert counts.add("n", 1, 60) is None and "not shared" in caplog.text


def test_counting_costs_almost_nothing(broker, monkeypatch, settings):
    """At the rate of predictions: the round trips are in it."""
    settings.API_RATE_PER_MINUTE = 600_000
    with closing(SharedCounts(broker)) as counts:
        monkeypatch.setattr(rate, "_here", Allowances(counts))
        token = f"Bearer {secrets.token_hex()}"
        rate.refuse(token)
        best = min(_seconds(token, 10_000) for _ in range(3))
    assert best < 50e-6, f"{best * 1e6:.0f} us per request"


def _seconds(token, times):
    started = time.perf_counter()
    said = Counter(rate.refuse(token) is None for _ in range(times))
    assert said == {True: times}
    return (time.perf_counter() - started) / times
