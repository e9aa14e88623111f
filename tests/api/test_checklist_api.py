"""The checklist and closing an assessment through the HTTP API: answers, conflicts, records, and who may."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessments.forms.answers import LONGEST_COMMENT, LONGEST_LINK, LONGEST_REASON
from assessments.models import Answer, Assessment
from assessments.principles import load_catalogue
from assessments.services.answers import Draft, save_answer
from assessments.services.assessments import close, ensure_open
from assessments.services.panel_rounds import invite_guest, open_round
from projects.models import Activity, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.assessments import records as made
from tests.factories import make_member, make_project, make_token, make_user

pytestmark = pytest.mark.django_db

CHECKLIST = "assessment/checklist/"
CLOSE = "assessment/close/"
PRACTICE = "monitoring.owners"
AT = f"{CHECKLIST}{PRACTICE}/"
ROLLBACK = "controlled-release.one-action-rollback"


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


def practice(api, name=PRACTICE):
    answer = api.get(CHECKLIST, {"principle": name.partition(".")[0]})
    assert answer.status_code == 200, answer.content
    [principle] = answer.json()["principles"]
    return next(one for one in principle["practices"] if one["id"] == name)


def said(value="yes", version=0, **more):
    return {"value": value, "version": version} | more


def conflict(answer):
    """What is wrong, and the answer of somebody else that is told beside it."""
    assert answer.status_code == 409, answer.content
    told = answer.json()
    assert set(told) == {"error", "theirs"} and told["error"]["code"] == "answer_conflict"
    return told["error"], told["theirs"]


def test_the_whole_checklist_and_one_principle_of_it(api):
    told = api.get(CHECKLIST).json()
    catalogue = load_catalogue()
    assert (told["number"], told["state"], told["edition"]) == (None, "none", catalogue.edition)
    assert [one["slug"] for one in told["principles"]] == list(catalogue.slugs)
    ids = [one["id"] for principle in told["principles"] for one in principle["practices"]]
    assert len(ids) == told["total"] and PRACTICE in ids
    one = api.get(CHECKLIST, {"principle": "monitoring"}).json()
    assert [row["slug"] for row in one["principles"]] == ["monitoring"] and one["total"] == told["total"]
    refused(api.get(CHECKLIST, {"principle": "nothing"}), 404, code="unknown_principle")
    refused(api.get(CHECKLIST, {"principle": ""}), 400)
    refused(api.get(CHECKLIST, {"principle": "a b"}), 400)


def test_answering_opens_the_assessment_and_is_told_and_logged(api, owner):
    before = api.get(CHECKLIST).json()["answered"]
    answer = api.put(AT, said("partly", comment=" By hand. ", evidence_url="https://ci.example.org/1"))
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["value"], told["version"], told["from_records"]) == ("partly", 1, False)
    expected = {"value": "partly", "reason": "", "comment": "By hand.", "evidence_url": "https://ci.example.org/1"}
    assert expected.items() <= told["answer"].items() and told["answer"]["by"] == "olga" and told["answer"]["at"]
    assert practice(api) == told
    assert (api.get(CHECKLIST).json()["number"], api.get(CHECKLIST).json()["answered"]) == (1, before + 1)
    assert list(Activity.objects.order_by("pk").values_list("verb", "actor__username")) == [
        ("token.created", "olga"), ("assessment.opened", "olga"), ("assessment.answered", "olga"),
    ]  # fmt: skip
    assert api.put(AT, said("does_not_apply", 1, reason="One person.")).json()["answer"]["reason"] == "One person."
    # A reason belongs to that answer only, and what is left out is empty.
    assert api.put(AT, said("no", 2, reason="One person.")).json()["answer"] | {"at": 0, "by": 0} == {
        "value": "no", "reason": "", "comment": "", "evidence_url": "", "at": 0, "by": 0, "version": 3,
    }  # fmt: skip
    taken = api.put(AT, said("", 3)).json()
    assert (taken["value"], taken["answer"]["value"], taken["version"]) == (None, "", 4)


def test_nobody_is_overwritten_unseen(api, project, team):
    nora = Person(project, make_member(team, make_user("nora"), Role.EXPERT).user)
    assert nora.put(AT, said("no", comment="Mine first.")).status_code == 200
    error, theirs = conflict(api.put(AT, said("yes")))
    assert (theirs["value"], theirs["comment"], theirs["by"], theirs["version"]) == ("no", "Mine first.", "nora", 1)
    assert "nora" in error["message"] and "“No”" in error["message"]
    conflict(api.put(AT, said("yes", 7)))
    assert Answer.objects.get().value == "no"
    assert api.put(AT, said("yes", theirs["version"])).json()["version"] == 2
    # The same answer twice is one, whatever version comes with it.
    assert api.put(AT, said("yes", 0)).json()["version"] == 2
    assert Activity.objects.filter(verb="assessment.answered").count() == 2


def test_what_the_records_say_is_told_beside_the_answer(api, project, owner):
    made.lived_in(project, owner)
    told = practice(api, ROLLBACK)
    assert (told["value"], told["from_records"], told["mark"], told["answer"]) == ("yes", True, "filled", None)
    assert told["found"]["sentence"] and told["found"]["url"].startswith("/projects/")
    at = f"{CHECKLIST}{ROLLBACK}/"
    assert api.put(at, said("yes")).json()["from_records"]
    assert not Answer.objects.exists(), "what the records say is nobody's answer"
    over = api.put(at, said("partly")).json()
    assert (over["value"], over["from_records"], over["mark"]) == ("partly", False, "overridden")
    back = api.put(at, said("", 1)).json()
    assert (back["value"], back["from_records"], back["version"]) == ("yes", True, 2)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (said("maybe"), "value"),
        (said(True), "value"),
        (said(None), "value"),
        ({"version": 0}, "value"),
        ({"value": "yes"}, "version"),
        (said(version="0"), "version"),
        (said(version=-1), "version"),
        (said(version=2**31), "version"),
        (said(version=1.5), "version"),
        (said("does_not_apply"), "reason"),
        (said("does_not_apply", reason="  "), "reason"),
        (said("does_not_apply", reason="x" * (LONGEST_REASON + 1)), "reason"),
        (said(comment="x" * (LONGEST_COMMENT + 1)), "comment"),
        (said(comment=5), "comment"),
        (said(comment=None), "comment"),
        (said(evidence_url="javascript:alert(1)"), "evidence_url"),
        (said(evidence_url="ftp://example.org/"), "evidence_url"),
        (said(evidence_url="https://example.org/" + "x" * LONGEST_LINK), "evidence_url"),
        (said(by="nora"), "by"),
        ([], "non_field_errors"),
    ],
)
def test_what_is_wrong_is_told_by_field_and_nothing_is_kept(api, body, place):
    assert list(refused(api.put(AT, body), 400)["fields"]) == [place]
    assert not Answer.objects.exists() and not Assessment.objects.exists()


@pytest.mark.parametrize("name", ["monitoring.nonsense", "nonsense", "..", "a%00b", "a%0Ab", "x" * 300])
def test_an_unknown_practice_opens_nothing(api, name):
    refused(api.put(f"{CHECKLIST}{name}/", said()), 404)
    assert not Assessment.objects.exists()


def test_null_characters_are_refused(api):
    refused(api.put(AT, json.dumps(said(comment="a\0b"))), 400)
    assert not Answer.objects.exists()


def test_closing_keeps_what_was_said_and_the_next_answer_opens_another(api, project, owner):
    made.lived_in(project, owner)
    refused(api.post(CLOSE), 409, code="not_open")
    api.put(AT, said("partly"))
    shut = api.post(CLOSE)
    assert shut.status_code == 200, shut.content
    assert (shut.json()["number"], shut.json()["state"], shut.json()["closed"]) == (1, "closed", [1])
    refused(api.post(CLOSE), 409, code="not_open")
    assert Activity.objects.filter(verb="assessment.closed", actor=owner).count() == 1
    # What the records said then is kept, whatever they say now.
    project.deployments.filter(kind="rollback").update(kind="deploy")
    assert (practice(api, ROLLBACK)["value"], api.get(CHECKLIST).json()["state"]) == ("yes", "closed")
    assert api.put(AT, said("yes", 1)).json()["version"] == 2
    assert (api.get(CHECKLIST).json()["number"], api.get(CHECKLIST).json()["state"]) == (2, "open")
    assert Answer.objects.get(assessment__number=1).value == "partly"


def test_an_assessment_with_an_open_round_is_not_closed(api, scoped, owner):
    invite_guest(project=scoped, name="Ana", actor=owner)
    open_round(project=scoped, actor=owner)
    refused(api.post(CLOSE), 409, code="round_open")
    assert Assessment.objects.get().is_open


@pytest.fixture
def scoped(project, api):
    api.put("assessment/scope/", {"current": {"values": {"people": 3}}})
    return project


def test_who_may(api, project, team, owner):
    ensure_open(project=project, actor=owner)
    viewer, expert = (Person(project, make_member(team, make_user(), role).user) for role in (Role.VIEWER, Role.EXPERT))
    stranger = Person(project, make_user())
    reader, manager = Calls(project, Scope.READ), Calls(project, Scope.MANAGE)
    elsewhere = Calls(project, secret=make_token(make_project(team), actor=owner))
    assert viewer.get(CHECKLIST).status_code == reader.get(CHECKLIST).status_code == 200
    refused(stranger.get(CHECKLIST), 404)
    refused(manager.get(CHECKLIST), 403)
    for path, body, method in ((AT, said(), "put"), (CLOSE, None, "post")):
        refused(viewer.post(path, body, method=method), 403)
        refused(stranger.post(path, body, method=method), 404)
        refused(reader.send(method, path, body), 403)
        anonymous = getattr(Client(), method)
        refused(anonymous(api.url(path), json.dumps(body), content_type=JSON), 401)
        refused(elsewhere.send(method, path, body), 404)
    assert not Answer.objects.exists() and Assessment.objects.get().is_open
    assert expert.put(AT, said()).status_code == 200
    assert manager.put(AT, said("no", 1)).status_code == 200
    assert expert.post(CLOSE).status_code == 200
    ensure_open(project=project, actor=owner)
    assert manager.post(CLOSE).status_code == 200


def test_reading_takes_as_many_queries_however_many_answers_there_are(api, project, owner):
    def count(**query):
        api.get(CHECKLIST)  # the token's last use is noted once a minute
        with CaptureQueriesContext(connection) as queries:
            assert api.get(CHECKLIST, query).status_code == 200
        return len(queries)

    api.put(AT, said())
    first = count()
    for principle in load_catalogue().principles:
        for one in principle.practices:
            save_answer(project=project, practice_id=one.id, draft=Draft("no"), base_version=1, actor=owner)
    assert Answer.objects.count() > 70
    assert count() == count(principle="monitoring") == first <= 14
    close(project=project, actor=owner)
    assert count() <= first + 1  # what the records said then
