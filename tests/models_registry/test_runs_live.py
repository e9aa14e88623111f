"""A run that learns: polls, charts that go on, what is sent again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from models_registry.models import Run
from models_registry.selectors.metrics import MOST_MARKERS, read_chart
from models_registry.selectors.runs import find_run, open_run
from models_registry.services import training
from models_registry.services.runs import pause_run, resume_run, start_run
from tests.factories import make_events
from tests.models_registry.learned import learn, make_run

HTMX = {"HX-Request": "true"}


def test_a_poll_answers_small_until_something_else_changed(client, page, run, django_assert_max_num_queries):
    whole = client.get(page("run", run.number)).content.decode()
    assert 'hx-trigger="every 1s"' in whole
    mark = open_run(run.project, find_run(run.project, run.number)).mark
    with django_assert_max_num_queries(12):
        same = client.get(page("run_live", run.number), {"mark": mark}, headers=HTMX).content.decode()
    assert "100 of 300 events" in same
    assert 'hx-trigger="every 1s"' in same
    assert "#run-metrics" in same
    assert "#run-records" not in same
    assert len(same) < len(whole) / 3
    learn(run)
    ended = client.get(page("run_live", run.number), {"mark": mark}, headers=HTMX).content.decode()
    assert "#run-records" in ended
    assert "Completed" in ended
    assert "hx-trigger" not in ended


def test_a_run_that_nobody_works_on_says_so(client, page, run):
    Run.objects.update(updated_at=timezone.now() - timezone.timedelta(minutes=1))
    assert "No worker is at it" in client.get(page("run_live", run.number)).content.decode()


def test_a_follower_that_has_caught_up_waits(client, page, model):
    make_events(model.project, 20)
    run = start_run(model=model, mode=Run.Mode.FOLLOW, actor=None)
    learn(run)
    html = client.get(page("run_live", run.number)).content.decode()
    assert "Caught up: waiting for new labels" in html
    make_events(model.project, 3, start=20)
    assert "3 events behind the stream" in client.get(page("run_live", run.number)).content.decode()


def test_the_chart_is_sent_again_only_when_there_is_more_to_draw(client, page, run):
    ask = {"metric": "Accuracy", "position": "100", "drawn": "1"}
    assert client.get(page("run_chart", run.number), ask, headers=HTMX).status_code == 204
    training.advance(run.pk)
    html = client.get(page("run_chart", run.number), ask, headers=HTMX).content.decode()
    assert '<script hx-swap-oob="true" id="metric-accuracy-data"' in html
    assert "position=200" in html
    assert "<figure" not in html  # the drawing in the page stays and keeps its zoom
    assert "Metric drawn" not in html
    nothing_drawn = client.get(page("run_chart", run.number), ask | {"drawn": "0"}, headers=HTMX).content.decode()
    assert "<figure" in nothing_drawn and "Metric drawn" in nothing_drawn
    assert nothing_drawn.count("hx-swap-oob") == 1
    pause_run(run=run, actor=None)
    assert 'hx-trigger="every 2s"' in client.get(page("run_chart", run.number), ask, headers=HTMX).content.decode()
    resume_run(run=run, actor=None)
    learn(run)
    assert "hx-trigger" not in client.get(page("run_chart", run.number), ask, headers=HTMX).content.decode()


def test_another_metric_comes_with_its_own_poll(client, page, run):
    html = client.get(page("run", run.number), {"metric": "F1"}, headers=HTMX | {"HX-Boosted": "true"}).content.decode()
    poll = html.split('id="chart-poll"')[1].split(">")[0]
    assert "metric=F1" in poll and "hx-swap-oob" not in poll


def test_the_curves_as_json_are_bounded_and_end_with_the_newest_values(client, page, model):
    run = make_run(model, events=900, publish_every=300)
    answer = client.get(page("run_metrics", run.number), {"metric": "Accuracy", "points": "20"}).json()
    names = [trace["name"] for trace in answer["figure"]["data"] if "name" in trace]
    lines = {trace["name"]: trace for trace in answer["figure"]["data"] if "name" in trace}
    assert {"Overall", "Baseline: the commonest label so far", "Version"} <= set(names)
    assert len(lines["Overall"]["x"]) <= 20
    assert lines["Overall"]["x"][-1] == 900
    assert lines["Overall"]["y"][-1] == run.summary["overall.Accuracy"]
    assert lines["Version"]["x"] == [300, 600, 900]


@pytest.mark.parametrize("points", ["", "x", "-3", "0", "1e9", "9" * 30, "5"])
@pytest.mark.parametrize("metric", ["", "Nonsense", "R2", "LogLoss"])
def test_odd_questions_for_curves_get_a_sensible_answer(client, page, run, metric, points):
    answer = client.get(page("run_metrics", run.number), {"metric": metric, "points": points})
    assert answer.status_code == 200
    assert answer.json()["metric"] == (metric if metric == "LogLoss" else "ROCAUC")


def test_many_versions_do_not_hide_the_curve(model):
    run = make_run(model, events=400, publish_every=10)
    figure = read_chart(find_run(model.project, run.number), "Accuracy").figure
    marked = next(trace for trace in figure["data"] if trace.get("name") == "Version")
    assert len(marked["x"]) == MOST_MARKERS
    assert marked["x"][-1] == 400
