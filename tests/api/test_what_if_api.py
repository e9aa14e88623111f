"""A closed round with other assumptions, and two rounds side by side, through the HTTP API."""

from __future__ import annotations

import pytest
from django.test import Client

from assessments.models import Round
from assessments.scoring.scope import FACTORS
from assessments.selectors.comparison import compare_rounds, read_choices
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.what_if import Turned, read_what_if
from assessments.services.assessments import close
from assessments.services.panel_results import work_out
from assessments.services.panel_rounds import open_round
from assessments.services.scope import ProfileDraft, save_profile
from projects.models import Activity, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.assessments.test_results import hold_round
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

WHAT_IF, COMPARE = "assessment/1/rounds/1/what-if/", "assessment/compare/"


@pytest.fixture(scope="module")
def kept_round(kept_project):
    """The key of a closed round with its result."""
    closed = hold_round(kept_project, kept_project.team.memberships.get().user, votes=(2, 8, 9))
    work_out(closed.pk)
    return closed.pk


@pytest.fixture
def told(kept_round, db):
    return Round.objects.select_related("assessment__project__team").get(pk=kept_round)


@pytest.fixture
def project(told):
    return told.assessment.project


@pytest.fixture
def team(project):
    return project.team


@pytest.fixture
def owner(team):
    return team.memberships.get().user


@pytest.fixture
def reader(project):
    return Calls(project, Scope.READ)


def asked(api, body, path=WHAT_IF):
    answer = api.post(path, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_nothing_turned_is_the_kept_result_to_the_last_digit(reader, told):
    found = asked(reader, {})
    assert (found["assessment"], found["round"], found["complete"], found["changed"]) == (1, 1, True, [])
    saved = {one["slug"]: one for one in told.result["options"]}
    for line in found["principles"]:
        assert line["probability_before"] == line["probability_after"] == saved[line["slug"]]["probability"]
        assert line["verdict_after"] == saved[line["slug"]]["verdict"].replace(" ", "_") and not line["moved"]
    assert found["net_days"]["before"] == found["net_days"]["after"] == told.result["today"]["net_p50"]


def test_it_says_what_the_page_says(reader, told):
    inputs = read_inputs(told)
    body = {"worth": 60, "budget": 10, "plan": 0.5, "first_version": True}
    page = read_what_if(told, inputs, Turned(worth=60, budget=10, part=0.5, first_version=True))
    found = asked(reader, body)
    assert [tuple(one.values()) for one in found["changed"]] == list(page.said)
    assert found["adopt_now"] == {"before": page.now_before, "after": page.now_after}
    assert found["net_days"] == {"before": page.net_before, "after": page.net_after}
    assert [one["slug"] for one in found["principles"] if one["moved"]] == [line.slug for line in page.moved]
    assert page.moved and found["adopt_now"]["after"] < found["adopt_now"]["before"]


def test_a_limit_can_be_taken_away_and_left_out(reader, told):
    Round.objects.filter(pk=told.pk).update(settings=told.settings | {"budget_days": 20.0}, result=None)
    work_out(told.pk)
    assert asked(reader, {})["changed"] == []
    [row] = asked(reader, {"budget": None})["changed"]
    assert row == {"what": "Budget", "before": "20 days", "after": "no limit"}


def test_a_value_between_two_levels_is_told_too(reader, told):
    found = asked(reader, {"factors": {"regulated": 0.4}})
    words = "partial regulation or customers' audits"
    assert found["changed"] == [{"what": "Regulated", "before": f"{words} (0.5)", "after": f"{words} (0.4)"}]


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: factor.name)
def test_each_factor_takes_a_value_in_its_own_unit(reader, told, factor):
    value = factor.levels[0].value
    found = asked(reader, {"factors": {factor.name: value}})
    was = read_inputs(told).scope.values[factor.name]
    assert found["changed"] == (
        [] if was == value else [{"what": factor.title, "before": factor.say(was), "after": factor.say(value)}]
    )


def test_a_factor_wins_over_the_way_to_the_plan(reader, told):
    titles = [one["what"] for one in asked(reader, {"plan": 1, "factors": {"people": 8}})["changed"]]
    assert "People changing the system" not in titles and "Models in production" in titles


