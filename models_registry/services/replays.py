"""What becomes of a rollback's replay: deployed if it is not worse than the restored version, else kept. A fact each.

The replay has predicted every event before it learned it. The restored version predicts the same events, so the two are
compared pair by pair on what came since; on the newest part of it where there is much.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet

from models_registry import artifacts, engine
from models_registry.learning.compare import Verdict, compare
from models_registry.learning.errors import LearningError
from models_registry.models import Deployment, ReplayVerdict, Run, Version
from models_registry.selectors.live import measure_of
from models_registry.services.deployment import current_deployment
from models_registry.services.numbering import next_number
from models_registry.services.proposals import propose
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record
from projects.stream import read_labelled

if TYPE_CHECKING:
    from models_registry.learning.replays import ReplayTrial

#: Events of the end of a replay that the comparison covers at least, where the replay learned so many.
JUDGED = 1_000
BATCH = 1_000
#: How long one worker may take to judge a replay before another one tries.
LEASE = timedelta(minutes=5)


def unsettled() -> QuerySet[Deployment]:
    """The rollbacks whose replay has ended and was not judged yet."""
    return Deployment.objects.filter(replay_run__state__in=Run.ENDED, verdict=None)


def settle_replays(*, now: datetime) -> int:
    """Judge the replays that have ended and that no other worker is at; return how many."""
    settled = 0
    for rollback in unsettled().select_related("project__team", "version", "replay_run__model", "created_by"):
        # A run that has ended needs its lease for nothing else.
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        run = rollback.replay_run
        assert run is not None
        if Run.objects.filter(free, pk=run.pk).update(lease_until=now + LEASE):
            _settle(rollback, now)
            settled += 1
    return settled


@dataclass(frozen=True)
class _Found:
    version: Version | None
    deploy: bool
    reason: str


def _settle(rollback: Deployment, now: datetime) -> None:
    found = _judge(rollback)
    with transaction.atomic():
        number = next_number(Deployment, rollback.project_id)
        if ReplayVerdict.objects.filter(deployment=rollback).exists():
            return  # another worker was faster
        if found.version is not None and found.deploy:
            found = _put_into_service(rollback, found.version, found.reason, number, now)
        ReplayVerdict.objects.create(
            deployment=rollback, version=found.version, deployed=found.deploy, reason=found.reason[:500]
        )
        what = f"{'deployed' if found.deploy else 'kept'} {found.version or 'nothing'}"
        record(
            actor=None,
            verb="replay.settled",
            summary=f"{what} after the replay of rollback {rollback.number}: {found.reason}",
            project=rollback.project,
            deployment=rollback.pk,
            version=found.version.pk if found.version else None,
        )


def _put_into_service(rollback: Deployment, version: Version, reason: str, number: int, now: datetime) -> _Found:
    """Deploy what the replay arrived at, unless somebody changed what serves meanwhile or has to be asked first."""
    project = rollback.project
    current = current_deployment(project.pk)
    assert current is not None
    if current.pk != rollback.pk:
        return _Found(version, False, f"{reason} It was not deployed: something else was deployed meanwhile.")
    if project.archived_at is not None:
        return _Found(version, False, f"{reason} It was not deployed: the project was archived meanwhile.")
    if project.deploys_need_approval:
        if rollback.created_by is None:
            return _Found(version, False, f"{reason} It was not deployed: a second person has to approve it first.")
        made = propose(project=project, version=version, actor=rollback.created_by, now=now, reason=reason[:500])
        return _Found(version, False, f"{reason} Proposal {made.number} waits for a second person.")
    Deployment.objects.create(
        project=project,
        number=number,
        version=version,
        kind=Deployment.Kind.REPLAY,
        mode=Deployment.Mode.PIN,
        previous=current,
        reason=reason[:500],
        created_by=rollback.created_by,
    )
    return _Found(version, True, reason)


def _judge(rollback: Deployment) -> _Found:
    run = rollback.replay_run
    assert run is not None
    if run.state != Run.State.COMPLETED:
        why = run.error or f"run {run.number} was {run.get_state_display().lower()}"
        return _Found(None, False, f"The replay did not arrive: {why}")
    version = run.versions.order_by("-position").first()
    if version is None:
        return _Found(None, False, "The replay learned nothing, so there is nothing to deploy.")
    try:
        verdict = _compare(rollback, run, rollback.project)
    except (UserError, LearningError) as wrong:
        return _Found(version, False, f"The replay could not be compared, so it was kept: {wrong}")
    measure = measure_of(rollback.project)
    ours, theirs = verdict.values
    if not verdict.events:
        return _Found(version, False, "No event since could be scored, so nothing speaks for the replay; it was kept.")
    words = (
        f"{measure.title} {measure.format(ours)} of {version} (the replay) against {measure.format(theirs)} of "
        f"{rollback.version} (restored) on the same {verdict.events:,} events"
    )
    how = f"p = {verdict.p:.3f}" if verdict.p is not None else verdict.test
    if measure.is_better(theirs, ours):
        return _Found(version, False, f"The replay did worse, so it was kept: {words} ({how}).")
    return _Found(version, True, f"The replay did not do worse: {words} ({how}).")


def _compare(rollback: Deployment, run: Run, project: Project) -> Verdict:
    trial, position = _start(rollback.version, run)
    target = run.target_position
    while events := read_labelled(project.pk, position, BATCH, target):
        trial.take(events)
        position = events[-1][0]
    replayed, restored = trial.pairing.names
    return compare(trial.pairing, replayed, restored, measure_of(project).name)


def _start(restored: Version, run: Run) -> tuple[ReplayTrial, int]:
    """Set out from the last kept state of the replay that leaves enough events to judge, else from its beginning."""
    before = run.versions.filter(position__lte=run.position - JUDGED, artifact_removed_at=None)
    start = before.order_by("-position").first() or restored
    learner = engine.load(artifacts.read(start.artifact))
    return engine.replay_trial(engine.load(artifacts.read(restored.artifact)), learner), start.position
