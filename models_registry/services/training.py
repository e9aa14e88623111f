"""The learning itself: one bounded chunk of a run, or of several in one pass, committed in one fenced transaction.

Exactly once: the chunk's events are those after the run's position, in the order of their labels, without gaps. The
transaction that moves the position also keeps the checkpoint, the metric points, the alarms and the versions, and it
moves the position only from where the chunk started. A process killed anywhere, a message delivered twice, or a
second worker on the same run can therefore repeat work, but never learn an event twice or leave one out.

Runs of one comparison that stand at the same position go forward together: their events are read and decoded once.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from models_registry import artifacts, engine
from models_registry.learning.codec import no_collection
from models_registry.learning.errors import EstimatorFailed, LearningError
from models_registry.learning.schedule import next_due
from models_registry.models import Run
from models_registry.services.chunks import Chunk, OutgrownError, commit, discard_checkpoint, fail, write_artifact
from ops_portal.errors import UserError
from projects.stream import read_labelled

if TYPE_CHECKING:
    from models_registry.learning.progressive import Learner

log = logging.getLogger(__name__)

#: Events read at a time; between two reads the clock is looked at.
BATCH = 1_000
FIRST_BATCH = 100
#: Longest time between two checkpoints, however dear a checkpoint is.
LONGEST_CHUNK_SECONDS = 60.0
#: A chunk of several runs in one pass lasts up to so many times as long as that of one.
MOST_STRETCH = 4
#: A checkpoint may cost this share of the learning between two of them; versions by rule come on top.
CHECKPOINT_SHARE = 0.02
#: Learners kept in memory between chunks, and what their checkpoints may add up to, in bytes.
KEPT_LEARNERS = 16
KEPT_BYTES = 256 * 2**20
#: How fast a checkpoint is taken to be made and written before this process has written one of the run.
BYTES_PER_SECOND = 100 * 2**20


class Kept(NamedTuple):
    """A learner of this process, with the checkpoint that it equals: spares reading back what was just written."""

    checkpoint: str
    size: int
    learner: Learner


#: By run, the one that learned last at the end.
_learners: OrderedDict[int, Kept] = OrderedDict()
#: What the last checkpoint of a run cost this process, in seconds.
_checkpoint_seconds: dict[int, float] = {}


@dataclass(frozen=True)
class Advanced:
    """What one call did: how many events it learned, and whether there may be more to learn.

    `caught_up` says that the stream had no more a moment ago: what comes can gather before it is learned.
    """

    events: int
    more: bool
    caught_up: bool = False


NOTHING = Advanced(events=0, more=False)


def advance(run_id: int) -> Advanced:
    """Learn one chunk of a run; a run that another worker holds, or that is paused or over, is left alone."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:80]
    runs = _take(run_id, owner)
    if not runs:
        return NOTHING
    try:
        chunks = _learn(runs)
        with no_collection():
            return _keep(chunks, owner)
    except BaseException:
        # Whatever happened, the states in memory may be ahead of their rows: forget them, and let the next worker in.
        for run in runs:
            _learners.pop(run.pk, None)
        Run.objects.filter(lease_owner=owner).update(lease_owner="", lease_until=None)
        raise


