"""Synthetic streams: the drift is where it is said to be, seeds repeat, rates hold and can be changed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ops_portal.errors import UserError
from projects.models import Activity, DataImport, Event, Task
from projects.payload import Incoming
from projects.river_streams import close_data_set, close_synthetic, read_data_set, read_synthetic
from projects.services import import_steps, imports
from projects.services.events import accept
from projects.stream import read_labelled
from projects.synthetic import ABRUPT, GRADUAL, NO_DRIFT, STREAMS, Recipe
from tests.factories import make_project
from tests.projects.test_imports import finish

State = DataImport.State
DRIFTING = [stream.name for stream in STREAMS if stream.drift]


def take(recipe, count, start=0):
    events = read_synthetic(0, recipe, start, count)
    close_synthetic(0)
    return [(event.features, event.label) for event in events]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_seed_makes_the_same_events_that_json_can_hold(stream):
    events = take(Recipe(stream.name, 1), 300)
    assert len(events) == 300
    assert events == take(Recipe(stream.name, 1), 300)
    assert events != take(Recipe(stream.name, 2), 300)
    assert json.loads(json.dumps(events)) == [list(event) for event in events]
    kinds = {type(label) for _, label in events}
    assert kinds == {{"binary": bool, "multiclass": int, "regression": float}[stream.task]}


@pytest.mark.parametrize("name", DRIFTING)
def test_an_abrupt_drift_is_at_its_event(name):
    still, drifting = take(Recipe(name, 3), 400), take(Recipe(name, 3, ABRUPT, 201), 400)
    assert drifting[:200] == still[:200]
    # From there on it is the other concept from its beginning: as if the drift had been at the first event.
    assert drifting[200:] == take(Recipe(name, 3, ABRUPT, 1), 200)
    assert drifting[200:] != still[200:]


@pytest.mark.parametrize("name", [name for name in DRIFTING if name != "led"])  # a display shows few different events
def test_a_gradual_drift_mixes_the_concepts_around_its_event(name):
    still, gradual = take(Recipe(name, 3), 1000), take(Recipe(name, 3, GRADUAL, 500, 200), 1000)
    other = take(Recipe(name, 3, ABRUPT, 1), 1000)
    assert gradual[:400] == still[:400]
    mixed = gradual[400:600]
    of_the_other = sum(event in other for event in mixed)
    assert 60 < of_the_other < 140
    assert all(event in other for event in gradual[600:])


def test_reading_on_is_reading():
    recipe = Recipe("sea", 5, GRADUAL, 150, 100)
    assert take(recipe, 100) + take(recipe, 200, start=100) == take(recipe, 300)


def test_a_closed_data_set_lets_go_of_its_file():
    read_data_set(0, "Phishing", 0, 3)
    close_data_set(0)


@pytest.mark.django_db
def test_a_stream_comes_in_and_the_same_one_changes_nothing(project, owner):
    recipe = Recipe("sea", 7, ABRUPT, 300)
    first = imports.start_synthetic(project=project, actor=owner, recipe=recipe, events=500)
    assert finish(first) <= 3
    assert (first.state, first.accepted, first.total_rows) == (State.COMPLETED, 500, 500)
    assert [(x, y) for _, x, y in read_labelled(project.pk, 0, 999)] == take(recipe, 500)
    longer = imports.start_synthetic(project=project, actor=owner, recipe=recipe, events=600)
    finish(longer)
    assert (longer.accepted, longer.duplicates) == (100, 500)
    another = imports.start_synthetic(project=project, actor=owner, recipe=Recipe("sea", 8, ABRUPT, 300), events=10)
    finish(another)
    assert another.accepted == 10
    assert "an abrupt drift at event 300" in Activity.objects.filter(verb="import.started").first().summary


@pytest.mark.django_db
def test_the_rate_holds_and_can_be_changed_while_it_flows(project, owner):
    stream = imports.start_synthetic(project=project, actor=owner, recipe=Recipe("sea", 7), events=1000, rate=5)
    now = timezone.now()
    assert 0.5 < import_steps.advance_import(import_id=stream.pk, now=now) <= 1
    assert Event.objects.count() == 5
    imports.change_rate(data_import=stream, actor=owner, rate=40)
    # Due at once, at the new rate; and what the old rate rang for is told that it came too early.
    import_steps.advance_import(import_id=stream.pk, now=timezone.now())
    assert Event.objects.count() == 45
    assert import_steps.advance_import(import_id=stream.pk, now=timezone.now()) is None
    imports.pause_import(data_import=stream, actor=owner)
    imports.change_rate(data_import=stream, actor=owner, rate=0)
    stream.refresh_from_db()
    assert stream.state == State.PAUSED, "another rate does not resume it"
    assert import_steps.advance_import(import_id=stream.pk, now=now + timedelta(hours=1)) is None
    imports.resume_import(data_import=stream, actor=owner)
    finish(stream)
    assert (stream.state, stream.accepted) == (State.COMPLETED, 1000)
    with pytest.raises(UserError, match="no rate that could be changed"):
        imports.change_rate(data_import=stream, actor=owner, rate=1)
    assert Activity.objects.filter(verb="import.paced").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("recipe", "more", "reason"),
    [
        (Recipe("nothing", 1), {}, "one of the streams"),
        (Recipe("friedman", 1), {}, "is a stream for regression, and this project is one of binary"),
        (Recipe("sea", -1), {}, "A seed is"),
        (Recipe("sea", 1, "sudden", 5), {}, "none, abrupt or gradual"),
        (Recipe("hyperplane", 1, ABRUPT, 5), {}, "drifts all the time"),
        (Recipe("sea", 1, ABRUPT, 0), {}, "at which event"),
        (Recipe("sea", 1, GRADUAL, 5, 0), {}, "over how many"),
        (Recipe("sea", 1), {"events": 0}, "1 to 5,000,000"),
        (Recipe("sea", 1), {"rate": 1e9}, "rate between"),
        (Recipe("sea", 1), {"rate": float("nan")}, "rate between"),
    ],
)
def test_what_cannot_flow_is_refused(project, owner, recipe, more, reason):
    with pytest.raises(UserError, match=reason):
        imports.start_synthetic(project=project, actor=owner, recipe=recipe, **{"events": 10} | more)
    assert not DataImport.objects.exists()


@pytest.mark.django_db
def test_a_stream_whose_labels_do_not_fit_is_refused_as_a_whole(project, owner):
    accept(project_id=project.pk, items=[Incoming(1, "a", {"x": 1.0}, "yes")], now=timezone.now())
    project.refresh_from_db()
    with pytest.raises(UserError, match="a project of its own"):
        imports.start_synthetic(project=project, actor=owner, recipe=Recipe("sea", 1), events=10)


@pytest.mark.django_db
def test_the_pages_start_a_stream_and_change_its_rate(client, owner, project):
    client.force_login(owner)
    address = reverse("projects:import_synthetic", args=[project.slug])
    page = client.get(address).content.decode()
    assert "SEA" in page and "Rotating hyperplane" in page and "Friedman" not in page
    given = {"stream": "sea", "drift": "gradual", "events": "1000", "rate": "20", "seed": "3"}
    client.post(address, given)
    stream = DataImport.objects.get()
    assert Recipe.from_options(stream.options) == Recipe("sea", 3, GRADUAL, 500, 200)
    detail = reverse("projects:import", args=[project.slug, stream.pk])
    assert "Change the rate" in client.get(detail).content.decode()
    rate = reverse("projects:import_rate", args=[project.slug, stream.pk])
    client.post(rate, {"rate": "75"})
    stream.refresh_from_db()
    assert stream.options["rate"] == 75
    response = client.post(rate, {"rate": "-1"}, follow=True)
    assert "greater than or equal to 0" in response.content.decode()
    client.post(address, given | {"stream": "hyperplane", "drift": "abrupt"})
    assert DataImport.objects.first().options["drift"] == NO_DRIFT, "it drifts by itself"
    for bad in ({"events": "0"}, {"events": "9999999999"}, {"seed": ""}, {"stream": "led"}, {"rate": "nan"}):
        assert client.post(address, given | bad).status_code == 422


@pytest.mark.django_db
@pytest.mark.parametrize("task", Task.values)
def test_every_task_has_a_stream_page(client, owner, team, task):
    client.force_login(owner)
    project = make_project(team, task=task)
    assert client.get(reverse("projects:import_synthetic", args=[project.slug])).status_code == 200
