"""Assumptions: each can be changed, each change is a new set, and results keep what they were worked out with."""

from __future__ import annotations

import pytest
from django.urls import reverse

from assessments.forms.assumptions import AssumptionsForm
from assessments.models import AssumptionSet
from assessments.principles import load_catalogue
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import assumptions_for, changed
from assessments.selectors.overview import read_overview
from assessments.services.assumptions import keep_assumptions
from assessments.services.panel_rounds import invite_guest, open_round
from assessments.services.scope import ProfileDraft, save_profile
from ops_portal.errors import UserError
from projects.models import Activity, Role
from tests.assessments.test_results import hold_round
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

#: What has one rule only, or belongs to the catalogue; it is shown and not to be chosen.
FIXED = {"benefits", "expert_weights", "pooling", "consensus_rule"}


def url(project, name):
    return reverse(f"assessments:{name}", args=[project.slug])


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


def form_of(settings=None, data=None, number=0):
    return AssumptionsForm(data, settings=settings or Settings(), catalogue=load_catalogue(), number=number)


def typed(settings=None, number=0, **changes):
    """What a browser sends: every field as it stands, save the changed ones."""
    form = form_of(settings, number=number)
    shown = {name: field.initial for name, field in form.fields.items() if field.initial is not None}
    return shown | {"reason": "We know better."} | changes


def test_every_setting_has_a_field_and_fields_left_alone_change_nothing():
    form = form_of(data=typed())
    assert form.is_valid(), form.errors
    assert form.settings == Settings()
    named = {name.partition("-")[0] for name in form.fields} - {"reason", "base"}
    assert named | FIXED == set(Settings().to_json())
    shown = {field.name for _, fields in form.groups for field in fields}
    shown |= {field.name for grid in form.grids for _, fields in grid.rows for field in fields}
    assert shown | {"reason", "base"} == set(form.fields), "every field is on the page once"


@pytest.mark.parametrize(
    ("name", "value", "of"),
    [
        ("full_benefit_days", 150, lambda s: s.full_benefit_days),
        ("share_map", "0 0.1 0.2 0.3 0.5", lambda s: s.share_map[4] * 300),
        ("noise_half_widths-low", 2, lambda s: s.noise_half_widths["low"] * 75),
        ("need_floors-K2", 0.3, lambda s: s.need_floors["K2"] * 500),
        ("factors-0-high", 14, lambda s: s.factors[0].high * 150 / 14),
        ("sensitivity_ranges-overrun-1", 3, lambda s: s.sensitivity_ranges["overrun"][1] * 50),
    ],
)
def test_each_kind_of_field_changes_its_setting_alone(name, value, of):
    form = form_of(data=typed(**{name: value}))
    assert form.is_valid(), form.errors
    assert of(form.settings) == pytest.approx(150)
    assert len(changed(Settings(), form.settings, load_catalogue())) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overrun": "much"}, "Enter a number"),
        ({"overrun": "-1"}, "expected a number"),
        ({"adopt_now": "0.2"}, "expected 0 &lt;= not_yet"),
        ({"share_map": "0 0.4 0.2 0.3 0.5"}, "five rising shares"),
        ({"share_map": "0 x"}, "Write numbers with spaces"),
        ({"plan_budgets": "10 nan"}, "Write numbers from 0 to 1,000,000"),
        ({"plan_budgets": "5 " * 21}, "at most 20 fit"),
        ({"full_benefit_days": "1e308"}, "less than or equal to 1000000"),
        ({"telemetry_window_days": "999999"}, "less than or equal to 3650"),
        ({"need_shares-K1-people": "0.9"}, "add up to 1"),
        ({"factors-0-low": "50"}, "do not make a log scale"),
        ({"draws": "10000000"}, "less than or equal to 20000"),
        ({"reason": " "}, "Say why"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_everything_typed_stays(as_owner, project, changes, message):
    answer = as_owner.post(url(project, "assumptions_edit"), typed(upkeep=0.37, **changes))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert message in html
    assert 'value="0.37"' in html
    assert not AssumptionSet.objects.exists()


def test_a_change_is_a_new_set_with_its_reason_and_the_former_one_stays(as_owner, project):
    assert as_owner.get(url(project, "assumptions_edit")).status_code == 200
    as_owner.post(url(project, "assumptions_edit"), typed(full_benefit_days=200))
    as_owner.post(url(project, "assumptions_edit"), typed(Settings(full_benefit_days=200), number=1, overrun=1.5))
    assert [row.number for row in AssumptionSet.objects.all()] == [2, 1]
    assert assumptions_for(project) == Settings(full_benefit_days=200, overrun=1.5)
    assert Settings.from_json(AssumptionSet.objects.get(number=1).settings) == Settings(full_benefit_days=200)
    html = as_owner.get(url(project, "assumptions")).content.decode()
    assert "Worth of all benefits: 300 person-days a year → <strong>200 person-days a year</strong>" in html
    assert "We know better." in html
    assert "assumptions.changed" in Activity.objects.values_list("verb", flat=True)
    assert 'value="300"' in as_owner.get(url(project, "assumptions_edit"), {"from": "portal"}).content.decode()


def test_two_windows_do_not_overwrite_each_other(as_owner, project):
    as_owner.post(url(project, "assumptions_edit"), typed(full_benefit_days=200))
    late = as_owner.post(url(project, "assumptions_edit"), typed(overrun=2))
    assert late.status_code == 409
    assert "changed the assumptions meanwhile" in late.content.decode()
    assert AssumptionSet.objects.count() == 1


def test_nothing_different_is_no_set(project, owner):
    with pytest.raises(UserError, match="Nothing is different"):
        keep_assumptions(project=project, settings=Settings(), reason="x", base=0, actor=owner)


def test_the_order_in_which_a_database_gives_names_back_is_no_change():
    plain = Settings().to_json()
    for name in ("sensitivity_ranges", "noise_half_widths", "need_floors"):
        plain[name] = dict(reversed(plain[name].items()))
    plain["need_shares"] = {key: dict(reversed(row.items())) for key, row in plain["need_shares"].items()}
    assert changed(Settings(), Settings.from_json(plain), load_catalogue()) == ()


def test_recommendation_and_the_next_panel_take_them_and_closed_rounds_keep_theirs(project, owner):
    closed = hold_round(project, owner)
    before = read_overview(project).recommendation
    little = Settings(full_benefit_days=20, draws=50)
    keep_assumptions(project=project, settings=little, reason="Small gains.", base=0, actor=owner)
    after = read_overview(project).recommendation
    count = [sum(item.verdict == "now" for item in each.items) for each in (before, after)]
    assert count[1] < count[0]
    closed.refresh_from_db()
    assert Settings.from_json(closed.settings).full_benefit_days == 300
    fresh = make_project(project.team, name="Other")
    save_profile(project=fresh, kind="current", draft=ProfileDraft({"people": 3.0}), measured=None, actor=owner)
    keep_assumptions(project=fresh, settings=little, reason="Small gains.", base=0, actor=owner)
    invite_guest(project=fresh, name="Ana", actor=owner)
    assert Settings.from_json(open_round(project=fresh, actor=owner).settings) == little


def test_viewers_read_and_do_not_change(client, project, team):
    client.force_login(make_member(team, make_user("vic"), Role.VIEWER).user)
    assert client.get(url(project, "assumptions")).status_code == 200
    assert client.get(url(project, "assumptions_edit")).status_code == 403
    assert client.post(url(project, "assumptions_edit"), typed()).status_code == 403
