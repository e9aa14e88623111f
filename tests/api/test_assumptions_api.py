"""The assumptions through the HTTP API: whole or in part, by place, each change a set, and who may."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessments.forms.assumptions import LARGEST, LONGEST_REASON, MOST, NUMBERS
from assessments.models import AssumptionSet
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import assumptions_for
from assessments.services.assumptions import keep_assumptions
from projects.models import Activity, Role, Scope
from tests.api.calls import JSON, Calls, Person, refused
from tests.factories import make_member, make_project, make_token, make_user

pytestmark = pytest.mark.django_db

ASSUMPTIONS = "assessment/assumptions/"


@pytest.fixture
def api(project, owner):
    return Calls(project, actor=owner)


def change(base=0, reason="We know better.", **settings):
    return {"settings": settings, "reason": reason, "base": base}


def test_the_portals_own_and_what_a_change_makes_of_them(api, project, owner):
    own = api.get(ASSUMPTIONS).json()
    assert (own["number"], own["digest"], own["sets"]) == (0, Settings().digest(), [])
    assert Settings.from_json(own["settings"]) == Settings()
    answer = api.put(ASSUMPTIONS, change(full_benefit_days=200))
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told == api.get(ASSUMPTIONS).json()
    assert (told["number"], told["digest"]) == (1, Settings(full_benefit_days=200).digest())
    [kept] = told["sets"]
    assert (kept["number"], kept["reason"], kept["by"], kept["digest"]) == (
        1,
        "We know better.",
        "olga",
        told["digest"],
    )
    assert kept["changes"] == [
        {"assumption": "Worth of all benefits", "before": "300 person-days a year", "after": "200 person-days a year"}
    ]
    assert assumptions_for(project) == Settings(full_benefit_days=200)
    assert Activity.objects.filter(verb="assumptions.changed", actor=owner).count() == 1
    api.put(ASSUMPTIONS, change(1, overrun=1.5))
    assert [one["number"] for one in api.get(ASSUMPTIONS).json()["sets"]] == [2, 1]
    assert assumptions_for(project) == Settings(full_benefit_days=200, overrun=1.5)
    back = api.put(ASSUMPTIONS, {"settings": told["portal"], "reason": "We did not.", "base": 2}).json()
    assert back["digest"] == own["digest"] and assumptions_for(project) == Settings()


def test_the_whole_as_read_can_be_sent_back_with_a_change_in_it(api, project):
    settings = api.get(ASSUMPTIONS).json()["settings"]
    refused(api.put(ASSUMPTIONS, change(**settings)), 409, code="no_change")
    assert api.put(ASSUMPTIONS, change(**settings | {"budget_days": 40})).status_code == 200
    assert assumptions_for(project) == Settings(budget_days=40)
    assert api.put(ASSUMPTIONS, change(1, budget_days=None)).status_code == 200
    assert assumptions_for(project) == Settings()


@pytest.mark.parametrize(
    ("part", "of", "expected"),
    [
        ({"noise_half_widths": {"low": 2}}, lambda s: dict(s.noise_half_widths), {"high": 0.5, "medium": 1, "low": 2}),
        ({"need_floors": {"K2": 0.3}}, lambda s: (s.need_floors["K1"], s.need_floors["K2"]), (0.1, 0.3)),
        (
            {"need_shares": {"K1": {"people": 0, "regulated": 0.15}}},
            lambda s: dict(s.need_shares["K1"]),
            {"deployments_per_week": 0.25, "manual_steps": 0.45, "models_in_production": 0.15, "regulated": 0.15},
        ),
        ({"factors": [{"name": "people", "high": 20}]}, lambda s: (s.factors[7].low, s.factors[7].high), (1, 20)),
        ({"sensitivity_ranges": {"overrun": [1, 2]}}, lambda s: s.sensitivity_ranges["overrun"], (1, 2)),
        ({"share_map": [0, 0.1, 0.2, 0.3, 0.5]}, lambda s: s.share_map, (0, 0.1, 0.2, 0.3, 0.5)),
        ({"plan_budgets": [5, 12.5]}, lambda s: s.plan_budgets, (5, 12.5)),
        ({"telemetry_rule": "measured"}, lambda s: s.telemetry_rule, "measured"),
        ({"draws": 500}, lambda s: s.draws, 500),
    ],
)
def test_a_part_changes_what_it_names_alone(api, project, part, of, expected):
    answer = api.put(ASSUMPTIONS, change(**part))
    assert answer.status_code == 200, answer.content
    assert of(assumptions_for(project)) == expected
    assert len(answer.json()["sets"][0]["changes"]) == 1


@pytest.mark.parametrize(
    ("part", "place"),
    [
        *(({name: most + 1}, f"settings.{name}") for name, most in MOST.items()),
        *(({name: 1e308}, f"settings.{name}") for name in ("full_benefit_days", "horizon_months", "budget_days")),
        ({"sensitivity_ranges": {"overrun": [-1e308, 2]}}, "settings.sensitivity_ranges.overrun.0"),
        ({"plan_budgets": [1e308]}, "settings.plan_budgets"),
        ({"overrun": "1.5"}, "settings.overrun"),
        ({"overrun": True}, "settings.overrun"),
        ({"overrun": None}, "settings.overrun"),
        ({"overrun": {}}, "settings.overrun"),
        ({"overrun": -1}, "settings.overrun"),
        ({"draws": 2.5}, "settings.draws"),
        ({"adopt_now": 0.2}, "settings.adopt_now"),
        ({"nonsense": 1}, "settings.nonsense"),
        ({"share_map": [0, 0.4, 0.2, 0.3, 0.5]}, "settings.share_map"),
        ({"share_map": "0 0.1"}, "settings.share_map"),
        ({"share_map": [0, "0.1"]}, "settings.share_map"),
        ({"plan_budgets": [-5]}, "settings.plan_budgets"),
        ({"plan_budgets": [5] * 21}, "settings.plan_budgets"),
        ({"telemetry_rule": "both"}, "settings.telemetry_rule"),
        ({"telemetry_rule": 1}, "settings.telemetry_rule"),
        ({"need_shares": {"K1": {"people": 0.9}}}, "settings.need_shares.K1"),
        ({"need_shares": {"K1": {"people": "x"}}}, "settings.need_shares.K1.people"),
        ({"need_shares": {"K1": {"height": 0.1}}}, "settings.need_shares.K1.height"),
        ({"need_shares": {"K9": {}}}, "settings.need_shares.K9"),
        ({"need_shares": []}, "settings.need_shares"),
        ({"noise_half_widths": {"low": 9}}, "settings.noise_half_widths"),
        ({"factors": [{"name": "people", "low": "x"}]}, "settings.factors.people.low"),
        ({"factors": [{"name": "people", "low": 50}]}, "settings.factors.people"),
        ({"factors": [{"name": "people", "title": "Heads"}]}, "settings.factors.people.title"),
        ({"factors": [{"name": "people", "colour": 1}]}, "settings.factors.people.colour"),
        ({"factors": [{"name": "height"}]}, "settings.factors"),
        ({"factors": [{"name": "people"}, {"name": "people"}]}, "settings.factors"),
        ({"factors": [{"name": ["people"]}]}, "settings.factors"),
        ({"factors": [5]}, "settings.factors"),
        ({"factors": {"people": {}}}, "settings.factors"),
        ({"sensitivity_ranges": {"overrun": [1]}}, "settings.sensitivity_ranges.overrun"),
        ({"sensitivity_ranges": {"overrun": [1, "x"]}}, "settings.sensitivity_ranges.overrun.1"),
        ({"pooling": "any"}, "settings.pooling"),
        ({"benefits": ["K1"]}, "settings.benefits"),
    ],
)
def test_what_is_wrong_is_told_by_place_and_nothing_is_kept(api, part, place):
    fields = refused(api.put(ASSUMPTIONS, change(**part)), 400)["fields"]
    assert list(fields) == [place] and fields[place][0]
    assert not AssumptionSet.objects.exists()


def test_with_the_largest_numbers_everything_can_still_be_read(api):
    api.put("assessment/scope/", {"current": {"values": {"people": 1e308, "deployments_per_week": 5}}})
    single = [name for labels in NUMBERS.values() for name in labels if name not in {"adopt_now", "not_yet", *MOST}]
    shares = {"not_applicable_share", "consensus_threshold"}
    most = {name: 1 if name in shares else LARGEST for name in single} | {"telemetry_window_days": 3650}
    answer = api.put(ASSUMPTIONS, change(plan_budgets=[LARGEST], **most))
    assert answer.status_code == 200, answer.content
    for path in ("", "scope/", "checklist/", "assumptions/"):
        assert api.get(f"assessment/{path}").status_code == 200
    tried = api.post("assessment/scope/preview/", {"current": {"values": {"people": 1e308}}})
    assert tried.status_code == 200 and tried.json()["principles"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (change(reason=" "), "reason"),
        (change(reason="x" * (LONGEST_REASON + 1)), "reason"),
        (change(reason=5), "reason"),
        (change(base="0"), "base"),
        (change(base=-1), "base"),
        (change(base=2**31), "base"),
        ({"settings": 5, "reason": "x", "base": 0}, "settings"),
        ({"settings": {}, "reason": "x"}, "base"),
        ({"reason": "x", "base": 0}, "settings"),
        (change() | {"number": 1}, "number"),
        ([], "non_field_errors"),
    ],
)
def test_a_body_that_is_no_change_is_refused_by_field(api, body, place):
    assert place in refused(api.put(ASSUMPTIONS, body), 400)["fields"]
    assert not AssumptionSet.objects.exists()


def test_many_faults_are_not_all_told(api):
    told = refused(api.put(ASSUMPTIONS, change(**{f"x{number}": 1 for number in range(5000)})), 400)
    assert len(told["fields"]) == 20
    refused(api.put(ASSUMPTIONS, change(**{"x\0y": 1})), 400)


def test_nobody_is_overwritten_unseen(api, project):
    api.put(ASSUMPTIONS, change(overrun=2))
    refused(api.put(ASSUMPTIONS, change(upkeep=0.3)), 409, code="changed_meanwhile")
    refused(api.put(ASSUMPTIONS, change(2, upkeep=0.3)), 409, code="changed_meanwhile")
    assert assumptions_for(project) == Settings(overrun=2)
    assert api.put(ASSUMPTIONS, change(1, upkeep=0.3)).json()["number"] == 2
    assert assumptions_for(project) == Settings(overrun=2, upkeep=0.3)


def test_who_may(api, project, team, owner):
    body = change(overrun=2)
    for role, status in ((Role.VIEWER, 403), (Role.EXPERT, 403), (None, 404)):
        user = make_user()
        if role:
            make_member(team, user, role)
            assert Person(project, user).get(ASSUMPTIONS).status_code == 200
        else:
            refused(Person(project, user).get(ASSUMPTIONS), 404)
        refused(Person(project, user).put(ASSUMPTIONS, body), status)
    refused(Calls(project, Scope.READ).put(ASSUMPTIONS, body), 403)
    refused(Calls(project, Scope.MANAGE).get(ASSUMPTIONS), 403)
    refused(Client().put(api.url(ASSUMPTIONS), json.dumps(body), content_type=JSON), 401)
    elsewhere = Calls(project, secret=make_token(make_project(team), actor=owner))
    refused(elsewhere.get(ASSUMPTIONS), 404)
    refused(elsewhere.put(ASSUMPTIONS, body), 404)
    assert not AssumptionSet.objects.exists()
    maintainer = Person(project, make_member(team, make_user(), Role.MAINTAINER).user)
    assert maintainer.put(ASSUMPTIONS, body).status_code == 200
    assert Calls(project, Scope.MANAGE).put(ASSUMPTIONS, change(1, overrun=3)).status_code == 200


def test_reading_takes_as_many_queries_however_many_sets_there_are(api, project, owner):
    def count():
        api.get(ASSUMPTIONS)  # the token's last use is noted once a minute
        with CaptureQueriesContext(connection) as queries:
            assert api.get(ASSUMPTIONS).status_code == 200
        return len(queries)

    first = count()
    for number in range(8):
        settings = Settings(full_benefit_days=100 + number)
        keep_assumptions(project=project, settings=settings, reason="x", base=number, actor=owner)
    assert count() == first <= 5
