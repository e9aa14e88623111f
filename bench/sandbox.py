"""A portal's database, broker and worker of a benchmark's own, in a directory that goes away."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def setup() -> Path:
    """Point Django at a fresh data directory and migrate it; call before anything of the portal is imported."""
    data = Path(tempfile.mkdtemp(prefix="ops-portal-bench-"))
    os.environ["OPS_PORTAL_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ops_portal.settings"
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    import django
    from django.core.management import call_command

    django.setup()
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        call_command("flush", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    return data


@contextmanager
def broker() -> Iterator[None]:
    """The bundled broker, unless one is given by REDIS_URL."""
    if os.environ.get("REDIS_URL"):
        yield
        return
    from ops_portal.broker import server
    from ops_portal.env import broker_socket

    running = server(broker_socket())
    running.start()
    try:
        yield
    finally:
        running.stop()


@contextmanager
def workers(processes: int = 1) -> Iterator[None]:
    """A warm Celery worker with this many processes to learn in."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "celery",
        "-A",
        "ops_portal",
        "--quiet",
        "worker",
        "--concurrency",
        str(processes),
    ]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        _wait_for_worker()
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for_worker() -> None:
    from ops_portal.celery import app

    wait_until(lambda: app.control.ping(timeout=1.0), 60)


def wait_until(condition: Callable[[], object], seconds: float, every: float = 0.002) -> None:
    """Wait until `condition()` holds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("waited in vain")
        time.sleep(every)
