"""Kill -9 at random moments, over and over, with several processes on one run: nothing changes in the result.

Three child processes at a time learn the same run as workers do, so every chunk is also delivered more than once, and
each is sent SIGKILL after a random time, wherever it is then: learning, writing a file, committing. No broker is there.
"""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from typing import Any

import pytest
from django.db import connections

from models_registry import engine
from models_registry.models import Run
from models_registry.services import training
from models_registry.services.runs import register_model, start_run
from tests.factories import make_project
from tests.streams import bundled_events
from tests.worker.test_exactly_once import result

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

#: Spec, events, and how many processes die on the way: over a hundred in all.
CASES: dict[str, tuple[dict[str, Any], int, int]] = {
    "linear": (
        {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]},
        12_000,
        45,
    ),
    "tree": ({"steps": [{"use": "tree.HoeffdingAdaptiveTreeClassifier"}]}, 5_000, 45),
    "forest": ({"steps": [{"use": "forest.ARFClassifier", "params": {"n_models": 3}}]}, 1_800, 45),
}


@pytest.mark.parametrize("name", CASES)
def test_kills_at_random_moments_change_nothing(name: str, settings: Any) -> None:
    spec, events, kills = CASES[name]
    engine.learner_class()  # once, before the forks
    project = make_project(task="binary")
    bundled_events(project, "Phishing", events)
    model = register_model(project=project, name=name, spec=spec, actor=None)
    rule = events // 7
    undisturbed = start_run(model=model, mode="replay", actor=None, seed=11, publish_every=rule)
    while training.advance(undisturbed.pk).more:
        pass

    # Chunks short enough that the run outlives its killers; no leases, so that processes really race.
    settings.TRAINING_CHUNK_SECONDS = 0.01
    settings.TRAINING_LEASE_SECONDS = 0
    disturbed = start_run(model=model, mode="replay", actor=None, seed=11, publish_every=rule)
    moments = random.Random(name)
    killed = 0
    until = time.monotonic() + 150
    while not is_over(disturbed):
        assert time.monotonic() < until, "the run did not end"
        children = [learn_in_a_child(disturbed.pk) for _ in range(3)]
        if killed < kills:
            kill_after(children, sorted(moments.uniform(0.002, 0.12) for _ in children))
        for child in children:
            _, status = os.waitpid(child, 0)
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "a child failed by itself"
            killed += os.WIFSIGNALED(status)

    assert killed >= kills, f"only {killed} of {kills} were killed before the run ended"
    assert result(disturbed) == result(undisturbed)


def is_over(run: Run) -> bool:
    run.refresh_from_db()
    return run.ended


def kill_after(children: list[int], seconds: list[float]) -> None:
    """Send each child SIGKILL after its time; one that has ended by then is not there to be killed."""
    started = time.monotonic()
    for child, moment in zip(children, seconds, strict=True):
        time.sleep(max(0.0, started + moment - time.monotonic()))
        os.kill(child, signal.SIGKILL)


def learn_in_a_child(run_id: int) -> int:
    """Fork a process that learns like a worker; return its pid."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        training._learners.clear()
        for _ in range(3):
            if not training.advance(run_id).more:
                break
    except BaseException:  # noqa: BLE001 - a child must never run on as a second pytest
        traceback.print_exc()
        os._exit(7)
    os._exit(0)
