"""Pages about models: choosing a start, describing, checking, and one model with what came of it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.urls import reverse

from models_registry.models import RegisteredModel, Run
from models_registry.selectors.models import list_models
from models_registry.selectors.pipelines import draw_pipeline, list_components, name_steps
from projects.models import Activity, Task
from tests.factories import make_events, make_member, make_project, make_user
from tests.models_registry.learned import SHALLOW, TREE, make_model, make_run

PLACED = {
    "steps": [
        {"use": "preprocessing.StandardScaler"},
        {"use": "linear_model.LogisticRegression", "params": {"l2": "x"}},
    ]
}


@pytest.fixture
def page(client, owner, project):
    client.force_login(owner)

    def url(name, *args, of=project):
        return reverse(f"models_registry:{name}", args=[of.slug, *args])

    return url


def describe(client, url, spec, *, name="Mine", **more):
    text = spec if isinstance(spec, str) else json.dumps(spec)
    return client.post(url, {"name": name, "spec": text, "note": "", **more})


# --- the list and one model -----------------------------------------------------------------------


def test_a_project_without_models_says_what_to_do(client, page):
    html = client.get(page("model_list")).content.decode()
    assert "No models yet" in html
    assert page("model_create") in html


def test_the_list_names_the_steps_the_newest_version_and_the_best_model(
    client, page, project, django_assert_max_num_queries
):
    tree, mixed = make_model(project), make_model(project, "Mixed", "logistic-regression-mixed")
    make_run(tree, events=300)
    newest = make_run(mixed).versions.get()
    with django_assert_max_num_queries(10):
        html = client.get(page("model_list")).content.decode()
    assert "Hoeffding tree classifier" in html
    assert "(Standard scaler + One hot encoder) → Logistic regression" in html
    assert f">v{newest.number}</a>" in html
    assert "ROC AUC" in html
    assert html.count("Best") == 1


def test_listing_models_takes_four_queries_however_many_there_are(project, django_assert_num_queries):
    make_run(make_model(project, "First"), events=40)
    for number in range(30):
        make_model(project, f"Model {number}")
    with django_assert_num_queries(4):
        rows = list_models(project, "2")
    assert [row.name for row in rows][-1] == "First"


def test_a_model_shows_its_drawing_parameters_runs_and_versions(client, page, project, django_assert_max_num_queries):
    model = make_model(project, "Shallow tree", SHALLOW)
    run = make_run(model, events=60, publish_every=20)
    with django_assert_max_num_queries(15):
        html = client.get(page("model", model.pk)).content.decode()
    assert "max_depth" in html
    assert "parameters at their default" in html
    assert f"Run {run.number}" in html
    assert ">v3</a>" in html
    assert page("run_create") + f"?model={model.pk}" in html


def test_a_model_of_another_project_is_not_there(client, page, team):
    other = make_model(make_project(team, name="Other"))
    assert client.get(page("model", other.pk)).status_code == 404
    assert client.get(page("model", 10**30)).status_code == 404
    assert client.get(page("model_create") + f"?from={other.pk}").status_code == 404
    assert client.get(page("model_create") + f"?from={10**30}").status_code == 404


def test_a_spec_the_catalogue_no_longer_knows_is_still_shown(client, page, project):
    old = RegisteredModel.objects.create(project=project, name="Old", spec={"steps": [{"use": "gone.Model"}]})
    html = client.get(page("model", old.pk)).content.decode()
    assert "This spec cannot be drawn" in html
    assert client.get(page("model_list")).status_code == 200


# --- describing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "fits", "does_not"),
    [
        (Task.BINARY, "Logistic regression", "Linear regression"),
        (Task.REGRESSION, "Linear regression", "Gaussian naive Bayes"),
    ],
)
def test_only_templates_that_fit_the_task_are_offered(client, page, team, task, fits, does_not):
    html = client.get(page("model_create", of=make_project(team, task=task, name=f"A {task}"))).content.decode()
    assert f">{fits}</a>" in html
    assert does_not not in html
    assert "Build your own" in html


def test_a_template_comes_drawn_and_ready_to_register(client, page):
    html = client.get(page("model_create") + "?template=logistic-regression").content.decode()
    assert 'value="Logistic regression"' in html
    assert "linear_model.LogisticRegression" in html
    assert "pipeline-box" in html
    assert "Valid" in html


@pytest.mark.parametrize("start", ["nothing", "linear-regression", ""])
def test_a_template_that_is_none_of_this_task_leads_back_to_the_choice(client, page, start):
    assert "Choose what to start from" in client.get(page("model_create") + f"?template={start}").content.decode()


def test_an_older_model_is_the_start_of_a_new_one(client, page, project):
    model = make_model(project, "Shallow", SHALLOW)
    html = client.get(page("model_create") + f"?from={model.pk}").content.decode()
    assert 'value="Shallow 2"' in html
    assert "max_depth" in html


def test_registering_keeps_the_spec_as_written_and_says_so(client, page, project, owner):
    answer = describe(client, page("model_create"), SHALLOW, name="Shallow")
    model = RegisteredModel.objects.get(project=project)
    assert answer["Location"] == page("model", model.pk)
    assert (model.name, model.spec, model.created_by) == ("Shallow", SHALLOW, owner)
    assert not Run.objects.exists()
    assert Activity.objects.filter(project=project, verb="model.registered").exists()


def test_registering_and_starting_queues_a_run_and_rings(
    client, page, project, rung, django_capture_on_commit_callbacks
):
    make_events(project, 20)
    with django_capture_on_commit_callbacks(execute=True):
        answer = describe(client, page("model_create"), TREE, start="1")
    run = Run.objects.get(project=project)
    assert answer["Location"] == page("run", run.number)
    assert (run.state, run.target_position) == (Run.State.QUEUED, 20)
    assert ("models_registry.tasks.advance_run", (run.pk,)) in [(name, args) for name, args, _ in rung]


def test_without_events_the_model_is_kept_and_the_run_explained(client, page, project):
    answer = describe(client, page("model_create"), TREE, start="1", follow=True)
    html = client.get(answer["Location"]).content.decode()
    assert RegisteredModel.objects.filter(project=project).count() == 1
    assert "no run was started" in html
    assert "bring labelled data first" in html


def test_a_name_that_is_taken_is_refused_and_the_spec_stays_typed(client, page, project):
    make_model(project, "Taken")
    answer = describe(client, page("model_create"), SHALLOW, name="Taken")
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Already taken in this project." in html
    assert "max_depth" in html


def test_a_wrong_spec_is_refused_with_its_place_and_nothing_is_kept(client, page, project):
    answer = describe(client, page("model_create"), PLACED)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "<code>steps[1].params.l2</code>" in html
    assert "expected a number &gt;= 0, got &quot;x&quot;" in html
    assert not RegisteredModel.objects.filter(project=project).exists()


WRONG = {
    "nothing": ("", "Write a spec"),
    "half": ('{"steps": [', "line 1, column"),
    "list": ("[]", "expected an object"),
    "number": ("7", "expected an object"),
    "text": ('"tree"', "expected an object"),
    "null": ("null", "expected an object"),
    "not a number": ('{"steps": NaN}', "NaN is not a JSON number"),
    "deep": ("[" * 30_000 + "]" * 30_000, "nested"),
    "deep steps": ('{"steps":[' * 3_000 + "]}" * 3_000, "nested"),
    "huge": ('{"steps": "' + "x" * 200_000 + '"}', "at most 65,536"),
    "many digits": ('{"steps": ' + "9" * 5_000 + "}", "thousands of digits"),
    "twice": ('{"steps": [], "steps": []}', "stands twice"),
    "NUL": ('{"steps":[{"select":{"names":["\\u0000"]},"steps":[]},{"use":"naive_bayes.GaussianNB"}]}', "NUL"),
    "half a character": (
        '{"steps":[{"select":{"names":["\\ud800"]},"steps":[]},{"use":"naive_bayes.GaussianNB"}]}',
        "half of a character",
    ),
    "unknown class": ('{"steps": [{"use": "os.system"}]}', "steps[0].use"),
    "other task": ('{"steps": [{"use": "linear_model.LinearRegression"}]}', "steps[0].use"),
    "wrong type": ('{"steps": [{"use": ["a"], "params": 3}]}', "steps[0].use"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_text_is_named_while_writing_and_refused_when_sent(client, page, project, case):
    text, said = WRONG[case]
    check = client.post(page("model_create"), {"spec": text, "edited": "json"}, headers={"HX-Request": "true"})
    assert check.status_code == 200
    if text:
        assert said in check.content.decode()
        assert "to put right" in check.content.decode()
    answer = describe(client, page("model_create"), text)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not RegisteredModel.objects.filter(project=project).exists()


def test_a_right_spec_is_drawn_while_writing(client, page):
    html = client.post(page("model_create"), {"spec": json.dumps(SHALLOW), "edited": "json"}).content.decode()
    assert "Valid" in html
    assert "Hoeffding tree classifier" in html
    assert "max_depth" in html


# --- who may --------------------------------------------------------------------------------------


def test_a_viewer_reads_and_may_not_describe(client, page, project, team):
    viewer = make_user()
    make_member(team, viewer)
    client.force_login(viewer)
    model = make_model(project)
    listed = client.get(page("model_list"))
    assert listed.status_code == 200
    assert page("model_create") not in listed.content.decode()
    assert page("run_create") not in client.get(page("model", model.pk)).content.decode()
    assert client.get(page("model_create")).status_code == 403
    assert describe(client, page("model_create"), TREE).status_code == 403
    assert client.get(page("model_offers")).status_code == 403


def test_an_outsider_finds_nothing_and_a_stranger_signs_in(client, page, project):
    model = make_model(project)
    urls = [page("model_list"), page("model_create"), page("model", model.pk)]
    client.force_login(make_user())
    assert [client.get(url).status_code for url in urls] == [404, 404, 404]
    assert client.get(page("model_offers")).status_code == 404
    client.logout()
    assert all(client.get(url)["Location"].startswith("/sign-in/") for url in urls)


# --- specs in words -------------------------------------------------------------------------------


def test_inner_models_are_named_and_drawn_with_their_settings():
    inner = {"use": "tree.HoeffdingTreeClassifier", "params": {"max_depth": 3}}
    spec = {"steps": [{"use": "ensemble.ADWINBaggingClassifier", "params": {"model": inner, "n_models": 5}}]}
    assert name_steps(spec) == "ADWIN bagging classifier (Hoeffding tree classifier)"
    box = draw_pipeline(spec)[0]
    assert box["params"] == {"n_models": "5", "model": "Hoeffding tree classifier (max_depth = 3)"}
    outer, tree = list_components(spec)
    assert {row.name for row in outer.chosen} == {"model", "n_models"}
    assert tree.place == "steps[0].params.model"
    assert {row.name: row.value for row in tree.chosen} == {"max_depth": "3"}


def test_pages_do_not_import_river():
    code = "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup()\n"
    code += "import models_registry.urls; sys.exit('river' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
