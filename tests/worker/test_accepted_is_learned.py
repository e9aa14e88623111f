"""Single labelled events through several web processes, learned by several workers: accepted = learned, exactly."""

from __future__ import annotations

import json
from itertools import islice

import pytest
from river import datasets

from bench import load
from models_registry.models import Run
from models_registry.services.runs import register_model, start_run
from models_registry.tasks import advance_run, ring_waiting_runs
from projects.models import Event
from tests.factories import make_project, make_token
from tests.worker.conftest import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

LINEAR = {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]}


def test_accepted_is_learned_with_two_web_processes_and_two_workers_one_of_them_killed(start_web, start_worker, queue):
    project = make_project(task="binary")
    model = register_model(project=project, name="linear", spec=LINEAR, actor=None)
    runs = [start_run(model=model, mode="follow", actor=None, seed=seed) for seed in (1, 2)]
    port, _ = start_web(processes=2, OPS_PORTAL_TEST_QUEUE=queue)
    workers = [start_worker(TRAINING_LEASE_SECONDS="2") for _ in range(2)]
    wait_until(lambda: all(" ready." in worker.log.read_text() for worker in workers))
    for run in runs:
        advance_run.delay(run.pk)
    bodies = [
        json.dumps({"id": load.MARK, "features": dict(x), "label": y}) for x, y in islice(datasets.Phishing(), 500)
    ]
    job = load.Job(port, f"/api/v1/projects/{project.slug}/events/", make_token(project), bodies, seconds=6.0, warm=0.0)
    sending = load.start(job)
    wait_until(lambda: all(position > 50 for position in Run.objects.values_list("position", flat=True)))
    assert sending.poll() is None, "it was killed too late"
    workers[0].kill()
    got = load.finish(sending)
    assert (got.errors, got.first_error) == (0, "") and got.accepted == got.requests > 100

    def all_learned() -> bool:
        ring_waiting_runs()  # the sweeper's part: what the killed one held comes back
        return set(Run.objects.values_list("position", flat=True)) == {got.accepted}

    wait_until(all_learned, every=0.5)
    project.refresh_from_db()
    assert project.event_count == project.last_position == Event.objects.count() == got.accepted
    assert set(Event.objects.values_list("position", flat=True)) == set(range(1, got.accepted + 1))
    for run in Run.objects.all():
        assert (run.learned, run.set_aside_count, run.state) == (got.accepted, 0, Run.State.RUNNING)
