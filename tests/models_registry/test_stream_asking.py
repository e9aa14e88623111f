"""A stream whose events are predicted some seconds before their labels come: a live metric as in real use."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from models_registry.models import LivePoint, Prediction, Run
from models_registry.selectors.timeline import read_timeline
from models_registry.services import stream_asking
from models_registry.services.deployment import deploy
from models_registry.services.live_scoring import score_answers
from models_registry.services.runs import start_run
from models_registry.services.stream_asking import ask_ahead, streams_to_ask
from models_registry.tasks import ask_stream, ask_streams
from ops_portal.errors import UserError
from projects import river_streams
from projects.models import DataImport, Event
from projects.services.import_steps import advance_import
from projects.services.imports import (
    MAX_PREDICTED_RATE,
    change_rate,
    pause_import,
    start_bundled,
    start_synthetic,
)
from projects.services.projects import archive_project
from projects.synthetic import Recipe
from tests.factories import make_project
from tests.models_registry.learned import learn, make_model
from tests.models_registry.test_deployments_predict import SPECS

pytestmark = pytest.mark.django_db


@pytest.fixture
def stream(project, owner) -> DataImport:
    """A stream with a past of 200 events, five a second, that a model has learned and that it serves."""
    made = start_bundled(project=project, actor=owner, name="Phishing", events=400, rate=5, at_once=200, predict=True)
    advance_import(import_id=made.pk, now=timezone.now())
    run = learn(start_run_of(project, owner))
    deploy(project=project, version=run.versions.get(), actor=owner)
    made.refresh_from_db()
    return made


def start_run_of(project, owner) -> Run:
    model = make_model(project, spec=SPECS[project.task])
    return start_run(model=model, mode=Run.Mode.REPLAY, actor=owner, seed=1)


def flow(stream: DataImport, steps: int) -> None:
    """Ask ahead and bring labels in turns, as workers do; time is that of the steps, not of the clock."""
    for step in range(steps):
        now = timezone.now()
        if step % 4 == 0:
            ask_ahead(import_id=stream.pk, now=now)
        DataImport.objects.filter(pk=stream.pk).update(lease_until=None)
        advance_import(import_id=stream.pk, now=now + timedelta(milliseconds=1))


def test_events_are_answered_before_their_label_and_scored_by_it(stream, project):
    flow(stream, 16)
    stream.refresh_from_db()
    assert stream.row == 280
    answered = Prediction.objects.filter(event__position__isnull=False)
    assert answered.count() == 80 and set(answered.values_list("event__position", flat=True)) == set(range(201, 281))
    assert not Prediction.objects.exclude(version__number=1).exists()
    score_answers(project.pk)
    assert LivePoint.objects.aggregate(events=Sum("events"))["events"] == 80, "each answer came before its label"
    chart = read_timeline(project)
    assert len(chart.figure["data"][0]["y"]) == 2, "a curve: a dot for fifty answers"
    project.refresh_from_db()
    assert project.event_count == Event.objects.count() == 200 + Prediction.objects.count()


def test_each_event_is_asked_once_and_by_another_process_without_effect(stream, monkeypatch):
    now = timezone.now()
    assert ask_ahead(import_id=stream.pk, now=now) == 50
    assert ask_ahead(import_id=stream.pk, now=now) == 0
    monkeypatch.setattr(stream_asking, "_asked", {})
    assert ask_ahead(import_id=stream.pk, now=now) == 50
    assert Prediction.objects.count() == 50 and Event.objects.filter(label=None).count() == 50


def test_the_fastest_stream_is_asked_before_every_label_and_read_once(stream, project, owner, monkeypatch):
    change_rate(data_import=stream, actor=owner, rate=MAX_PREDICTED_RATE)
    opened = []
    read = river_streams._events
    monkeypatch.setattr(river_streams, "_events", lambda name: opened.append(name) or read(name))
    flow(stream, 4)
    stream.refresh_from_db()
    assert stream.row == 400
    assert Prediction.objects.filter(event__position__gt=200).count() == 200
    assert opened == ["Phishing"], "once to ask; what brings the labels had it open"
    assert -stream.pk not in river_streams._open


def test_a_stream_too_fast_to_ask_is_refused(stream, project, owner):
    for rate, said in ((MAX_PREDICTED_RATE + 1, "at most 50"), (0, "Choose a rate")):
        with pytest.raises(UserError, match=said):
            change_rate(data_import=stream, actor=owner, rate=rate)
    with pytest.raises(UserError, match="at most 50"):
        start_bundled(project=project, actor=owner, name="Phishing", rate=51, predict=True)


def test_it_ends_with_the_stream(stream):
    flow(stream, 45)
    stream.refresh_from_db()
    assert stream.state == DataImport.State.COMPLETED and stream.accepted == 400
    assert not Event.objects.filter(label=None).exists()
    assert ask_ahead(import_id=stream.pk, now=timezone.now()) == 0


def test_only_streams_that_flow_where_something_is_deployed(stream, project, owner, team):
    assert streams_to_ask() == [stream.pk]
    other = make_project(team)
    another = start_synthetic(project=other, actor=owner, recipe=Recipe("sea", 1), events=50, rate=5, predict=True)
    advance_import(import_id=another.pk, now=timezone.now())
    assert streams_to_ask() == [stream.pk], "nothing is deployed there"
    DataImport.objects.filter(pk=stream.pk).update(options=stream.options | {"predict": False})
    assert streams_to_ask() == []
    DataImport.objects.filter(pk=stream.pk).update(options=stream.options)
    pause_import(data_import=stream, actor=owner)
    assert streams_to_ask() == []
    DataImport.objects.filter(pk=stream.pk).update(state=DataImport.State.RUNNING)
    ask_streams()
    ask_stream(stream.pk)
    assert Prediction.objects.count() == 50
    archive_project(project=project, actor=owner)
    assert streams_to_ask() == []


def test_without_a_rate_nothing_can_be_predicted_first(project, owner):
    with pytest.raises(UserError, match="Choose a rate"):
        start_bundled(project=project, actor=owner, name="Phishing", predict=True)
