"""How a run follows a live stream: what comes gathers for a moment, and no bell is missed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from models_registry import tasks
from models_registry.services import training
from models_registry.services.runs import start_run
from models_registry.services.training import Advanced, advance
from tests.factories import make_events
from tests.models_registry.learned import make_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(project):
    make_events(project, 12)
    return start_run(model=make_model(project), mode="follow", actor=None, seed=1)


def rings(rung):
    return [(args, options.get("countdown")) for name, args, options in rung if name.endswith("advance_run")]


def test_a_run_that_has_caught_up_says_so(run):
    assert advance(run.pk) == Advanced(events=12, more=True, caught_up=True)
    assert advance(run.pk) == Advanced(events=0, more=False, caught_up=False)


def test_a_chunk_that_ends_for_a_version_has_not_caught_up(project):
    make_events(project, 12)
    run = start_run(model=make_model(project), mode="follow", actor=None, seed=1, publish_every=6)
    assert advance(run.pk) == Advanced(events=6, more=True, caught_up=False)
    assert advance(run.pk).caught_up is False, "the version at 12 was due, whatever comes behind it"


def test_the_next_chunk_waits_only_where_the_stream_had_no_more(project, rung, django_capture_on_commit_callbacks):
    make_events(project, 9)
    run = start_run(model=make_model(project), mode="follow", actor=None, seed=1, publish_every=6)
    for waits in ([None], [None, tasks.GATHER], [None, tasks.GATHER]):  # six events, three, none
        with django_capture_on_commit_callbacks(execute=True):
            tasks.advance_run(run.pk)
        assert rings(rung) == [((run.pk,), wait) for wait in waits]


def test_what_comes_while_a_run_finds_nothing_is_learned_at_once(run, monkeypatch):
    """The bell of such an event finds the run taken, and would be the last one."""
    advance(run.pk)
    read = training.read_labelled

    def read_and_then_comes_one(*arguments):
        found = read(*arguments)
        make_events(run.project, 1, start=12)
        return found

    monkeypatch.setattr(training, "read_labelled", read_and_then_comes_one)
    assert advance(run.pk) == Advanced(events=0, more=True)
    monkeypatch.undo()
    assert advance(run.pk).events == 1


def test_a_bell_is_heard_again_as_soon_as_nothing_gathers(run, rung):
    while advance(run.pk).more:
        pass
    make_events(run.project, 1, start=12)
    rung.clear()
    tasks.ring_followers(run.project_id)
    assert rings(rung) == [], "it has rung for itself, for when enough has gathered"
    type(run).objects.filter(pk=run.pk).update(updated_at=timezone.now() - timedelta(seconds=tasks.GATHER + 0.01))
    tasks.ring_followers(run.project_id)
    assert [args for args, _ in rings(rung)] == [(run.pk,)]
