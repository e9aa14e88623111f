"""A whole panel by calls alone; and the same ballot, filled in by calls and by pages, has the same seal."""

from __future__ import annotations

import pytest

from assessments import tasks
from assessments.models import Rating, Round, Weights
from assessments.principles import load_catalogue
from assessments.scoring.settings import Settings
from assessments.services.assumptions import keep_assumptions
from assessments.services.panel_rounds import open_round, seal_of
from projects.models import Role
from tests.api.calls import Calls, Person
from tests.assessments.ballots import HTMX, url
from tests.assessments.test_ballot_api import BALLOT, POINTS, WEIGHTS, sendable
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db


def answers_of(number):
    """Whole answers to every principle, different for each number."""
    stances = {3: {"stance": "unknown", "reason": "Never seen it."}, 5: {"stance": "not_applicable", "reason": "No."}}
    for place, principle in enumerate(load_catalogue().principles):
        days = principle.defaults.effort
        light = principle.light
        answer = {
            "stance": "rates",
            "vote": (place * 3 + number) % 9 + 1,
            "confidence": ("low", "medium", "high")[(place + number) % 3],
            "benefits": {key: (4 - number % 2) if at else None for at, key in enumerate(principle.serves)},
            "effort": {"low": days.low, "likely": days.likely + number / 3, "high": days.high + number},
            "light": light and {
                "benefits": dict.fromkeys(light.serves, 1),
                "effort": {"low": 0.5 if days.low >= 0.5 else 0, "likely": None, "high": None},
            },
            "reason": f"Reason {number}: é, 漢字 and\ntwo lines.",
            "evidence_url": f"https://example.org/{number}",
        }  # fmt: skip
        yield principle.slug, answer | (stances.get(place, {}) | {"vote": None} if place in stances else {})


def as_form(answer):
    """The same answer as a browser sends it."""
    sent = {"vote": str(answer["vote"]) if answer["stance"] == "rates" else answer["stance"]}
    sent |= {name: answer[name] for name in ("confidence", "reason", "evidence_url")}
    for prefix, part in (("", answer), ("light_", answer["light"])):
        for key, level in (part["benefits"] if part else {}).items():
            sent[f"{prefix}benefit_{key}"] = "unknown" if level is None else str(level)
        for name, days in (part["effort"] if part else {}).items():
            sent[f"{prefix}effort_{name}"] = "" if days is None else str(days)
    return sent


def test_the_same_ballot_has_the_same_seal_by_http_and_by_page(as_owner, scoped, expert, owner):
    me, opened = Person(scoped, owner), open_round(project=scoped, actor=owner)
    for slug, answer in answers_of(1):
        page = as_owner.post(url(scoped, "vote", slug), as_form(answer) | {"version": "0"}, headers=HTMX)
        assert page.status_code == 200, page.content
    page = as_owner.post(url(scoped, "vote_weights"), {key: str(value) for key, value in POINTS.items()}, headers=HTMX)
    assert page.status_code == 200
    by_page = seal_of(opened)
    Rating.objects.all().delete()
    Weights.objects.all().delete()
    assert seal_of(opened) != by_page
    for slug, answer in answers_of(1):
        assert me.put(f"{BALLOT}{slug}/", answer | {"version": 0}).status_code == 200
    assert me.put(WEIGHTS, {"points": POINTS, "version": 0}).status_code == 200
    assert seal_of(opened) == by_page


def test_a_whole_panel_over_http(scoped, team, owner):
    keep_assumptions(
        project=scoped, settings=Settings(draws=50, flip_draws=20, flip_steps=3), reason="Fast.", base=0, actor=owner
    )
    api = Calls(scoped, actor=owner)
    people = []
    for name in ("ann", "bea", "cem"):
        user = make_user(name)
        make_member(team, user, Role.EXPERT)
        assert api.post("assessment/experts/", {"member": name}).status_code == 201
        people.append(Person(scoped, user))
    first = api.post("assessment/rounds/", {"settings": {"full_benefit_days": 200, "maximum_rounds": 2}}).json()
    assert (first["round"], first["invited"], first["finished"]) == (1, 3, 0)
    for number, person in enumerate(people):
        for slug, answer in answers_of(number):
            assert person.put(f"{BALLOT}{slug}/", answer | {"version": 0}).status_code == 200
        points = {key: (value + number) % 101 for key, value in POINTS.items()}
        assert person.put(WEIGHTS, {"points": points, "version": 0}).status_code == 200
    assert api.get("assessment/rounds/open/").json()["finished"] == 3
    assert api.get("assessment/1/rounds/1/").status_code == 404
    closed = api.post("assessment/rounds/close/").json()
    assert (closed["round"], closed["complete"]) == (1, False)
    tasks.work_out_result(Round.objects.get(number=1).pk)
    assert api.get("assessment/rounds/").json()["results"] == [closed | {"complete": True}]
    result = api.get("assessment/1/rounds/1/").json()
    assert (result["complete"], result["invited"], result["voted"], result["seal"]) == (True, 3, 3, closed["seal"])
    assert (result["settings"]["full_benefit_days"], result["settings"]["draws"]) == (200, 50)
    votes = sorted([row["monitoring"] for row in result["votes_by_code"].values()])
    assert votes == sorted(dict(answers_of(number))["monitoring"]["vote"] for number in range(3))

    assert api.post("assessment/rounds/").json()["round"] == 2
    for person in people:
        ballot = person.get(BALLOT).json()
        assert ballot["done"] == 0 and all(one["answer"]["carried"] for one in ballot["principles"])
        for one in ballot["principles"]:
            assert person.put(f"{BALLOT}{one['slug']}/", sendable(one["answer"])).status_code == 200
        assert person.put(WEIGHTS, sendable(ballot["weights"])).status_code == 200
        assert person.get(BALLOT).json()["done"] == 12
    assert api.get("assessment/rounds/open/").json()["finished"] == 3
    assert api.post("assessment/rounds/close/").status_code == 200
    tasks.work_out_result(Round.objects.get(number=2).pk)
    again = api.get("assessment/1/rounds/2/").json()
    assert again["votes_by_code"] == result["votes_by_code"] and again["net_days"] == result["net_days"]
    assert api.post("assessment/rounds/").json()["error"]["code"] == "last_round"
