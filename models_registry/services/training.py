"""The learning itself: one bounded chunk of a run, committed in one fenced transaction.

Exactly once: the chunk's events are those after the run's position, in the order of their labels, without gaps. The
transaction that moves the position also keeps the checkpoint, the metric points, the alarms and the versions, and it
moves the position only from where the chunk started. A process killed anywhere, a message delivered twice, or a
second worker on the same run can therefore repeat work, but never learn an event twice or leave one out.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from models_registry import artifacts, engine
from models_registry.learning.errors import EstimatorFailed, LearningError
from models_registry.models import Alarm, MetricPoint, Run, SetAsideEvent, Version
from models_registry.services.points import compact
from models_registry.services.verification import conclude
from models_registry.services.versions import publish
from ops_portal.errors import UserError
from projects.services.activity import record
from projects.stream import read_labelled

if TYPE_CHECKING:
    from models_registry.learning.progressive import ChunkResult, Learner

log = logging.getLogger(__name__)

#: Events read at a time; between two reads the clock is looked at.
BATCH = 1_000
FIRST_BATCH = 100
#: Longest time between two checkpoints, however dear a checkpoint is.
LONGEST_CHUNK_SECONDS = 30.0
#: A checkpoint may cost this share of the learning between two of them.
CHECKPOINT_SHARE = 0.05
KEPT_LEARNERS = 4

#: Learners of this process by run, each with the checkpoint it equals: spares reading back what was just written.
_learners: OrderedDict[int, tuple[str, Learner]] = OrderedDict()
#: What the last checkpoint of a run cost this process, in seconds.
_checkpoint_seconds: dict[int, float] = {}


@dataclass(frozen=True)
class Advanced:
    """What one call did: how many events it learned, and whether there may be more to learn now."""

    events: int
    more: bool


@dataclass
class _Chunk:
    """Everything a chunk found out, on its way into the database."""

    learner: Learner
    position: int
    results: list[ChunkResult]
    seconds: float
    events: int
    failure: str = ""


NOTHING = Advanced(events=0, more=False)


def advance(run_id: int) -> Advanced:
    """Learn one chunk of a run; a run that another worker holds, or that is paused or over, is left alone."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:80]
    run = _take(run_id, owner)
    if run is None:
        return NOTHING
    try:
        chunk = _learn(run)
        return _commit(run, chunk, owner)
    except (UserError, LearningError) as wrong:
        _learners.pop(run.pk, None)
        _fail(run, str(wrong))
        return NOTHING
    except BaseException:
        # Whatever happened, the state in memory may be ahead of the row: forget it, and let the next worker in.
        _learners.pop(run.pk, None)
        Run.objects.filter(pk=run.pk, lease_owner=owner).update(lease_owner="", lease_until=None)
        raise


