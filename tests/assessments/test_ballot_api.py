"""An expert's ballot through the HTTP API: the same answers as on the page, the same refusals, and nobody else's."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessments.models import Rating, Weights
from assessments.principles import load_catalogue
from assessments.services.panel_ratings import save_weights
from assessments.services.panel_rounds import close_round, invite_guest, invite_member, open_round, revoke
from assessments.services.scope import ProfileDraft, save_profile
from projects.models import Activity, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.assessments.ballots import say
from tests.assessments.test_editions import published
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

BALLOT = "assessment/ballot/"
ONE = BALLOT + "monitoring/"
WEIGHTS = BALLOT + "weights/"
#: Monitoring serves K2 and K4 and has a light level; versioning has none.
SAID = {
    "stance": "rates",
    "vote": 8,
    "confidence": "medium",
    "benefits": {"K2": None, "K4": 4},
    "effort": {"low": 2, "likely": 4.25, "high": 8},
    "light": {"benefits": {"K4": 2}, "effort": {"low": 0.5, "likely": 1, "high": 2}},
    "reason": "Two alarms came too late.",
    "evidence_url": "https://wiki.example.org/alarms",
}
POINTS = {"K1": 100, "K2": 50, "K3": 20, "K4": 10, "K5": 0}


@pytest.fixture
def opened(scoped, expert, owner):
    return open_round(project=scoped, actor=owner)


@pytest.fixture
def me(opened, project, owner):
    return Person(project, owner)


def line(person, slug="monitoring"):
    return next(one for one in person.get(BALLOT).json()["principles"] if one["slug"] == slug)


def member(project, team, owner, name):
    user = make_user(name.lower(), first_name=name, last_name="Lind")
    make_member(team, user, Role.EXPERT)
    person = Person(project, user)
    person.expert = invite_member(project=project, user=user, actor=owner).expert
    return person


def sendable(answer):
    return {name: value for name, value in answer.items() if name not in ("carried", "saved_at")}


def test_a_ballot_says_what_is_asked(me, opened):
    ballot = me.get(BALLOT).json()
    catalogue = load_catalogue()
    assert [one["slug"] for one in ballot["principles"]] == list(catalogue.slugs)
    head = {name: ballot[name] for name in ("assessment", "round", "open", "anonymous", "done", "total", "weights")}
    expected = {"assessment": 1, "round": 1, "open": True, "anonymous": True, "done": 0, "total": 12, "weights": None}
    assert head == expected
    assert [one["key"] for one in ballot["benefits"]] == list(catalogue.benefit_keys)
    asked, principle = line(me), catalogue.principle("monitoring")
    assert asked["serves"] == list(principle.serves) and asked["light"]["serves"] == list(principle.light.serves)
    assert [one["text"] for one in asked["practices"]] == [one.text for one in principle.practices]
    assert (asked["answer"], asked["feedback"], asked["done"]) == (None, None, False)
    assert line(me, "versioning")["light"] is None


def test_a_whole_answer_is_kept_and_read_back(me):
    kept = me.put(ONE, SAID | {"version": 0})
    assert kept.status_code == 200
    answer = kept.json()
    filled = {"low": 2.0, "likely": 4.25, "high": 8.0}
    expected = SAID | {"effort": filled, "version": 1, "carried": False, "saved_at": answer["saved_at"]}
    assert answer == expected
    assert line(me)["answer"] == answer and line(me)["done"] and me.get(BALLOT).json()["done"] == 1
    assert me.put(ONE, SAID | {"version": 0}).json() == answer  # the same again changes nothing
    assert me.put(ONE, sendable(answer)).json() == answer
    bare = me.put(ONE, {"stance": "rates", "vote": 3, "version": 1}).json()
    assert (bare["benefits"], bare["reason"], bare["version"], bare["confidence"]) == ({}, "", 2, None)
    assert bare["effort"] == {"low": None, "likely": None, "high": None}
    no = me.put(ONE, {"stance": "not_applicable", "reason": " Nothing serves. ", "version": 2}).json()
    assert (no["stance"], no["vote"], no["reason"]) == ("not_applicable", None, "Nothing serves.")
    unvoted = me.put(ONE, {"stance": "rates", "version": 3, "light": None, "effort": None, "vote": None}).json()
    assert unvoted["version"] == 4 and not line(me)["done"]
    assert not Activity.objects.filter(summary__contains="alarms").exists()


def test_an_answer_that_was_changed_elsewhere_is_not_overwritten(me):
    first = me.put(ONE, SAID | {"version": 0}).json()
    answer = me.put(ONE, SAID | {"vote": 2, "version": 0})
    assert answer.status_code == 409
    body = answer.json()
    assert body["error"]["code"] == "rating_conflict" and body["theirs"] == first
    assert "after version 0" in body["error"]["message"] and "with version 1" in body["error"]["message"]
    for version in (2, 7):
        assert me.put(ONE, SAID | {"vote": 2, "version": version}).status_code == 409
    assert Rating.objects.get().vote == 8
    assert me.put(ONE, SAID | {"vote": 2, "version": 1}).json()["version"] == 2


def test_weights_are_kept_and_not_overwritten(me):
    kept = me.put(WEIGHTS, {"points": POINTS, "version": 0}).json()
    assert (kept["points"], kept["version"], kept["carried"]) == (POINTS, 1, False)
    assert me.get(BALLOT).json()["weights"] == kept
    assert me.put(WEIGHTS, {"points": POINTS, "version": 0}).json() == kept
    clash = me.put(WEIGHTS, {"points": POINTS | {"K1": 1}, "version": 0})
    assert clash.status_code == 409
    assert clash.json()["error"]["code"] == "weights_conflict" and clash.json()["theirs"] == kept
    some = me.put(WEIGHTS, {"points": {"K1": 30, "K2": None}, "version": 1}).json()
    assert some["points"] == {"K1": 30, "K2": None, "K3": None, "K4": None, "K5": None}


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"vote": 0}, {"vote": ["Vote from 1 to 9."]}),
        ({"vote": 10}, {"vote": ["Vote from 1 to 9."]}),
        ({"vote": "8"}, ["vote"]),
        ({"vote": True}, ["vote"]),
        ({"vote": 8.0}, ["vote"]),
        ({"stance": "perhaps"}, ["stance"]),
        ({"stance": None}, ["stance"]),
        ({"stance": "unknown", "vote": 5}, {"vote": ["Leave the vote out where you cannot rate it."]}),
        ({"stance": "not_applicable", "vote": None, "reason": " "}, {
            "reason": ["Say why it does not apply here; then it is saved."]
        }),
        ({"confidence": "huge"}, ["confidence"]),
        ({"confidence": ""}, ["confidence"]),
        ({"benefits": {"K4": 5}}, {"benefits": {"K4": ["Choose one of the five levels."]}}),
        ({"benefits": {"K4": "4"}}, ["benefits"]),
        ({"benefits": {"K1": 3, "": 1}}, {
            "benefits": {key: ["This principle does not serve that benefit."] for key in ("K1", "")}
        }),
        ({"benefits": [1]}, ["benefits"]),
        ({"benefits": None}, ["benefits"]),
        ({"effort": {"low": 9, "likely": 2}}, {"effort": ["Low, likely and high must rise: the low estimate first."]}),
        ({"effort": {"low": -1}}, {"effort": {"low": ["Ensure this value is greater than or equal to 0."]}}),
        ({"effort": {"high": 1001}}, ["effort"]),
        ({"effort": {"low": "1"}}, ["effort"]),
        ({"effort": {"days": 1}}, ["effort"]),
        ({"effort": [1, 2, 3]}, ["effort"]),
        ({"light": {"benefits": {"K3": 1}}}, {
            "light": {"benefits": {"K3": ["Light level: This principle does not serve that benefit."]}}
        }),
        ({"light": {"benefits": {"K4": 3}}, "benefits": {"K4": 2}}, {
            "light": {"benefits": {"K4": ["The light level is a part of the whole and cannot bring more than it."]}}
        }),
        ({"light": {"effort": {"likely": 9}}}, {
            "light": {"effort": ["The light level is a part of the whole and cannot take longer than it."]}
        }),
        ({"light": {"effort": {"low": 2, "high": 1}}}, {
            "light": {"effort": ["Light level: Low, likely and high must rise: the low estimate first."]}
        }),
        ({"light": {"vote": 5}}, ["light"]),
        ({"reason": "x" * 2001}, {"reason": ["This reason has 2001 characters; at most 2,000 fit."]}),
        ({"reason": 5}, ["reason"]),
        ({"reason": None}, ["reason"]),
        ({"reason": "a\0b"}, None),
        ({"evidence_url": "javascript:alert(1)"}, {
            "evidence_url": ["Give a link that starts with https:// or http://."]
        }),
        ({"evidence_url": "https://example.org/" + "x" * 500}, ["evidence_url"]),
        ({"version": -1}, ["version"]),
        ({"version": "1"}, ["version"]),
        ({"version": None}, ["version"]),
        ({"version": 2**31}, ["version"]),
        ({"carried": False}, ["carried"]),
        ({"expert": 1}, ["expert"]),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_and_named(me, given, fields):
    error = refused(me.put(ONE, SAID | {"version": 0} | given), 400)
    if isinstance(fields, dict):
        assert error["fields"] == fields
    elif fields:
        assert list(error["fields"]) == fields
    assert not Rating.objects.exists()


@pytest.mark.parametrize("left_out", ["stance", "version"])
def test_what_an_answer_cannot_do_without(me, left_out):
    said = {name: value for name, value in (SAID | {"version": 0}).items() if name != left_out}
    assert list(refused(me.put(ONE, said), 400)["fields"]) == [left_out]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"points": POINTS | {"K1": 101}, "version": 0}, ["points"]),
        ({"points": POINTS | {"K1": -1}, "version": 0}, ["points"]),
        ({"points": POINTS | {"K1": "5"}, "version": 0}, ["points"]),
        ({"points": POINTS | {"K1": 5.5}, "version": 0}, ["points"]),
        ({"points": POINTS | {"K9": 5}, "version": 0}, ["points"]),
        ({"points": {"light_benefit_K1": 5}, "version": 0}, ["points"]),
        ({"points": [1], "version": 0}, ["points"]),
        ({"points": dict.fromkeys(POINTS, 0), "version": 0}, None),
        ({"points": POINTS}, ["version"]),
        ({"version": 0}, ["points"]),
        ({"points": POINTS, "version": 0, "vote": 1}, ["vote"]),
        ([], None),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(me, body, fields):
    error = refused(me.put(WEIGHTS, body), 400)
    assert fields is None or list(error["fields"]) == fields
    assert not Weights.objects.exists()


def test_many_wrong_names_are_not_all_told(me):
    error = refused(me.put(ONE, SAID | {"version": 0, "benefits": {f"{'x' * 300}{n}": 1 for n in range(500)}}), 400)
    assert len(json.dumps(error)) < 5000
    error = refused(me.put(WEIGHTS, {"version": 0, "points": {f"K{n}": 1 for n in range(6, 500)}}), 400)
    assert len(error["fields"]["points"]) == 20


def test_principles_that_are_not_there_or_have_no_light_level(me):
    refused(me.put(BALLOT + "nonsense/", SAID | {"version": 0}), 404, code="unknown_principle")
    error = refused(me.put(BALLOT + "versioning/", {"stance": "rates", "light": SAID["light"], "version": 0}), 400)
    assert error["fields"] == {"light": ["This principle has no light level to rate."]}
    kept = me.put(BALLOT + "versioning/", {"stance": "rates", "vote": 6, "light": None, "version": 0})
    assert kept.status_code == 200 and kept.json()["light"] is None


def test_a_principle_of_the_team_can_be_called_weights(project, team, owner):
    published(team, owner, "Weights")
    known = ProfileDraft({"people": 3.0}, True)
    save_profile(project=project, kind="current", draft=known, measured=None, actor=owner)
    invite_member(project=project, user=owner, actor=owner)
    open_round(project=project, actor=owner)
    person = Person(project, owner)
    slug = next(one["slug"] for one in person.get(BALLOT).json()["principles"] if one["name"] == "Weights")
    assert person.put(f"{BALLOT}{slug}/", {"stance": "rates", "vote": 4, "version": 0}).status_code == 200
    assert line(person, slug)["answer"]["vote"] == 4


def test_links_are_completed_as_on_the_page(me):
    kept = me.put(ONE, {"stance": "rates", "vote": 5, "evidence_url": "example.org/a", "version": 0}).json()
    assert kept["evidence_url"] == "https://example.org/a"


def test_nothing_is_said_in_a_closed_round(me, project, opened, expert, owner):
    say(expert, vote=7)
    close_round(project=project, actor=owner)
    refused(me.put(ONE, SAID | {"version": 1}), 409, code="round_closed")
    refused(me.put(WEIGHTS, {"points": POINTS, "version": 0}), 409, code="round_closed")
    ballot = me.get(BALLOT).json()
    assert (ballot["round"], ballot["open"]) == (1, False)
    assert Rating.objects.get().vote == 7


def test_before_the_first_round_there_is_something_to_read(scoped, expert, owner):
    ballot = Person(scoped, owner).get(BALLOT).json()
    assert (ballot["round"], ballot["open"], ballot["anonymous"], ballot["total"]) == (None, False, None, 12)
    refused(Person(scoped, owner).put(ONE, SAID | {"version": 0}), 409, code="round_closed")


def test_who_may_vote(project, team, owner, opened, expert):
    token = Calls(project, actor=owner)
    viewer, stranger, uninvited = make_user(), make_user(), make_user()
    make_member(team, viewer, Role.VIEWER)
    make_member(team, uninvited, Role.EXPERT)
    taken_off = member(project, team, owner, "Bea")
    revoke(project=project, expert=taken_off.expert, actor=owner)
    other = Calls(make_project(team), actor=owner)
    body = json.dumps(SAID | {"version": 0})
    for path in (BALLOT, ONE, WEIGHTS):
        method = "get" if path == BALLOT else "put"

        def ask(browser, headers=None, path=path, method=method):
            data = {} if method == "get" else {"data": body, "content_type": JSON}
            return getattr(browser, method)(token.url(path), headers=headers or {}, **data)

        for scopes in ((), (Scope.READ,), (Scope.MANAGE,)):
            calls = Calls(project, *scopes, actor=owner)
            assert "person" in refused(ask(calls.client, calls.headers), 403)["message"]
        refused(ask(other.client, other.headers), 404)
        refused(ask(Client()), 401)
        refused(ask(Person(project, viewer).browser), 403)
        refused(ask(Person(project, stranger).browser), 404)
        for person in (Person(project, uninvited), taken_off):
            assert "panel" in refused(ask(person.browser), 403)["message"]
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(owner)
        if method == "put":
            assert "CSRF" in refused(ask(strict), 403)["message"]
    assert not Rating.objects.exists()


def test_the_round_before_is_told_by_reasons_and_counts_without_names(me, project, team, owner, opened, expert):
    bea = member(project, team, owner, "Bea")
    bea.put(ONE, SAID | {"version": 0, "vote": 2, "reason": "Zebras."})
    bea.put(BALLOT + "testing/", {"stance": "not_applicable", "reason": "None here.", "version": 0})
    me.put(ONE, SAID | {"version": 0, "reason": "Antelopes."})
    assert "Zebras" not in me.get(BALLOT).content.decode()
    close_round(project=project, actor=owner)
    open_round(project=project, actor=owner)
    feedback = line(me)["feedback"]
    assert feedback == {
        "round": 1, "voters": 2, "own_vote": 8, "counts": {str(n): int(n in (2, 8)) for n in range(1, 10)},
        "reasons": [
            {"text": text, "evidence_url": SAID["evidence_url"], "stance": "rates", "expert": None}
            for text in ("Antelopes.", "Zebras.")
        ],
    }  # fmt: skip
    assert line(me, "testing")["feedback"]["reasons"][0]["stance"] == "not_applicable"
    assert line(me, "versioning")["feedback"]["reasons"] == []
    told = me.get(BALLOT).content.decode()
    assert "Bea" not in told and bea.expert.code not in told and expert.code not in told


def test_names_are_told_where_the_panel_is_not_anonymous(scoped, expert, owner):
    open_round(project=scoped, actor=owner, anonymous=False)
    say(expert, vote=3, reason="Antelopes.")
    close_round(project=scoped, actor=owner)
    open_round(project=scoped, actor=owner)
    assert line(Person(scoped, owner))["feedback"]["reasons"][0]["expert"] == "olga"


def test_a_carried_answer_is_confirmed_by_sending_it_again(me, project, opened, expert, owner):
    first = me.put(ONE, SAID | {"version": 0}).json()
    me.put(WEIGHTS, {"points": POINTS, "version": 0})
    close_round(project=project, actor=owner)
    open_round(project=project, actor=owner)
    ballot = me.get(BALLOT).json()
    carried = line(me)["answer"]
    assert ballot["done"] == 0 and carried["carried"] and ballot["weights"]["carried"]
    assert sendable(carried) == sendable(first) | {"version": 1}
    assert me.put(ONE, sendable(carried) | {"version": 0}).status_code == 409  # one that was not read
    confirmed = me.put(ONE, sendable(carried)).json()
    assert confirmed == carried | {"carried": False, "version": 2, "saved_at": confirmed["saved_at"]}
    weights = me.put(WEIGHTS, {"points": ballot["weights"]["points"], "version": ballot["weights"]["version"]}).json()
    assert not weights["carried"] and weights["points"] == POINTS
    assert me.get(BALLOT).json()["done"] == 1


def test_reading_takes_the_same_queries_whatever_was_said(me, project, opened, expert, owner):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert me.get(BALLOT).status_code == 200
        return len(queries)

    guests = [invite_guest(project=project, name=f"Guest {number}", actor=owner).expert for number in range(5)]
    say(expert, vote=5)
    close_round(project=project, actor=owner)
    open_round(project=project, actor=owner)
    asked()
    before = asked()
    for who in (*guests, expert):
        for principle in load_catalogue().principles:
            base = 1 if (who, principle.slug) == (expert, "monitoring") else 0
            say(who, principle.slug, base=base, vote=5, reason=f"{who} on {principle.slug}")
        save_weights(expert=who, points=POINTS)
    assert asked() == before <= 10
    close_round(project=project, actor=owner)
    open_round(project=project, actor=owner)
    assert asked() == before
    assert all(len(one["feedback"]["reasons"]) == 6 for one in me.get(BALLOT).json()["principles"])
