"""A chunk of learning on its way into the database: files first, then every row in one fenced transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from models_registry import artifacts, engine
from models_registry.learning.schedule import is_due
from models_registry.models import Alarm, Run, SetAsideEvent, Version
from models_registry.services.outcomes import keep_outcomes
from models_registry.services.points import keep_points
from models_registry.services.verification import conclude
from models_registry.services.versions import publish
from projects.services.activity import record

if TYPE_CHECKING:
    from models_registry.learning.progressive import ChunkResult, Learner

log = logging.getLogger(__name__)


@dataclass
class Chunk:
    """What one run learned since its checkpoint.

    Parameters
    ----------
    run
        The row as it was when the chunk began; `commit` brings it up to date.
    learner
        The state after the chunk.
    position
        The position after the chunk.
    results
        What the learner found out, batch by batch.
    seconds
        How long reading and learning took.
    events
        Events taken, those set aside included.
    failure
        Why the run cannot go on after this chunk, in words; empty when it can.
    caught_up
        Whether it took all that the stream had.

    """

    run: Run
    learner: Learner
    position: int
    results: list[ChunkResult] = field(default_factory=list)
    seconds: float = 0.0
    events: int = 0
    failure: str = ""
    caught_up: bool = False

    @property
    def replay_done(self) -> bool:
        """Say whether a replay has arrived."""
        return self.run.target_position is not None and self.position >= self.run.target_position

    @property
    def idle(self) -> bool:
        """Say whether there is nothing to keep."""
        return not (self.events or self.replay_done or self.failure)


def write_artifact(chunk: Chunk) -> dict[str, Any]:
    """Write the chunk's checkpoint; return the new values of the run's row.

    A model that has outgrown its limit keeps its last good checkpoint, and the chunk becomes its end.
    """
    run = chunk.run
    data = engine.dump(chunk.learner) if chunk.events or not run.checkpoint else b""
    if len(data) > settings.ARTIFACT_MAX_BYTES:
        raise OutgrownError(
            f"The model has grown to {len(data) / 2**20:.0f} MB, over the limit of "
            f"{settings.ARTIFACT_MAX_BYTES / 2**20:.0f} MB. Its last good checkpoint, at position {run.position:,}, "
            "is kept. Give the model a size limit (for trees: max_depth or max_size) and start a new run."
        )
    sha = artifacts.save(data) if data else run.checkpoint
    return _changes(chunk, sha, len(data) or run.checkpoint_bytes)


class OutgrownError(Exception):
    """A model is larger than the portal keeps."""


@transaction.atomic
def commit(chunks: Sequence[tuple[Chunk, dict[str, Any]]]) -> list[Chunk]:
    """Keep the chunks, each fenced by the position it started from; return those that were kept.

    One that is left out was overtaken: another worker was faster, or a person paused or cancelled its run. It never
    happened.
    """
    kept = []
    for chunk, changes in chunks:
        run = chunk.run
        if not Run.objects.filter(pk=run.pk, position=run.position, state=Run.State.RUNNING).update(**changes):
            log.info("run %s: chunk from %s was overtaken", run.pk, run.position)
            continue
        for name, value in changes.items():
            setattr(run, name, value)
        _keep_findings(chunk)
        _publish_if_due(chunk)
        _record_end(run)
        kept.append(chunk)
    return kept


def _changes(chunk: Chunk, sha: str, size: int) -> dict[str, Any]:
    """The new values of the run's row."""
    run = chunk.run
    rate = chunk.events / chunk.seconds if chunk.seconds else 0.0
    set_aside = sum(len(result.set_aside) for result in chunk.results)
    changes = {
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
    if chunk.failure:
        changes |= {"state": Run.State.FAILED, "error": chunk.failure, "finished_at": timezone.now()}
    elif chunk.replay_done:
        changes |= {"state": Run.State.COMPLETED, "finished_at": timezone.now()}
    return changes


def _keep_findings(chunk: Chunk) -> None:
    """Write the chunk's metric points, alarms and set-aside events."""
    run, results = chunk.run, chunk.results
    widths = [result.compact_to for result in results if result.compact_to]
    points = [point for result in results for point in result.points]
    keep_points(run_id=run.pk, points=points, width=max(widths, default=None))
    if run.purpose == Run.Purpose.LEARN:
        keep_outcomes(run=run, outcomes=[part for result in results for part in result.outcomes])
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


def _publish_if_due(chunk: Chunk) -> None:
    run = chunk.run
    every = int(run.options.get("publish_every") or 0)
    if run.position == run.start_position:
        return  # nothing was learned that a version could show
    if run.purpose == Run.Purpose.VERIFY:
        if chunk.replay_done:
            assert run.verifies is not None, "a verifying run names the version it verifies"
            conclude(run=run, digest=chunk.learner.model_digest(run.verifies.metrics))
        return
    if chunk.replay_done and run.purpose == Run.Purpose.RESTORE:
        reason = Version.Reason.RESTORE
    elif chunk.replay_done or chunk.failure:
        reason = Version.Reason.END
    elif every and is_due(run.position, run.start_position, every):
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
def fail(run: Run, message: str, *, publishing: bool = False) -> None:
    """End a run that cannot go on; its last checkpoint and everything before it stay.

    With `publishing`, that checkpoint is published, so that it can be deployed.
    """
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
        if publishing and run.checkpoint and run.purpose == Run.Purpose.LEARN:
            publish(run=run, reason=Version.Reason.END, actor=None)
        _record_end(run)


def discard_checkpoint(old: str, new: str) -> None:
    """Remove the checkpoint just replaced, unless a version or another run's checkpoint is the same file."""
    if old and old != new and not artifact_in_use(old):
        artifacts.discard(old)


def artifact_in_use(sha: str) -> bool:
    """Say whether a version that is kept, or a run, needs this artifact."""
    kept = Version.objects.filter(artifact=sha, artifact_removed_at=None)
    return kept.exists() or Run.objects.filter(checkpoint=sha).exists()
