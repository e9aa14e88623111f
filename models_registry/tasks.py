"""The doorbell's other end: Celery tasks that call one service each. The rows say what there is to do."""

from __future__ import annotations

import gc
from datetime import timedelta

from celery import shared_task
from celery.signals import worker_init
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from models_registry import artifacts, engine
from models_registry.models import Deployment, Run, Version
from models_registry.services import (
    chunks,
    live_scoring,
    proposals,
    replays,
    retention,
    shadows,
    stream_asking,
    training,
    versions,
)
from projects.models import Project


@worker_init.connect
def load_river(**_: object) -> None:
    """Import River before the worker forks: its processes share it, and none waits for it.

    What is there by then stays, so the garbage collector need not go through it again and again.
    """
    engine.learner_class()
    gc.collect()
    gc.freeze()


#: Seconds in which the events of a live stream gather once a run has caught up with it: a chunk of a few events costs
#: as much as one of hundreds, and it would cost it again and again.
GATHER = 0.5


@shared_task(name="models_registry.tasks.advance_run")
def advance_run(run_id: int) -> None:
    """Learn one chunk of a run and ring for the next one."""
    done = training.advance(run_id)
    if done.more:
        wait = GATHER if done.caught_up else None
        transaction.on_commit(lambda: advance_run.apply_async([run_id], countdown=wait))


@shared_task(name="models_registry.tasks.ring_followers")
def ring_followers(project_id: int) -> None:
    """Wake the runs of a project that follow its stream."""
    for run_id in _waiting().filter(project_id=project_id).values_list("pk", flat=True):
        advance_run.delay(run_id)


@shared_task(name="models_registry.tasks.ring_waiting_runs", expires=3)
def ring_waiting_runs() -> int:
    """Ring for every run that has something to learn and nobody at work on it.

    This, not the broker's redelivery, is what brings a run back after a worker or the broker was killed.
    """
    waiting = list(_waiting().values_list("pk", flat=True))
    for run_id in waiting:
        advance_run.delay(run_id)
    for version_id in Version.objects.filter(digest="").values_list("pk", flat=True):
        seal_version.delay(version_id)
    return len(waiting)


@shared_task(name="models_registry.tasks.watch_deployments", expires=3)
def watch_deployments() -> int:
    """Ring for answers that wait to be scored and for replays that ended; carry out what is due."""
    deployed = Deployment.objects.order_by().values("project").distinct()
    waiting = list(Project.objects.filter(pk__in=deployed, archived_at=None).values_list("pk", flat=True))
    for project_id in waiting:
        watch_answers.delay(project_id)
    if replays.unsettled().exists():
        settle_replays.delay()
    proposals.carry_out_due(now=timezone.now())
    return len(waiting)


@shared_task(name="models_registry.tasks.ask_streams", expires=3)
def ask_streams() -> None:
    """Ring for every stream whose events are to be predicted before their labels come."""
    for import_id in stream_asking.streams_to_ask():
        ask_stream.delay(import_id)


@shared_task(name="models_registry.tasks.ask_stream", expires=3)
def ask_stream(import_id: int) -> None:
    """Let what is deployed predict for the next events of a stream."""
    stream_asking.ask_ahead(import_id=import_id, now=timezone.now())


@shared_task(name="models_registry.tasks.settle_replays", expires=30)
def settle_replays() -> None:
    """Deploy or keep what replays arrived at; comparing may take a while."""
    replays.settle_replays(now=timezone.now())


@shared_task(name="models_registry.tasks.watch_answers", expires=3)
def watch_answers(project_id: int) -> None:
    """Ask a project's challengers about what was answered, and score what has a label by now.

    What is left after some seconds waits for the next ring, so that learning keeps its workers.
    """
    shadows.answer_in_shadow(project_id)
    live_scoring.score_answers(project_id)


@shared_task(name="models_registry.tasks.seal_version")
def seal_version(version_id: int) -> None:
    """Compute the digest of a version that a person published."""
    versions.seal(version_id)


@shared_task(name="models_registry.tasks.retain_versions")
def retain_versions() -> int:
    """Remove the artifacts of versions that nobody marked and that stand close to others."""
    return retention.retain()


@shared_task(name="models_registry.tasks.sweep_artifacts")
def sweep_artifacts() -> int:
    """Remove old artifacts that no row names: left behind by killed or overtaken workers."""
    swept = 0
    for sha in artifacts.older_than(timezone.now() - artifacts.ORPHAN_AGE):
        if not chunks.artifact_in_use(sha):
            artifacts.discard(sha)
            swept += 1
    return swept


def _waiting() -> QuerySet[Run]:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    behind = Q(project__last_position__gt=F("position")) | Q(state=Run.State.QUEUED) | Q(target_position__isnull=False)
    # A run updated a moment ago has rung for itself.
    quiet = Q(updated_at=None) | Q(updated_at__lt=now - timedelta(seconds=GATHER))
    return Run.objects.filter(free, behind, quiet, state__in=Run.ACTIVE)