def _take(run_id: int, owner: str) -> list[Run]:
    """Take the lease of a run, and of its companions, that are at work and not held by a living worker."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    asked = Run.objects.filter(pk=run_id).values("comparison_id", "project_id", "position").first()
    if asked is None:
        return []
    which = Q(pk=run_id)
    if asked["comparison_id"]:
        which = Q(comparison_id=asked["comparison_id"], position=asked["position"])
    taken = Run.objects.filter(free, which, state__in=Run.ACTIVE).update(
        lease_owner=owner,
        lease_until=now + timedelta(seconds=settings.TRAINING_LEASE_SECONDS),
        state=Run.State.RUNNING,
        started_at=Coalesce(F("started_at"), now),
    )
    if not taken:
        return []
    mine = Run.objects.filter(lease_owner=owner)
    runs = list(mine.select_related("model", "project__team", "from_version").order_by("pk"))
    longer = _chunk_seconds(runs) - settings.TRAINING_CHUNK_SECONDS
    if longer > 0:
        mine.update(lease_until=now + timedelta(seconds=settings.TRAINING_LEASE_SECONDS + longer))
    return runs


def _chunk_seconds(runs: Sequence[Run]) -> float:
    """How long to learn before the next checkpoint: longer where checkpoints are dear.

    Runs in one pass write theirs together, so they learn longer in between, or the pass would cost what it saves.
    """
    costs = [_checkpoint_seconds.get(run.pk, _state_bytes(run) / BYTES_PER_SECOND) for run in runs]
    wanted = sum(costs) / CHECKPOINT_SHARE
    usual = settings.TRAINING_CHUNK_SECONDS * min(len(runs), MOST_STRETCH)
    return float(min(max(usual, wanted), LONGEST_CHUNK_SECONDS))


def _state_bytes(run: Run) -> int:
    """How large the state is that the run goes on from."""
    if run.checkpoint or run.from_version is None:
        return run.checkpoint_bytes
    return run.from_version.artifact_bytes


def _learner_of(run: Run) -> Learner:
    """Return the state to go on from: in memory if it equals the checkpoint, else read back, else made anew."""
    kept = _learners.pop(run.pk, None)
    if kept is not None and kept.checkpoint == run.checkpoint:
        return kept.learner
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
        baseline=run.options.get("baseline"),
        start=run.start_position,
    )


def _learn(runs: Sequence[Run]) -> list[Chunk]:
    """Learn until the time is up, the stream is, or the next version of one of the runs is due."""
    chunks: list[Chunk] = []
    for run in runs:
        try:
            chunks.append(Chunk(run, _learner_of(run), run.position))
        except (UserError, LearningError) as wrong:
            fail(run, str(wrong))
    if chunks:
        failed = _learn_together(chunks, _limit([chunk.run for chunk in chunks]))
        chunks = [chunk for chunk in chunks if chunk.run.pk not in failed]
        chunks += [_up_to_failure(run, error) for run, error in failed.values()]
    return chunks


def _up_to_failure(run: Run, failed: EstimatorFailed) -> Chunk:
    """Everything before the event at which the estimator failed.

    What failed may be left half-updated, so this goes back to the checkpoint and learns again.
    """
    log.warning("run %s: %s", run.pk, failed)
    chunk = Chunk(run, _learner_of(run), run.position)
    if failed.position - 1 > run.position:
        _learn_together([chunk], failed.position - 1)
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


def _limit(runs: Sequence[Run]) -> int | None:
    """The last position of this chunk, if anything bounds it: a replay's end, or the next version that is due.

    Versions by rule fall on fixed positions, so that they are the same however the stream is cut into chunks.
    """
    bounds = [run.target_position for run in runs if run.target_position is not None]
    for run in runs:
        every = int(run.options.get("publish_every") or 0)
        if every:
            bounds.append(next_due(run.position, run.start_position, every))
    return min(bounds) if bounds else None


def _learn_together(chunks: Sequence[Chunk], upto: int | None) -> dict[int, tuple[Run, EstimatorFailed]]:
    """Read events once and let every chunk's learner learn them; return the runs whose estimator failed, by key."""
    failed: dict[int, tuple[Run, EstimatorFailed]] = {}
    project_id, position = chunks[0].run.project_id, chunks[0].position
    seconds = _chunk_seconds([chunk.run for chunk in chunks])
    size = _first_batch([chunk.run for chunk in chunks])
    started = batch_started = time.perf_counter()
    while len(failed) < len(chunks):
        events = read_labelled(project_id, position, size, upto)
        if len(events) < size and (events[-1][0] if events else position) != upto:
            for chunk in chunks:
                chunk.caught_up = True
        if not events:
            break
        read_share = (time.perf_counter() - batch_started) / len(chunks)
        for chunk in chunks:
            if chunk.run.pk not in failed:
                learning_from = time.perf_counter()
                try:
                    result = chunk.learner.learn(events)
                except EstimatorFailed as error:
                    failed[chunk.run.pk] = chunk.run, error
                    continue
                chunk.results.append(result)
                chunk.position = result.position
                chunk.events += len(events)
                chunk.seconds += read_share + time.perf_counter() - learning_from
        learned = events[-1][0] - chunks[0].run.position
        position = events[-1][0]
        batch_started = time.perf_counter()
        if batch_started >= started + seconds or len(events) < size:
            break
        size = int(min(max(learned / (batch_started - started) * seconds / 10, 10), BATCH * 5))
    return failed


