"""Several threads on one database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(number)` in threads that start at the same time; each closes its connection."""
    gate = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            gate.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