def _take(run_id: int, owner: str) -> Run | None:
    """Take the lease of a run that is at work and not held by a living worker."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    chunk = _chunk_seconds(run_id)
    lease = settings.TRAINING_LEASE_SECONDS + (chunk if chunk > settings.TRAINING_CHUNK_SECONDS else 0.0)
    taken = Run.objects.filter(free, pk=run_id, state__in=Run.ACTIVE).update(
        lease_owner=owner,
        lease_until=now + timedelta(seconds=lease),
        state=Run.State.RUNNING,
        started_at=Coalesce(F("started_at"), now),
    )
    if not taken:
        return None
    return Run.objects.select_related("model", "project__team", "from_version").get(pk=run_id)


def _chunk_seconds(run_id: int) -> float:
    """How long to learn before the next checkpoint: longer where a checkpoint is dear."""
    wanted = _checkpoint_seconds.get(run_id, 0.0) / CHECKPOINT_SHARE
    return float(min(max(settings.TRAINING_CHUNK_SECONDS, wanted), LONGEST_CHUNK_SECONDS))


def _learner_of(run: Run) -> Learner:
    """Return the state to go on from: in memory if it equals the checkpoint, else read back, else made anew."""
    kept = _learners.pop(run.pk, None)
    if kept is not None and kept[0] == run.checkpoint:
        return kept[1]
    if run.checkpoint:
        return engine.load(artifacts.read(run.checkpoint))
    if run.from_version is not None:
        return engine.load(artifacts.read(run.from_version.artifact))
    return engine.learner_class().create(
        run.spec,
        run.project.task,
        seed=run.seed,
        metrics=run.options["metrics"],
        window=run.options["window"],
        drift=run.options["drift"],
        start=run.start_position,
    )


def _learn(run: Run) -> _Chunk:
    """Learn until the time is up, the stream is, or the next version is due."""
    try:
        return _learn_until(run, _learner_of(run), _limit(run))
    except EstimatorFailed as failed:
        log.warning("run %s: %s", run.pk, failed)
        # The estimator may be left half-updated: go back to the checkpoint and keep everything before the failure.
        learner = _learner_of(run)
        upto = failed.position - 1
        chunk = _learn_until(run, learner, upto) if upto > run.position else _Chunk(learner, run.position, [], 0.0, 0)
        chunk.failure = _explain(run, failed)
        return chunk


def _explain(run: Run, failed: EstimatorFailed) -> str:
    """What happened, where, and what to do where that can be told."""
    said = f"The model failed at position {failed.position:,}: {failed}."
    for _, features, _ in read_labelled(run.project_id, failed.position - 1, 1):
        texts = [name for name, value in features.items() if isinstance(value, str)]
        if texts:
            said += (
                f" The event there has texts ({', '.join(texts[:5])}), and this model may take numbers only:"
                " start from a template for numbers and text, or encode them first."
            )
    return said


def _limit(run: Run) -> int | None:
    """The last position of this chunk, if anything bounds it: the replay's end or the next version that is due.

    Versions by rule fall on fixed positions, so that they are the same however the stream is cut into chunks.
    """
    bounds = []
    if run.target_position is not None:
        bounds.append(run.target_position)
    every = int(run.options.get("publish_every") or 0)
    if every:
        bounds.append((run.position // every + 1) * every)
    return min(bounds) if bounds else None


def _learn_until(run: Run, learner: Learner, upto: int | None) -> _Chunk:
    started = time.perf_counter()
    until = started + _chunk_seconds(run.pk)
    # A batch should take about a tenth of the chunk: forests learn a hundred events a second, linear models 70,000.
    size = int(min(max(run.events_per_second / 10, FIRST_BATCH), BATCH * 5)) if run.events_per_second else FIRST_BATCH
    chunk = _Chunk(learner, run.position, [], 0.0, 0)
    while True:
        events = read_labelled(run.project_id, chunk.position, size, upto)
        if not events:
            break
        result = learner.learn(events)
        chunk.results.append(result)
        chunk.position = result.position
        chunk.events += len(events)
        now = time.perf_counter()
        if now >= until or len(events) < size:
            break
        size = int(min(max(chunk.events / (now - started) * _chunk_seconds(run.pk) / 10, 10), BATCH * 5))
    chunk.seconds = time.perf_counter() - started
    return chunk


def _commit(run: Run, chunk: _Chunk, owner: str) -> Advanced:
    """Keep the chunk: the file first, then every row in one transaction, fenced by the position it started from."""
    replay_done = run.target_position is not None and chunk.position >= run.target_position
    if not chunk.events and not replay_done and not chunk.failure:
        Run.objects.filter(pk=run.pk, lease_owner=owner).update(
            lease_owner="", lease_until=None, updated_at=timezone.now()
        )
        _remember(run.pk, run.checkpoint, chunk.learner)
        return NOTHING
    before = time.perf_counter()
    data = engine.dump(chunk.learner) if chunk.events or not run.checkpoint else b""
    if len(data) > settings.ARTIFACT_MAX_BYTES:
        raise UserError(
            f"The model has grown to {len(data) / 2**20:.0f} MB, over the limit of "
            f"{settings.ARTIFACT_MAX_BYTES / 2**20:.0f} MB. Its last good checkpoint, at position {run.position:,}, "
            "is kept. Give the model a size limit (for trees: max_depth or max_size) and start a new run."
        )
    sha = artifacts.save(data) if data else run.checkpoint
    changes = _changes(run, chunk, sha, len(data) or run.checkpoint_bytes)
    _checkpoint_seconds[run.pk] = time.perf_counter() - before
    if chunk.failure:
        changes |= {"state": Run.State.FAILED, "error": chunk.failure, "finished_at": timezone.now()}
    elif replay_done:
        changes |= {"state": Run.State.COMPLETED, "finished_at": timezone.now()}
    with transaction.atomic():
        fenced = Run.objects.filter(pk=run.pk, position=run.position, state=Run.State.RUNNING)
        if not fenced.update(**changes):
            # Another worker was faster, or a person paused or cancelled: this chunk never happened.
            log.info("run %s: chunk from %s was overtaken", run.pk, run.position)
            return NOTHING
        old_checkpoint = run.checkpoint
        for name, value in changes.items():
            setattr(run, name, value)
        _keep_findings(run, chunk)
        _publish_if_due(run, chunk, replay_done=replay_done)
        _record_end(run)
    _remember(run.pk, sha, chunk.learner)
    _discard_checkpoint(old_checkpoint, sha)
    return Advanced(events=chunk.events, more=run.active)


def _changes(run: Run, chunk: _Chunk, sha: str, size: int) -> dict[str, Any]:
    """The new values of the run's row."""
    rate = chunk.events / chunk.seconds if chunk.seconds else 0.0
    set_aside = sum(len(result.set_aside) for result in chunk.results)
    return {
        "position": chunk.position,
        "checkpoint": sha,
        "checkpoint_bytes": size,
        "summary": chunk.learner.summary(),
        "digest": chunk.learner.digest(),
        "learned": run.learned + chunk.events - set_aside,
        "set_aside_count": run.set_aside_count + set_aside,
        "learning_seconds": run.learning_seconds + chunk.seconds,
        # Smoothed, so that the remaining time on the page does not jump.
        "events_per_second": rate if not run.events_per_second else 0.7 * run.events_per_second + 0.3 * rate,
        "environment": engine.environment(),
        "lease_owner": "",
        "lease_until": None,
        "updated_at": timezone.now(),
    }


