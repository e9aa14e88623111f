"""Trying the deployed model from a page, with a model that really learned."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from models_registry.forms.predictions import MOST_FIELDS, FeaturesForm, LabelForm
from models_registry.models import Deployment, Prediction, Run, Version
from models_registry.services.deployment import deploy
from models_registry.services.runs import register_model, start_run
from models_registry.services.training import advance
from projects.models import Event, LabelCorrection, Role, Task
from projects.payload import Incoming
from projects.services.events import accept
from tests.factories import NOW, make_events, make_member, make_project, make_user

pytestmark = pytest.mark.django_db

SCALED = {"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]}
SPECS = {
    Task.BINARY: {"steps": [SCALED, {"use": "linear_model.LogisticRegression"}]},
    Task.MULTICLASS: {"steps": [SCALED, {"use": "naive_bayes.GaussianNB"}]},
    Task.REGRESSION: {"steps": [SCALED, {"use": "linear_model.LinearRegression"}]},
}


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def serve_for_real(project, actor) -> Version:
    """Let a model learn 120 events and deploy it."""
    make_events(project, 120)
    model = register_model(project=project, name="real", spec=SPECS[project.task], actor=actor)
    run = start_run(model=model, mode=Run.Mode.REPLAY, actor=actor, seed=1)
    while advance(run.pk).more:
        pass
    version = Version.objects.get(run=run)
    deploy(project=project, version=version, actor=actor)
    return version


def page_of(project) -> str:
    return reverse("models_registry:predict_form", args=[project.slug])


def label_of(project) -> str:
    return reverse("models_registry:predict_label", args=[project.slug])


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_viewers_may_not_ask(client, project):
    viewer = make_user("vera")
    make_member(project.team, viewer, Role.VIEWER)
    client.force_login(viewer)
    assert client.get(page_of(project)).status_code == 403
    assert client.post(page_of(project), {}).status_code == 403
    assert client.post(label_of(project), {}).status_code == 403


def test_nothing_deployed_leads_to_deploying(signed_in, project):
    page = signed_in.get(page_of(project))
    assert page.status_code == 200 and "Nothing is deployed yet" in text_of(page)
    assert reverse("models_registry:deploy", args=[project.slug]) in page.content.decode()
    refused = signed_in.post(page_of(project), {"features": '{"x": 1}'})
    assert refused.status_code == 422


@pytest.mark.parametrize("task", Task.values)
def test_ask_then_tell_the_truth(signed_in, owner, team, task):
    project = make_project(team, name=f"Real {task}", task=task)
    version = serve_for_real(project, owner)
    form = signed_in.get(page_of(project))
    page = form.content.decode()
    assert 'type="number" name="feature-0"' in page and re.search(
        r'name="feature-2"[^>]* value="(red|green|blue)"', page
    )
    asked = signed_in.post(page_of(project), {"feature-0": "0.25", "feature-1": "3", "feature-2": "red"})
    assert asked.status_code == 302
    prediction = Prediction.objects.get(project=project)
    assert json.loads(prediction.event.features) == {"x": 0.25, "y": 3, "colour": "red"}
    assert prediction.version == version
    answer = signed_in.get(asked["Location"])
    text = text_of(answer)
    assert "v1 of real" in text and "deployment 1" in text and prediction.event.key in text
    assert f"/api/v1/projects/{project.slug}/predict/" in text and '"colour": "red"' in text
    chances = answer.context["answer"].chances
    if task == Task.REGRESSION:
        assert chances == ()
    else:
        assert sum(chance.share for chance in chances) == pytest.approx(1)
        assert chances[0].share >= chances[-1].share and chances[0].chosen
    truth = {Task.BINARY: "true", Task.MULTICLASS: "grey", Task.REGRESSION: "1.5"}[task]
    told = signed_in.post(label_of(project), {"id": prediction.event.key, "label": truth})
    assert said(told) == ["Accepted: it is labelled event 121 of the stream."]
    event = Event.objects.get(pk=prediction.event_id)
    assert event.position == 121 and json.loads(event.label) in (True, "grey", 1.5)
    text = text_of(signed_in.get(told["Location"]))
    assert ("Right" in text or "Wrong" in text) if task != Task.REGRESSION else "off by" in text


def test_a_second_label_is_a_duplicate_or_a_correction(signed_in, owner, project):
    serve_for_real(project, owner)
    signed_in.post(page_of(project), {"feature-0": "0.25", "feature-1": "0.5", "feature-2": "red"})
    key = Prediction.objects.get().event.key
    signed_in.post(label_of(project), {"id": key, "label": "true"})
    assert said(signed_in.post(label_of(project), {"id": key, "label": "true"}))[-1] == "This label was there already."
    assert "beside the first label" in said(signed_in.post(label_of(project), {"id": key, "label": "false"}))[-1]
    assert LabelCorrection.objects.count() == 1


def test_labels_that_fit_nothing_are_refused_with_a_sentence(signed_in, project):
    make_events(project, 5)
    assert "the label waits" in said(signed_in.post(label_of(project), {"id": "nobody", "label": "true"}))[0]
    for data in ({}, {"id": "e1"}, {"id": "e1", "label": "maybe"}, {"id": "\x00", "label": "true"}, {"label": "true"}):
        response = signed_in.post(label_of(project), data)
        assert response.status_code == 302 and said(response), data


def test_a_field_left_empty_is_left_out_and_the_fields_come_from_one_event(signed_in, owner, project):
    serve_for_real(project, owner)
    first = Event.objects.filter(project=project).order_by("id").first()
    item = Incoming(1, "other", {"something": "else"})
    accept(project_id=project.pk, items=[item], now=NOW)
    assert 'value="else"' in signed_in.get(page_of(project)).content.decode(), "the newest event fills the form"
    signed_in.post(page_of(project), {"like": first.pk, "feature-0": "1", "feature-1": "", "feature-2": ""})
    assert json.loads(Prediction.objects.get().event.features) == {"x": 1}


def test_wrong_input_is_explained_at_its_field(signed_in, owner, project):
    serve_for_real(project, owner)
    for text in ("abc", "NaN", "inf", "1e999", "²", "--5"):
        refused = signed_in.post(page_of(project), {"feature-0": text, "feature-1": "1"})
        assert refused.status_code == 422, text
    assert "Enter a number" in text_of(signed_in.post(page_of(project), {"feature-0": "abc"}))
    assert "at least one feature" in text_of(signed_in.post(page_of(project), {}))
    for like in ("x", "-1", "9" * 50, "0", "\x00"):
        assert signed_in.post(page_of(project), {"like": like, "feature-0": "1"}).status_code in (302, 422)
    assert signed_in.get(page_of(project), {"answer": "nobody\x00"}).status_code == 200
    assert signed_in.get(page_of(project), {"answer": "nobody"}).context["answer"] is None


def test_an_answer_of_another_project_is_not_shown(signed_in, owner, project, team):
    serve_for_real(project, owner)
    signed_in.post(page_of(project), {"feature-0": "1"})
    other = make_project(team, name="Other")
    page = signed_in.get(page_of(other), {"answer": Prediction.objects.get().event.key})
    assert page.context["answer"] is None


def test_the_next_answer_after_a_rollback_comes_from_the_restored_version(signed_in, owner, project):
    first = serve_for_real(project, owner)
    run = start_run(model=first.model, mode=Run.Mode.REPLAY, actor=owner, seed=2)
    while advance(run.pk).more:
        pass
    second = Version.objects.get(run=run)
    deploy(project=project, version=second, actor=owner)
    signed_in.post(page_of(project), {"feature-0": "1"})
    assert Prediction.objects.first().version == second
    back = {"to": first.number, "since": "challenger", "reason": "worse", "expected": 2}
    signed_in.post(reverse("models_registry:roll_back", args=[project.slug]), back)
    signed_in.post(page_of(project), {"feature-0": "1"})
    newest = Prediction.objects.first()
    assert newest.version == first and newest.deployment.kind == Deployment.Kind.ROLLBACK


# --- the forms by themselves ----------------------------------------------------------------------


def test_many_features_are_edited_as_json():
    example = {f"f{place}": place for place in range(MOST_FIELDS + 1)}
    form = FeaturesForm(example=example)
    assert [field.name for field in form.feature_fields] == ["features"]
    assert json.loads(form["features"].value()) == example
    for text, error in (
        ("{", "not a JSON object"),
        ("[1]", "expected an object"),
        ('{"a": [1]}', "features.a: expected a number"),
        ("[" * 100_000, "not a JSON object"),
        ('{"a": NaN}', "NaN"),
    ):
        wrong = FeaturesForm({"features": text}, example=example)
        assert not wrong.is_valid() and error in str(wrong.errors), text
    assert FeaturesForm({"features": '{"a": 1, "b": true, "c": null}'}, example=example).is_valid()


def test_feature_names_may_be_anything():
    form = FeaturesForm(
        {"feature-0": "2", "feature-1": "false", "feature-2": " a "},
        example={'<b>"csrf': 1, "like": True, "": "text"} | {},
    )
    form.names["feature-2"] = "c"
    assert form.is_valid(), form.errors
    assert form.cleaned_data["event"] == {'<b>"csrf': 2, "like": False, "c": " a "}
    assert "&lt;b&gt;" in str(form["feature-0"].label_tag())


@pytest.mark.parametrize(
    ("task", "kind", "classes", "given", "label"),
    [
        (Task.BINARY, "boolean", [True], "false", False),
        (Task.BINARY, "text", ["spam", "ham"], '"ham"', "ham"),
        (Task.BINARY, "integer", [1, 0], "0", 0),
        (Task.BINARY, "", [], "true", True),
        (Task.MULTICLASS, "integer", [3, 4], "-7", -7),
        (Task.MULTICLASS, "text", ["3", "4"], "7", "7"),
        (Task.MULTICLASS, "text", ["sky"], "grass", "grass"),
        (Task.REGRESSION, "number", [], "2.5", 2.5),
    ],
)
def test_labels_get_the_type_of_the_project(project, task, kind, classes, given, label):
    project.task, project.label_type, project.label_classes = task, kind, classes
    form = LabelForm({"id": "e1", "label": given}, project=project)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["label"] == label and type(form.cleaned_data["label"]) is type(label)
