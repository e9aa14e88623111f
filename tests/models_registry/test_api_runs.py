"""Models and runs through the HTTP API, really learned."""

from __future__ import annotations

import pytest

from models_registry.models import Run, SetAsideEvent, Version
from models_registry.services.runs import start_run
from projects.models import Activity, Scope
from tests.api.calls import Calls, refused
from tests.factories import make_events, make_project, make_user
from tests.models_registry.learned import TREE, learn, make_model, make_run
from tests.models_registry.serving_records import SPEC, add_model, add_run, add_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


def test_register_a_model_and_have_it_back(api, project, owner):
    made = api.post("models/", {"name": "Scaled logistic", "spec": SPEC, "note": "first"})
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["name"], body["spec"], body["note"], body["created_by"]) == ("Scaled logistic", SPEC, "first", "olga")
    assert api.get(f"models/{body['id']}/").json() == body
    assert api.get("models/").json()["results"] == [body]
    assert Activity.objects.get(verb="model.registered").actor == owner


def test_a_wrong_model_says_what_and_where(api, project):
    spec = {"steps": [{"use": "linear_model.LogisticRegression", "params": {"l2": "x"}}]}
    error = refused(api.post("models/", {"name": "m", "spec": spec}), 400, code="invalid_spec")
    assert "expected a number" in error["fields"]["steps[0].params.l2"]
    assert "name" in refused(api.post("models/", {"spec": SPEC}), 400)["fields"]
    assert "spec" in refused(api.post("models/", {"name": "m", "spec": [SPEC]}), 400)["fields"]
    assert "name" in refused(api.post("models/", {"name": 5, "spec": SPEC}), 400)["fields"], "a number is no text"
    unknown = refused(api.post("models/", {"name": "m", "spec": SPEC, "nmae": 1}), 400)["fields"]["nmae"]
    assert "the fields are name, note, spec" in unknown[0]
    api.post("models/", {"name": "m", "spec": SPEC})
    refused(api.post("models/", {"name": "m", "spec": SPEC}), 400, code="name_taken")


def test_start_a_run_ring_for_it_and_read_what_it_learned(api, project, rung, django_capture_on_commit_callbacks):
    make_events(project, 120)
    model = make_model(project, spec=TREE)
    with django_capture_on_commit_callbacks(execute=True):
        started = api.post("runs/", {"model": "Tree", "mode": "replay", "seed": 3, "publish_every": 50})
    assert started.status_code == 201, started.content
    body = started.json()
    assert (body["number"], body["model"], body["state"], body["seed"]) == (1, model.pk, "queued", 3)
    assert (body["publish_every"], body["target_position"], body["trigger"]) == (50, 120, "api")
    run = Run.objects.get()
    assert ("models_registry.tasks.advance_run", (run.pk,)) in [(name, args) for name, args, _ in rung]
    learn(run)
    done = api.get("runs/1/").json()
    assert (done["state"], done["position"], done["learned"], done["set_aside"]) == ("completed", 120, 120, 0)
    assert 0 <= done["metrics"]["overall.ROCAUC"] <= 1
    assert [each["position"] for each in api.get("versions/").json()["results"]] == [120, 100, 50]
    further = api.post("runs/", {"model": model.pk, "mode": "follow", "from_version": 1}).json()
    assert (further["from_version"], further["start_position"], further["target_position"]) == (1, 50, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "replay"}, "model"),
        ({"model": "Nobody", "mode": "replay"}, "model"),
        ({"model": 999, "mode": "replay"}, "model"),
        ({"model": True, "mode": "replay"}, "model"),
        ({"model": [], "mode": "replay"}, "model"),
        ({"model": "Tree"}, "mode"),
        ({"model": "Tree", "mode": "learn"}, "mode"),
        ({"model": "Tree", "mode": "replay", "from_version": 9}, "from_version"),
        ({"model": "Tree", "mode": "replay", "from_version": 10**12}, "from_version"),
        ({"model": "Tree", "mode": "replay", "seed": "1"}, "seed"),
        ({"model": "Tree", "mode": "replay", "seed": -1}, "seed"),
        ({"model": "Tree", "mode": "replay", "publish_every": 1.5}, "publish_every"),
    ],
)
def test_a_run_that_cannot_be_started_says_which_field(api, project, body, field):
    make_model(project)
    assert field in refused(api.post("runs/", body), 400)["fields"]
    assert not Run.objects.exists()


def test_nothing_to_learn_and_versions_of_other_models_are_refused(api, project):
    make_model(project)
    refused(api.post("runs/", {"model": "Tree", "mode": "replay"}), 400, code="nothing_to_learn")
    add_version(add_run(add_model(project, "other")))
    wrong = refused(api.post("runs/", {"model": "Tree", "mode": "replay", "from_version": 1}), 400)
    assert "from_version" in wrong["fields"]