def _keep_findings(run: Run, chunk: _Chunk) -> None:
    """Write the chunk's metric points, alarms and set-aside events."""
    results = chunk.results
    MetricPoint.objects.bulk_create(
        MetricPoint(run=run, first=point.first, position=point.position, values=point.values)
        for result in results
        for point in result.points
    )
    widths = [result.compact_to for result in results if result.compact_to]
    if widths:
        compact(run_id=run.pk, width=max(widths))
    Alarm.objects.bulk_create(
        Alarm(run=run, position=drift.position, detail={"detector": drift.detector, "what": drift.what})
        for result in results
        for drift in result.drifts
    )
    SetAsideEvent.objects.bulk_create(
        SetAsideEvent(run=run, position=position, reason=reason[:300])
        for result in results
        for position, reason in result.set_aside
    )


def _publish_if_due(run: Run, chunk: _Chunk, *, replay_done: bool) -> None:
    every = int(run.options.get("publish_every") or 0)
    if run.position == run.start_position:
        return  # nothing was learned that a version could show
    if run.purpose == Run.Purpose.VERIFY:
        if replay_done:
            conclude(run=run, digest=chunk.learner.model_digest())
        return
    if replay_done and run.purpose == Run.Purpose.RESTORE:
        reason = Version.Reason.RESTORE
    elif replay_done or chunk.failure:
        reason = Version.Reason.END
    elif every and run.position % every == 0:
        reason = Version.Reason.RULE
    else:
        return
    publish(run=run, reason=reason, actor=None, digest=chunk.learner.model_digest())


def _record_end(run: Run) -> None:
    if run.state == Run.State.COMPLETED:
        summary = f"completed run {run.number} of {run.model.name}: {run.learned:,} events learned"
        record(actor=None, verb="run.completed", summary=summary, project=run.project, run=run.pk)
    elif run.state == Run.State.FAILED:
        summary = f"stopped run {run.number} of {run.model.name}: {run.error}"
        record(actor=None, verb="run.failed", summary=summary, project=run.project, run=run.pk)


@transaction.atomic
def _fail(run: Run, message: str) -> None:
    """End a run that cannot go on; its last checkpoint and everything before it stay."""
    failed = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, position=run.position).update(
        state=Run.State.FAILED,
        error=message,
        lease_owner="",
        lease_until=None,
        finished_at=timezone.now(),
        updated_at=timezone.now(),
    )
    if failed:
        run.state, run.error = Run.State.FAILED, message
        _record_end(run)


def _remember(run_id: int, sha: str, learner: Learner) -> None:
    _learners[run_id] = (sha, learner)
    while len(_learners) > KEPT_LEARNERS:
        gone, _ = _learners.popitem(last=False)
        _checkpoint_seconds.pop(gone, None)


def _discard_checkpoint(old: str, new: str) -> None:
    """Remove the checkpoint just replaced, unless a version or another run's checkpoint is the same file."""
    if old and old != new and not artifact_in_use(old):
        artifacts.discard(old)


def artifact_in_use(sha: str) -> bool:
    """Say whether a version that is kept, or a run, needs this artifact."""
    kept = Version.objects.filter(artifact=sha, artifact_removed_at=None)
    return kept.exists() or Run.objects.filter(checkpoint=sha).exists()
