"""Work of the background worker: imports, one bounded step per message, and labels that come early, late or never."""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from projects.services import late_labels
from projects.services.import_steps import advance_import, discard_old_previews, waiting_imports

log = logging.getLogger(__name__)


def ring_import(import_id: int, wait: float = 0) -> None:
    """Tell a worker about an import once the current transaction is committed.

    The row is the truth and the message only a doorbell: without a broker the request still succeeds, and the sweeper
    rings within seconds.
    """
    transaction.on_commit(partial(_ring, import_id, wait))


def _ring(import_id: int, wait: float) -> None:
    try:
        run_import.apply_async([import_id], countdown=wait or None, retry=False)
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the row is committed
        log.warning("The broker could not be rung for import %s (%s); the sweeper will.", import_id, error)


@shared_task
def run_import(import_id: int) -> None:
    """Do one step of an import and ring for the next one."""
    wait = advance_import(import_id=import_id, now=timezone.now())
    if wait is not None:
        ring_import(import_id, wait)


@shared_task(ignore_result=True, expires=10)
def ring_waiting_imports() -> None:
    """Ring for imports that no worker is at: never rung, or their worker is gone."""
    for import_id in waiting_imports(now=timezone.now()):
        ring_import(import_id)
    discard_old_previews(now=timezone.now())


@shared_task(ignore_result=True, expires=10)
def settle_labels() -> None:
    """Join labels that came before their event, and apply the projects' rules to events whose label did not come."""
    now = timezone.now()
    for project_id in late_labels.projects_with_early_labels():
        while late_labels.join_early_labels(project_id=project_id, now=now):
            continue
    for project_id in late_labels.projects_with_deadlines():
        while late_labels.settle_overdue(project_id=project_id, now=now):
            continue
    late_labels.discard_old_early_labels(now=now)
