"""The limit of one token over two web processes, each with a port of its own, so that both are surely asked."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from projects.models import Event
from tests.factories import make_token

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

LIMIT = 1_000


@pytest.fixture
def ask(project):
    """Make calls of both ways (past the middleware and through it) on one kept connection; return the statuses."""
    token = make_token(project)

    def calls(port, count):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        path = f"/api/v1/projects/{project.slug}/"
        statuses = Counter()
        for number in range(count):
            if number % 4:
                link.request("POST", f"{path}events/", b'{"features": {"x": 1}}', headers)
            else:
                link.request("GET", path, headers=headers)
            answer = link.getresponse()
            answer.read()
            statuses[answer.status] += 1
        link.close()
        return statuses

    return calls


def in_one_minute(seconds):
    """Wait until so many seconds are left of this minute."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left)


def test_a_token_gets_its_limit_once_and_not_from_each_process(start_web, ask, project):
    ports = [start_web(API_RATE_PER_MINUTE=str(LIMIT))[0] for _ in range(2)]
    in_one_minute(25)
    minute = time.time() // 60
    with ThreadPoolExecutor(6) as pool:
        got = sum(pool.map(lambda number: ask(ports[number % 2], 400), range(6)), Counter())  # 1,200 from each
    assert time.time() // 60 == minute, "too slow to tell"
    assert set(got) == {200, 429}
    assert LIMIT <= got[200] <= LIMIT + 2, "each was asked until it had nothing left"
    assert Event.objects.count() <= got[200]
    assert ask(ports[0], 10) == ask(ports[1], 10) == {429: 10}


def test_without_the_server_a_process_counts_for_itself(start_web, ask):
    port, _ = start_web(API_RATE_PER_MINUTE="100", REDIS_URL="redis://127.0.0.1:1/0")
    in_one_minute(10)
    assert ask(port, 150) == {200: 100, 429: 50}
