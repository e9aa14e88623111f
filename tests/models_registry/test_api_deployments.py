"""Deploying, rolling back, restoring and verifying through the HTTP API."""

from __future__ import annotations

import pytest

from models_registry import artifacts
from models_registry.models import Deployment, Run, Version
from models_registry.services.runs import start_run
from projects.models import Activity
from tests.api.calls import Calls, refused
from tests.factories import make_events
from tests.models_registry.learned import TREE, learn, make_model, make_run
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


@pytest.fixture
def two_versions(project):
    """A run that learned 120 events and published v1 at 60 and v2 at 120."""
    return make_run(make_model(project, spec=TREE), events=120, publish_every=60, seed=1)


FEATURES = {"features": {"x": 0.3, "y": 0.9, "colour": "red"}}


def test_deploy_predict_roll_back_predict(api, two_versions, owner):
    refused(api.post("predict/", FEATURES), 409, code="nothing_deployed")
    api.post("deployments/", {"version": 1, "reason": "first"})
    made = api.post("deployments/", {"version": 2, "reason": "better"})
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["number"], body["version"], body["previous"], body["kind"]) == (2, 2, 1, "deploy")
    assert (body["mode"], body["reason"], body["created_by"]) == ("pin", "better", "olga")
    assert api.post("predict/", FEATURES).json()["version"] == 2
    back = api.post("rollback/", {"since": "challenger", "reason": "worse"})
    assert back.status_code == 201, back.content
    assert (back.json()["version"], back.json()["kind"], back.json()["since"]) == (1, "rollback", "challenger")
    assert api.post("predict/", FEATURES).json()["version"] == 1, "live for the very next prediction"
    assert [each["number"] for each in api.get("deployments/").json()["results"]] == [3, 2, 1]
    assert Activity.objects.filter(verb="rolled_back", actor=owner).count() == 1


def test_a_rollback_with_replay_starts_the_run_and_rings(api, two_versions, rung, django_capture_on_commit_callbacks):
    api.post("deployments/", {"version": 2})
    with django_capture_on_commit_callbacks(execute=True):
        body = api.post("rollback/", {"to": 1, "since": "replay", "reason": "learned nonsense"}).json()
    run = Run.objects.get(number=body["replay_run"])
    assert (run.from_version.number, run.start_position, run.target_position) == (1, 60, 120)
    assert [args for name, args, _ in rung if name.endswith("advance_run")] == [(run.pk,)]


def test_a_rollback_that_drops_stops_the_runs(api, project):
    make_events(project, 80)
    run = start_run(model=make_model(project, spec=TREE), mode=Run.Mode.FOLLOW, actor=None, publish_every=40)
    learn(run)
    api.post("deployments/", {"version": 1})
    api.post("deployments/", {"version": 2, "mode": "follow"})
    assert api.post("rollback/", {"to": 1, "since": "drop", "reason": "r"}).status_code == 201
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED


def test_what_cannot_be_deployed_or_rolled_back_says_so(api, project):
    refused(api.post("rollback/", {"since": "drop", "reason": "r"}), 409, code="nothing_deployed")
    add_deployment(add_version(add_run(add_model(project))))
    refused(api.post("deployments/", {"version": 1}), 409, code="already_deployed")
    refused(api.post("rollback/", {"since": "drop", "reason": "r"}), 409, code="nothing_before")
    for body, field in (
        ({}, "version"),
        ({"version": 2}, "version"),
        ({"version": 0}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 1, "mode": "float"}, "mode"),
        ({"version": 1, "reason": "r" * 501}, "reason"),
    ):
        assert field in refused(api.post("deployments/", body), 400)["fields"], body
    for body, field in (
        ({"reason": "r"}, "since"),
        ({"since": "drop"}, "reason"),
        ({"since": "drop", "reason": "  "}, "reason"),
        ({"since": "keep", "reason": "r"}, "since"),
        ({"since": "drop", "reason": "r", "to": 8}, "to"),
    ):
        assert field in refused(api.post("rollback/", body), 400)["fields"], body
    assert Deployment.objects.count() == 1


def test_expected_lets_a_call_be_sent_twice_and_change_things_once(api, project):
    for number in (1, 2):
        add_version(add_run(add_model(project, f"m{number}")))
    assert api.post("deployments/", {"version": 1, "expected": 0}).status_code == 201
    refused(api.post("deployments/", {"version": 2, "expected": 0}), 409, code="conflict")
    assert api.post("deployments/", {"version": 2, "expected": 1}).status_code == 201
    back = {"since": "challenger", "reason": "r", "expected": 2}
    assert api.post("rollback/", back).status_code == 201
    refused(api.post("rollback/", back), 409, code="conflict")
    assert Deployment.objects.count() == 3


def test_restore_gives_what_is_kept_and_replays_what_is_not(
    api, two_versions, rung, django_capture_on_commit_callbacks
):
    kept = api.post("versions/restore/", {"run": 1, "position": 60})
    assert (kept.status_code, kept.json()["number"]) == (200, 1)
    with django_capture_on_commit_callbacks(execute=True):
        replayed = api.post("versions/restore/", {"run": 1, "position": 90})
    assert replayed.status_code == 202, replayed.content
    body = replayed.json()
    assert (body["purpose"], body["from_version"], body["start_position"], body["target_position"]) == (
        "restore",
        1,
        60,
        90,
    )
    run = Run.objects.get(number=body["number"])
    assert [args for name, args, _ in rung if name.endswith("advance_run")] == [(run.pk,)]
    learn(run)
    [version] = api.get("versions/", {"run": run.number}).json()["results"]
    assert (version["position"], version["reason"]) == (90, "restore")
    refused(api.post("versions/restore/", {"run": 1, "position": 121}), 400, code="out_of_range")
    refused(api.post("versions/restore/", {"run": 7, "position": 1}), 404)
    for body in ({}, {"run": 1}, {"run": 1, "position": 0}, {"run": 1, "position": 2**70}, [], "x", None):
        refused(api.post("versions/restore/", body), 400)


def test_verify_tells_with_the_version_what_the_replay_found(api, two_versions):
    started = api.post("versions/2/verify/")
    assert started.status_code == 202, started.content
    assert (started.json()["purpose"], started.json()["verifies"]) == ("verify", 2)
    learn(Run.objects.get(number=started.json()["number"]))
    [found] = api.get("versions/2/").json()["verifications"]
    assert (found["run"], found["identical"], found["differs_since"]) == (2, True, None)
    refused(api.post("versions/9/verify/"), 404)


def test_a_version_that_is_not_sealed_yet_cannot_be_verified(api, two_versions):
    Version.objects.filter(number=2).update(digest="")
    refused(api.post("versions/2/verify/"), 409, code="not_sealed")
    assert artifacts.storage().exists(artifacts.path_of(Version.objects.get(number=2).artifact))
