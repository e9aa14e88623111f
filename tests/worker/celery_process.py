"""What a forked process does to become the process that a command line would start."""

from __future__ import annotations

import os
import runpy
import sys


def run_celery(command: list[str], environment: dict[str, str], log: str) -> None:
    """Become `python -m celery ...`, with this environment, in a session of its own, writing to `log`."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.argv = command
    runpy.run_module("celery", run_name="__main__", alter_sys=True)