def test_nothing_is_kept_and_readers_may_ask(project, team, reader, told):
    viewer, stranger = make_user(), make_user()
    make_member(team, viewer, Role.VIEWER)
    before = Activity.objects.count()
    for user, status in ((viewer, 200), (stranger, 404)):
        assert Person(project, user).post(WHAT_IF, {"worth": 20}).status_code == status
    assert asked(reader, {"worth": 20})["changed"]
    assert Activity.objects.count() == before
    kept = Round.objects.get(pk=told.pk)
    assert (kept.result, kept.settings, kept.seal) == (told.result, told.settings, told.seal)
    refused(Calls(project, Scope.MANAGE).post(WHAT_IF, {}), 403)
    refused(Client().post(reader.url(WHAT_IF), "{}", content_type=JSON), 401)
    elsewhere = Calls(make_project(team))
    refused(reader.client.post(reader.url(WHAT_IF), "{}", content_type=JSON, headers=elsewhere.headers), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"worth": -1},
        {"worth": "300"},
        {"worth": None},
        {"worth": True},
        {"budget": -1},
        {"budget": "none"},
        {"plan": 1.1},
        {"plan": None},
        {"factors": {"weather": 1}},
        {"factors": {"people": "many"}},
        {"factors": {"people": None}},
        {"factors": {"criticality": 6}},
        {"factors": {"criticality": 0}},
        {"factors": {"regulated": 2}},
        {"factors": {"people": 1e9}},
        {"factors": [1]},
        {"first_version": "yes"},
        {"draws": 100000},
        {"seed": 1},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(reader, told, wrong):
    error = refused(reader.post(WHAT_IF, wrong), 400)
    assert set(error["fields"]) == set(wrong)


def test_a_round_without_a_plan_has_no_way_to_it(reader, told):
    Round.objects.filter(pk=told.pk).update(scope_planned=None)
    assert set(refused(reader.post(WHAT_IF, {"plan": 0.5}), 400)["fields"]) == {"plan"}
    assert asked(reader, {"plan": 0})["changed"] == []


def test_open_rounds_and_such_as_are_not_there_are_not_varied(project, owner, reader, told):
    open_round(project=project, actor=owner)
    for path in ("assessment/1/rounds/2/what-if/", "assessment/1/rounds/9/what-if/", "assessment/2/rounds/1/what-if/"):
        refused(reader.post(path, {}), 404)


def test_a_round_that_is_not_worked_out_yet_is_varied_from_fewer_readings(project, owner, reader):
    hold_round(project, owner)
    assert asked(reader, {"worth": 20}, "assessment/1/rounds/2/what-if/")["complete"] is False


# --- two rounds side by side ----------------------------------------------------------------------


def test_two_rounds_say_what_the_page_says(project, owner, reader, told):
    refused(reader.get(COMPARE), 409, code="nothing_to_compare")
    work_out(hold_round(project, owner, votes=(3, 8, 9)).pk)
    close(project=project, actor=owner)
    small = ProfileDraft({"people": 1.0, "deployments_per_week": 0.25}, first_version=False)
    save_profile(project=project, kind="current", draft=small, measured=None, actor=owner)
    again = hold_round(project, owner, votes=(2, 8, 9), fresh=True)
    Round.objects.filter(pk=again.pk).update(settings=again.settings | {"full_benefit_days": 100.0})
    work_out(again.pk)
    newest = reader.get(COMPARE).json()
    assert newest == reader.get(COMPARE, {"before": "1.2", "after": "2.1"}).json()
    named = {choice.value: choice for choice in read_choices(project)}
    page = compare_rounds(named["1.2"], named["2.1"])
    assert (newest["before"]["assessment"], newest["before"]["round"]) == (1, 2)
    assert [tuple(one.values()) for one in newest["scope"]] == list(page.scopes) and page.scopes
    assert [tuple(one.values()) for one in newest["assumptions"]] == list(page.assumptions) and page.assumptions
    assert newest["net_days"] == {"before": page.net_before, "after": page.net_after}
    for one, line in zip(newest["principles"], page.lines, strict=True):
        assert (one["slug"], one["name"], one["moved"], one["note"]) == (
            line.change.slug, line.name, line.moved, line.change.note
        )  # fmt: skip
        assert tuple(100 * one[part] for part in ("by_answers", "by_scope", "by_assumptions")) == line.parts
        assert (one["votes"]["both"], one["probability_after"]) == (line.change.votes.both, line.change.after)
    assert any(one["by_scope"] for one in newest["principles"])
    back = reader.get(COMPARE, {"before": "1.2", "after": "1.1"}).json()
    assert back["principles"][0]["votes"]["down"] == 1


def test_rounds_that_cannot_be_compared_are_refused(project, owner, reader, told):
    hold_round(project, owner)
    open_round(project=project, actor=owner)
    refused(reader.get(COMPARE, {"before": "1.1", "after": "1.1"}), 400)
    for name in ("1.3", "9.9"):
        refused(reader.get(COMPARE, {"before": name}), 404, code="unknown_round")
    for name in ("", "1", "1.2.3", "a.b", "1.1\x00"):
        refused(reader.get(COMPARE, {"before": name}), 400)
    refused(Calls(project, Scope.MANAGE).get(COMPARE), 403)
