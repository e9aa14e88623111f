"""A real broker and real Celery worker processes on the test database."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from ops_portal.broker import server
from ops_portal.celery import app
from ops_portal.env import broker_socket, env
from tests.worker.celery_process import run_celery

ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """The address of a broker: the Redis given by the environment, else the bundled one."""
    given = env.str("REDIS_URL", default="")
    if given:
        yield given
        return
    broker = server(broker_socket())
    broker.start()
    yield f"redis+socket://{broker_socket()}"
    broker.stop()


@pytest.fixture
def queue(broker_url: str) -> Iterator[str]:
    """A queue of this test's own, so that messages left by another test are never seen."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    before = app.conf.broker_url, app.conf.task_default_queue
    app.conf.update(broker_url=broker_url, task_default_queue=name)
    _forget_connections()
    yield name
    with app.connection_for_write() as link:
        link.default_channel.queue_purge(name)
    app.conf.update(broker_url=before[0], task_default_queue=before[1])
    _forget_connections()


def _forget_connections() -> None:
    app.amqp._producer_pool = None
    app.amqp.__dict__.pop("queues", None)
    app.amqp.__dict__.pop("router", None)
    app._pool = None


#: What the worker processes of all tests begin with, so that not each has to import it again.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["celery.bin.celery", "kombu.transport.redis", "psycopg", "scipy.optimize", "river.api"])


class Worker:
    """One Celery worker process, with one process to learn in."""

    def __init__(self, broker_url: str, queue: str, environment: dict[str, str], log: Path) -> None:
        self.log = log
        command = ["celery", "-A", "ops_portal", "worker", "--pool", "solo", "-Q", queue]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
        command += ["--hostname", f"{uuid.uuid4().hex[:8]}@test"]
        environment = {
            **os.environ,
            **environment,
            "REDIS_URL": broker_url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "OPS_PORTAL_TEST_QUEUE": queue,
            "OPS_PORTAL_TEST_DATABASE": str(connection.settings_dict["NAME"]),
        }
        log.touch()  # it may be looked into before the process has begun
        self.process = FORKS.Process(target=run_celery, args=(command, environment, str(log)))
        self.process.start()

    def kill(self) -> None:
        """kill -9: no goodbye, whatever it is in the middle of."""
        self.process.kill()
        self.process.join()

    def stop(self) -> None:
        self.process.terminate()
        self.process.join(timeout=15)
        if self.process.exitcode is None:
            self.kill()


@pytest.fixture
def start_worker(
    transactional_db: None, broker_url: str, queue: str, tmp_path: Path
) -> Iterator[Callable[..., Worker]]:
    """Start a worker process; all are stopped after the test."""
    started: list[Worker] = []

    def start(**environment: str) -> Worker:
        worker = Worker(broker_url, queue, environment, tmp_path / f"worker-{len(started)}.log")
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.stop()


@pytest.fixture(scope="module")
def start_web(
    django_db_setup: None, broker_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., tuple[int, subprocess.Popen[bytes]]]]:
    """Start web processes on the test database, as `manage.py up` does, and return their port and their parent.

    They run until the module's tests are done, and ring nobody unless they are given the queue of a test.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(processes: int = 1, **more: str) -> tuple[int, subprocess.Popen[bytes]]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        environment = os.environ | {
            "REDIS_URL": broker_url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "OPS_PORTAL_TEST_QUEUE": "nobody",
            "OPS_PORTAL_TEST_DATABASE": str(connection.settings_dict["NAME"]),
            **more,
        }
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws"]
        command += ["--workers", str(processes), "--blocking-threads", "8", "--log-level", "error"]
        log = tmp_path_factory.mktemp("web") / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "ops_portal.wsgi:application"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        started.append(process)
        until = time.monotonic() + 60
        while not _listens(port):
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        return port, process

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=30)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], object], seconds: float = 60, every: float = 0.05) -> None:
    """Wait until `condition()` holds; fail when it does not within `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(every)


@pytest.fixture(scope="module")
def web(start_web: Callable[..., tuple[int, subprocess.Popen[bytes]]]) -> tuple[int, subprocess.Popen[bytes]]:
    """One web process for the module's tests: its port and the process."""
    return start_web()
