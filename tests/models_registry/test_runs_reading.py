"""The page of a run: figures, events set aside, failures, curves."""

from __future__ import annotations

from models_registry.models import Run
from models_registry.selectors.metrics import read_chart
from models_registry.selectors.runs import find_run, open_run
from projects.models import Event, Task
from tests.factories import make_events, make_project
from tests.models_registry.learned import LINE, make_model, make_run

HTMX = {"HX-Request": "true"}


def test_a_finished_run_shows_figures_against_the_baseline(client, page, model, django_assert_max_num_queries):
    run = make_run(model, events=300, publish_every=100, seed=5)
    with django_assert_max_num_queries(15):
        html = client.get(page("run", run.number)).content.decode()
    assert "Completed" in html
    assert "300 of 300 events" in html
    for metric in ("ROC AUC", "Accuracy", "F1", "Log loss"):
        assert metric in html
    assert "the baseline" in html
    assert "River 0." in html
    assert "<code>5</code>" in html
    assert [f">v{number}</a>" in html for number in (1, 2, 3)] == [True] * 3
    assert 'hx-trigger="every' not in html


def test_the_parts_of_a_page_take_a_stated_number_of_queries(project, model, django_assert_num_queries):
    run = make_run(model, events=100)
    with django_assert_num_queries(1):
        found = find_run(project, run.number)
    with django_assert_num_queries(6):
        open_run(project, found)
    with django_assert_num_queries(3):
        read_chart(found, "Accuracy")


def test_events_set_aside_are_shown_with_their_reason(client, page, team):
    project = make_project(team, name="Prices", task=Task.REGRESSION)
    make_events(project, 50)
    Event.objects.filter(project=project, position=7).update(label='"dear"')
    run = make_run(make_model(project, "Linear", LINE))
    html = client.get(page("run", run.number, of=project)).content.decode()
    assert "Events set aside" in html
    assert "expected a number" in html
    assert "<code>e6</code>" in html
    assert "49 learned, 1 set aside" in html.replace("\n", " ").replace("  ", "")


def test_a_failed_run_says_why_and_what_to_do(client, page, model):
    version = make_run(model, events=50, publish_every=20).versions.first()
    Run.objects.update(state=Run.State.FAILED, error="The model failed at position 51: ZeroDivisionError")
    html = client.get(page("run", 1)).content.decode()
    assert "The model failed at position 51: ZeroDivisionError" in html
    assert "Everything before it is kept" in html
    assert page("run_create") + f"?from_version={version.number}" in html


def test_runs_that_are_not_there(client, page, team):
    other = make_project(team, name="Other")
    theirs = make_run(make_model(other), events=5)
    for name in ("run", "run_live", "run_chart", "run_metrics"):
        assert client.get(page(name, theirs.number)).status_code == 404
        assert client.get(page(name, 10**30)).status_code == 404
