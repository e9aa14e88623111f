"""The HTTP API of tags, notes, archiving and comparisons."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from models_registry.models import Comparison, Run
from models_registry.services.runs import start_run
from projects.models import Activity, Scope
from tests.api.calls import Calls, refused
from tests.factories import make_events, make_project
from tests.models_registry.learned import SHALLOW, TREE, learn, make_model, make_run


@pytest.fixture
def api(project, owner):
    cache.clear()
    return Calls(project, actor=owner)


def patch(api, number: int, body):
    return api.client.patch(api.url(f"runs/{number}/"), body, content_type="application/json", headers=api.headers)


@pytest.fixture
def runs(project):
    model = make_model(project)
    make_run(model, events=60, publish_every=30)
    start_run(model=model, mode="follow", actor=None)
    return make_run(make_model(project, "Shallow", SHALLOW))


def numbers(answer) -> list[int]:
    return [run["number"] for run in answer.json()["results"]]


def test_a_run_tells_everything_it_recorded(api, runs):
    run = api.get("runs/1/").json()
    assert run["parameters"]["HoeffdingTreeClassifier.grace_period"] == 200
    assert {"python", "river", "portal"} <= set(run["environment"])
    assert run["duration_seconds"] > 0 and run["throughput"] > 0
    assert (run["tags"], run["note"], run["archived"], run["comparison"]) == ([], "", False, None)


def test_tags_note_and_archiving_by_patch(api, runs, owner):
    answer = patch(api, 1, {"tags": ["spring", " spring "], "note": "clean labels"})
    assert (answer.json()["tags"], answer.json()["note"]) == (["spring"], "clean labels")
    assert patch(api, 1, {"archived": True}).json()["archived"] is True
    assert patch(api, 1, {"archived": True}).status_code == 200, "twice is as good as once"
    assert patch(api, 1, {"note": ""}).json()["tags"] == ["spring"], "what is left out stays"
    assert patch(api, 1, {"archived": False, "tags": []}).json()["archived"] is False
    log = list(Activity.objects.filter(actor=owner).values_list("verb", flat=True))
    assert log.count("run.archived") == log.count("run.unarchived") == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"tags": "x"}, 400), ({"tags": [1]}, 400), ({"tags": ["x" * 41]}, 400), ({"tags": ["a,b"]}, 400),
        ({"tags": [str(n) for n in range(21)]}, 400), ({"note": "x" * 2001}, 400), ({"note": None}, 400),
        ({"archived": "true"}, 400), ({"archived": 1}, 400), ({"name": "x"}, 400), ([], 400),
    ],
)  # fmt: skip
def test_patches_that_make_no_sense_are_refused(api, runs, body, status):
    refused(patch(api, 1, body), status)
    run = Run.objects.get(number=1)
    assert (run.note, run.archived_at, run.tags.count()) == ("", None, 0)


def test_a_run_at_work_is_not_put_away_and_nothing_else_of_the_call_is_done(api, runs):
    assert "is not over" in refused(patch(api, 2, {"archived": True, "tags": ["x"]}), 409)["message"]
    assert not Run.objects.get(number=2).tags.exists()
    refused(patch(api, 99, {"note": "x"}), 404)


def test_runs_are_found_by_what_was_written_on_them(api, runs, django_assert_max_num_queries):
    patch(api, 1, {"tags": ["spring", "clean"], "note": "labels of May"})
    patch(api, 3, {"tags": ["spring"], "archived": True})
    assert numbers(api.get("runs/", {"tag": "spring"})) == [3, 1]
    assert numbers(api.get("runs/", {"tag": "spring", "archived": "false"})) == [1]
    assert numbers(api.get("runs/", {"archived": "true"})) == [3]
    assert numbers(api.get("runs/", {"search": "may"})) == [1]
    assert numbers(api.get("runs/", {"search": "shallow spring"})) == [3]
    assert numbers(api.get("runs/", {"tag": "none"})) == []
    refused(api.get("runs/", {"archived": "perhaps"}), 400)
    with django_assert_max_num_queries(5):
        assert numbers(api.get("runs/")) == [3, 2, 1]


def test_only_managers_write(project, runs):
    reader = Calls(project, Scope.READ)
    refused(patch(reader, 1, {"note": "x"}), 403)
    refused(reader.post("comparisons/", {"models": [1, 2]}), 403)
    assert reader.get("comparisons/").status_code == 200
    stranger = Calls(project, secret=Calls(make_project(project.team)).secret)
    for path in ("comparisons/", "comparisons/1/"):
        refused(stranger.get(path), 404)


# --- comparisons ----------------------------------------------------------------------------------


def test_a_comparison_by_the_api_from_start_to_result(api, project, rung, django_capture_on_commit_callbacks):
    make_events(project, 300)
    one, other = make_model(project, "Tree", TREE), make_model(project, "Shallow", SHALLOW)
    with django_capture_on_commit_callbacks(execute=True):
        answer = api.post("comparisons/", {"models": ["Tree", other.pk], "seed": 1, "publish_every": 0})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["number"], made["name"], made["kind"], made["runs"]) == (1, "Tree against Shallow", "compare", [1, 2])
    assert [name for name, *_ in rung].count("models_registry.tasks.advance_run") == 1
    before = api.get("comparisons/1/").json()
    assert [each["verdict"] and each["verdict"]["better"] for each in before["candidates"]] == [None, ""]
    for run in Run.objects.order_by("pk"):
        learn(run)
    result = api.get("comparisons/1/", {"metric": "Accuracy"}).json()
    assert (result["metric"], result["champion_because"][:9]) == ("Accuracy", "the first")
    champion, challenger = result["candidates"]
    assert (champion["name"], champion["champion"], champion["verdict"]) == ("Tree", True, None)
    assert champion["metrics"]["Accuracy"] == Run.objects.get(number=1).summary["overall.Accuracy"]
    assert challenger["parameters"] == {
        "HoeffdingTreeClassifier.grace_period": "50", "HoeffdingTreeClassifier.max_depth": "3",
    }  # fmt: skip
    verdict = challenger["verdict"]
    assert verdict["test"] == "McNemar" and 0 <= verdict["p"] <= 1 and verdict["events"] > 290
    turned = api.get("comparisons/1/", {"metric": "Accuracy", "champion": 2}).json()
    assert turned["candidates"][0]["name"] == "Shallow"
    f1 = api.get("comparisons/1/", {"metric": "F1"}).json()["candidates"][1]["verdict"]
    assert f1["test"] == "block bootstrap" and f1["p"] is None
    assert api.get("runs/", {"comparison": 1}).json()["results"][0]["comparison"] == 1
    assert [each["number"] for each in api.get("comparisons/").json()["results"]] == [1]
    assert one.pk != other.pk


def test_sweeps_by_the_api(api, project):
    make_events(project, 20)
    base = make_model(project, "Tree", TREE)
    grid = {
        "model": base.pk,
        "values": {"steps[0].params.max_depth": [2, 3], "steps[0].params.grace_period": [50, 100]},
    }
    answer = api.post("comparisons/", {"sweep": grid, "seed": 4})
    assert (answer.status_code, len(answer.json()["runs"]), answer.json()["kind"]) == (201, 4, "sweep")
    drawn = {"model": "Tree", "ranges": {"steps[0].params.grace_period": {"low": 50, "high": 500, "whole": True}}}
    answer = api.post("comparisons/", {"sweep": drawn | {"draws": 3}, "seed": 4})
    assert (answer.status_code, len(answer.json()["runs"])) == (201, 3)
    values = {
        run.model.parameters["HoeffdingTreeClassifier.grace_period"]
        for run in Comparison.objects.get(number=2).runs.all()
    }
    assert all(50 <= value <= 500 for value in values)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"models": []}, {"models": ["Tree"]}, {"models": ["Tree", "Tree"]}, {"models": ["Tree", "Nobody"]},
        {"models": ["Tree", "Shallow"], "sweep": {"model": "Tree"}}, {"sweep": {"model": "Tree"}},
        {"sweep": {"model": "Tree", "values": {"steps[0].params.max_depth": [2]}}},
        {"sweep": {"model": "Tree", "values": {"steps[0].params.max_depth": list(range(2, 20))}}},
        {"sweep": {"model": "Tree", "values": {"steps[0].params.max_depth": ["deep", "deeper"]}}},
        {"sweep": {"model": "Tree", "values": {"; drop": [1, 2]}}},
        {"sweep": {"model": "Tree", "ranges": {"steps[0].params.max_depth": {"low": 1, "high": 5}}}},
        {"sweep": {"model": "Tree", "ranges": {"steps[0].params.max_depth": {"low": 5, "high": 1}}, "draws": 3}},
        {"sweep": {"model": "Tree", "values": {"steps[0].params.max_depth": [2, 3]}, "draws": 17}},
        {"models": ["Tree", "Shallow"], "mode": "sideways"}, {"models": ["Tree", "Shallow"], "colour": "red"},
    ],
)  # fmt: skip
def test_comparisons_that_make_no_sense_are_refused(api, project, body):
    make_events(project, 5)
    make_model(project, "Tree", TREE)
    make_model(project, "Shallow", SHALLOW)
    assert refused(api.post("comparisons/", body), 400)["message"]
    assert not Run.objects.exists() and project.models.count() == 2
