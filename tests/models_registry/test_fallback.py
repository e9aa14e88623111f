"""Without a model's answer the project's rule decides; such an answer is marked, stored, and no version's."""

from __future__ import annotations

import json

import pytest
from django.db.models import Sum
from django.urls import reverse

from assessments.evidence.data import prediction_traceable
from assessments.evidence.records import gather
from models_registry import artifacts
from models_registry.models import LivePoint, Prediction, Version
from models_registry.selectors.serving import read_answers
from models_registry.selectors.shadows import list_shadows
from models_registry.services import serving
from models_registry.services.canary import start_canary
from models_registry.services.deployment import deploy
from models_registry.services.live_scoring import score_answers
from models_registry.services.shadows import answer_in_shadow, start_shadow
from projects.models import Event, Fallback, Scope, Task
from projects.payload import Incoming
from projects.services.events import accept
from tests.api.calls import Calls, refused
from tests.factories import NOW, make_events, make_project
from tests.models_registry.learned import make_model, make_run
from tests.models_registry.serving_records import SPEC

pytestmark = pytest.mark.django_db

FEATURES = {"x": 0.2, "y": 0.7}


@pytest.fixture(autouse=True)
def nothing_in_memory():
    serving._loaded.clear()


def choose(project, rule):
    project.fallback = rule
    project.save(update_fields=["fallback"])


def label(project, *labels):
    items = [Incoming(place, None, {"x": 1.0}, one) for place, one in enumerate(labels, 1)]
    assert accept(project_id=project.pk, items=items, now=NOW).accepted == len(labels)


def serve(project, owner) -> Version:
    version = Version.objects.filter(run=make_run(make_model(project, "linear", SPEC), events=60)).last()
    deploy(project=project, version=version, actor=owner)
    return version


@pytest.mark.parametrize(
    ("task", "labels", "last", "typical"),
    [
        (Task.BINARY, [True, True, False], False, True),
        (Task.MULTICLASS, ["sky", "grass", "sky", "path"], "path", "sky"),
        (Task.MULTICLASS, [1, 2, 1, 2], 2, 2),
        (Task.REGRESSION, [1.5, 2, 8.5], 8.5, 4.0),
    ],
)
def test_what_each_rule_answers(team, task, labels, last, typical):
    project = make_project(team, task=task)
    label(project, *labels)
    api = Calls(project, Scope.PREDICT)
    for rule, expected in ((Fallback.LAST, last), (Fallback.TYPICAL, typical)):
        choose(project, rule)
        said = api.post("predict/", {"features": FEATURES}).json()
        assert (said["prediction"], said["version"], said["deployment"]) == (expected, None, None)
        assert said["fallback"]["rule"] == rule and said["fallback"]["code"] == "nothing_deployed"
        assert "Deploy a version" in said["fallback"]["message"] and "probabilities" not in said
        kept = Prediction.objects.get(event__key=said["id"])
        assert (kept.fallback, kept.version, kept.deployment) == (rule, None, None)
        assert json.loads(kept.output)["fallback"] == said["fallback"]


def test_the_rule_is_an_error_unless_chosen(project):
    label(project, True)
    refused(Calls(project, Scope.PREDICT).post("predict/", {"features": FEATURES}), 409, code="nothing_deployed")
    assert Event.objects.count() == 1 and not Prediction.objects.exists()


def test_without_any_label_there_is_nothing_to_fall_back_on(project):
    choose(project, Fallback.TYPICAL)
    refused(Calls(project, Scope.PREDICT).post("predict/", {"features": FEATURES}), 409, code="nothing_deployed")
    assert not Event.objects.exists()


def test_a_model_that_cannot_predict(project, owner):
    version = serve(project, owner)
    choose(project, Fallback.TYPICAL)
    api = Calls(project, Scope.PREDICT)
    good = api.post("predict/", {"id": "good", "features": FEATURES}).json()
    assert good["version"] == version.number and "fallback" not in good
    bad = api.post("predict/", {"id": "bad", "features": {"x": "a text", "y": 1}}).json()
    assert (bad["version"], bad["deployment"], bad["fallback"]["code"]) == (
        None,
        good["deployment"],
        "prediction_failed",
    )
    assert api.post("predict/", {"id": "bad", "features": {"x": "a text", "y": 1}}).json() == bad, "asked again"
    assert Prediction.objects.count() == 2
    assert read_answers(Prediction.objects.get(event__key="good").deployment_id, Task.BINARY).asked == 1


