"""Killed at random moments, over and over, with several processes on one run: nothing changes in the result.

Three child processes at a time learn the same run as workers do, so every chunk is also delivered more than once, and
the kernel ends each after a random share of the processor time that a chunk takes, wherever it is then: reading,
learning, writing a file, committing. The signal has no handler, so that nothing is said or cleaned up, as with kill -9;
counted in processor time, it strikes where it should on a busy machine too. No broker is there.
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
        36,
    ),
    "tree": ({"steps": [{"use": "tree.HoeffdingAdaptiveTreeClassifier"}]}, 5_000, 36),
    "forest": ({"steps": [{"use": "forest.ARFClassifier", "params": {"n_models": 3}}]}, 1_800, 36),
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

    settings.TRAINING_CHUNK_SECONDS = 0.03
    settings.TRAINING_LEASE_SECONDS = 0  # processes really race
    moments = random.Random(name)
    killed = 0
    until = time.monotonic() + 150
    while killed < kills:  # a run that outlived its killers is followed by another
        disturbed = start_run(model=model, mode="replay", actor=None, seed=11, publish_every=rule)
        killed += learn_under_fire(disturbed, kills - killed, moments, until)
        assert result(disturbed) == result(undisturbed)


def learn_under_fire(run: Run, kills: int, moments: random.Random, until: float) -> int:
    """Learn the run to its end, by processes of which about so many are killed; return how many were."""
    chunk = seconds_of(learn_in_a_child(run.pk, chunks=1))
    killed = 0
    while not is_over(run):
        assert time.monotonic() < until, "the run did not end"
        if killed < kills:
            children = [learn_in_a_child(run.pk, chunks=1, die_after=moments.uniform(0.1, 1.2) * chunk) for _ in "123"]
        else:
            children = [learn_in_a_child(run.pk, chunks=50) for _ in "123"]
        for child in children:
            _, status, used = os.wait4(child, 0)
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "a child failed by itself"
            killed += os.WIFSIGNALED(status)
            if os.WIFEXITED(status) and killed < kills:
                # The next ones die within what this one took: what the first took need not be typical.
                chunk = min(chunk, used.ru_utime + used.ru_stime)
    return killed


def is_over(run: Run) -> bool:
    run.refresh_from_db()
    return run.ended


def seconds_of(child: int) -> float:
    """Wait for a child to end by itself; return the processor time it took."""
    _, status, used = os.wait4(child, 0)
    assert status == 0, "a child failed by itself"
    return used.ru_utime + used.ru_stime


def learn_in_a_child(run_id: int, *, chunks: int, die_after: float = 0.0) -> int:
    """Fork a process that learns so many chunks like a worker, killed after so much processor time; return its pid."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    signal.setitimer(signal.ITIMER_PROF, die_after)  # its signal ends a process that has no handler; 0 sets no timer
    try:
        training._learners.clear()
        for _ in range(chunks):
            if not training.advance(run_id).more:
                break
    except BaseException:  # noqa: BLE001 - a child must never run on as a second pytest
        traceback.print_exc()
        os._exit(7)
    os._exit(0)
