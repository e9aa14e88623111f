"""The commands that predict, label and list runs: as the client's calls, with somebody who acts."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest

from models_registry.models import Deployment, Prediction, Run
from models_registry.services.deployment import deploy
from projects.models import Event, Fallback, LabelCorrection, Role, Task
from tests.api.test_commands import call, fails
from tests.factories import make_events, make_member, make_project, make_user, sample
from tests.models_registry.learned import TREE, make_model, make_run

pytestmark = pytest.mark.django_db

FEATURES = json.dumps(sample(500)[0])


@pytest.fixture
def serving(project, owner):
    """A project whose second version serves."""
    run = make_run(make_model(project, spec=TREE), events=120, publish_every=60, seed=1)
    for version in run.versions.order_by("number"):
        deploy(project=project, version=version, actor=owner)
    return project


def pipe(monkeypatch, *lines: object) -> None:
    data = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_one_prediction_and_its_label(serving):
    assert call("predict", serving.slug, FEATURES, "--id", "p1") in ("true", "false")
    whole = json.loads(call("predict", serving.slug, FEATURES, "--id", "p1", "--json"))
    assert (whole["id"], whole["version"], whole["deployment"]) == ("p1", 2, 2)
    assert Prediction.objects.filter(event__key="p1").count() == 1, "the same question is one answer"
    assert call("label", serving.slug, "p1", "true") == "accepted"
    assert call("label", serving.slug, "p1", "true") == "duplicate"
    assert call("label", serving.slug, "p1", "0") == "correction"
    assert call("label", serving.slug, "not-here-yet", "false") == "waiting"
    event = Event.objects.get(key="p1")
    assert (event.label, event.position, LabelCorrection.objects.count()) == ("true", 121, 1)
    told = json.loads(call("label", serving.slug, "p1", "true", "--json"))
    assert (told["accepted"], told["duplicates"], told["rejected"]) == (0, 1, [])


def test_many_by_a_pipe(serving, monkeypatch):
    asked = [{"id": f"m{number}", "features": sample(number)[0]} for number in range(3)]
    pipe(monkeypatch, *asked)
    answers = [json.loads(line) for line in call("predict", serving.slug, "-").splitlines()]
    assert [(answer["line"], answer["id"], answer["version"]) for answer in answers] == [
        (number + 1, f"m{number}", 2) for number in range(3)
    ]
    pipe(monkeypatch, asked[0], {"features": {}}, "no json", {"id": "m9", "features": {"x": 1.0}})
    assert "2 of 4 lines have no answer" in fails("predict", serving.slug, "-")
    assert Event.objects.filter(key="m9").exists(), "the good lines are answered"
    labels = [{"id": "m0", "label": True}, {"id": "m1", "label": "maybe"}, {"id": "m2", "label": False}]
    pipe(monkeypatch, *labels)
    assert "1 lines were rejected" in fails("label", serving.slug, "-")
    pipe(monkeypatch, *labels)
    counts = json.loads(call("label", serving.slug, "-", "--allow-rejected"))
    assert (counts["duplicates"], counts["rejected_count"]) == (2, 1)


def test_refusals_and_fallbacks(project, team, monkeypatch):
    assert "No model is deployed" in fails("predict", project.slug, FEATURES)
    assert "features: empty" in fails("predict", project.slug, "{}")
    assert "not JSON" in fails("predict", project.slug, "{")
    assert "at: expected a time" in fails("predict", project.slug, FEATURES, "--at", "tonight")
    pipe(monkeypatch)
    assert "nothing to read" in fails("predict", project.slug, "-")
    assert "label PROJECT ID LABEL" in fails("label", project.slug, "e1", code=2)
    make_events(project, 3)
    assert "true or false" in fails("label", project.slug, "e1", "red")
    viewer = make_user()
    make_member(team, viewer, Role.VIEWER)
    assert "Only maintainers" in fails("label", project.slug, "e1", "true", user=viewer.username)
    project.fallback = Fallback.LAST
    project.save()
    answer = json.loads(call("predict", project.slug, FEATURES, "--json"))
    assert (answer["version"], answer["fallback"]["rule"]) == (None, "last")
    assert not Deployment.objects.exists()


def test_labels_have_the_type_of_the_project(team):
    prices = make_project(team, task=Task.REGRESSION)
    make_events(prices, 1, labelled=False)
    assert "expected a number" in fails("label", prices.slug, "e0", "cheap")
    assert call("label", prices.slug, "e0", "12.5") == "accepted"
    colours = make_project(team, task=Task.MULTICLASS)
    make_events(colours, 2)
    make_events(colours, 1, labelled=False, start=5)
    assert call("label", colours.slug, "e5", "7") == "accepted", "labels are texts here"
    assert json.loads(Event.objects.get(project=colours, key="e5").label) == "7"


def test_runs_are_listed(serving, team):
    make_run(make_model(serving, "Other", spec=TREE), seed=2)
    lines = call("runs", serving.slug).splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["2", "completed", "replay", "120"],
        ["1", "completed", "replay", "120"],
    ]
    assert lines[0].endswith("Other") and "ROC AUC" in lines[0]
    viewer = make_user()
    make_member(team, viewer, Role.VIEWER)
    only = call("runs", serving.slug, "--model", "Tree", "--json", user=viewer.username).splitlines()
    assert [json.loads(line)["number"] for line in only] == [1]
    assert call("runs", serving.slug, "--state", Run.State.FAILED) == ""
    assert len(call("runs", serving.slug, "--limit", 1).splitlines()) == 1
    assert "no model 'Nobody'" in fails("runs", serving.slug, "--model", "Nobody")
    assert "1 to 10,000" in fails("runs", serving.slug, "--limit", 0)


def test_what_is_released_is_told_whole(serving):
    made = json.loads(call("deploy", serving.slug, 1, "--reason", "again", "--json"))
    assert (made["number"], made["version"], made["created_by"]) == (3, 1, "olga")
    back = json.loads(call("rollback", serving.slug, "--to", 2, "--since", "drop", "--reason", "worse", "--json"))
    assert (back["number"], back["version"], back["kind"]) == (4, 2, "rollback")
    run = json.loads(call("start_run", serving.slug, "Tree", "--seed", 3, "--json"))
    assert (run["number"], run["seed"], run["trigger"]) == (2, 3, "command")