def test_pause_resume_publish_cancel(api, project, rung, django_capture_on_commit_callbacks):
    make_events(project, 60)
    run = start_run(model=make_model(project, spec=TREE), mode=Run.Mode.FOLLOW, actor=None, seed=1)
    refused(api.post("runs/1/publish/"), 409, code="nothing_learned")
    learn(run)
    assert api.post("runs/1/pause/").json()["state"] == "paused"
    refused(api.post("runs/1/pause/"), 409, code="conflict")
    published = api.post("runs/1/publish/").json()
    assert (published["number"], published["run"], published["position"], published["reason"]) == (1, 1, 60, "request")
    assert api.post("runs/1/publish/").json()["number"] == 1, "the same state is published once"
    with django_capture_on_commit_callbacks(execute=True):
        assert api.post("runs/1/resume/").json()["state"] == "queued"
    assert [args for name, args, _ in rung if name.endswith("advance_run")] == [(run.pk,)]
    assert api.post("runs/1/cancel/").json()["state"] == "cancelled"
    refused(api.post("runs/1/cancel/"), 409)
    refused(api.post("runs/2/cancel/"), 404)
    verbs = set(Activity.objects.filter(project=project).values_list("verb", flat=True))
    assert {"run.paused", "run.resumed", "run.cancelled", "version.published"} <= verbs


def test_runs_are_filtered_and_paged_by_cursor(api, project, django_assert_max_num_queries):
    one, two = add_model(project, "one"), add_model(project, "two")
    for number in range(7):
        add_run(two if number % 3 == 0 else one, state=Run.State.FAILED if number == 3 else Run.State.COMPLETED)
    with django_assert_max_num_queries(4):
        first = api.get("runs/", {"page_size": 3}).json()
    assert [each["number"] for each in first["results"]] == [7, 6, 5]
    add_run(one)  # comes in meanwhile: nothing is shown twice
    second = api.client.get(first["next"], headers=api.headers).json()
    assert [each["number"] for each in second["results"]] == [4, 3, 2]
    assert [each["number"] for each in api.get("runs/", {"model": two.pk}).json()["results"]] == [7, 4, 1]
    assert [each["number"] for each in api.get("runs/", {"state": "failed"}).json()["results"]] == [4]
    refused(api.get("runs/", {"state": "odd"}), 400)
    refused(api.get("runs/", {"state": ""}), 400)
    refused(api.get("runs/", {"model": "x"}), 400)
    assert len(api.get("runs/", {"page_size": 1000}).json()["results"]) == 8
    for size in ("0", "-1", "x", "", "9" * 30, "\u0663"):
        assert "page_size" in refused(api.get("runs/", {"page_size": size}), 400)["fields"]
    for cursor in ("nonsense", "cD1hYmM=", "cD0lMDA=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk="):
        assert api.get("runs/", {"cursor": cursor}).status_code == 404, cursor


def test_set_aside_events_are_listed_with_their_names(api, project):
    make_events(project, 3)
    run = add_run(add_model(project))
    SetAsideEvent.objects.create(run=run, position=2, reason="a text")
    SetAsideEvent.objects.create(run=run, position=9, reason="gone")
    rows = api.get("runs/1/set-aside/").json()["results"]
    assert rows == [
        {"position": 9, "id": None, "reason": "gone"},
        {"position": 2, "id": "e1", "reason": "a text"},
    ]


def test_scopes_and_other_projects(project, team, owner):
    add_run(add_model(project))
    reader, manager = Calls(project, Scope.READ), Calls(project, Scope.MANAGE)
    assert reader.get("runs/").status_code == 200
    refused(reader.post("runs/1/cancel/"), 403)
    refused(reader.post("models/", {"name": "m", "spec": SPEC}), 403)
    refused(manager.get("runs/"), 403)
    stranger = Calls(project, secret=Calls(make_project(team)).secret)
    for path in ("models/", "models/1/", "runs/", "runs/1/", "runs/1/metrics/", "versions/", "deployments/", "alarms/"):
        refused(stranger.get(path), 404)
    refused(Calls(project, secret="opp_nobody").get("runs/"), 401)


def test_ids_of_another_project_are_not_found(api, project, team):
    foreign = add_model(make_project(team), "foreign")
    add_version(add_run(foreign))
    refused(api.get(f"models/{foreign.pk}/"), 404)
    refused(api.get("runs/1/"), 404)
    refused(api.get("versions/1/"), 404)
    refused(api.get("models/99999999999999999999999/"), 404)
    refused(api.post("runs/", {"model": foreign.pk, "mode": "follow"}), 400)


def test_a_token_whose_maker_is_gone_may_read_but_not_act(project):
    leaver = make_user()
    api = Calls(project, actor=leaver)
    add_run(add_model(project), state=Run.State.PAUSED)
    leaver.delete()
    assert api.get("runs/1/").status_code == 200
    assert "Make a new token" in refused(api.post("runs/1/cancel/"), 403)["message"]


def test_alarms(api, project):
    run = add_run(add_model(project))
    run.alarms.create(position=40, detail={"detector": "ADWIN", "what": "the error rose"})
    [alarm] = api.get("alarms/").json()["results"]
    assert (alarm["run"], alarm["kind"], alarm["position"]) == (1, "drift", 40)
    assert alarm["detail"] == {"detector": "ADWIN", "what": "the error rose"}
    assert api.get("alarms/", {"run": 2}).json()["results"] == []


def test_versions_tell_where_they_come_from(api, project):
    run = make_run(make_model(project, spec=TREE), events=100, publish_every=50, seed=1)
    listed = api.get("versions/", {"run": run.number}).json()["results"]
    assert [(each["number"], each["parent"], each["reason"]) for each in listed] == [(2, 1, "end"), (1, None, "rule")]
    detail = api.get("versions/2/").json()
    assert detail["spec"] == TREE and detail["verifications"] == []
    assert detail["environment"]["river"] and detail["digest"] == Version.objects.get(number=2).digest
    assert api.get("versions/", {"model": 12345}).json()["results"] == []