def test_a_model_whose_answer_is_no_number_falls_back_where_there_is_a_rule(team, owner):
    project = make_project(team, task=Task.REGRESSION)
    label(project, *range(40))
    steep = {"use": "optim.SGD", "params": {"lr": 1e250}}
    spec = {"steps": [{"use": "linear_model.LinearRegression", "params": {"optimizer": steep}}]}
    version = make_run(make_model(project, "line", spec)).versions.last()
    deploy(project=project, version=version, actor=owner)
    api = Calls(project, Scope.PREDICT)
    beyond = {"features": {"x": 1e90}}
    said = api.post("predict/", beyond | {"id": "a"})
    assert (said.status_code, said.json()["prediction"], said.json()["version"]) == (200, None, version.number)
    choose(project, Fallback.LAST)
    said = api.post("predict/", beyond | {"id": "b"}).json()
    assert (said["prediction"], said["version"], said["fallback"]["code"]) == (39, None, "no_answer")
    assert Prediction.objects.get(event__key="b").fallback == Fallback.LAST
    assert "fallback" not in api.post("predict/", {"features": {"x": 1.0}}).json()
    Event.objects.exclude(label=None).update(label=None)
    said = api.post("predict/", beyond | {"id": "c"}).json()
    assert (said["prediction"], said["version"]) == (None, version.number), "no label yet to fall back on"


def test_a_fallback_counts_for_nobody(project, owner):
    """Neither for what serves, nor for its canary, nor in a challenger's test, nor in the assessment's evidence."""
    version = serve(project, owner)
    run = make_run(version.model, events=0, seed=5)
    rival = run.versions.last()
    start_shadow(project=project, version=rival, actor=owner)
    start_canary(project=project, version=rival, share=50, actor=owner)
    choose(project, Fallback.TYPICAL)
    api = Calls(project)
    wrong = {"x": "a text", "y": 1}
    for number in range(30):
        for name, features in (("good", FEATURES), ("bad", wrong)):
            answer = api.post("predict/", {"id": f"{name}{number}", "features": features}).json()
            assert ("fallback" in answer) == (name == "bad")
            api.post("labels/", {"id": f"{name}{number}", "label": number % 2 == 0})
    score_answers(project.pk)
    answer_in_shadow(project.pk)
    assert LivePoint.objects.aggregate(events=Sum("events"))["events"] == 30
    assert {point.version_id for point in LivePoint.objects.all()} == {version.pk, rival.pk}
    shadow = list_shadows(project, version.pk, version.number)[0]
    by_serving = Prediction.objects.filter(version=version).count()
    assert shadow.verdict.events == by_serving == 30 - Prediction.objects.filter(version=rival).count()
    verdict, said = prediction_traceable(gather(project))
    assert verdict == "yes" and "newest 30 predictions" in said and "30 answers beside them are marked" in said


def test_a_model_whose_file_is_gone(project, owner):
    version = serve(project, owner)
    artifacts.discard(version.artifact)
    choose(project, Fallback.LAST)
    said = Calls(project, Scope.PREDICT).post("predict/", {"features": FEATURES}).json()
    assert "no longer in the storage" in said["fallback"]["message"]


def test_bad_input_is_the_callers_and_never_falls_back(project, owner):
    serve(project, owner)
    choose(project, Fallback.LAST)
    api = Calls(project, Scope.PREDICT)
    refused(api.post("predict/", {"features": {}}), 400)
    refused(api.post("predict/", {"features": FEATURES, "at": "2126-01-01T00:00:00Z"}), 400)
    api.post("predict/", {"id": "taken", "features": FEATURES})
    refused(api.post("predict/", {"id": "taken", "features": {"x": 9}}), 409, code="id_taken")
    assert not Prediction.objects.exclude(fallback="").exists()


def test_deploying_ends_it_for_the_next_call(project, owner, django_assert_num_queries):
    make_events(project, 5)
    choose(project, Fallback.LAST)
    api = Calls(project, Scope.PREDICT)
    assert api.post("predict/", {"id": "a", "features": FEATURES}).json()["version"] is None
    version = serve(project, owner)
    said = api.post("predict/", {"id": "a", "features": FEATURES}).json()
    assert said["version"] == version.number and "fallback" not in said


def test_the_rule_is_chosen_in_the_settings_and_its_answers_are_marked_on_the_page(client, project, owner):
    client.force_login(owner)
    make_events(project, 4)
    page = reverse("projects:settings", args=[project.slug])
    form = {"name": project.name, "description": "", "label_name": "label", "primary_metric": project.primary_metric}
    assert client.post(page, form | {"fallback": "magic"}).status_code == 422
    assert client.post(page, form | {"fallback": "last"}).status_code == 302
    project.refresh_from_db()
    assert project.fallback == Fallback.LAST
    assert project.activity.first().data["changes"]["fallback"] == {"from": "error", "to": "last"}
    said = Calls(project, Scope.PREDICT).post("predict/", {"features": FEATURES}).json()
    asking = reverse("models_registry:predict_form", args=[project.slug])
    shown = client.get(asking, {"answer": said["id"]}).content.decode()
    assert "Fallback" in shown and "no model answered" in shown
