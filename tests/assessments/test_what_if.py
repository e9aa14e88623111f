"""What if, and two rounds side by side: compared with the saved result, from the same readings."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.urls import reverse

from assessments.forms.what_if import WhatIfForm
from assessments.models import Round
from assessments.scoring.scope import FACTORS
from assessments.selectors import comparison, report
from assessments.selectors.comparison import compare_rounds, read_choices
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.what_if import Turned, read_what_if, vary
from assessments.services.assessments import close
from assessments.services.panel_results import work_out
from assessments.services.scope import ProfileDraft, save_profile
from tests.assessments.test_results import hold_round

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def url(project, name, *args):
    return reverse(f"assessments:{name}", args=[project.slug, *args])


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


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


def standing(inputs, **moved):
    """What a browser sends: every control as it stands, save those that were moved."""
    form = WhatIfForm(inputs=inputs)
    return {name: field.initial for name, field in form.fields.items()} | moved


def turned(inputs, **moved):
    form = WhatIfForm(standing(inputs, **moved), inputs=inputs)
    assert form.is_valid(), form.errors
    return form.turned


def test_controls_left_alone_give_the_saved_result_to_the_last_digit(told):
    inputs = read_inputs(told)
    assert vary(inputs, turned(inputs)) == inputs
    found = read_what_if(told, inputs, turned(inputs))
    assert [line.probability_after for line in found.lines] == [o["probability"] for o in told.result["options"]]
    assert found.net_after == told.result["today"]["net_p50"]
    assert not found.moved
    assert not found.said


def test_less_worth_and_less_budget_adopt_less_and_say_so(told):
    inputs = read_inputs(told)
    less = read_what_if(told, inputs, turned(inputs, worth=20))
    assert less.now_after < less.now_before
    assert less.said == (("Worth of all benefits", "300 days", "20 days"),)
    tight = read_what_if(told, inputs, turned(inputs, budget=10))
    assert tight.now_after < less.now_before
    assert tight.said == (("Budget", "no limit", "10 days"),)
    assert turned(inputs, budget=WhatIfForm(inputs=inputs).budget_end).budget is None


@pytest.mark.parametrize("factor", [factor.name for factor in FACTORS])
def test_each_factor_has_a_slider_of_its_own(told, factor):
    inputs = read_inputs(told)
    for place, end in ((0, 0.0), (100, 1.0)):
        varied = vary(inputs, turned(inputs, **{factor: place}))
        scale = next(one for one in FACTORS if one.name == factor)
        if place == WhatIfForm(inputs=inputs).saved_position(scale):
            assert varied.scope == inputs.scope
        else:
            assert scale.position(varied.scope.values[factor]) == pytest.approx(end)
        assert {k: v for k, v in varied.scope.values.items() if k != factor} == {
            k: v for k, v in inputs.scope.values.items() if k != factor
        }


def test_the_way_to_the_plan_and_the_first_version(told):
    inputs = read_inputs(told)
    assert vary(inputs, turned(inputs, plan=100)).scope.values == inputs.planned.values
    assert vary(inputs, turned(inputs, first_version="yes")).scope.first_version
    half = vary(inputs, Turned(worth=300, budget=None, part=0.5)).scope.values
    assert half["models_in_production"] not in (inputs.scope.values["models_in_production"], 4)


def test_the_page_answers_live_and_keeps_the_saved_result(as_owner, project, told):
    page = url(project, "what_if", 1)
    inputs = read_inputs(told)
    less = as_owner.get(page, standing(inputs, worth=20), headers=HTMX).content.decode()
    assert "<html" not in less
    assert re.search(r"<strong>0</strong> to adopt now \(saved: \d+\)", less)
    assert "was: adopt now" in less
    assert "No verdict changes." in as_owner.get(page, standing(inputs), headers=HTMX).content.decode()
    assert Round.objects.get(pk=told.pk).result == told.result


def test_every_slider_says_where_it_stands(as_owner, project, told):
    inputs = read_inputs(told)
    said = dict(WhatIfForm(inputs=inputs).standing)
    assert said["id_worth"] == "300 days a year" and said["id_budget"] == "no limit" and said["id_plan"] == "as today"
    assert len(said) == 3 + len(FACTORS)
    assert all(said.values())
    page = as_owner.get(url(project, "result", 1)).content.decode()
    assert '<span class="slider-says" id="id_worth-says">300 days a year</span>' in page
    turns = standing(inputs, budget=12.5, plan=50, people=0)
    answer = as_owner.get(url(project, "what_if", 1), turns, headers=HTMX).content.decode()
    for name, words in (
        ("budget", "12.5 days"),
        ("plan", "50 % of the way"),
        ("people", "one person changing the system"),
    ):
        assert f'id="id_{name}-says" hx-swap-oob="true">{words}</span>' in answer
    wrong = as_owner.get(url(project, "what_if", 1), standing(inputs, budget="many"), headers=HTMX)
    assert wrong.status_code == 422 and 'id="id_budget-says" hx-swap-oob="true"></span>' in wrong.content.decode()


def test_without_scripts_it_is_a_page_of_its_own(as_owner, project, told):
    page = url(project, "what_if", 1)
    assert "Turn one of them" in as_owner.get(page).content.decode()
    html = as_owner.get(page, standing(read_inputs(told), budget=10)).content.decode()
    assert "<html" in html
    assert "(saved: no limit)" in html
    assert 'name="budget" value="10"' in html, "the control stays where it was put"


@pytest.mark.parametrize("wrong", [{"worth": "-3"}, {"budget": "many"}, {"plan": "400"}, {"people": "nan"}])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_cannot_be_meant_is_refused_in_words(as_owner, project, told, wrong, headers):
    answer = as_owner.get(url(project, "what_if", 1), wrong, headers=headers)
    assert answer.status_code == 422
    assert "field-errors" in answer.content.decode()


def test_a_round_that_is_not_worked_out_yet_is_varied_too(as_owner, project, owner):
    hold_round(project, owner)
    html = as_owner.get(url(project, "what_if", 2), {"worth": "20"}, headers=HTMX).content.decode()
    assert "to adopt now" in html


# --- two rounds side by side ----------------------------------------------------------------------


def test_two_rounds_differ_by_their_answers_alone(as_owner, project, owner, told):
    second = hold_round(project, owner, votes=(3, 8, 9))
    for one in (told, second):
        Round.objects.filter(pk=one.pk).update(result=None, settings=one.settings | {"draws": 600})
        work_out(one.pk)
    after, before = read_choices(project)
    assert (before.value, after.value) == ("1.1", "1.2")
    found = compare_rounds(before, after)
    assert not found.scopes and not found.assumptions
    saved = [{one["slug"]: one for one in each.round.result["options"]} for each in (before, after)]
    for line in found.lines:
        assert line.change.by_scope == line.change.by_assumptions == 0
        for part, side in (("before", saved[0]), ("after", saved[1])):
            assert getattr(line.change, part) == side[line.change.slug]["probability"], "as on the round's own page"
            assert getattr(line.change, f"verdict_{part}") == side[line.change.slug]["verdict"]
        assert line.change.by_answers == pytest.approx(line.change.after - line.change.before)
        assert (line.change.votes.both, line.change.votes.changed, line.change.votes.up) == (3, 1, 1)
    html = as_owner.get(url(project, "compare")).content.decode()
    assert "1 of 3 moved (1 up, 0 down)" in html


def test_rounds_that_differ_by_one_thing_are_compared_without_working_anything_out(as_owner, project, owner, told):
    work_out(hold_round(project, owner, votes=(3, 8, 9)).pk)
    caches = comparison._worked_out, report._worked_out
    before = [cache.cache_info().misses for cache in caches]
    html = as_owner.get(url(project, "compare")).content.decode()
    assert "One change at a time" in html
    assert [cache.cache_info().misses for cache in caches] == before


def test_comparing_reads_as_much_however_many_rounds_there_are(
    as_owner, project, owner, told, django_assert_max_num_queries
):
    work_out(hold_round(project, owner, votes=(3, 8, 9)).pk)
    work_out(hold_round(project, owner, votes=(4, 8, 9)).pk)
    with django_assert_max_num_queries(18):
        compare_rounds(*read_choices(project)[:2])


def test_two_assessments_differ_by_scope_and_assumptions_and_the_parts_add_up(as_owner, project, owner, told):
    close(project=project, actor=owner)
    small = ProfileDraft({"people": 1.0, "deployments_per_week": 0.25, "manual_steps": 2.0}, first_version=False)
    save_profile(project=project, kind="current", draft=small, measured=None, actor=owner)
    again = hold_round(project, owner, votes=(2, 8, 9), fresh=True)
    Round.objects.filter(pk=again.pk).update(settings=again.settings | {"full_benefit_days": 100.0})
    work_out(again.pk)
    after, before = read_choices(project)
    assert (before.value, after.value) == ("1.1", "2.1")
    found = compare_rounds(before, after)
    assert ("Worth of all benefits", "300 person-days a year", "100 person-days a year") in found.assumptions
    assert any(title == "People changing the system" for title, _, _ in found.scopes)
    assert any(line.change.by_scope for line in found.lines)
    for line in found.lines:
        if not line.change.note:
            assert sum(line.parts) == pytest.approx(100 * (line.change.after - line.change.before))
    html = as_owner.get(url(project, "compare"), {"a": "1.1", "b": "2.1"}).content.decode()
    assert "→ <strong>100 person-days a year</strong>" in html


def test_comparing_says_what_is_missing(as_owner, project, owner):
    assert "There is nothing to compare yet" in as_owner.get(url(project, "compare")).content.decode()
    hold_round(project, owner)
    hold_round(project, owner)
    same = as_owner.get(url(project, "compare"), {"a": "1.1", "b": "1.1"}).content.decode()
    assert "one and the same round" in same
    wrong = as_owner.get(url(project, "compare"), {"a": "9.9", "b": "1.1"})
    assert wrong.status_code == 404
    assert "no such closed round" in wrong.content.decode()


def test_redefined_factors_are_told_and_the_rest_is_still_compared(project, owner, told):
    second = hold_round(project, owner, votes=(3, 8, 9))
    other = replace(read_inputs(second).settings, benefits=("K1", "K2", "K3", "K4"))
    Round.objects.filter(pk=second.pk).update(settings=other.to_json())
    after, before = read_choices(project)
    found = compare_rounds(before, after)
    assert "cannot be compared step by step" in found.problem
    assert not found.lines
