"""The panel through the HTTP API: who is invited, opening and closing rounds, and what is not told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assessments.forms.panel import SettingsForm
from assessments.models import Expert, Rating, Round
from assessments.principles import load_catalogue
from assessments.scoring.settings import Settings
from assessments.services.assumptions import keep_assumptions
from assessments.services.board import open_board
from assessments.services.panel_ratings import save_weights
from assessments.services.panel_rounds import close_round, invite_guest, invite_member, open_round, revoke
from ops_portal.errors import UserError
from projects.models import Activity, ApiToken, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.assessments.ballots import say
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

EXPERTS = "assessment/experts/"
ROUNDS = "assessment/rounds/"


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


@pytest.fixture
def nora(team):
    user = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, user, Role.EXPERT)
    return user


def listed(api):
    return {one["name"]: one for one in api.get(EXPERTS).json()["results"]}


def test_members_and_guests_are_invited_and_taken_off(api, project, nora, owner):
    assert listed(api) == {}
    made = api.post(EXPERTS, {"member": "nora"})
    assert made.status_code == 201
    member = made.json()
    assert (member["name"], member["guest"]) == ("Nora Lind", False)
    assert (member["address"], member["works_until"]) == (None, None)
    assert refused(api.post(EXPERTS, {"member": "nora"}), 409, code="already_invited")
    guest = api.post(EXPERTS, {"guest": "Ana Silva", "days": 7}).json()
    assert guest["guest"] and guest["address"].startswith("http://testserver/projects/")
    kept = Expert.objects.get(pk=guest["id"])
    assert 6 < (kept.expires_at - timezone.now()).total_seconds() / 86400 < 7.1
    assert Client().get(guest["address"]).status_code == 200
    shown = listed(api)
    assert list(shown) == ["Ana Silva", "Nora Lind"] and "address" not in shown["Ana Silva"]
    assert shown["Nora Lind"] == {name: value for name, value in member.items() if name != "address"}
    renewed = api.post(f"{EXPERTS}{guest['id']}/renew/").json()
    assert renewed["address"] != guest["address"]
    assert (Client().get(guest["address"]).status_code, Client().get(renewed["address"]).status_code) == (404, 200)
    for _ in range(2):
        off = api.post(f"{EXPERTS}{guest['id']}/revoke/")
        assert off.status_code == 200 and off.json()["revoked"] and "address" not in off.json()
    assert Client().get(renewed["address"]).status_code == 410
    api.post(f"{EXPERTS}{member['id']}/revoke/")
    assert api.post(EXPERTS, {"member": "nora"}).json() == member
    verbs = Activity.objects.filter(verb__startswith="panel.").order_by("pk").values_list("verb", "actor")
    expected = ["invited", "invited", "renewed", "revoked", "revoked", "invited"]
    assert list(verbs) == [(f"panel.{verb}", owner.pk) for verb in expected]


def test_who_cannot_be_invited(api, project, team, owner, nora):
    viewer = make_user("vera")
    make_member(team, viewer, Role.VIEWER)
    make_user("stranger")
    for name in ("stranger", "nobody"):  # whether an account is there somewhere else is not told
        error = refused(api.post(EXPERTS, {"member": name}), 400)
        assert error["fields"] == {"member": ["Nobody in this team has this user name."]}
    assert "only read" in refused(api.post(EXPERTS, {"member": "vera"}), 400, code="may_not_rate")["message"]
    with pytest.raises(UserError, match="only read"):
        invite_member(project=project, user=viewer, actor=owner)
    bodies = [
        {}, None, [], "nora", {"member": "nora", "guest": "Ana"}, {"member": "nora", "days": 7}, {"member": 5},
        {"member": None}, {"guest": " "}, {"guest": "A" * 151}, {"guest": "Ana", "days": 0},
        {"guest": "Ana", "days": 366}, {"guest": "Ana", "days": "7"}, {"guest": "Ana", "days": 1.5},
        {"guest": "Ana", "days": True}, {"guest": "Ana", "role": "expert"}, {"guest": "A\0na"}, {"member": "n\0ra"},
    ]  # fmt: skip
    for body in bodies:
        refused(api.post(EXPERTS, body), 400)
    error = refused(api.post(EXPERTS, {"guest": "Ana", "days": 366}), 400)
    assert list(error["fields"]) == ["days"]
    assert not Expert.objects.exists()


def test_only_a_guest_of_this_projects_panel_gets_a_new_link(api, project, team, owner, nora):
    other = make_project(team)
    theirs = invite_guest(project=other, name="Ben", actor=owner).expert
    member = invite_member(project=project, user=nora, actor=owner).expert
    for number in (theirs.pk, 10**6, 10**30):
        refused(api.post(f"{EXPERTS}{number}/renew/"), 404)
        refused(api.post(f"{EXPERTS}{number}/revoke/"), 404)
    refused(api.post(f"{EXPERTS}{member.pk}/renew/"), 400, code="not_a_guest")
    theirs.refresh_from_db()
    assert theirs.revoked_at is None
    expired = invite_guest(project=project, name="Ana", actor=owner).expert
    Expert.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    assert api.post(f"{EXPERTS}{expired.pk}/renew/").json()["works_until"] > timezone.now().isoformat()


def test_how_far_each_is_while_a_round_is_open(api, scoped, owner, nora):
    mine = invite_member(project=scoped, user=owner, actor=owner).expert
    theirs = invite_member(project=scoped, user=nora, actor=owner).expert
    blank = {"answered": None, "total": None, "weights": None, "last_saved": None}
    assert all(blank.items() <= one.items() for one in listed(api).values())
    open_round(project=scoped, actor=owner)
    for principle in load_catalogue().principles:
        say(theirs, principle.slug, vote=8)
    say(mine, "testing", benefits={"K1": 2})  # no vote yet: not answered
    say(mine, "monitoring", stance="unknown")
    save_weights(expert=theirs, points=dict.fromkeys(load_catalogue().benefit_keys, 60))
    shown = listed(api)
    saved = Rating.objects.filter(expert=theirs).order_by("-saved_at").first().saved_at
    assert (shown["olga"]["answered"], shown["olga"]["weights"]) == (1, False)
    assert (shown["Nora Lind"]["answered"], shown["Nora Lind"]["total"], shown["Nora Lind"]["weights"]) == (
        12,
        12,
        True,
    )
    assert shown["Nora Lind"]["last_saved"] == saved.isoformat().replace("+00:00", "Z")
    now = api.get(ROUNDS + "open/").json()
    assert (now["invited"], now["begun"], now["finished"], now["can_close"]) == (2, 2, 1, True)
    revoke(project=scoped, expert=theirs, actor=owner)
    assert api.get(ROUNDS + "open/").json()["invited"] == 1
    close_round(project=scoped, actor=owner)
    assert all(blank.items() <= one.items() for one in listed(api).values())


def test_codes_name_nobody_where_the_panel_is_anonymous(api, scoped, expert, owner):
    assert listed(api)["olga"]["code"] is None  # not decided yet
    open_round(project=scoped, actor=owner)
    say(expert, vote=7)
    codes = [expert.code]
    close_round(project=scoped, actor=owner)
    assert listed(api)["olga"]["code"] is None
    for path in (EXPERTS, ROUNDS):
        assert not any(code in api.get(path).content.decode() for code in codes)


def test_codes_are_told_where_names_are_shown_anyhow(api, scoped, expert, owner):
    open_board(project=scoped, anonymous=True, actor=owner)
    open_round(project=scoped, actor=owner, anonymous=False)
    assert listed(api)["olga"]["code"] == expert.code


def test_the_first_round_fixes_anonymity_and_settings(api, scoped, expert, owner):
    refused(api.get(ROUNDS + "open/"), 404, code="no_round")
    chosen = {"full_benefit_days": 120, "remembered_benefit_days": 12, "maximum_rounds": 2, "budget_days": None}
    made = api.post(ROUNDS, {"anonymous": False, "settings": chosen})
    assert made.status_code == 201
    settings = Settings(full_benefit_days=120, remembered_benefit_days=12, maximum_rounds=2)
    shown = made.json()
    assert Settings.from_json(Round.objects.get().settings) == settings
    assert (shown["round"], shown["anonymous"], shown["settings_digest"]) == (1, False, settings.digest())
    assert "more than twofold" in shown["doubt"] and shown["rounds_left"] == 1 and not shown["can_close"]
    assert api.get(ROUNDS + "open/").json() == shown
    for body in ({}, {"anonymous": True}):
        refused(api.post(ROUNDS, body), 409, code="round_open")
    say(expert, vote=7)
    assert api.post(ROUNDS + "close/").status_code == 200
    for body in ({"anonymous": False}, {"settings": {}}, {"settings": {"overrun": 2}}):
        refused(api.post(ROUNDS, body), 409, code="settings_fixed")
    second = api.post(ROUNDS).json()
    assert (second["round"], second["anonymous"], second["settings_digest"]) == (2, False, settings.digest())
    assert second["can_close"]  # what was answered is carried over
    assert api.post(ROUNDS + "close/").status_code == 200
    refused(api.post(ROUNDS), 409, code="last_round")
    assert api.post("assessment/close/").status_code == 200
    # What a closed assessment fixed is not fixed for the next one.
    refused(api.post(ROUNDS, {"anonymous": True}), 409, code="no_experts")


def test_what_is_left_out_is_as_the_projects_assumptions_have_it(api, scoped, expert, owner):
    held = Settings(overrun=1.5, draws=400)
    keep_assumptions(project=scoped, settings=held, reason="As seen.", base=0, actor=owner)
    made = api.post(ROUNDS, {"settings": {"budget_days": 40.5}}).json()
    assert made["settings_digest"] == Settings(overrun=1.5, draws=400, budget_days=40.5).digest()
    assert made["anonymous"] and made["doubt"] is None


def test_what_the_page_refuses_is_refused_here(api, scoped, expert, owner):
    for name in SettingsForm.NAMES:
        field = SettingsForm.base_fields[name]
        wrong = [field.min_value - 1, field.max_value + 1, "1", True, [1]] + [None] * field.required
        for value in wrong:
            error = refused(api.post(ROUNDS, {"settings": {name: value}}), 400)
            assert list(error["fields"]["settings"]) == [name], (name, value)
    refused(api.post(ROUNDS, {"settings": {"maximum_rounds": 1.5}}), 400)
    for body in (
        {"settings": {"draws": 5}},
        {"settings": []},
        {"settings": None},
        {"anonymous": "yes"},
        [],
        {"open": 1},
    ):
        refused(api.post(ROUNDS, body), 400)
    held = Settings(maximum_rounds=10)
    keep_assumptions(project=scoped, settings=held, reason="Many.", base=0, actor=owner)
    error = refused(api.post(ROUNDS), 400)  # the page would not take the project's assumptions as they are, either
    assert list(error["fields"]["settings"]) == ["maximum_rounds"]
    assert not Round.objects.exists()


def test_a_round_needs_a_scope_experts_and_answers(api, project, owner):
    refused(api.post(ROUNDS), 409, code="no_scope")
    refused(api.post(ROUNDS + "close/"), 409, code="no_round")


def test_closing_rings_the_worker(api, scoped, expert, rung, django_capture_on_commit_callbacks):
    opened = api.post(ROUNDS).json()
    refused(api.post(ROUNDS + "close/"), 409, code="no_answers")
    say(expert, vote=7)
    with django_capture_on_commit_callbacks(execute=True):
        closed = api.post(ROUNDS + "close/").json()
    row = Round.objects.get()
    assert closed == {
        "assessment": opened["assessment"], "round": 1, "complete": False, "seal": row.seal,
        "closed_at": row.closed_at.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert [ring[:2] for ring in rung if "assessments" in ring[0]] == [("assessments.tasks.work_out_result", (row.pk,))]
    assert api.get(ROUNDS).json()["results"] == [closed]
    refused(api.post(ROUNDS + "close/"), 409, code="no_round")
    refused(api.get(ROUNDS + "open/"), 404, code="no_round")


def test_who_may(project, scoped, team, owner, nora, expert):
    guest = invite_guest(project=project, name="Ana", actor=owner).expert
    reader, manager = Calls(project, Scope.READ), Calls(project, Scope.MANAGE, actor=owner)
    viewer, maintainer, stranger = make_user(), make_user(), make_user()
    make_member(team, viewer, Role.VIEWER)
    make_member(team, maintainer, Role.MAINTAINER)
    elsewhere = Calls(make_project(team), actor=owner)
    changes = [
        (EXPERTS, {"member": "nora"}), (f"{EXPERTS}{guest.pk}/renew/", None), (f"{EXPERTS}{guest.pk}/revoke/", None),
        (ROUNDS, {}), (ROUNDS + "close/", None),
    ]  # fmt: skip
    for path, body in changes:
        refused(reader.post(path, body), 403)
        refused(Person(project, viewer).post(path, body), 403)
        refused(Person(project, nora).post(path, body), 403)
        refused(Person(project, stranger).post(path, body), 404)
        refused(Client().post(manager.url(path), json.dumps(body), content_type=JSON), 401)
        theirs = elsewhere.client.post(
            manager.url(path), json.dumps(body), content_type=JSON, headers=elsewhere.headers
        )
        refused(theirs, 404)
    assert Expert.objects.count() == 2 and not Round.objects.exists()
    open_round(project=project, actor=owner)
    for path in (EXPERTS, ROUNDS, ROUNDS + "open/"):
        for asking in (reader, Person(project, viewer)):
            assert asking.get(path).status_code == 200
        refused(manager.get(path), 403)
        refused(Person(project, stranger).get(path), 404)
        refused(Client().get(manager.url(path)), 401)
    say(expert, vote=5)
    assert Person(project, maintainer).post(ROUNDS + "close/").status_code == 200
    assert Person(project, maintainer).post(EXPERTS, {"member": "nora"}).status_code == 201
    assert manager.post(ROUNDS).status_code == 201
    assert Round.objects.get(number=2).opened_by == owner
    ApiToken.objects.filter(created_by=owner).update(created_by=None)
    assert "gone" in refused(manager.post(ROUNDS + "close/"), 403)["message"]


def test_reading_takes_the_same_queries_whatever_the_panels_size(scoped, owner, expert):
    reader = Calls(scoped, Scope.READ)
    open_round(project=scoped, actor=owner)

    def asked():
        counts = []
        for path in (EXPERTS, ROUNDS + "open/"):
            with CaptureQueriesContext(connection) as queries:
                assert reader.get(path).status_code == 200
            counts.append(len(queries))
        return counts

    asked()
    before = asked()
    for number in range(8):
        guest = invite_guest(project=scoped, name=f"Guest {number}", actor=owner).expert
        for principle in load_catalogue().principles:
            say(guest, principle.slug, vote=number + 1)
    assert asked() == before and max(before) <= 10
    pages, page = [], reader.get(EXPERTS, {"page_size": 4}).json()
    pages += page["results"]
    while page["next"]:
        page = reader.client.get(page["next"], headers=reader.headers).json()
        pages += page["results"]
    assert [one["name"] for one in pages] == [*(f"Guest {number}" for number in range(7, -1, -1)), "olga"]
