"""Challengers in the shadow: they predict for what was asked, answer nobody, and are compared pair by pair."""

from __future__ import annotations

import json

import pytest

from models_registry import tasks
from models_registry.models import Deployment, Prediction, Run, ShadowAnswer, ShadowChange, Version
from models_registry.selectors.shadows import list_shadows, open_shadows
from models_registry.services import serving, shadows
from models_registry.services.deployment import deploy, roll_back
from models_registry.services.prediction import predict_many
from models_registry.services.runs import start_run
from models_registry.services.shadows import answer_in_shadow, start_shadow, stop_shadow
from ops_portal.errors import UserError
from projects.payload import Incoming, IncomingLabel
from projects.services.events import accept_labels
from tests.factories import make_events, sample
from tests.models_registry.learned import TREE, learn, make_model, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_in_memory():
    serving._loaded.clear()


@pytest.fixture
def versions(project, owner):
    """v1 knows next to nothing and serves; v2 has learned more."""
    make_run(make_model(project, spec=TREE), events=600, publish_every=300, seed=1)
    learn(start_run(model=make_model(project, "prior", {"use": "dummy.PriorClassifier"}), mode="replay", actor=None))
    found = {version.model.name: version for version in Version.objects.select_related("model", "run")}
    deploy(project=project, version=found["prior"], actor=owner)
    return found["prior"], found["Tree"]


def ask(project, numbers):
    items = [Incoming(1, f"q{number}", sample(number)[0]) for number in numbers]
    # The clock of the database's rows is now; a shadow takes what is asked after it started.
    now = ShadowChange.objects.first().created_at if ShadowChange.objects.exists() else None
    return predict_many(project=project, items=items, now=now or project.created_at)


def label(project, numbers):
    labels = [IncomingLabel(1, f"q{number}", sample(number)[1]) for number in numbers]
    accept_labels(project_id=project.pk, labels=labels, now=Prediction.objects.last().at)
    project.refresh_from_db()


def test_it_predicts_for_what_is_asked_from_then_on_and_answers_nobody(project, versions, owner):
    serving_now, rival = versions
    ask(project, range(5))
    start_shadow(project=project, version=rival, actor=owner, reason="promising")
    answers = ask(project, range(5, 15))
    assert {answer.version for answer in answers} == {serving_now.number}
    assert not ShadowAnswer.objects.exists(), "the request does not wait for it"
    assert answer_in_shadow(project.pk) is False
    kept = ShadowAnswer.objects.select_related("prediction__event")
    assert sorted(row.prediction.event.key for row in kept) == sorted(f"q{number}" for number in range(5, 15))
    model = serving.load_served(rival.artifact)
    for row in kept:
        assert json.loads(row.output)["prediction"] == model.predict(json.loads(row.prediction.event.features)).label
    answer_in_shadow(project.pk)
    assert ShadowAnswer.objects.count() == 10, "each once"


def test_small_batches_leave_nothing_out(project, versions, owner, monkeypatch):
    monkeypatch.setattr(shadows, "BATCH", 3)
    monkeypatch.setattr(shadows, "SECONDS", 0.0)
    start_shadow(project=project, version=versions[1], actor=owner)
    ask(project, range(10))
    rounds = 1
    while answer_in_shadow(project.pk):
        rounds += 1
    assert ShadowAnswer.objects.count() == 10 and rounds >= 3


def test_a_challenger_that_fails_has_nothing_to_say(project, versions, owner, monkeypatch):
    start_shadow(project=project, version=versions[1], actor=owner)
    ask(project, range(3))

    def fail(self, features):
        raise ValueError("a text where it learned numbers")

    monkeypatch.setattr(serving.Served, "predict", fail)
    answer_in_shadow(project.pk)
    assert {json.loads(row.output)["error"] for row in ShadowAnswer.objects.all()} == {
        "a text where it learned numbers"
    }


def test_the_paired_test_says_which_is_better(project, versions, owner):
    prior, tree = versions
    start_shadow(project=project, version=tree, actor=owner)
    ask(project, range(1000, 1200))
    answer_in_shadow(project.pk)
    [row] = list_shadows(project, prior.pk, prior.number)
    assert (row.version, row.asked, row.verdict) == (tree.number, 200, None), "no label yet"
    label(project, range(1000, 1200))
    [row] = list_shadows(project, prior.pk, prior.number)
    assert row.paired == 200 and row.verdict.test == "McNemar"
    right = sum(sample(number)[1] == serving.load_served(tree.artifact).predict(sample(number)[0]).label
                for number in range(1000, 1200))  # fmt: skip
    assert row.verdict.values[1] == right / 200
    assert row.leads and f"v{tree.number} is better than v{prior.number}" in row.verdict.words


def test_starting_and_stopping_are_facts(project, versions, owner):
    _, tree = versions
    start_shadow(project=project, version=tree, actor=owner)
    with pytest.raises(UserError, match="already"):
        start_shadow(project=project, version=tree, actor=owner)
    stop_shadow(project=project, version=tree, actor=owner, reason="enough seen")
    assert not open_shadows(project.pk).exists()
    with pytest.raises(UserError, match="does not predict in the shadow"):
        stop_shadow(project=project, version=tree, actor=owner)
    start_shadow(project=project, version=tree, actor=owner)
    assert ShadowChange.objects.count() == 3 and open_shadows(project.pk).count() == 1


def test_what_a_rollback_replaces_becomes_a_challenger(project, versions, owner):
    _, tree = versions
    deploy(project=project, version=tree, actor=owner)
    roll_back(project=project, actor=owner, since="challenger", reason="worse")
    [change] = open_shadows(project.pk)
    assert (change.version, change.created_by) == (tree, owner)


def test_of_a_follower_the_state_it_had_reached_is_kept_and_the_run_goes_on(project, versions, owner):
    make_events(project, 50, start=700)
    run = start_run(model=versions[1].model, mode=Run.Mode.FOLLOW, actor=None, publish_every=100, seed=1)
    learn(run)
    newest = run.versions.order_by("-position").first()
    deploy(project=project, version=newest, actor=owner, mode=Deployment.Mode.FOLLOW)
    make_events(project, 30, start=800)
    learn(run)
    roll_back(project=project, actor=owner, since="challenger", reason="worse")
    [change] = open_shadows(project.pk)
    assert (change.version.position, change.version.reason) == (680, Version.Reason.SAFETY)
    run.refresh_from_db()
    assert run.active


def test_a_full_house(project, owner):
    make_run(make_model(project, spec=TREE), events=240, publish_every=40, seed=1)
    found = list(Version.objects.select_related("model", "run").order_by("number"))
    for version in found[: shadows.MOST]:
        start_shadow(project=project, version=version, actor=owner)
    with pytest.raises(UserError, match="Stop one first"):
        start_shadow(project=project, version=found[5], actor=owner)
    deploy(project=project, version=found[0], actor=owner)
    deploy(project=project, version=found[5], actor=owner)
    roll_back(project=project, actor=owner, since="challenger", reason="worse")
    assert {change.version.number for change in open_shadows(project.pk)} == {2, 3, 4, 5, 6}, "the oldest made room"


def test_the_beat_rings_for_projects_that_answer(project, versions, rung):
    assert tasks.watch_deployments() == 1
    assert ("models_registry.tasks.watch_answers", (project.pk,)) in [ring[:2] for ring in rung]
