"""The adoption plan and share links through the HTTP API: the same rules as their pages, and who may call."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments.models import Decision, ShareLink
from assessments.principles import load_catalogue
from assessments.selectors.delivery import read_brought
from assessments.services.decisions import DecisionDraft, decide
from assessments.services.panel_results import work_out
from projects.models import Activity, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.assessments import records as made
from tests.assessments.test_results import hold_round
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

PLAN, SHARES = "assessment/plan/", "assessment/shares/"
MONITORING = PLAN + "monitoring/"
ADOPT = {"choice": "adopt", "reason": "We lost a day in March."}


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


@pytest.fixture
def nora(team):
    user = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, user, Role.EXPERT)
    return user


def line(api, slug="monitoring"):
    told = api.get(PLAN)
    assert told.status_code == 200, told.content
    return next(one for one in told.json()["principles"] if one["slug"] == slug)


def test_the_plan_tells_what_the_page_shows(api, project, owner, nora):
    empty = api.get(PLAN).json()
    assert (empty["assessment"], empty["panel_round"], empty["decided"]) == (None, None, 0)
    assert [one["slug"] for one in empty["principles"]] == list(load_catalogue().slugs)
    assert line(api)["decision"] is None and line(api)["brought"] is None
    made.lived_in(project, owner)
    closed = hold_round(project, owner)
    work_out(closed.pk)
    body = ADOPT | {"owner": "nora", "due": "2027-01-31", "effort_planned": 8}
    first = api.post(MONITORING, body)
    assert first.status_code == 201, first.content
    second = api.post(MONITORING, body | {"effort_spent": 3.5, "adopted_on": "2026-01-01"})
    assert second.status_code == 201 and second.json()["id"] != first.json()["id"]
    api.post(PLAN + "testing/", {"choice": "no", "reason": "Nobody has the time."})
    told = api.get(PLAN).json()
    assert (told["assessment"], told["panel_round"], told["decided"], told["to_adopt"]) == (1, 1, 2, 1)
    assert (told["planned_days"], told["spent_days"]) == (8, 3.5)
    shown = line(api)
    closed.refresh_from_db()
    [verdict] = [one["verdict"] for one in closed.result["options"] if one["slug"] == "monitoring"]
    assert shown["panel"] == verdict.replace(" ", "_")
    assert (shown["decisions"], shown["decision"]) == (2, second.json())
    held = shown["decision"]
    assert (held["owner"], held["due"], held["adopted_on"]) == ("nora", "2027-01-31", "2026-01-01")
    assert (held["assessment"], held["round"], held["decided_by"]) == (1, 1, owner.username)
    assert held["measured"]["deployments_per_week"] == 3
    [brought] = read_brought(project)
    assert shown["brought"]["in_place"] is True
    assert shown["brought"]["after"]["changes"] == brought.after.changes
    assert shown["brought"]["before"]["per_week"] == brought.before.per_week
    assert line(api, "testing")["brought"] is None
    assert Activity.objects.filter(verb="principle.decided", actor=owner).count() == 3


def test_decisions_are_listed_newest_first_and_stay(api):
    for number in range(3):
        api.post(MONITORING, ADOPT | {"effort_spent": number})
    page = api.get(MONITORING, {"page_size": 2}).json()
    seen = [one["effort_spent"] for one in page["results"]]
    page = api.client.get(page["next"], headers=api.headers).json()
    assert seen + [one["effort_spent"] for one in page["results"]] == [2, 1, 0]
    assert api.get(PLAN + "testing/").json()["results"] == []
    refused(api.get(PLAN + "nonsense/"), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"choice": "perhaps"},
        {"choice": None},
        {"reason": ""},
        {"reason": "  "},
        {"reason": 5},
        {"reason": "x" * 2001},
        {"reason": "a\x00b"},
        {"owner": "stranger"},
        {"owner": "nobody-at-all"},
        {"owner": 1},
        {"owner": ""},
        {"due": "tomorrow"},
        {"due": 20270131},
        {"adopted_on": "2999-01-01"},
        {"choice": "no", "adopted_on": "2026-01-01"},
        {"effort_planned": "8"},
        {"effort_planned": True},
        {"effort_planned": -1},
        {"effort_spent": 100_001},
        {"effort_spent": []},
        {"efort_spent": 3},
        {"decided_by": "somebody"},
    ],
    ids=str,
)
def test_a_decision_that_cannot_be_meant_is_refused(api, wrong):
    make_user("stranger")
    error = refused(api.post(MONITORING, ADOPT | wrong), 400)
    assert set(error.get("fields", ())) <= set(wrong) | {"non_field_errors"}
    for body in ([], [ADOPT], "adopt", None):
        refused(api.post(MONITORING, body), 400)
    assert not Decision.objects.exists()


def test_a_strangers_name_is_refused_as_one_that_nobody_has(api):
    make_user("stranger")
    known, unknown = (refused(api.post(MONITORING, ADOPT | {"owner": name}), 400) for name in ("stranger", "nobody"))
    assert known == unknown


def test_unknown_principles_are_not_decided_on(api):
    refused(api.post(PLAN + "nonsense/", ADOPT), 404, code="unknown_principle")
    refused(api.post(PLAN + "monitoring:light/", ADOPT), 404)
    assert not Decision.objects.exists()


def test_a_day_long_before_there_was_a_project_harms_nothing(api, client, project, owner):
    assert api.post(MONITORING, ADOPT | {"adopted_on": "0001-01-01", "due": "9999-12-31"}).status_code == 201
    assert line(api)["brought"]["before"]["changes"] == 0
    client.force_login(owner)
    assert client.get(reverse("assessments:plan", args=[project.slug])).status_code == 200


def test_who_may_decide_and_share(project, team, owner, api, nora):
    hold_round(project, owner)
    api.post(SHARES, {"name": "Customer", "days": 7})
    end = f"{SHARES}{ShareLink.objects.get().pk}/end/"
    viewer, stranger = make_user(), make_user()
    make_member(team, viewer, Role.VIEWER)
    reader, elsewhere = Calls(project, Scope.READ), Calls(make_project(team), actor=owner)
    for path, body in ((MONITORING, ADOPT), (SHARES, {"name": "Mine", "days": 7}), (end, None)):
        refused(reader.post(path, body), 403)
        refused(Calls(project, Scope.PREDICT).post(path, body), 403)
        refused(Person(project, viewer).post(path, body), 403)
        refused(Person(project, nora).post(path, body), 403)
        refused(Person(project, stranger).post(path, body), 404)
        refused(Client().post(api.url(path), json.dumps(body), content_type=JSON), 401)
        refused(api.client.post(api.url(path), json.dumps(body), content_type=JSON, headers=elsewhere.headers), 404)
    assert (Decision.objects.count(), ShareLink.objects.filter(revoked_at=None).count()) == (0, 1)
    for path in (PLAN, MONITORING):
        assert reader.get(path).status_code == Person(project, viewer).get(path).status_code == 200
    assert reader.get(SHARES).status_code == Person(project, owner).get(SHARES).status_code == 200
    refused(Person(project, viewer).get(SHARES), 403)
    for path in (PLAN, MONITORING, SHARES):
        refused(Person(project, stranger).get(path), 404)
        refused(Calls(project, Scope.MANAGE).get(path), 403)
    maintainer = make_user()
    make_member(team, maintainer, Role.MAINTAINER)
    assert Person(project, maintainer).post(MONITORING, ADOPT).status_code == 201
    token = Calls(project, Scope.MANAGE, actor=maintainer)
    assert token.post(MONITORING, ADOPT).json()["decided_by"] == maintainer.username


def test_a_link_is_told_once_works_and_ends(api, client, project, owner):
    refused(api.post(SHARES, {"name": "Customer", "days": 7}), 409, code="nothing_to_share")
    hold_round(project, owner)
    made_link = api.post(SHARES, {"name": "Customer", "days": 7})
    assert made_link.status_code == 201, made_link.content
    address = made_link.json()["address"]
    secret = address.rstrip("/").rpartition("/")[2]
    assert client.get(address).status_code == 200
    listed = api.get(SHARES)
    [row] = listed.json()["results"]
    assert made_link.json() == row | {"address": address}
    assert (row["name"], row["works"], row["revoked_at"], row["created_by"]) == ("Customer", True, None, owner.username)
    assert secret not in listed.content.decode() and ShareLink.objects.get().token_digest not in listed.content.decode()
    ended = api.post(f"{SHARES}{row['id']}/end/").json()
    assert ended["works"] is False and ended["revoked_at"]
    assert client.get(address).status_code == 404
    assert api.post(f"{SHARES}{row['id']}/end/").json() == ended, "ending it twice changes nothing"
    assert Activity.objects.filter(verb="assessment.unshared").count() == 1
    assert not Activity.objects.filter(summary__contains=secret).exists()
    other = Calls(make_project(project.team), actor=owner)
    refused(other.post(f"{SHARES}{row['id']}/end/"), 404)


def test_a_link_that_cannot_be_meant_is_refused(api, project, owner):
    hold_round(project, owner)
    good = {"name": "Customer", "days": 7}
    for wrong in ({"name": " "}, {"name": "x" * 81}, {"name": 1}, {"days": 0}, {"days": 366}, {"days": "7"},
                  {"days": 1.5}, {"days": True}, {"token": "mine"}):  # fmt: skip
        refused(api.post(SHARES, good | wrong), 400)
    refused(api.post(SHARES, {"name": "Customer"}), 400)
    assert not ShareLink.objects.exists()


def test_reading_takes_as_many_queries_however_much_was_decided(api, project, owner, nora):
    hold_round(project, owner)

    def asked():
        counts = []
        for path in (PLAN, MONITORING, SHARES):
            with CaptureQueriesContext(connection) as queries:
                assert api.get(path).status_code == 200
            counts.append(len(queries))
        return counts

    def grow(times):
        for number in range(times):
            draft = DecisionDraft("adopt", f"Reason {number}", owner=nora)
            for slug in ("monitoring", "testing", "versioning"):
                decide(project=project, principle=slug, draft=draft, actor=owner)
            api.post(SHARES, {"name": f"Customer {number}", "days": 7})

    grow(1)
    asked()  # caches of content types and of the catalogue
    before = asked()
    grow(5)
    assert asked() == before
