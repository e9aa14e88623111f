"""The page of a project: what it says at each stage, who sees what, and how little it asks the database."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from models_registry.models import Alarm, Deployment, Prediction, Run
from models_registry.selectors.course import read_course
from models_registry.selectors.serving import read_answers
from projects.models import Event, Task
from projects.payload import IncomingLabel
from projects.services.activity import record
from projects.services.events import accept_labels
from tests.factories import NOW, make_events, make_member, make_project, make_user
from tests.models_registry.serving_records import add_deployment, add_model, add_points, add_run, add_version, serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def address(name: str, project) -> str:
    return reverse(f"models_registry:{name}", args=[project.slug])


def text_of(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_outsiders_learn_nothing_and_members_see_it(client, project):
    assert client.get(address("overview", project)).status_code == 302
    client.force_login(make_user("mallory"))
    assert client.get(address("overview", project)).status_code == 404
    assert client.get(address("overview_chart", project)).status_code == 404
    viewer = make_user("vera")
    make_member(project.team, viewer)
    client.force_login(viewer)
    assert client.get(address("overview", project)).status_code == 200


def test_viewers_are_offered_nothing_they_may_not_do(client, project):
    serve(project)
    viewer = make_user("vera")
    make_member(project.team, viewer)
    client.force_login(viewer)
    page = client.get(address("overview", project)).content.decode()
    for name in ("deploy", "roll_back", "predict_form", "run_create"):
        assert f'href="{address(name, project)}"' not in page.split("steps-title")[0], name
    assert "Serving now" in page and "v1" in page


def test_the_first_steps_tick_themselves(signed_in, project, owner):
    def ticked() -> list[bool]:
        return [step.done for step in signed_in.get(address("overview", project)).context["overview"].steps]

    assert ticked() == [False] * 5
    make_events(project, 5, labelled=False)
    assert ticked()[0] is False, "events without labels teach nothing"
    make_events(project, 5)
    assert ticked() == [True, False, False, False, False]
    model = add_model(project)
    assert ticked() == [True, True, False, False, False]
    run = add_run(model)
    assert ticked() == [True, True, True, False, False]
    add_deployment(add_version(run))
    assert ticked() == [True, True, True, True, False]
    record(actor=owner, verb="assessment.answered", summary="answered", project=project)
    page = signed_in.get(address("overview", project))
    assert page.context["overview"].finished and "First steps" not in page.content.decode()


def test_the_panel_says_version_mode_since_who_why_and_how_well(signed_in, project, owner):
    serve(project, rolling=0.91234, reason="Passed the review", created_by=owner)
    text = text_of(signed_in.get(address("overview", project)))
    for said in ("v1", "logistic-1", "Pinned", "by olga: Passed the review", "91.2%", "Baseline, lately", "1,000"):
        assert said in text
    assert "when it was published in run 1" in text


def test_a_follower_shows_its_run_now(signed_in, project):
    run = add_run(add_model(project), mode=Run.Mode.FOLLOW, state=Run.State.RUNNING, rolling=0.75, position=4321)
    add_deployment(add_version(run, position=1000, rolling=0.6), mode=Deployment.Mode.FOLLOW)
    text = text_of(signed_in.get(address("overview", project)))
    assert "Follows a run" in text and "75.0%" in text and "4,321" in text and "at this moment" in text


def test_real_answers_are_scored_against_the_labels_that_came(signed_in, project):
    deployment = serve(project)
    make_events(project, 4, labelled=False)
    events = list(Event.objects.filter(project=project).order_by("id"))
    for event, said in zip(events, [True, False, True, True], strict=True):
        output = json.dumps({"prediction": said, "probabilities": None})
        Prediction.objects.create(
            project=project, event=event, deployment=deployment, version=deployment.version, output=output, at=NOW
        )
    labels = [IncomingLabel(1, event.key, True) for event in events[:3]]
    accept_labels(project_id=project.pk, labels=labels, now=NOW)
    answers = read_answers(deployment.pk, project.task)
    assert (answers.asked, answers.labelled, answers.right) == (4, 3, 2)
    assert "Of its last 4 answers 3 have a label by now; 66.7% were right." in text_of(
        signed_in.get(address("overview", project))
    )


def test_regressions_say_how_far_off_they_were(project, team):
    prices = make_project(team, name="Prices", task=Task.REGRESSION)
    deployment = serve(prices)
    make_events(prices, 2)
    for event, said in zip(Event.objects.filter(project=prices), [1.0, None], strict=True):
        output = json.dumps({"prediction": said, "probabilities": None})
        Prediction.objects.create(
            project=prices, event=event, deployment=deployment, version=deployment.version, output=output, at=NOW
        )
    assert read_answers(deployment.pk, prices.task).mean_error is not None
    assert read_answers(deployment.pk, prices.task).share_right is None


def test_few_questions_to_the_database(signed_in, project, owner, django_assert_max_num_queries):
    serve(project)
    make_events(project, 20)
    for place in range(6):
        run = add_run(add_model(project, f"model {place}"), state=Run.State.RUNNING)
        add_version(run)
        add_points(run, [0.5] * 20)
        Alarm.objects.create(run=run, position=15)
        record(actor=owner, verb="run.started", summary="started", project=project)
    with django_assert_max_num_queries(15):
        signed_in.get(address("overview", project))
    with django_assert_max_num_queries(13):
        signed_in.get(address("overview_chart", project))


def test_htmx_gets_the_part_that_changes_and_tells_the_chart(signed_in, project):
    make_events(project, 20)
    add_run(add_model(project), state=Run.State.RUNNING, position=5, target_position=20)
    response = signed_in.get(address("overview", project), headers={"HX-Request": "true"})
    page = response.content.decode()
    assert re.match(r'\s*<div class="stack"\s+id="live"', page) and "<html" not in page
    assert 'hx-trigger="every 3s"' in page
    assert "course" in response["HX-Trigger"]


def test_activity_and_data_are_summed_up(signed_in, project, owner):
    make_events(project, 12)
    make_events(project, 3, labelled=False, start=50)
    record(actor=owner, verb="run.started", summary="started run 1 of logistic-1 <b>", project=project)
    response = signed_in.get(address("overview", project))
    assert "Started run 1 of logistic-1 &lt;b&gt;" in response.content.decode()
    data = response.context["overview"].data
    assert (data.events, data.labelled, data.waiting, data.corrections) == (15, 12, 3, 0)
    assert data.features == ("x", "y", "colour") and set(data.classes) == {"true", "false"}


# --- the chart ------------------------------------------------------------------------------------


def test_no_chart_before_anything_learned(signed_in, project):
    assert read_course(project) is None
    assert "Nothing learned yet" in text_of(signed_in.get(address("overview_chart", project)))


def test_the_chart_follows_the_serving_line_back_to_its_origin(project):
    model = add_model(project)
    first = add_run(model, position=50)
    add_points(first, [0.1, 0.2, 0.3, 0.4, 0.5])
    origin = add_version(first, position=30)
    second = add_run(model, position=60, start_position=30, from_version=origin, rolling=0.9)
    for position, value in ((40, 0.6), (50, 0.7)):
        second.points.create(first=position - 9, position=position, values={"rolling.ROCAUC": [value] * 3})
    add_deployment(add_version(second))
    chart = read_course(project)
    rolling = chart.figure["data"][0]
    assert rolling["x"] == [10, 20, 30, 40, 50, 60]
    assert rolling["y"] == [0.1, 0.2, 0.3, 0.6, 0.7, 0.9], "the newest value closes the curve"


def test_the_chart_marks_versions_drift_deployments_and_rollbacks(project):
    deployment = serve(project)
    run = deployment.version.run
    add_points(run, [0.5] * 50)
    Alarm.objects.create(run=run, position=400)
    second = add_version(run, position=1500)
    add_deployment(second)
    add_deployment(deployment.version, kind=Deployment.Kind.ROLLBACK)
    names = {trace["name"]: trace for trace in read_course(project).figure["data"]}
    assert {"Version", "Drift", "Deployment", "Rollback"} <= names.keys()
    assert names["Rollback"]["text"] == ["Deployment 3: back to v1"]
    assert names["Drift"]["x"] == [400]


def test_a_newer_run_is_drawn_beside_what_serves(project):
    deployment = serve(project)
    add_points(deployment.version.run, [0.5] * 50)
    rival = add_run(add_model(project, "rival"), position=100, rolling=0.95)
    add_points(rival, [0.6] * 10)
    names = [trace["name"] for trace in read_course(project).figure["data"]]
    assert "Run 2, rolling" in names


def test_the_chart_comes_with_its_numbers_for_readers_without_scripts(signed_in, project):
    deployment = serve(project)
    add_points(deployment.version.run, [0.5, 0.6])
    page = signed_in.get(address("overview_chart", project)).content.decode()
    assert "<table" in page and "0.6000" in page
