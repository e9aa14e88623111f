"""Tells the runs that follow a project's stream that new labels were committed.

The rows are the truth and the message only a doorbell: when the broker is down the request still succeeds, and the
sweeper rings within seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

#: Seconds between two rings for one project: single events may come thousands of times a second.
PAUSE = 0.25
#: Seconds without a try after the broker did not answer, so that its absence does not slow every request.
BROKER_PAUSE = 2.0


class Doorbell:
    """Rings at once, then once more after a pause for everything that came in between."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[int, float] = {}
        self._booked: dict[int, float] = {}
        self._broker_down_until = 0.0

    def ring(self, project_id: int) -> None:
        """Ring now, or book a ring when the last one was just now; never fail."""
        now = time.monotonic()
        with self._lock:
            if now < self._broker_down_until or now < self._booked.get(project_id, 0.0):
                return
            wait = PAUSE if now - self._last.get(project_id, -PAUSE) < PAUSE else 0.0
            if wait:
                self._booked[project_id] = now + wait
            self._last[project_id] = now + wait
        try:
            current_app.send_task(settings.FOLLOWERS_TASK, [project_id], countdown=wait or None, retry=False)
        except Exception as error:  # noqa: BLE001 - whatever the broker does, the events are committed
            self._broker_down_until = time.monotonic() + BROKER_PAUSE
            log.warning("The broker could not be rung for project %s (%s); the sweeper will.", project_id, error)


_doorbell = Doorbell()


def ring_followers(project_id: int) -> None:
    """Ring the runs that follow this project once the current transaction is committed."""
    transaction.on_commit(partial(_doorbell.ring, project_id))
