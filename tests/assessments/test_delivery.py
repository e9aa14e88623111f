"""What adoption brought: four delivery figures from the records of deployments, before and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from assessments.evidence.delivery import Change, measure_delivery, read_changes
from assessments.models import Decision
from assessments.selectors.delivery import read_brought
from assessments.selectors.document import read_full_report
from assessments.services.decisions import DecisionDraft, decide
from assessments.services.panel_rounds import invite_member
from models_registry.models import Deployment, Run
from ops_portal.errors import UserError
from projects.models import Project
from tests.assessments import records as made
from tests.assessments.test_results import hold_round

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def at(deployment, moment):
    Deployment.objects.filter(pk=deployment.pk).update(created_at=moment)
    return deployment


@pytest.fixture
def history(project, owner):
    """Ten days with a change a day, half of them taken back after a day; then ten days with two good ones a day."""
    Project.objects.filter(pk=project.pk).update(created_at=NOON - 10 * DAY)
    project.refresh_from_db()
    versions = made.versions(project, owner, 2)
    Run.objects.filter(project=project).update(created_at=NOON - 12 * DAY)
    for day in range(10):
        moment = NOON - (10 - day) * DAY
        kind = {"kind": "rollback", "since": "drop", "reason": "Worse."} if day % 2 else {}
        at(made.deploy(versions[(day + 1) % 2], owner, **kind), moment)
    for half in range(20):
        at(made.deploy(versions[half % 2], owner), NOON + half * DAY / 2)
    return project


def test_changes_and_what_became_of_them_are_read_with_one_query(history, django_assert_num_queries):
    with django_assert_num_queries(1):
        changes = read_changes(history)
    assert len(changes) == 25
    assert [change.restored_at is not None for change in changes[:5]] == [True] * 5
    assert not any(change.restored_at for change in changes[5:])


def test_the_four_figures_before_and_after(history):
    changes = read_changes(history)
    before = measure_delivery(changes, NOON - 10 * DAY, NOON)
    assert (before.changes, before.failed, before.failure_rate) == (5, 5, 1.0)
    assert before.per_week == pytest.approx(3.5)
    assert before.restore_hours == pytest.approx(24)
    assert before.lead_hours == pytest.approx(6 * 24)
    after = measure_delivery(changes, NOON, NOON + 10 * DAY)
    assert (after.changes, after.failed, after.failure_rate, after.restore_hours) == (20, 0, 0.0, None)
    assert after.per_week == pytest.approx(14)


def test_a_stretch_without_changes_measures_nothing_and_fails_nothing():
    empty = measure_delivery([], NOON, NOON + DAY)
    assert (empty.per_week, empty.failure_rate, empty.lead_hours, empty.restore_hours) == (0.0, None, None, None)
    assert measure_delivery([Change(NOON, 1, NOON)], NOON, NOON + HOUR).per_week is None


def test_an_aborted_canary_is_a_change_that_failed(project, owner):
    one, two = made.versions(project, owner, 2)
    at(made.deploy(one, owner), NOON)
    at(made.deploy(one, owner, kind="canary", canary=two, canary_share=10), NOON + HOUR)
    at(made.deploy(one, owner, kind="abort"), NOON + 3 * HOUR)
    first, second = read_changes(project)
    assert (first.version, first.restored_at) == (one.pk, None)
    assert (second.version, second.restored_at) == (two.pk, NOON + 3 * HOUR)


def decided(project, owner, when, **fields):
    draft = DecisionDraft(choice="adopt", reason="Rollbacks cost us days.", **fields)
    row = decide(project=project, principle="controlled-release", draft=draft, actor=owner)
    Decision.objects.filter(pk=row.pk).update(decided_at=when)
    return row


def test_before_ends_with_the_decision_and_after_begins_when_it_is_in_place(history, owner):
    decided(history, owner, NOON)
    [open_] = read_brought(history)
    assert not open_.in_place
    assert (open_.before.changes, open_.after.changes) == (5, 20)
    decided(history, owner, NOON + 30 * DAY, effort_spent=3.0, adopted_on=(NOON + 5 * DAY).date())
    [found] = read_brought(history)
    assert found.in_place
    assert found.before.end == NOON, "a later record of effort does not move the day of the decision"
    assert (found.before.changes, found.after.changes) == (5, 11)
    words = {figure.title: (figure.before_words, figure.after_words) for figure in found.figures}
    assert words["Changes that failed"] == ("100%", "0%")
    assert words["Time to restore"] == ("24.0 h", "not measured")


def test_what_is_not_adopted_brought_nothing(history, owner):
    decided(history, owner, NOON)
    decide(project=history, principle="controlled-release", draft=DecisionDraft("no", "Enough."), actor=owner)
    assert read_brought(history) == ()


def test_plan_next_panel_and_report_show_it(client, history, owner):
    client.force_login(owner)
    plan = reverse("assessments:plan", args=[history.slug])
    assert "What adoption brought" not in client.get(plan).content.decode()
    decided(history, owner, NOON)
    closed = hold_round(history, owner)
    invite_member(project=history, user=owner, actor=owner)
    for page in (plan, reverse("assessments:vote_start", args=[history.slug])):
        html = client.get(page).content.decode()
        assert "What adoption brought" in html
        assert "100% → <strong>0%</strong>" in html
    row = read_full_report(closed).document.part("brought").table.rows[0]
    assert row[0] == "Controlled release and rollback"
    assert "100%, then 0%" in row


@pytest.mark.parametrize(
    ("choice", "days", "message"), [("adopt", 1, "Not in the future."), ("no", -1, "Leave open unless adopted.")]
)
def test_a_day_that_cannot_be_is_refused_and_everything_typed_stays(client, project, owner, choice, days, message):
    client.force_login(owner)
    day = (datetime.now(tz=UTC) + days * DAY).date()
    page = reverse("assessments:decision", args=[project.slug, "monitoring"])
    answer = client.post(page, {"choice": choice, "reason": "Kept as typed.", "adopted_on": day.isoformat()})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert message in html and "Kept as typed." in html
    assert not Decision.objects.exists()
    draft = DecisionDraft(choice=choice, reason="x", adopted_on=day)
    with pytest.raises(UserError):
        decide(project=project, principle="monitoring", draft=draft, actor=owner)
