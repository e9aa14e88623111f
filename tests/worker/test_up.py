"""`manage.py up`: one command starts everything, one Ctrl-C stops everything."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.portal import ROOT, Portal, start_portal
from tests.worker.conftest import wait_until

pytestmark = pytest.mark.worker


def processes_of(portal: Portal) -> dict[str, int]:
    return json.loads((portal.data / "run" / "pids.json").read_text())


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_newcomer_starts_it_signs_in_starts_again_after_a_kill_and_stops_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 8650))
        taken.listen()
        portal = start_portal(tmp_path, port=8650)
        try:
            portal.wait_for_link()
            assert portal.address != "http://127.0.0.1:8650", "the port was in use"
            assert any("8650 is in use" in line for line in portal.lines)
            left = processes_of(portal)
            assert set(left) == {"broker", "web", "worker", "beat"}

            with httpx.Client(base_url=portal.address, follow_redirects=True) as client:
                signs_in_once(client, portal.link)
                assert "Phishing pages" in client.get("/").text
                wait_until(lambda: client.get("/health/ready").status_code == 200)
                learns_while_the_page_is_open(tmp_path)
            is_not_started_twice(portal)
        finally:
            portal.process.kill()
            portal.process.wait()
        assert alive(left["web"])

        again = start_portal(tmp_path, port=8650)
        try:
            started = time.monotonic()
            again.wait_for_link()
            assert time.monotonic() - started < 30
            assert any("left behind" in line for line in again.lines)
            processes = processes_of(again)
            assert set(processes) == {"broker", "web", "worker", "beat"}
            assert not [name for name, pid in left.items() if alive(pid)]
        finally:
            code = again.stop()
            portal.stop()  # it has ended; what it printed is still held open
    assert code == 0, "\n".join(again.lines)
    for lines in (portal.lines, again.lines):
        assert not [line for line in lines if "Traceback" in line or "ERROR" in line], "\n".join(lines)
    assert not [name for name, pid in processes.items() if alive(pid)]


def is_not_started_twice(portal: Portal) -> None:
    second = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env={**os.environ, "OPS_PORTAL_DATA": str(portal.data), "DJANGO_SETTINGS_MODULE": "ops_portal.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0
    assert f"runs already at {portal.address}" in second.stderr


def signs_in_once(client: httpx.Client, link: str) -> None:
    """The link shows a button, so that a preview does not use it up; pressed, it signs in, but only once."""
    page = client.get(link)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    sesame = re.search(r"sesame=(\S+)", link)
    assert token and sesame
    form = {"csrfmiddlewaretoken": token[1], "sesame": sesame[1]}
    with httpx.Client(base_url=client.base_url, cookies=client.cookies, follow_redirects=True) as other:
        assert client.post("/sign-in/link/", data=form).url.path == "/"
        assert "used already" in other.post("/sign-in/link/", data=form).text


def learns_while_the_page_is_open(data: Path) -> None:
    """The streams flow and the worker learns: the positions of the runs that follow them rise."""

    def learned() -> int:
        with closing(sqlite3.connect(data / "portal.sqlite3")) as database:
            return database.execute("SELECT sum(position) FROM models_registry_run WHERE mode = 'follow'").fetchone()[0]

    before = learned()
    wait_until(lambda: learned() >= before + 5, seconds=40, every=0.5)
