"""Canaries, challengers and proposals through the HTTP API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from models_registry.models import Deployment
from models_registry.services import serving
from models_registry.services.proposals import carry_out_due
from projects.models import Project, Role
from tests.api.calls import Calls, refused
from tests.factories import make_member, make_user
from tests.models_registry.answered import answer, rights
from tests.models_registry.learned import TREE, make_model, make_run
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


@pytest.fixture
def mia(project):
    person = make_user("mia")
    make_member(project.team, person, Role.MAINTAINER)
    return Calls(project, actor=person)


@pytest.fixture
def versions(project):
    run = add_run(add_model(project))
    found = [add_version(run, position=position) for position in (100, 200, 300)]
    add_deployment(found[0])
    return found


def test_a_canary_is_started_widened_aborted_and_promoted(api, versions):
    made = api.post("deployments/", {"version": 2, "canary": 5, "reason": "try", "expected": 1})
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["kind"], body["version"], body["canary"], body["canary_share"]) == ("canary", 1, 2, 5)
    assert api.post("deployments/", {"version": 2, "canary": 20}).json()["kind"] == "widen"
    refused(api.post("deployments/canary/abort/", {"expected": 1}), 409, code="conflict")
    assert api.post("deployments/canary/abort/", {"reason": "slow", "expected": 3}).json()["kind"] == "abort"
    refused(api.post("deployments/canary/abort/", {}), 409, code="no_canary")
    api.post("deployments/", {"version": 3, "canary": 5})
    promoted = api.post("deployments/", {"version": 3}).json()
    assert (promoted["kind"], promoted["version"], promoted["canary"]) == ("promote", 3, None)


def test_canary_answers_say_which_version_gave_them(api, project):
    serving._loaded.clear()
    make_run(make_model(project, spec=TREE), events=120, publish_every=60, seed=1)
    api.post("deployments/", {"version": 1})
    api.post("deployments/", {"version": 2, "canary": 50})
    given = [api.post("predict/", {"id": f"k{n}", "features": {"x": 0.3, "y": 0.9}}).json() for n in range(30)]
    assert {one["version"] for one in given} == {1, 2} and {one["deployment"] for one in given} == {2}


def test_the_live_metric_and_the_last_good_version(api, project, versions):
    first = Deployment.objects.get()
    answer(project, first, rights(90, 10))
    second = add_deployment(versions[1])
    answer(project, second, rights(60, 40), start=200)
    api.post("deployments/", {"version": 3, "canary": 10})
    canary = Deployment.objects.first()
    answer(project, canary, rights(30, 10), version=versions[2], start=400)
    body = api.get("deployments/live/").json()
    assert (body["version"], body["metric"], body["value"], body["answers"]) == (2, "Accuracy", 0.6, 100)
    assert (body["canary"]["version"], body["canary"]["value"], body["canary"]["answers"]) == (3, 0.75, 40)
    assert body["canary"]["standing"] == "open"
    assert body["last_good"]["version"] == 1 and "90.0% over 100" in body["last_good"]["reason"]


def test_nothing_live_before_the_first_deployment(api):
    refused(api.get("deployments/live/"), 404, code="nothing_deployed")


def test_challengers_are_added_listed_and_stopped(api, versions):
    body = api.post("challengers/", {"version": 3, "reason": "newer"}).json()
    assert [(row["version"], row["asked"], row["verdict"]) for row in body["results"]] == [(3, 0, None)]
    refused(api.post("challengers/", {"version": 3}), 409, code="already_shadow")
    refused(api.post("challengers/", {"version": 9}), 400)
    assert api.get("challengers/").json() == body
    assert api.post("challengers/3/stop/").json() == {"results": []}
    refused(api.post("challengers/3/stop/"), 409, code="no_shadow")
    refused(api.post("challengers/9/stop/"), 404)


def test_a_scheduled_deployment_waits_and_can_be_withdrawn(api, versions):
    at = timezone.now() + timedelta(hours=1)
    made = api.post("deployments/", {"version": 2, "at": at.isoformat()})
    assert made.status_code == 202, made.content
    assert (made.json()["number"], made.json()["needs_approval"], made.json()["steps"]) == (1, False, [])
    assert api.post("deployments/proposals/1/withdraw/", {}).json()["steps"][0]["kind"] == "withdrawn"
    api.post("deployments/", {"version": 2, "at": at.isoformat()})
    carry_out_due(now=at)
    assert api.get("deployments/proposals/2/").json()["steps"][0]["kind"] == "done"
    assert api.get("deployments/").json()["results"][0]["proposal"] == 2
    assert [row["number"] for row in api.get("deployments/proposals/").json()["results"]] == [2, 1]
    refused(api.post("deployments/", {"version": 3, "at": "2020-01-01T00:00:00Z"}), 400)
    refused(api.post("deployments/", {"version": 3, "at": 7}), 400)
    refused(api.get("deployments/proposals/9/"), 404)


def test_a_second_person_approves_or_declines(api, mia, versions):
    Project.objects.update(deploys_need_approval=True)
    first = api.post("deployments/", {"version": 2, "reason": "better"})
    assert first.status_code == 202 and first.json()["needs_approval"] is True
    refused(api.post("deployments/proposals/1/approve/", {}), 403, code="own_proposal")
    body = mia.post("deployments/proposals/1/approve/", {"note": "fine"}).json()
    assert [(step["kind"], step["created_by"]) for step in body["steps"]] == [("approved", "mia"), ("done", None)]
    assert Deployment.objects.first().version.number == 2
    api.post("deployments/", {"version": 3, "canary": 5})
    refused(mia.post("deployments/proposals/2/decline/", {}), 400)
    assert mia.post("deployments/proposals/2/decline/", {"note": "no"}).json()["steps"][0]["kind"] == "declined"
    refused(mia.post("deployments/proposals/2/approve/", {}), 409, code="conflict")


def test_what_is_not_valid_is_told_by_its_field(api, versions):
    for body, field in (
        ({"version": 2, "canary": 0}, "canary"),
        ({"version": 2, "canary": 51}, "canary"),
        ({"version": 2, "canary": "5"}, "canary"),
        ({"version": 2, "canary": 5, "mode": "follow"}, "mode"),
        ({"version": 2, "at": "tomorrow"}, "at"),
    ):
        assert field in refused(api.post("deployments/", body), 400)["fields"], body
    assert Deployment.objects.count() == 1
