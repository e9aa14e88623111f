"""The scope: what is typed, measured and kept, and the recommendation that follows it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from assessments.evidence import Measured, gather, measure_scope
from assessments.models import ScopeProfile
from assessments.scoring.scope import FACTORS
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import assumptions_for
from assessments.selectors.recommendation import compare, recommend_for
from assessments.selectors.scope import FactorState, read_profiles, scope_state
from assessments.services.assumptions import keep_assumptions
from assessments.services.scope import ProfileDraft, preview_profiles, save_profile, save_profiles
from ops_portal.errors import UserError
from projects.models import Activity
from tests.assessments import records as made

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
LARGE = {
    "current-deployments_per_week": "5", "current-manual_steps": "10", "current-rollbacks_per_month": "3",
    "current-hours_to_restore": "12", "current-criticality": "4", "current-models_in_production": "20",
    "current-drift_alarms_per_month": "4", "current-people": "12", "current-regulated": "0.5",
    "current-first_version": "no",
}  # fmt: skip
FIRST = {
    "current-deployments_per_week": "0.04", "current-manual_steps": "5", "current-rollbacks_per_month": "0",
    "current-hours_to_restore": "12", "current-criticality": "2", "current-models_in_production": "1",
    "current-drift_alarms_per_month": "0", "current-people": "2", "current-regulated": "0",
    "current-first_version": "yes",
}  # fmt: skip


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


def url(project, name="scope", *args):
    return reverse(f"assessments:{name}", args=[project.slug, *args])


def adopt_now(project):
    state = scope_state(*read_profiles(project), measure_scope(gather(project)))
    return [item.principle.slug for item in recommend_for(state).adopt_now]


def test_a_first_version_needs_little_and_a_large_application_most(as_owner, project):
    as_owner.post(url(project), FIRST)
    assert adopt_now(project) == ["versioning"]
    as_owner.post(url(project), LARGE)
    assert len(adopt_now(project)) >= 8


def test_every_change_is_a_new_row_and_one_line_of_the_log(as_owner, project):
    as_owner.post(url(project), {"current-people": "2"})
    as_owner.post(url(project), {"current-people": "2"})
    as_owner.post(url(project), {"current-people": "4", "planned-people": "8"})
    rows = ScopeProfile.objects.order_by("pk")
    assert [(row.kind, row.values) for row in rows] == [
        ("current", {"people": 2.0}), ("current", {"people": 4.0}), ("planned", {"people": 8.0}),
    ]  # fmt: skip
    assert list(Activity.objects.filter(verb="scope.changed").order_by("pk").values_list("summary", flat=True)) == [
        "set the current scope: 2 people changing the system",
        "set the current scope: people changing the system: 2 → 4",
        "set the planned scope: 8 people changing the system",
    ]
    html = as_owner.get(url(project)).content.decode()
    assert "people changing the system: 2 → 4" in html


def test_a_value_is_marked_measured_when_it_is_what_the_records_say(as_owner, project, owner):
    made.lived_in(project, owner)
    measured = measure_scope(gather(project)).factors["deployments_per_week"].value
    as_owner.post(url(project), {"current-deployments_per_week": str(measured), "current-people": "9"})
    profile = ScopeProfile.objects.get()
    assert profile.origins == {"deployments_per_week": "measured", "people": "declared"}
    assert profile.measurements["deployments_per_week"]["count"] == 3
    html = as_owner.get(url(project)).content.decode()
    assert "Declared; overrules the records" in html


@pytest.mark.parametrize(
    ("current", "origin", "mark"),
    [
        (2.0, "measured", "filled"),
        (2.0, "filled", "filled"),
        (2.0, "declared", "agrees"),
        (5.0, "declared", "overridden"),
        (5.0, "measured", "differs"),
        (None, "", ""),
    ],
)
def test_a_factor_is_marked_by_how_it_stands_to_the_records(current, origin, mark):
    measured = Measured("people", 2, "2 people changed something.", "Different people in the log.", "/", "Activity")
    assert FactorState(FACTORS[7], current, "", origin, None, "", measured).mark == mark
    assert FactorState(FACTORS[7], current, "", origin, None, "", None).mark == ""


def test_the_query_behind_a_measured_factor_is_there_on_demand(as_owner, project, owner):
    made.lived_in(project, owner)
    html = as_owner.get(reverse("assessments:scope", args=[project.slug])).content.decode()
    assert "how<span" in html
    assert "Looked at: For each rollback: the time from the deployment it took back until the rollback." in html


def test_measured_values_are_proposed_and_never_kept_unasked(as_owner, project, owner):
    made.lived_in(project, owner)
    html = as_owner.get(url(project)).content.decode()
    assert "Filled from records" in html
    assert not ScopeProfile.objects.exists()
    as_owner.post(url(project), {"current-people": "9"})
    field = as_owner.get(url(project, "scope_measured", "people"), headers=HTMX)
    assert 'value="1"' in field.content.decode()
    assert field["HX-Trigger-After-Settle"] == '{"scope-changed": {}}'
    assert as_owner.get(url(project, "scope_measured", "criticality")).status_code == 404
    assert as_owner.get(url(project, "scope_measured", "nonsense")).status_code == 404
    # Without scripts the same button fills in the field and keeps what else was typed.
    page = as_owner.post(url(project), {"current-people": "9", "current-manual_steps": "7", "use": "people"})
    assert 'value="7"' in page.content.decode()
    assert ScopeProfile.objects.get().values == {"people": 9.0}


def test_the_preview_follows_what_is_typed_and_says_what_moved(as_owner, project):
    as_owner.post(url(project), FIRST)
    html = as_owner.post(url(project, "scope_preview"), LARGE, headers=HTMX).content.decode()
    assert "was: not worth it yet" in html
    assert "<html" not in html
    empty = as_owner.post(url(project, "scope_preview"), {}, headers=HTMX).content.decode()
    assert "Fill in at least one factor" in empty


def test_both_kinds_are_kept_or_neither(project, owner):
    measured = measure_scope(gather(project))
    drafts = {"current": ProfileDraft({"people": 3.0}), "planned": ProfileDraft({"people": -3.0})}
    with pytest.raises(UserError):
        save_profiles(project=project, drafts=drafts, measured=measured, actor=owner)
    assert not ScopeProfile.objects.exists() and not Activity.objects.exists()


def test_a_preview_takes_eleven_queries_and_leaves_measured_values_measured(project, owner, django_assert_num_queries):
    made.lived_in(project, owner)
    found = {one.name: one.value for one in measure_scope(gather(project)).factors.values()}
    draft = ProfileDraft(found | {"criticality": 4.0}, False)
    keep_assumptions(
        project=project, settings=Settings(telemetry_rule="measured"), reason="They are right.", base=0, actor=owner
    )
    with django_assert_num_queries(11):
        tried = preview_profiles(project=project, drafts={"current": draft}).typed
    measured = measure_scope(gather(project))
    save_profile(project=project, kind="current", draft=draft, measured=measured, actor=owner)
    kept = recommend_for(scope_state(*read_profiles(project), measured), settings=assumptions_for(project))
    assert [(one.verdict, one.share) for one in tried.items] == [(one.verdict, one.share) for one in kept.items]


def test_a_plan_that_calls_for_more_turns_not_yet_into_later(project, owner):
    measured = measure_scope(gather(project))
    now = {name.removeprefix("current-"): float(v) for name, v in FIRST.items() if not name.endswith("version")}
    then = {name.removeprefix("current-"): float(v) for name, v in LARGE.items() if not name.endswith("version")}
    save_profile(project=project, kind="current", draft=ProfileDraft(now, True), measured=measured, actor=owner)
    before = recommend_for(scope_state(*read_profiles(project), measured))
    save_profile(project=project, kind="planned", draft=ProfileDraft(then, False), measured=None, actor=owner)
    after = recommend_for(scope_state(*read_profiles(project), measured))
    assert len([item for item in after.items if item.verdict == "later"]) > len(
        [item for item in before.items if item.verdict == "later"]
    )
    moved = [item for item in compare(after, before).items if item.moved_from]
    assert {item.moved_from for item in moved} == {"not worth it yet"}


def test_what_is_not_known_is_left_out_and_named(as_owner, project):
    as_owner.post(url(project), {"current-people": "12", "current-deployments_per_week": "7"})
    html = as_owner.get(url(project, "recommendation")).content.decode()
    assert "Worked out without 7 of 9 scope factors" in html
    assert "Criticality" in html


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("current-people", "-1", "cannot be below 0"),
        ("current-people", "many", "Give a number"),
        ("current-people", "nan", "Give a number"),
        ("current-people", "1e999", "Give a number"),
        ("planned-deployments_per_week", "NaN", "Give a number"),
        ("current-criticality", "9", "Choose one of the levels"),
        ("current-regulated", "0.7", "Choose one of the levels"),
        ("current-first_version", "perhaps", "Select a valid choice"),
    ],
)
def test_bad_values_are_refused_with_everything_typed_kept(as_owner, project, field, value, message):
    response = as_owner.post(url(project), {"current-manual_steps": "7", field: value})
    html = response.content.decode()
    assert response.status_code == 422
    assert message in html
    assert 'value="7"' in html
    assert not ScopeProfile.objects.exists()
    assert message in as_owner.post(url(project, "scope_preview"), {field: value}, headers=HTMX).content.decode()


def test_the_service_refuses_what_the_form_cannot_send(project, owner):
    for values in ({"nonsense": 1.0}, {"criticality": 9.0}, {"people": float("nan")}):
        with pytest.raises(UserError):
            save_profile(project=project, kind="current", draft=ProfileDraft(values), measured=None, actor=owner)
    assert not ScopeProfile.objects.exists()
