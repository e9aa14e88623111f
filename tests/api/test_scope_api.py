"""The scope through the HTTP API: said, measured, tried without keeping, and who may."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessments.evidence import gather, measure_scope
from assessments.models import ScopeProfile
from assessments.scoring.scope import FACTORS, LARGE
from assessments.selectors.recommendation import recommend_for
from assessments.selectors.scope import read_profiles, scope_state
from projects.models import Activity, ApiToken, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.assessments import records as made
from tests.factories import make_member, make_project, make_token, make_user

pytestmark = pytest.mark.django_db

SCOPE = "assessment/scope/"
PREVIEW = SCOPE + "preview/"
SMALL = {"people": 2, "models_in_production": 1, "deployments_per_week": 0.04}


def now(first=None, **values):
    """A body that says what holds now."""
    return {"current": {"values": values, "first_version": first}}


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


@pytest.fixture
def person(project, team):
    def with_role(role=None):
        user = make_user()
        if role:
            make_member(team, user, role)
        return Person(project, user)

    return with_role


def factor(answer, name):
    return next(one for one in answer.json()["factors"] if one["name"] == name)


def test_what_is_said_is_kept_told_and_logged(api, owner):
    before = api.get(SCOPE).json()
    assert (before["current"], before["planned"], before["history"]) == (None, None, [])
    assert {one["name"] for one in before["factors"]} == {one.name for one in FACTORS}
    said = now(True, people=3, regulated=0.5) | {"planned": {"values": {"people": 8}}}
    answer = api.put(SCOPE, said)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["current"] == said["current"]
    assert told["planned"] == {"values": {"people": 8.0}, "first_version": None}
    people = factor(answer, "people")
    assert (people["current"], people["planned"], people["origin"]) == (3, 8, "declared")
    assert people["words"] == "3 people changing the system"
    assert told["first_version"]["current"] is True and told["first_version"]["planned"] is None
    assert "people" not in told["unknown"] and len(told["unknown"]) == 7
    assert [(one["kind"], one["by"]) for one in told["history"]] == [("planned", "olga"), ("current", "olga")]
    assert api.get(SCOPE).json() == told
    assert Activity.objects.filter(verb="scope.changed", actor=owner).count() == 2


def test_a_kind_left_out_stays_one_given_is_replaced_and_the_same_again_is_no_change(api):
    api.put(
        SCOPE, now(False, people=3, manual_steps=4) | {"planned": {"values": {"people": 8}, "first_version": False}}
    )
    told = api.put(SCOPE, now(people=4)).json()
    assert told["current"] == {"values": {"people": 4.0}, "first_version": None}
    assert told["planned"] == {"values": {"people": 8.0}, "first_version": False}
    assert api.put(SCOPE, now(people=4, manual_steps=None)).json() == told
    assert api.put(SCOPE, {}).json() == told
    assert ScopeProfile.objects.count() == 3


def test_measured_values_are_told_and_marked_when_taken(api, project, owner):
    made.lived_in(project, owner)
    told = api.get(SCOPE)
    found = factor(told, "deployments_per_week")
    assert (told.json()["current"], found["origin"]) == (None, "filled")
    assert found["current"] == found["measured"]["value"]
    assert found["measured"]["sentence"] and found["measured"]["query"]
    assert found["measured"]["url"].startswith(f"/projects/{project.slug}/")
    assert not ScopeProfile.objects.exists()
    answer = api.put(SCOPE, now(False, deployments_per_week=found["measured"]["value"], people=9))
    assert factor(answer, "deployments_per_week")["origin"] == "measured"
    assert (factor(answer, "people")["origin"], factor(answer, "people")["measured"]["value"]) == ("declared", 1)
    assert ScopeProfile.objects.get().measurements["deployments_per_week"]["count"] == 3


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (now(people=-1), "current.people"),
        (now(people="3"), "current.people"),
        (now(people=True), "current.people"),
        (now(people=[3]), "current.people"),
        (now(criticality=9), "current.criticality"),
        (now(criticality=2.0000001), "current.criticality"),
        (now(regulated=0.7), "current.regulated"),
        (now(height=3), "current.height"),
        (now("yes"), "current.first_version"),
        (now(people=1) | {"planned": {"values": {"people": -1}}}, "planned.people"),
        ({"current": {"first_version": True}}, "current.values"),
        ({"current": {"values": 5}}, "current.values"),
        ({"current": {"values": {}, "people": 3}}, "current.people"),
        ({"current": None}, "current"),
        ({"current": 7}, "current"),
        ({"later": {}}, "later"),
        ([], "non_field_errors"),
    ],
)
def test_what_is_wrong_is_told_by_place_and_nothing_is_kept(api, body, place):
    for call in (api.put, api.post):
        fields = refused(call(SCOPE if call == api.put else PREVIEW, body), 400)["fields"]
        assert list(fields) == [place] and fields[place][0]
    assert not ScopeProfile.objects.exists()


@pytest.mark.parametrize(
    "raw", ['{"current": {"values": {"people": NaN}}}', '{"current": {"values": {"a\\u0000": 1}}}']
)
def test_what_no_call_takes_is_refused(api, raw):
    refused(api.put(SCOPE, raw), 400)
    assert not ScopeProfile.objects.exists()


def test_a_preview_keeps_nothing_and_says_what_would_change(api, project):
    api.put(SCOPE, now(True, **SMALL))
    rows = ScopeProfile.objects.count()
    answer = api.post(PREVIEW, now(False, **LARGE.values))
    assert answer.status_code == 200, answer.content
    told = {one["slug"]: one for one in answer.json()["principles"]}
    assert sum(one["recommendation"]["verdict"] == "now" for one in told.values()) >= 8
    assert any(one["changes"] and one["before"] == "not_yet" for one in told.values())
    assert all(one["changes"] == (one["before"] != one["recommendation"]["verdict"]) for one in told.values())
    assert (ScopeProfile.objects.count(), answer.json()["unknown"]) == (rows, [])
    # It is what holds once the same is kept.
    api.put(SCOPE, now(False, **LARGE.values))
    kept = recommend_for(scope_state(*read_profiles(project), measure_scope(gather(project))))
    assert {one.principle.slug: one.verdict for one in kept.items} == {
        slug: one["recommendation"]["verdict"] for slug, one in told.items()
    }
    again = api.post(PREVIEW, {}).json()
    assert again["principles"] and not any(one["changes"] for one in again["principles"])


def test_a_preview_of_nothing_known(api):
    Activity.objects.all().delete()  # of which the records would count the people
    first = api.post(PREVIEW, now(people=3)).json()
    assert {one["before"] for one in first["principles"]} == {None}
    assert len(first["unknown"]) == 8
    api.put(SCOPE, now(people=3))
    nothing = api.post(PREVIEW, now()).json()
    assert (nothing["principles"], len(nothing["unknown"])) == ([], 9)


def test_who_may(api, project, team, person, owner):
    body = now(people=3)
    for role, status in ((Role.VIEWER, 403), (None, 404)):
        refused(person(role).put(SCOPE, body), status)
    viewer, expert = person(Role.VIEWER), person(Role.EXPERT)
    assert viewer.get(SCOPE).status_code == 200
    assert viewer.post(PREVIEW, body).status_code == 200
    refused(person().get(SCOPE), 404)
    refused(person().post(PREVIEW, body), 404)
    reader, manager = Calls(project, Scope.READ), Calls(project, Scope.MANAGE)
    refused(reader.put(SCOPE, body), 403)
    refused(manager.get(SCOPE), 403)
    refused(manager.post(PREVIEW, body), 403)
    assert reader.post(PREVIEW, body).status_code == 200
    elsewhere = Calls(project, secret=make_token(make_project(team), actor=owner))
    for answer in (elsewhere.get(SCOPE), elsewhere.put(SCOPE, body), elsewhere.post(PREVIEW, body)):
        refused(answer, 404)
    refused(Client().put(api.url(SCOPE), json.dumps(body), content_type=JSON), 401)
    assert not ScopeProfile.objects.exists()
    assert expert.put(SCOPE, body).status_code == 200
    assert manager.put(SCOPE, now(people=4)).status_code == 200


def test_a_session_needs_its_csrf_token_and_a_token_somebody_behind_it(api, project, owner):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    refused(browser.put(api.url(SCOPE), json.dumps(now(people=3)), content_type=JSON), 403)
    ApiToken.objects.update(created_by=None)
    refused(api.put(SCOPE, now(people=3)), 403)
    assert api.get(SCOPE).status_code == 200
    assert not ScopeProfile.objects.exists()


def test_reading_takes_as_many_queries_however_often_it_changed(api):
    def count():
        api.get(SCOPE)  # the token's last use is noted once a minute
        with CaptureQueriesContext(connection) as queries:
            assert api.get(SCOPE).status_code == 200
        return len(queries)

    api.put(SCOPE, now(people=1))
    first = count()
    for people in range(2, 8):
        api.put(SCOPE, now(people=people) | {"planned": {"values": {"people": people + 1}}})
    assert count() == first <= 12
