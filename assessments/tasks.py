"""Background work of assessments. The rows say what there is to do; a message only makes it sooner."""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction

from assessments.models import Round
from assessments.services.panel_results import work_out

log = logging.getLogger(__name__)


@shared_task(name="assessments.tasks.work_out_result")
def work_out_result(round_id: int) -> None:
    """Work out the result of a closed round."""
    work_out(round_id)


@shared_task(name="assessments.tasks.ring_waiting_results", expires=30)
def ring_waiting_results() -> int:
    """Ring for every closed round without a result: whoever was to work it out may have been killed."""
    closed = Round.objects.filter(state=Round.State.CLOSED, result__isnull=True)
    waiting = list(closed.values_list("pk", flat=True))
    for round_id in waiting:
        work_out_result.delay(round_id)
    return len(waiting)


def ring(round_id: int) -> None:
    """Ask a worker for a round's result after the current transaction; a broker that is down does not matter here."""
    transaction.on_commit(partial(_ring, round_id))


def _ring(round_id: int) -> None:
    try:
        work_out_result.apply_async((round_id,), retry=False)
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the round is closed
        log.warning("The broker could not be rung for round %s (%s); its page helps itself.", round_id, error)
