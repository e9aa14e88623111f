"""The whole portal, started as a newcomer starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)


@dataclass
class Portal:
    """A portal started by `manage.py up` on a fresh data directory."""

    process: subprocess.Popen[str] | None
    data: Path
    lines: list[str] = field(default_factory=list)
    address: str = ""
    link: str = ""
    reader: threading.Thread = field(default_factory=threading.Thread)

    def follow(self) -> None:
        """Collect what it prints; note its address and the sign-in link."""
        assert self.process is not None and self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if found := re.search(r"is at (http://\S+?)/?$", line.strip()):
                self.address = found[1]
            if found := re.search(r"(http://\S+sesame=\S+)", line):
                self.link = found[1]

    def wait_for_link(self, seconds: float = 90) -> None:
        assert self.process is not None
        until = time.monotonic() + seconds
        while not self.link:
            assert self.process.poll() is None and time.monotonic() < until, "\n".join(self.lines)
            time.sleep(0.05)

    def stop(self) -> int:
        """Ctrl-C, as in a terminal."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        code = self.process.wait()
        self.reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def start_portal(data: Path, *arguments: str, port: int) -> Portal:
    """Start a portal on the embedded default, whatever servers this machine has."""
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {
        "OPS_PORTAL_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "ops_portal.settings",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    portal = Portal(process, data)
    portal.reader = threading.Thread(target=portal.follow, daemon=True)
    portal.reader.start()
    return portal


def running_portal(link: str) -> Portal:
    """The portal that runs already and gave out this sign-in link."""
    return Portal(None, Path(), address=link.split("/sign-in/")[0], link=link)
