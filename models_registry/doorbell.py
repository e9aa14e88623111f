"""Rings for a run once its row is committed; a broker that is down costs seconds, never the request."""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction

from models_registry.tasks import advance_run

log = logging.getLogger(__name__)


def ring(run_id: int) -> None:
    """Ask a worker to advance a run after the current transaction; the sweeper does when the broker is not there."""
    transaction.on_commit(partial(_ring, run_id))


def _ring(run_id: int) -> None:
    try:
        advance_run.apply_async((run_id,), retry=False)
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the run is committed
        log.warning("The broker could not be rung for run %s (%s); the sweeper will.", run_id, error)
