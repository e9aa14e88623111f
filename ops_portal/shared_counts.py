"""Counts that all processes of the portal share: in the broker's server, which every installation has.

It may be away, and nobody should wait for it then: an answer is waited for half a second, and a server that gave none
is left alone for some seconds.
"""

from __future__ import annotations

import logging
import time
from threading import Lock

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

#: Seconds to wait for an answer, and to leave a server alone that gave none.
PATIENCE, LEFT_ALONE = 0.5, 5.0


class SharedCounts:
    """Adds to counts by name.

    Parameters
    ----------
    url
        Address of the server in the form of redis-py, such as `redis://host:6379/0` or `unix:///run/redis.sock`.

    """

    def __init__(self, url: str) -> None:
        self._lock = Lock()
        self._away = False
        self._next_try = 0.0
        self._redis: redis.Redis | None = None
        try:
            self._redis = redis.Redis.from_url(
                url,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                # A kept connection may have been closed by the server since: that shows only when it is used.
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
        except ValueError as unknown:
            log.warning("Counts are not shared between processes: %s", unknown)

    def add(self, name: str, amount: int, seconds: int) -> int | None:
        """Add to a count, which is forgotten after so many `seconds`, and return it; None while the server is away."""
        if self._redis is None or not self._may_try():
            return None
        try:
            steps = self._redis.pipeline(transaction=False)
            steps.incrby(name, amount)
            steps.expire(name, seconds)
            count: int = steps.execute()[0]
        except (redis.RedisError, OSError) as failed:
            self._note(away=True, reason=failed)
            return None
        if self._away:
            self._note(away=False)
        return count

    def close(self) -> None:
        """Let go of the connections."""
        if self._redis is not None:
            self._redis.close()

    def _may_try(self) -> bool:
        if not self._away:
            return True
        now = time.monotonic()
        with self._lock:
            if now < self._next_try:
                return False
            self._next_try = now + LEFT_ALONE  # one tries, the others go on
            return True

    def _note(self, *, away: bool, reason: Exception | None = None) -> None:
        with self._lock:
            changed, self._away = away != self._away, away
            self._next_try = time.monotonic() + LEFT_ALONE
        if changed and away:
            log.warning("The server of shared counts is away, each process counts for itself: %s", reason)
        elif changed:
            log.warning("The server of shared counts is back.")
