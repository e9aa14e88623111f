"""A portal's database, broker and worker of a benchmark's own, which go away with it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Exit code of a benchmark that measured everything and missed a figure that is wanted.
MISSED = 3


def setup() -> Path:
    """Point Django at a fresh data directory and database; call before anything of the portal is imported.

    With a PostgreSQL server in `DATABASE_URL`, a database of that server made for this process alone.
    """
    data = Path(tempfile.mkdtemp(prefix="ops-portal-bench-"))
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    os.environ["OPS_PORTAL_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ops_portal.settings"
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        os.environ["DATABASE_URL"] = _make_database(os.environ["DATABASE_URL"])
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return data


def _make_database(server: str) -> str:
    """Make a database on a PostgreSQL server, dropped when this process ends; return its address."""
    import psycopg
    from psycopg import sql

    name = f"ops_portal_bench_{os.getpid()}"

    def run(statement: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))  # type: ignore[arg-type]

    run("CREATE DATABASE {}")
    atexit.register(run, "DROP DATABASE {} WITH (FORCE)")
    return f"{server.rpartition('/')[0]}/{name}"


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
def workers(processes: int = 1) -> Iterator[int]:
    """A warm Celery worker with this many processes to learn in; yields the pid of their parent."""
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "ops_portal", "--quiet", "worker"]
    command += ["--concurrency", str(processes)]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=quiet, stderr=quiet)
    try:
        _wait_for_worker()
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def memory_of_children(parent: int) -> int:
    """Return the resident memory of a process's children, in bytes (Linux)."""
    pages = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                pages += int((status.parent / "statm").read_text().split()[1])
        except OSError:
            continue  # it has just ended
    return pages * os.sysconf("SC_PAGE_SIZE")


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
