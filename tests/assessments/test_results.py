"""Results: worked out in a worker, shown without one, the same on page, in CSV and JSON, and followed by decisions."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from django.urls import reverse

from assessments import tasks
from assessments.models import Decision, Rating, Round, ShareLink
from assessments.principles import load_catalogue
from assessments.scoring.scope import LARGE, PLANNED
from assessments.scoring.settings import Settings
from assessments.selectors.charts import tornado_chart
from assessments.selectors.export import export_rows
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.report import read_report
from assessments.services.decisions import DecisionDraft, decide
from assessments.services.panel_ratings import RatingDraft, save_rating, save_weights
from assessments.services.panel_results import work_out
from assessments.services.panel_rounds import close_round, invite_guest, open_round
from assessments.services.scope import ProfileDraft, save_profile
from ops_portal.downloads import harmless
from ops_portal.errors import UserError
from projects.models import Activity, Role
from tests.assessments import records as made
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db
#: Few readings: the arithmetic has tests of its own.
FAST = Settings(draws=50, flip_draws=20, flip_steps=3)


def url(project, name, *args):
    return reverse(f"assessments:{name}", args=[project.slug, *args])


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


def light_of(principle):
    """What the portal assumes of a light level, as a rating says it."""
    assumed = principle.light.defaults
    days = assumed.effort
    benefits = {key: round(assumed.ratings[key]) for key in principle.light.serves}
    return {"light_benefits": benefits, "light_effort": (days.low, days.likely, days.high)}


def hold_round(project, owner, votes=(7, 8, 9), reason="", fresh=False, light=False, **fields):
    """A closed round in which each expert gave one vote on every principle; `fresh` keeps the scope, invites anew.

    With `light`, every light level is rated as the portal assumes it.
    """
    if fresh:
        for number in range(len(votes)):
            invite_guest(project=project, name=f"Secret Name {number}", actor=owner)
    elif not Round.objects.filter(assessment__project=project).exists():
        for kind, values in (("current", LARGE.values), ("planned", PLANNED.values)):
            save_profile(
                project=project, kind=kind, draft=ProfileDraft(dict(values), False), measured=None, actor=owner
            )
        for number in range(len(votes)):
            invite_guest(project=project, name=f"Secret Name {number}", actor=owner)
    opened = open_round(project=project, actor=owner, settings=FAST, **fields)
    for expert, vote in zip(opened.assessment.experts.all(), votes, strict=True):
        for principle in load_catalogue().principles:
            days = principle.defaults.effort
            base = Rating.objects.filter(round=opened, expert=expert, principle=principle.slug).first()
            draft = RatingDraft(
                vote=vote,
                benefits={key: round(principle.defaults.ratings[key]) for key in principle.serves},
                effort=(days.low, days.likely, days.high),
                reason=reason,
                **(light_of(principle) if light and principle.light else {}),
            )
            save_rating(expert=expert, principle=principle.slug, draft=draft, base_version=base.version if base else 0)
        save_weights(expert=expert, points=dict.fromkeys(load_catalogue().benefit_keys, 60))
    return close_round(project=project, actor=owner)


def test_closing_rings_the_worker_and_the_result_is_kept_once(
    as_owner, project, owner, rung, django_capture_on_commit_callbacks
):
    closed = hold_round(project, owner)
    opened = open_round(project=project, actor=owner)
    with django_capture_on_commit_callbacks(execute=True):
        response = as_owner.post(url(project, "round_close"))
    assert response["Location"] == url(project, "result", 2)
    assert [ring[:2] for ring in rung if "assessments" in ring[0]] == [
        ("assessments.tasks.work_out_result", (opened.pk,))
    ]
    assert tasks.ring_waiting_results() == 2
    assert Round.objects.get(pk=closed.pk).result is None


def test_a_result_is_worked_out_and_kept_once(project, owner):
    closed = hold_round(project, owner)
    assert work_out(closed.pk)
    kept = Round.objects.get(pk=closed.pk)
    assert kept.result["draws"] == 50
    assert kept.result_at is not None
    assert not work_out(closed.pk)
    assert not work_out(10**9)


def test_the_page_stands_without_a_worker_and_fills_in_when_it_is_done(as_owner, project, owner):
    closed = hold_round(project, owner)
    html = as_owner.get(url(project, "result", 1)).content.decode()
    assert "First result, from fewer readings" in html
    assert 'hx-trigger="every 3s"' in html
    still = as_owner.get(url(project, "result", 1), {"detail": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert "every 3s" in still and "<html" not in still
    work_out(closed.pk)
    done = as_owner.get(url(project, "result", 1), {"detail": "1"}, headers={"HX-Request": "true"})
    assert done["HX-Refresh"] == "true", "the bars above came from fewer readings, so the whole page is shown anew"
    html = as_owner.get(url(project, "result", 1)).content.decode()
    assert "What a budget buys" in html and "What the result hangs on" in html
    assert "every 3s" not in html and "fewer readings" not in html


def test_page_csv_and_json_say_the_same(as_owner, project, owner):
    closed = hold_round(project, owner, reason="=cmd()")
    work_out(closed.pk)
    report = read_report(Round.objects.select_related("assessment__project").get(pk=closed.pk))
    expected = export_rows(report)
    table = list(csv.DictReader(io.StringIO(as_owner.get(url(project, "result_csv", 1)).getvalue().decode())))
    document = json.loads(as_owner.get(url(project, "result_json", 1)).content)
    assert [row["principle"] for row in table] == [row["principle"] for row in expected] == list(load_catalogue().slugs)
    html = as_owner.get(url(project, "result", 1)).content.decode()
    for row, from_csv, from_json in zip(expected, table, document["principles"], strict=True):
        assert from_json == json.loads(json.dumps(row))
        assert from_csv["verdict"] == row["verdict"]
        assert float(from_csv["probability"]) == row["probability"]
        place = html.index(f'<tr id="{row["principle"]}"')
        shown = html[place : html.index("</tr>", place)]
        assert row["verdict"] in shown
        assert row["agreement"] in shown
    assert document["reasons"]["monitoring"][0]["text"] == "=cmd()"
    assert document["seal"] == closed.seal


def test_an_anonymous_round_names_nobody_anywhere(as_owner, project, owner):
    hold_round(project, owner, reason="because")
    for name in ("result", "result_csv", "result_json"):
        assert "Secret Name" not in as_owner.get(url(project, name, 1)).getvalue().decode()


def test_cells_that_a_spreadsheet_would_run_are_defused():
    assert harmless("=1+1") == "'=1+1"
    assert harmless("-2") == "'-2"
    assert harmless("\t=1+1") == "'\t=1+1"
    assert harmless(-2) == -2


def test_dont_know_and_missing_answers_never_count_as_zero(project, owner):
    closed = hold_round(project, owner)
    Rating.objects.filter(principle="monitoring").update(stance="unknown", vote=None, benefits={}, effort_low=None)
    Rating.objects.filter(principle="governance").update(stance="not_applicable", reason="no duty", vote=None)
    inputs = read_inputs(Round.objects.get(pk=closed.pk))
    answers = [answer for answer in inputs.panel.answers if answer.option == "monitoring"]
    assert all(answer.holistic is None and answer.ratings == {} and answer.effort is None for answer in answers)
    report = read_report(Round.objects.select_related("assessment__project").get(pk=closed.pk))
    lines = {line.principle.slug: line for line in report.lines}
    assert lines["monitoring"].assumed and lines["monitoring"].unknown == 3
    assert lines["governance"].words == "Does not apply"


def test_half_given_points_and_efforts_are_left_out(project, owner):
    closed = hold_round(project, owner)
    closed.weights.update(points={"K1": 100, "K2": None, "K3": None, "K4": None, "K5": None})
    Rating.objects.update(effort_high=None)
    inputs = read_inputs(Round.objects.get(pk=closed.pk))
    assert inputs.panel.swing == {}
    assert all(answer.effort is None for answer in inputs.panel.answers)


def test_where_vote_and_model_differ_it_is_said(as_owner, project, owner):
    hold_round(project, owner, votes=(1, 1, 2))
    html = as_owner.get(url(project, "result", 1)).content.decode()
    assert "Versioning: vote and model differ" in html
    assert "Agreed: against" in html


def test_later_rounds_say_who_moved_in_counts(as_owner, project, owner):
    hold_round(project, owner, votes=(2, 5, 8))
    hold_round(project, owner, votes=(5, 5, 8))
    html = as_owner.get(url(project, "result", 2)).content.decode()
    assert "1 moved" in html
    assert "How the votes moved" in html


def test_sensitivity_tells_net_days_and_the_set_at_both_ends(project, owner):
    closed = hold_round(project, owner)
    work_out(closed.pk)
    report = read_report(Round.objects.select_related("assessment__project").get(pk=closed.pk))
    chart = tornado_chart(report)
    rows = {row[0]: row for row in chart.rows}
    worth = next(one for one in report.swings if one.name == "Worth of all benefits")
    assert worth.only_high and not worth.only_low
    said = ("200, 450", f"{worth.net_low:.1f}, {worth.net_high:.1f}", f"{worth.size_low}, {worth.size_high}")
    assert rows["Worth of all benefits"][1:4] == said
    assert rows["Worth of all benefits"][4] == f"only at the high end: {', '.join(worth.only_high)}"
    assert rows["People changing the system"][1].startswith("one person changing the system, ")
    names = {principle.name for principle in load_catalogue().principles}
    assert all({*one.only_low, *one.only_high} <= names for one in report.swings)


def test_two_answers_about_worth_that_differ_twofold_are_told_of(as_owner, project, owner):
    closed = hold_round(project, owner)
    page, report = url(project, "result", 1), url(project, "result_report", 1)
    for remembered, doubtful in ((None, False), (150, False), (600, False), (149, True), (601, True)):
        Round.objects.filter(pk=closed.pk).update(settings=closed.settings | {"remembered_benefit_days": remembered})
        for address in (page, report):
            assert ("They differ more than twofold" in as_owner.get(address).content.decode()) is doubtful


def test_a_changed_answer_breaks_the_seal(as_owner, project, owner):
    hold_round(project, owner)
    assert "since closing" in as_owner.get(url(project, "result", 1)).content.decode()
    Rating.objects.update(vote=1)
    assert "Answers were changed after closing" in as_owner.get(url(project, "result", 1)).content.decode()


def test_decisions_are_records_that_stay(as_owner, project, owner, team):
    made.lived_in(project, owner)
    other = make_user("nora")
    make_member(team, other, Role.EXPERT)
    page = url(project, "decision", "monitoring")
    assert as_owner.get(page).status_code == 200
    assert as_owner.post(page, {"choice": "adopt"}).status_code == 422
    assert as_owner.post(page, {"choice": "perhaps", "reason": "x"}).status_code == 422
    stranger = make_user("stranger")
    assert as_owner.post(page, {"choice": "adopt", "reason": "x", "owner": stranger.pk}).status_code == 422
    data = {"choice": "adopt", "reason": "We lost a day in March.", "owner": other.pk, "due": "2027-01-31"}
    as_owner.post(page, data | {"effort_planned": "8"})
    as_owner.post(page, data | {"effort_planned": "8", "effort_spent": "3.5"})
    first, second = Decision.objects.order_by("pk")
    assert (first.effort_spent, second.effort_spent, second.decided_by_name) == (None, 3.5, "olga")
    assert second.context["measured"]["deployments_per_week"] == 3
    html = as_owner.get(url(project, "plan")).content.decode()
    assert "From the panel" not in as_owner.get(page).content.decode()
    work_out(hold_round(project, owner).pk)
    panel = as_owner.get(page).content.decode()
    assert "From the panel" in panel and f"{url(project, 'result', 1)}#monitoring" in panel
    assert "2 records" in html and html.count("Reason: We lost a day in March.") == 2
    assert "Context: before any round closed; measured: " in html and "3 deployments a week" in html
    assert "nora, until 2027-01-31, 8 days planned, 3.5 spent" in html
    assert Activity.objects.filter(verb="principle.decided").count() == 2
    assert as_owner.get(url(project, "decision", "nonsense")).status_code == 404
    with pytest.raises(UserError):
        decide(project=project, principle="monitoring", draft=DecisionDraft("adopt", " "), actor=owner)


def test_a_share_link_shows_the_closed_round_and_nothing_else(as_owner, client, project, owner):
    hold_round(project, owner, reason="because")
    address = share(as_owner, project)
    client.logout()
    response = client.get(address)
    html = response.content.decode()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "How often each principle belongs in the best set" in html
    assert "Secret Name" not in html and "side-nav" not in html
    for name, *args in (("overview",), ("result_csv", 1), ("what_if", 1), ("decision", "monitoring")):
        assert f'"{url(project, name, *args)}"' not in html
    client.force_login(owner)
    client.post(url(project, "share_end", ShareLink.objects.get().pk))
    client.logout()
    assert client.get(address).status_code == 404
    assert Activity.objects.filter(verb="assessment.unshared").exists()


def share(client, project):
    """Make a link and return its address."""
    response = client.post(url(project, "share_create"), {"name": "Steering group", "days": "7"}, follow=True)
    found = re.search(r"https?://[^\s\"<]+/shared/[^\s\"<]+", response.content.decode())
    assert found
    return found[0]


def test_reports_read_a_fixed_number_of_queries(project, owner, django_assert_max_num_queries):
    closed = hold_round(project, owner)
    work_out(closed.pk)
    one = Round.objects.select_related("assessment__project", "scope_current", "scope_planned").get(pk=closed.pk)
    with django_assert_max_num_queries(10):
        read_report(one)
