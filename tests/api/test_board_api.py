"""The statements board through the HTTP API: the same rules as its pages, and who may call."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from assessments.models import Board, Reaction, Statement
from assessments.selectors.board import read_board
from assessments.services.panel_rounds import invite_guest, invite_member, revoke
from projects.models import Activity, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

BOARD = "assessment/board/"
SAID = {"principle": "monitoring", "kind": "benefit", "text": "We found the fault in minutes."}


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


@pytest.fixture
def ann(project, team, owner):
    return invited(project, team, owner, "Ann")


@pytest.fixture
def bea(project, team, owner):
    return invited(project, team, owner, "Bea")


def invited(project, team, owner, name):
    user = make_user(name.lower(), first_name=name)
    make_member(team, user, Role.EXPERT)
    person = Person(project, user)
    person.expert = invite_member(project=project, user=user, actor=owner).expert
    return person


def opened(api, **body):
    made = api.post(BOARD, body)
    assert made.status_code == 201, made.content
    return made.json()


def test_the_whole_way_from_opening_to_groups(api, project, ann, bea):
    refused(api.get(BOARD), 404, code="no_board")
    board = opened(api)
    assert (board["state"], board["anonymous"], board["invited"], board["codes"]) == ("open", True, 2, [])
    refused(api.post(BOARD, {}), 409, code="board_exists")
    made = ann.post(BOARD + "statements/", SAID)
    assert made.status_code == 201 and made.json()["mine"] and made.json()["expert"] is None
    one = f"{BOARD}statements/{made.json()['id']}/"
    reworded = ann.post(one, {"text": "The fault was found in minutes."}, method="patch")
    assert reworded.json()["text"] == "The fault was found in minutes."
    one = f"{BOARD}statements/{reworded.json()['id']}/"
    for stance in ("disagree", None, "agree"):
        answer = bea.post(one + "stance/", {"stance": stance})
        assert (answer.status_code, answer.json()["stance"]) == (200, stance)
    code = api.post(BOARD + "codes/", {"name": "Faster repair"}).json()["codes"][0]
    api.post(one + "code/", {"code": code["id"]})
    shut = api.post(BOARD + "close/").json()
    assert shut["state"] == "closed" and shut["seal"] == Board.objects.get().seal
    expected = {"name": "Faster repair", "statements": 1, "benefits": 1, "limitations": 0, "agree": 1, "disagree": 0}
    assert shut["codes"] == [expected | {"id": code["id"]}]
    [row] = api.get(BOARD + "statements/").json()["results"]
    assert (row["agree"], row["disagree"], row["passed"], row["code_name"]) == (1, 0, 0, "Faster repair")
    refused(ann.post(BOARD + "statements/", SAID), 409, code="board_closed")
    assert api.post(f"{BOARD}codes/{code['id']}/remove/").json()["codes"] == []
    assert {"board.opened", "board.closed", "board.coded", "board.grouped", "board.uncoded"} <= set(
        Activity.objects.values_list("verb", flat=True)
    )


def test_nothing_is_counted_or_named_before_the_close_and_never_who_on_an_anonymous_board(api, ann, bea, owner):
    opened(api)
    number = ann.post(BOARD + "statements/", SAID).json()["id"]
    bea.post(f"{BOARD}statements/{number}/stance/", {"stance": "agree"})
    for asking in (api, ann, bea):
        [row] = asking.get(BOARD + "statements/").json()["results"]
        assert [row[name] for name in ("agree", "disagree", "passed", "expert")] == [None] * 4
    assert ann.get(BOARD + "statements/").json()["results"][0]["mine"]
    assert api.get(BOARD + "statements/").json()["results"][0]["stance"] is None
    api.post(BOARD + "close/")
    for asking in (api, bea, Person(api.project, owner)):
        for path in (BOARD, BOARD + "statements/"):
            assert "Ann" not in asking.get(path).content.decode()


def test_who_said_it_is_told_where_the_board_is_open_about_it(api, ann):
    opened(api, anonymous=False)
    ann.post(BOARD + "statements/", SAID)
    assert api.get(BOARD + "statements/").json()["results"][0]["expert"] == ann.expert.name


def test_lists_are_paged_and_filtered(api, ann):
    opened(api)
    for number in range(5):
        ann.post(BOARD + "statements/", SAID | {"text": f"Statement {number}."})
    ann.post(BOARD + "statements/", SAID | {"principle": "testing", "kind": "limitation"})
    page = api.get(BOARD + "statements/", {"page_size": 2, "principle": "monitoring"}).json()
    seen = [one["text"] for one in page["results"]]
    while page["next"]:
        page = api.client.get(page["next"], headers=api.headers).json()
        seen += [one["text"] for one in page["results"]]
    assert seen == [f"Statement {number}." for number in (4, 3, 2, 1, 0)]
    assert len(api.get(BOARD + "statements/", {"kind": "limitation"}).json()["results"]) == 1
    refused(api.get(BOARD + "statements/", {"kind": "rumour"}), 400)


def test_withdrawing(api, ann, bea):
    opened(api)
    number = ann.post(BOARD + "statements/", SAID).json()["id"]
    refused(bea.post(f"{BOARD}statements/{number}/withdraw/"), 404, code="not_yours")
    assert ann.post(f"{BOARD}statements/{number}/withdraw/").json()["text"] == SAID["text"]
    assert api.get(BOARD + "statements/").json()["results"] == []
    refused(ann.post(f"{BOARD}statements/{number}/withdraw/"), 404)
    refused(api.post(BOARD + "close/"), 409, code="no_statements")


def test_who_may_speak(project, team, owner, api, ann):
    opened(api)
    number = ann.post(BOARD + "statements/", SAID).json()["id"]
    own = [("statements/", SAID), (f"statements/{number}/stance/", {"stance": "agree"}),
           (f"statements/{number}/withdraw/", None)]  # fmt: skip
    viewer, stranger, uninvited = make_user(), make_user(), make_user()
    make_member(team, viewer, Role.VIEWER)
    make_member(team, uninvited, Role.EXPERT)
    other = Calls(make_project(team), actor=owner)
    for path, body in own:
        assert "person" in refused(api.post(BOARD + path, body), 403)["message"]
        refused(Client().post(api.url(BOARD + path), json.dumps(body), content_type=JSON), 401)
        refused(Person(project, viewer).post(BOARD + path, body), 403)
        refused(Person(project, stranger).post(BOARD + path, body), 404)
        assert "panel" in refused(Person(project, uninvited).post(BOARD + path, body), 403)["message"]
        refused(
            other.client.post(api.url(BOARD + path), json.dumps(body), content_type=JSON, headers=other.headers), 404
        )
    revoke(project=project, expert=ann.expert, actor=owner)
    refused(ann.post(BOARD + "statements/", SAID | {"text": "Something else."}), 403)
    assert (Statement.objects.count(), Reaction.objects.count()) == (1, 0)


def test_who_may_lead(project, api, ann, owner):
    opened(api)
    number = ann.post(BOARD + "statements/", SAID).json()["id"]
    reader = Calls(project, Scope.READ)
    for path, body in (
        (BOARD, {}),
        (BOARD + "close/", None),
        (BOARD + "codes/", {"name": "Mine"}),
        (BOARD + "codes/1/remove/", None),
        (f"{BOARD}statements/{number}/code/", {"code": None}),
    ):
        refused(reader.post(path, body), 403)
        assert "change this project" in refused(ann.post(path, body), 403)["message"]
    assert reader.get(BOARD).status_code == 200
    refused(Calls(project, Scope.MANAGE).get(BOARD), 403)
    assert Board.objects.get().is_open and not Board.objects.get().codes.exists()


def test_wrong_requests_change_nothing(api, ann, project, owner):
    opened(api)
    said = ann.post(BOARD + "statements/", SAID).json()["id"]
    for body in (SAID | {"kind": "rumour"}, SAID | {"text": ""}, SAID | {"text": "x" * 501}, {"text": "x"}, [],
                 SAID | {"expert": 1}, SAID | {"text": 5}):  # fmt: skip
        refused(ann.post(BOARD + "statements/", body), 400)
    refused(ann.post(BOARD + "statements/", SAID | {"principle": "nothing"}), 404, code="unknown_principle")
    refused(ann.post(BOARD + "statements/", SAID), 400)
    refused(ann.post(f"{BOARD}statements/{said}/stance/", {"stance": "agree"}), 409, code="own")
    refused(ann.post(f"{BOARD}statements/{said + 99}/stance/", {"stance": "agree"}), 404)
    refused(api.post(f"{BOARD}statements/{said}/code/", {"code": 77}), 404, code="unknown_code")
    refused(api.post(BOARD + "codes/", {"name": " "}), 400)
    elsewhere = make_project(project.team)
    other = Calls(elsewhere, actor=owner)
    invite_guest(project=elsewhere, name="Cem", actor=owner)
    opened(other)
    refused(other.post(f"{BOARD}statements/{said}/code/", {"code": None}), 404)
    assert read_board(project).total == 1 and read_board(elsewhere).total == 0
