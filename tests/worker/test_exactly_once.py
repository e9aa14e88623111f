"""Four workers on one run, half of them killed in the middle of a chunk: the result is that of one undisturbed run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models_registry.models import Alarm, MetricPoint, Run, Version
from models_registry.services.runs import register_model, start_run
from models_registry.services.training import advance
from models_registry.tasks import advance_run
from tests.factories import make_project
from tests.streams import bundled_events
from tests.worker.conftest import Worker

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

FOREST = {"steps": [{"use": "forest.ARFClassifier", "params": {"n_models": 3}}]}
EVENTS = 1_500
PUBLISH_EVERY = 400


def result(run: Run) -> dict[str, Any]:
    """Everything a run leaves behind, but for times and file names."""
    run.refresh_from_db()
    return {
        "state": run.state,
        "position": run.position,
        "learned": run.learned,
        "digest": run.digest,
        "summary": run.summary,
        "points": list(MetricPoint.objects.filter(run=run).values_list("first", "position", "values")),
        "alarms": list(Alarm.objects.filter(run=run).values_list("position", "detail")),
        "versions": list(
            Version.objects.filter(run=run).order_by("position").values_list("position", "digest", "metrics", "reason")
        ),
    }


@pytest.mark.parametrize("lease", ["2", "0"], ids=["with leases", "without leases: every worker races"])
def test_killed_and_racing_workers_change_nothing(start_worker: Callable[..., Worker], lease: str) -> None:
    project = make_project(task="binary")
    bundled_events(project, "Phishing", EVENTS)
    model = register_model(project=project, name="forest", spec=FOREST, actor=None)

    undisturbed = start_run(model=model, mode="replay", actor=None, seed=7, publish_every=PUBLISH_EVERY)
    while advance(undisturbed.pk).more:
        pass

    disturbed = start_run(model=model, mode="replay", actor=None, seed=7, publish_every=PUBLISH_EVERY)
    workers = [start_worker(TRAINING_CHUNK_SECONDS="0.1", TRAINING_LEASE_SECONDS=lease) for _ in range(4)]
    killed = ring_and_kill(disturbed, workers, kills=2)

    assert killed == 2
    assert result(disturbed) == result(undisturbed)
    assert len(result(disturbed)["versions"]) == EVENTS // PUBLISH_EVERY + 1


def ring_and_kill(run: Run, workers: list[Worker], kills: int) -> int:
    """Ring for `run` from all sides until it has ended, killing the worker that holds it `kills` times mid-chunk."""
    by_pid = {worker.process.pid: worker for worker in workers}
    killed = 0
    last_kill = 0
    until = time.monotonic() + 90
    ring_at = 0.0
    while True:
        assert time.monotonic() < until, "the run did not end"
        if time.monotonic() >= ring_at:
            for _ in workers:  # one for each; whoever learns rings again while there is more
                advance_run.delay(run.pk)
            ring_at = time.monotonic() + 0.5
        time.sleep(0.02)
        run.refresh_from_db()
        if run.ended:
            return killed
        holder = by_pid.get(int(run.lease_owner.split(":")[1])) if run.lease_owner else None
        # Progress between two kills: the second one must hit a run that came back from the first.
        if holder and killed < kills and run.position > last_kill:
            holder.kill()
            by_pid.pop(holder.process.pid)
            killed += 1
            last_kill = run.position
            assert not Path(f"/proc/{holder.process.pid}").exists()
