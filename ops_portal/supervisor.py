"""One parent for web, worker, beat and the bundled broker, so that one Ctrl-C stops them all."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings
from honcho.manager import Manager

from ops_portal.env import DATA_DIR, LONGEST_SOCKET_PATH, broker_socket, env

PIDS = DATA_DIR / "run" / "pids.json"
PORTS_TRIED = 20
#: Threads of a web process: as many calls can share a commit (decision 6).
WEB_THREADS = 8


class Signals:
    """How processes are stopped: honcho's way would signal the whole group at once.

    A Celery worker or web server must hear SIGTERM alone, to let its children finish what they are at.
    """

    def terminate(self, pid: int) -> None:
        """Ask one process to finish."""
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return

    def kill(self, pid: int) -> None:
        """End a process and all its children."""
        _signal_group(pid, signal.SIGKILL)


class Supervisor(Manager):  # type: ignore[misc]
    """honcho's manager, which also writes down what it started.

    Children live in sessions of their own; should this process be killed outright, the next start finds them in the
    file and stops them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._procmgr = Signals()

    def _system_print(self, data: str) -> None:
        pids = {name: process["pid"] for name, process in self._processes.items() if process.get("pid")}
        PIDS.parent.mkdir(parents=True, exist_ok=True)
        PIDS.write_text(json.dumps(pids))


def free_port(host: str, wanted: int) -> int:
    """Return `wanted`, or the next port that nothing listens on.

    Raises
    ------
    OSError
        None of the next ports is free.

    """
    for port in range(wanted, wanted + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"Ports {wanted} to {wanted + PORTS_TRIED - 1} are all in use; give another one with --port.")


def commands(host: str, port: int, *, workers: int, web_workers: int) -> dict[str, str]:
    """Return the command line of each process."""
    python = shlex.quote(sys.executable)
    # In a container everything runs as root; Celery's page of warnings about it would bury the sign-in link.
    celery = f'{python} -W "ignore:You\'re running the worker" -m celery -A ops_portal --quiet'
    all_of_them = {
        "web": f"{python} -m granian --interface wsgi --host {host} --port {port} --workers {web_workers} "
        f"--blocking-threads {WEB_THREADS} --no-ws --log-level warning --workers-kill-timeout 3 "
        "--respawn-failed-workers ops_portal.wsgi:application",
        "worker": f"{celery} worker --concurrency {workers} --loglevel WARNING "
        "--without-gossip --without-mingle --without-heartbeat",
        "beat": f"{celery} beat --loglevel WARNING --pidfile=",
    }
    if not env.str("REDIS_URL", default=""):
        by_port = len(str(broker_socket())) > LONGEST_SOCKET_PATH
        port_argument = f" {settings.CELERY_BROKER_URL.rsplit(':', 1)[1].split('/')[0]}" if by_port else ""
        broker = f"{python} -m ops_portal.broker {shlex.quote(str(broker_socket()))}{port_argument}"
        all_of_them = {"broker": broker, **all_of_them}
    return all_of_them


def run(processes: dict[str, str]) -> int:
    """Run the processes until one ends or a signal comes; return the exit code."""
    supervisor = Supervisor()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    for name, command in processes.items():
        # exec: the shell that honcho starts would otherwise stay in between and swallow the signal.
        supervisor.add_process(name, f"exec {command}", env=environment, cwd=str(settings.BASE_DIR))
    supervisor.loop()
    PIDS.unlink(missing_ok=True)
    return int(supervisor.returncode or 0)


def stop_leftovers() -> list[str]:
    """Stop processes that an earlier supervisor left behind when it was killed; return their names."""
    try:
        pids: dict[str, int] = json.loads(PIDS.read_text())
    except (FileNotFoundError, ValueError):
        return []
    stopped = [name for name, pid in pids.items() if _is_ours(pid)]
    for name in stopped:
        _signal_group(pids[name], signal.SIGTERM)
    until = time.monotonic() + 6
    while time.monotonic() < until and any(_is_ours(pids[name]) for name in stopped):
        time.sleep(0.1)
    for name in stopped:
        _signal_group(pids[name], signal.SIGKILL)
    PIDS.unlink(missing_ok=True)
    return stopped


def _is_ours(pid: int) -> bool:
    """Say whether `pid` is a process of the portal: the number may have been given to something else since."""
    return "ops_portal" in _command_of(pid)


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def running_at() -> str:
    """Return the address of a portal that runs on this data directory already, or an empty string."""
    try:
        address, pid = (DATA_DIR / "run" / "address").read_text().split()
    except (FileNotFoundError, ValueError):
        return ""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return ""
    return address if "manage.py" in _command_of(int(pid)) else ""


def _command_of(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    ps = shutil.which("ps")  # where there is no /proc: macOS
    if ps is None:
        return ""
    return subprocess.run([ps, "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S603


def write_address(address: str) -> Path:
    """Note where this portal answers, for the next start to find."""
    path = DATA_DIR / "run" / "address"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{address} {os.getpid()}")
    return path
