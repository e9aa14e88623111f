"""A body of 100 MB does not sit in the memory of the web process that takes it."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.models import Event
from tests.factories import make_token
from tests.worker.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MB = 2**20
WANTED = 100 * MB
#: What the process may grow by while it takes the body: batches, the allocator's slack, the database's page cache.
MOST_GROWTH = 60 * MB


def processes_of(server: subprocess.Popen[bytes]) -> list[Path]:
    """What the system tells of the server's processes."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [Path(f"/proc/{pid}") for pid in (*children, server.pid)]


def peak_memory(server: subprocess.Popen[bytes]) -> int:
    """The most memory that any process of the server has held since its peak was forgotten, in bytes."""
    told = [(process / "status").read_text() for process in processes_of(server)]
    return max(int(status.partition("VmHWM:")[2].split()[0]) * 1024 for status in told)


def forget_peak(server: subprocess.Popen[bytes]) -> None:
    for process in processes_of(server):
        (process / "clear_refs").write_text("5")


def pieces(texts: int) -> Iterator[bytes]:
    """100 MB of events, a tenth of them broken, each with so many texts of 1,000 characters."""
    sent = number = 0
    features = {f"text{place}": "x" * 1_000 for place in range(texts)}
    while sent < WANTED:
        number += 1
        line = json.dumps({"id": f"big-{texts}-{number}", "features": features, "label": number % 2 == 0}) + "\n"
        piece = (line if number % 10 else "{" + line).encode()
        sent += len(piece)
        yield piece


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell a process's memory")
@pytest.mark.parametrize("texts", [4, 900], ids=["lines of 4 kB", "lines of 900 kB"])
def test_memory_stays_flat(project, web, texts):
    port, process = web
    # River is imported in the background: its memory is not this test's.
    wait_until(lambda: any("river" in (one / "maps").read_text() for one in processes_of(process)))
    time.sleep(1)
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {make_token(project)}", "Content-Type": "application/x-ndjson"}
    path = f"/api/v1/projects/{project.slug}/events/"
    link.request("POST", path, body=b"\n".join(pieces_of(3)), headers=headers)
    assert json.loads(link.getresponse().read())["accepted"] == 3
    forget_peak(process)
    before = peak_memory(process)
    link.request("POST", path, body=pieces(texts), headers=headers, encode_chunked=True)
    answer = json.loads(link.getresponse().read())
    grown = peak_memory(process) - before
    link.close()
    lines = sum(1 for _ in pieces(texts))
    assert answer["rejected_count"] == lines // 10 and answer["accepted"] == lines - lines // 10
    assert answer["rejected"][0]["line"] == 10 and len(answer["rejected"]) <= 1_000
    assert Event.objects.filter(project=project).count() == answer["accepted"] + 3
    assert grown < MOST_GROWTH, f"grew by {grown / MB:.0f} MB"


def pieces_of(count: int) -> list[bytes]:
    return [json.dumps({"id": f"small-{n}", "features": {"x": n}, "label": True}).encode() for n in range(count)]