def _first_batch(runs: Sequence[Run]) -> int:
    """How many events to read first, so that learning them takes about a tenth of the chunk.

    Forests learn a hundred events a second, linear models seventy thousand.
    """
    speeds = [run.events_per_second for run in runs]
    if not all(speeds):
        return FIRST_BATCH
    together = 1 / sum(1 / speed for speed in speeds)
    return int(min(max(together * settings.TRAINING_CHUNK_SECONDS / 10, FIRST_BATCH), BATCH * 5))


def _keep(chunks: Sequence[Chunk], owner: str) -> Advanced:
    """Write the files, commit the rows, and remember the states for the next chunk."""
    prepared = []
    started = time.perf_counter()
    for chunk in chunks:
        if chunk.idle:
            _remember(chunk)
            continue
        try:
            changes = write_artifact(chunk)
        except OutgrownError as outgrown:
            fail(chunk.run, str(outgrown), publishing=True)
            continue
        prepared.append((chunk, changes))
    writing = time.perf_counter() - started
    old = {chunk.run.pk: chunk.run.checkpoint for chunk, _ in prepared}
    # Of the transaction what it computes: it may have to wait for other writers, which a longer chunk would not spare.
    started = time.process_time()
    kept = commit(prepared) if prepared else []
    cost = writing + time.process_time() - started
    for chunk, _ in prepared:
        _checkpoint_seconds[chunk.run.pk] = cost / len(prepared)
    more = any(chunk.run.active for chunk in kept)
    if len(kept) < len(chunks):
        # Runs with nothing to do, and those that were overtaken: whoever is next may have them.
        Run.objects.filter(lease_owner=owner).update(lease_owner="", lease_until=None)
        # A bell that rang for them until now found them taken.
        more = more or _left([chunk.run for chunk in chunks if chunk.idle])
    for chunk in kept:
        _remember(chunk)
        discard_checkpoint(old[chunk.run.pk], chunk.run.checkpoint)
    caught_up = bool(kept) and all(chunk.caught_up for chunk in kept)
    return Advanced(sum(chunk.events for chunk in kept), more, caught_up)


def _left(runs: Sequence[Run]) -> bool:
    """Say whether any of these runs has something to learn by now."""
    return Run.objects.filter(
        pk__in=[run.pk for run in runs], state__in=Run.ACTIVE, project__last_position__gt=F("position")
    ).exists()


def _remember(chunk: Chunk) -> None:
    """Keep the state of a run that goes on, and let go of those that have waited longest."""
    if chunk.run.active:
        _learners[chunk.run.pk] = Kept(chunk.run.checkpoint, chunk.run.checkpoint_bytes, chunk.learner)
    else:
        _checkpoint_seconds.pop(chunk.run.pk, None)
    size = sum(kept.size for kept in _learners.values())
    while len(_learners) > KEPT_LEARNERS or (size > KEPT_BYTES and len(_learners) > 1):
        run_id, gone = _learners.popitem(last=False)
        _checkpoint_seconds.pop(run_id, None)
        size -= gone.size
