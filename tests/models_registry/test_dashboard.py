"""The dashboard: what it shows of each project, what it says needs somebody, and how little it asks the database."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from models_registry.models import Alarm, Deployment, Run
from models_registry.selectors.dashboard import read_dashboard
from models_registry.selectors.trend import POINTS, read_trends
from projects.models import Project, Task
from tests.factories import make_events, make_member, make_project, make_user
from tests.models_registry.serving_records import (
    add_deployment,
    add_model,
    add_points,
    add_run,
    add_version,
    serve,
    summary_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def board_of(user, **options):
    return read_dashboard(user, now=timezone.now(), **options)


def needs_of(user) -> list[str]:
    return [need.text for _, need in board_of(user).needs]


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_needs_a_person(client):
    response = client.get("/")
    assert response.status_code == 302 and reverse("sign_in") in response["Location"]


def test_newcomer_is_told_to_register_a_project(client, db):
    client.force_login(make_user("nils"))
    response = client.get("/")
    assert "Register your first project" in text_of(response)
    assert "<table" not in response.content.decode()


def test_shows_what_serves_how_well_and_since_when(signed_in, project):
    deployment = serve(project, rolling=0.91234)
    Deployment.objects.filter(pk=deployment.pk).update(created_at=timezone.now() - timedelta(hours=3, minutes=5))
    page = signed_in.get("/").content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for said in (
        "Phishing pages",
        "Fraud desk",
        "v1",
        "logistic-1",
        "91.2%",
        "ROC AUC",
        "baseline",
        "50.0%",
        "3 h ago",
    ):
        assert said in text
    assert 'title="0.91234"' in page, "the exact value stands behind the rounded one"
    assert re.search(r'<time datetime="[^"]+" title="\d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC"', page)


def test_outsiders_and_archived_projects_are_not_shown(signed_in, project):
    make_project(name="Somebody else's")
    make_project(project.team, name="Old one", archived_at=timezone.now())
    text = text_of(signed_in.get("/"))
    assert "Phishing pages" in text and "Somebody else" not in text and "Old one" not in text


@pytest.mark.parametrize("count", [1, 30])
def test_asks_the_same_few_questions_however_many_projects(signed_in, team, count, django_assert_max_num_queries):
    for place in range(count):
        project = make_project(team, name=f"Stream {place}", task=list(Task)[place % 3])
        model = add_model(project)
        run = add_run(model, state=Run.State.FAILED if place % 3 == 1 else Run.State.RUNNING, error="It broke.")
        add_points(run, [0.5, None, 0.7])
        version = add_version(run)
        if place % 2:
            add_deployment(version)
            Alarm.objects.create(run=run, position=5000)
    with django_assert_max_num_queries(12):
        response = signed_in.get("/")
    assert response.content.count(b"Stream ") >= count


def test_thirty_projects_cost_as_many_queries_as_three(signed_in, team):
    for place in range(3):
        serve(make_project(team, name=f"Stream {place}"))
    with CaptureQueriesContext(connection) as few:
        signed_in.get("/")
    for place in range(3, 30):
        serve(make_project(team, name=f"Stream {place}"))
    with CaptureQueriesContext(connection) as many:
        signed_in.get("/")
    assert len(many) == len(few) <= 12


# --- what needs somebody --------------------------------------------------------------------------


def test_a_project_without_data_needs_data(owner, project):
    assert needs_of(owner) == ["No labelled events yet: upload a file, pick a bundled data set, or send events."]


def test_the_next_step_follows_from_the_records(owner, project):
    make_events(project, 5)
    assert needs_of(owner) == ["The data is there; describe a model that learns from it."]
    model = add_model(project)
    assert needs_of(owner) == ["A model is described; start a run to let it learn."]
    run = add_run(model, state=Run.State.RUNNING)
    assert needs_of(owner) == []
    add_version(run)
    assert needs_of(owner) == ["v1 of logistic-1 is ready; nothing is deployed yet."]


def test_a_failed_run_is_named_until_its_model_runs_again(owner, project):
    make_events(project, 5)
    model = add_model(project)
    run = add_run(model, state=Run.State.FAILED, error="The model failed at position 37: " + "x" * 300)
    (need,) = [need for _, need in board_of(owner).needs]
    assert need.text.startswith("Run 1 of logistic-1 failed: The model failed at position 37")
    assert need.text.endswith("…") and len(need.text) < 200
    assert (need.route, need.number) == ("models_registry:run", run.number)
    add_run(model, state=Run.State.RUNNING)
    assert needs_of(owner) == []


def test_drift_counts_since_the_deployment_and_once_per_place(owner, project):
    deployment = serve(project)
    run = deployment.version.run
    Alarm.objects.create(run=run, position=deployment.version.position)  # before what serves was published
    assert needs_of(owner) == []
    replayed = add_run(run.model, state=Run.State.RUNNING)
    for position in (1200, 1500):
        Alarm.objects.create(run=run, position=position)
        Alarm.objects.create(run=replayed, position=position)
    other = add_run(add_model(project, "another"), state=Run.State.RUNNING)
    Alarm.objects.create(run=other, position=1700)
    assert needs_of(owner) == ["Drift was found 2 times since v1 was deployed."]
    Deployment.objects.filter(pk=deployment.pk).update(created_at=timezone.now() + timedelta(minutes=1))
    assert needs_of(owner) == []


def test_a_better_version_is_offered(owner, project):
    serving = serve(project, rolling=0.8)
    run = serving.version.run
    add_version(run, position=1500, rolling=0.85, metrics=summary_of("ROCAUC", 0.85, overall=0.7))
    assert needs_of(owner) == [], "better lately but worse overall is no clear win"
    add_version(run, position=500, rolling=0.99)
    assert needs_of(owner) == [], "it has learned less than what serves"
    add_version(run, position=2000, rolling=0.9)
    (need,) = [need for _, need in board_of(owner).needs]
    assert need.text == "v4 of logistic-1 does better than v1: ROC AUC 90.0% against 80.0%."
    assert (need.route, need.query) == ("models_registry:deploy", "?version=4")


def test_lower_is_better_for_errors(owner, team):
    project = make_project(team, name="Prices", task=Task.REGRESSION)
    model = add_model(project)
    run = add_run(model, summary=summary_of("MAE", 2.0, baseline=3.0))
    add_deployment(add_version(run, metrics=summary_of("MAE", 2.0, baseline=3.0)))
    add_version(run, position=2000, metrics=summary_of("MAE", 2.5, baseline=3.0))
    assert needs_of(owner) == []
    add_version(run, position=2500, metrics=summary_of("MAE", 1.5, baseline=3.0))
    assert needs_of(owner) == ["v3 of logistic-1 does better than v1: Mean absolute error 1.500 against 2.000."]


def test_a_followed_run_is_no_rival_of_itself(owner, project):
    model = add_model(project)
    run = add_run(model, mode=Run.Mode.FOLLOW, state=Run.State.RUNNING, rolling=0.8)
    add_deployment(add_version(run, position=500, rolling=0.7), mode=Deployment.Mode.FOLLOW)
    add_version(run, position=1000, rolling=0.9)
    row = board_of(owner).rows[0]
    assert row.needs == ()
    assert row.serving.metric.rolling.value == 0.8, "a follower is as good as its run is now"


def test_worse_than_guessing_is_said(owner, project):
    serve(project, rolling=0.45)
    assert needs_of(owner) == [
        "v1 does no better than guessing: ROC AUC 45.0%, and 50.0% for the baseline on the same events."
    ]


def test_viewers_are_shown_the_version_but_not_the_deploying(client, project):
    viewer = make_user("vera")
    make_member(project.team, viewer)
    add_version(add_run(add_model(project)))
    (need,) = [need for _, need in board_of(viewer).needs]
    assert (need.route, need.action) == ("models_registry:version", "Look at it")
    client.force_login(viewer)
    page = client.get("/").content.decode()
    assert reverse("models_registry:deploy", args=[project.slug]) not in page


def test_needs_are_cut_on_the_page_and_all_shown_when_asked_for(signed_in, team):
    for place in range(9):
        make_project(team, name=f"Stream {place}")
    page = text_of(signed_in.get("/"))
    assert page.count("No labelled events yet") == 6 and "3 more" in page
    assert text_of(signed_in.get("/?show=needs")).count("No labelled events yet") == 9


# --- runs at work, refreshing, searching ----------------------------------------------------------


def test_runs_at_work_show_how_far_they_are_and_make_the_page_refresh(signed_in, project):
    make_events(project, 100)
    add_run(
        add_model(project),
        state=Run.State.RUNNING,
        position=40,
        target_position=100,
        events_per_second=20.0,
        learned=40,
    )
    page = signed_in.get("/").content.decode()
    assert 'hx-trigger="every 3s"' in page
    assert re.search(r'<progress value="0.4000"\s+max="1"', page)
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "40% of 100" in text and "20/s, 3 s left" in text


def test_a_follower_that_waits_refreshes_calmly_and_nothing_at_work_not_at_all(signed_in, project):
    assert 'hx-trigger="every' not in signed_in.get("/").content.decode()
    make_events(project, 10)
    add_run(
        add_model(project), mode=Run.Mode.FOLLOW, state=Run.State.RUNNING, position=10, target_position=None, learned=10
    )
    page = signed_in.get("/").content.decode()
    assert 'hx-trigger="every 15s"' in page and "Waits for labels" in page


def test_a_follower_that_waits_for_its_first_label_shows_no_empty_bar(signed_in, project):
    add_run(
        add_model(project), mode=Run.Mode.FOLLOW, state=Run.State.QUEUED, position=0, target_position=None, learned=0
    )
    page = signed_in.get("/").content.decode()
    assert "Queued" in page and "nothing new to learn" in page and "<progress" not in page


def test_htmx_gets_only_the_part_that_changes(signed_in, project):
    page = signed_in.get("/?q=Phish", headers={"HX-Request": "true"}).content.decode()
    assert re.match(r'\s*<div class="stack"\s+id="board"', page) and "<html" not in page
    assert "Phishing pages" in page


def test_searching_and_filtering(signed_in, team):
    for place in range(10):
        make_project(team, name=f"Stream {place}")
    serve(Project.objects.get(name="Stream 4"))
    page = signed_in.get("/").content.decode()
    assert 'type="search"' in page
    assert [row.name for row in signed_in.get("/?q=stream+7").context["board"].rows] == ["Stream 7"]
    assert len(signed_in.get("/?q=fraud").context["board"].rows) == 10, "the team's name is searched too"
    assert [row.name for row in signed_in.get("/?show=serving").context["board"].rows] == ["Stream 4"]
    nothing = signed_in.get("/?q=%00%25_'" + "x" * 500)
    assert nothing.status_code == 200 and "No project like this" in nothing.content.decode()
    assert len(signed_in.get("/?show=no-such-thing").context["board"].rows) == 10


# --- trends ---------------------------------------------------------------------------------------


def test_a_trend_is_a_few_points_from_start_to_end(project):
    run = add_run(add_model(project), position=10_000)
    add_points(run, [place / 1000 for place in range(1000)])
    trend = read_trends({run: "ROCAUC"})[run.pk]
    assert POINTS - 3 <= len(trend) <= POINTS
    assert trend == sorted(trend) and trend[0] < 0.03 and trend[-1] > 0.97


def test_gaps_in_a_trend_stay_gaps_and_metrics_are_each_project_s_own(project, team):
    run = add_run(add_model(project), position=30)
    add_points(run, [None, 0.5, 1.0])
    other = make_project(team, name="Prices", task=Task.REGRESSION)
    theirs = add_run(add_model(other), position=20)
    add_points(theirs, [3.0, 2.0])
    assert read_trends({run: "ROCAUC", theirs: "MAE"}) == {run.pk: [None, 0.5, 1.0], theirs.pk: [3.0, 2.0]}
    assert read_trends({}) == {}


def test_the_rate_of_a_stream_falls_while_nothing_arrives(owner, project):
    now = timezone.now()
    make_events(project, 400, now=now - timedelta(seconds=100))
    rate = read_dashboard(owner, now=now).rows[0]
    assert rate.rate == pytest.approx(2.0, rel=0.01) and rate.pace == "2/s"
    later = read_dashboard(owner, now=now + timedelta(days=2)).rows[0]
    assert later.pace == "4/h"
