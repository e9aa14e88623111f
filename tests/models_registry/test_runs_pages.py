"""Pages about runs: starting, watching, steering and reading them."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from models_registry.models import Run, Version
from models_registry.selectors.metrics import MOST_MARKERS, read_chart
from models_registry.selectors.runs import find_run, list_runs, open_run
from models_registry.services import training
from models_registry.services.runs import cancel_run, pause_run, resume_run, start_run
from models_registry.services.versions import publish_now
from ops_portal.errors import UserError
from projects.models import Activity, Event, Task
from tests.factories import make_events, make_member, make_project, make_user
from tests.models_registry.learned import LINE, SHALLOW, TREE, learn, make_model, make_run

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client, owner, project):
    client.force_login(owner)

    def url(name, *args, of=project):
        return reverse(f"models_registry:{name}", args=[of.slug, *args])

    return url


@pytest.fixture
def model(project):
    return make_model(project)


@pytest.fixture
def run(model):
    """A run at work that has learned 100 of 300 events."""
    make_events(model.project, 100)
    started = start_run(model=model, mode=Run.Mode.REPLAY, actor=None, target_position=100)
    make_events(model.project, 200, start=100)
    Run.objects.filter(pk=started.pk).update(target_position=300)
    Run.objects.filter(pk=started.pk).update(options=started.options | {"publish_every": 100})
    training.advance(started.pk)
    started.refresh_from_db()
    assert (started.state, started.position) == (Run.State.RUNNING, 100)
    return started


# --- starting -------------------------------------------------------------------------------------


def form_of(chosen, **more):
    return {"model": chosen.pk, "mode": "replay", "from_version": "", "publish_every": "5000", "seed": "", **more}


def test_starting_keeps_what_was_chosen_and_rings(client, page, model, owner, rung, django_capture_on_commit_callbacks):
    make_events(model.project, 30)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(page("run_create"), form_of(model, seed="7", publish_every="10"))
    run = Run.objects.get()
    assert answer["Location"] == page("run", run.number)
    assert (run.seed, run.options["publish_every"], run.target_position, run.created_by) == (7, 10, 30, owner)
    assert ("models_registry.tasks.advance_run", (run.pk,)) in [(name, args) for name, args, _ in rung]


def test_a_run_that_follows_needs_no_events_and_draws_a_seed(client, page, model):
    client.post(page("run_create"), form_of(model, mode="follow"))
    run = Run.objects.get()
    assert (run.mode, run.target_position) == (Run.Mode.FOLLOW, None)
    assert 0 <= run.seed < 2**31


def test_a_replay_without_events_is_explained(client, page, model):
    answer = client.post(page("run_create"), form_of(model))
    assert answer.status_code == 422
    assert "bring labelled data first" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_project_without_models_is_led_to_describe_one(client, page):
    html = client.get(page("run_create")).content.decode()
    assert "A run needs a model" in html
    assert page("model_create") in html


def test_links_preselect_the_model_and_the_version(client, page, model):
    other = make_model(model.project, "Newer")
    version = make_run(model, events=20).versions.get()
    html = client.get(page("run_create") + f"?model={model.pk}").content.decode()
    assert f'<option value="{model.pk}" selected' in html
    html = client.get(page("run_create") + f"?from_version={version.number}").content.decode()
    assert f'<option value="{version.pk}" selected' in html
    assert f'<option value="{other.pk}" selected' not in html
    assert client.get(page("run_create") + "?from_version=99").status_code == 404


def test_going_on_from_a_version_starts_after_its_position(client, page, model):
    version = make_run(model, events=40).versions.get()
    make_events(model.project, 10, start=40)
    client.post(page("run_create"), form_of(model, from_version=version.pk))
    run = Run.objects.latest("number")
    assert (run.from_version, run.start_position, run.target_position) == (version, 40, 50)
    html = client.get(page("run", run.number)).content.decode()
    assert "going on from" in html
    assert page("version", version.number) in html


def test_a_version_of_another_model_is_refused_at_its_field(client, page, model):
    version = make_run(make_model(model.project, "Shallow", SHALLOW), events=20).versions.get()
    answer = client.post(page("run_create"), form_of(model, from_version=version.pk))
    assert answer.status_code == 422
    assert "is a version of Shallow" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""}, {"model": "x"}, {"model": str(10**30)}, {"model": "-1"}, {"mode": "sideways"}, {"mode": ""},
        {"from_version": "x"}, {"from_version": str(10**30)}, {"publish_every": "-1"}, {"publish_every": "many"},
        {"publish_every": ""}, {"publish_every": str(10**30)}, {"seed": "-1"}, {"seed": str(2**31)}, {"seed": "1.5"},
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_a_word(client, page, model, wrong):
    make_events(model.project, 5)
    answer = client.post(page("run_create"), form_of(model, **wrong))
    assert answer.status_code == 422
    assert "field-errors" in answer.content.decode()
    assert not Run.objects.exists()


def test_models_and_versions_of_another_project_are_not_offered(client, page, model, team):
    other = make_model(make_project(team, name="Other"), "Theirs")
    version = make_run(other, events=10).versions.get()
    make_events(model.project, 5)
    html = client.get(page("run_create")).content.decode()
    assert "Theirs" not in html
    assert client.post(page("run_create"), form_of(other)).status_code == 422
    assert client.post(page("run_create"), form_of(model, from_version=version.pk)).status_code == 422
    assert client.get(page("run_create") + f"?model={other.pk}").status_code == 200


# --- reading --------------------------------------------------------------------------------------


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
    with django_assert_num_queries(5):
        open_run(project, found)
    with django_assert_num_queries(3):
        read_chart(found, "Accuracy")
    with django_assert_num_queries(2):
        list_runs(project)


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


# --- live -----------------------------------------------------------------------------------------


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
    assert {"Overall", "Baseline", "Version"} <= set(names)
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


# --- steering -------------------------------------------------------------------------------------


def test_pause_and_resume_in_the_page_keep_the_page(client, page, run, rung, django_capture_on_commit_callbacks):
    html = client.post(page("run_pause", run.number), headers=HTMX).content.decode()
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "Paused" in html and "Resume" in html and "Nothing is lost; resume it at any time." in html
    assert "chart-plot" not in html
    with django_capture_on_commit_callbacks(execute=True):
        html = client.post(page("run_resume", run.number), headers=HTMX).content.decode()
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED
    assert "Queued" in html
    assert ("models_registry.tasks.advance_run", (run.pk,)) in [(name, args) for name, args, _ in rung]
    assert learn(run).state == Run.State.COMPLETED


def test_without_script_every_action_leads_back_to_the_run(client, page, run):
    for name in ("run_pause", "run_resume", "run_publish", "run_cancel"):
        answer = client.post(page(name, run.number))
        assert (answer.status_code, answer["Location"]) == (302, page("run", run.number))
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    verbs = set(Activity.objects.filter(project=run.project).values_list("verb", flat=True))
    assert {"run.paused", "run.resumed", "run.cancelled", "version.published"} <= verbs


def test_cancelling_asks_first(client, page, run):
    assert 'id="cancel-run"' in client.get(page("run", run.number)).content.decode()
    html = client.get(page("run_cancel", run.number)).content.decode()
    assert "ends for good" in html
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


@pytest.mark.parametrize("name", ["run_pause", "run_resume", "run_cancel"])
def test_a_run_that_is_over_cannot_be_steered(client, page, model, name):
    run = make_run(model, events=10)
    answer = client.post(
        page(name, run.number), headers={"Referer": f"http://testserver{page('run', run.number)}"}, follow=True
    )
    assert "Run 1 is completed; it cannot be" in answer.content.decode()
    run.refresh_from_db()
    assert run.state == Run.State.COMPLETED
    answer = client.post(page(name, run.number), headers=HTMX)
    assert "HX-Redirect" in answer


def test_publishing_now_keeps_the_newest_state_once(client, page, model):
    make_events(model.project, 30)
    run = start_run(model=model, mode=Run.Mode.FOLLOW, actor=None)
    learn(run)
    html = client.post(page("run_publish", run.number), headers=HTMX).content.decode()
    version = Version.objects.get()
    assert "Published v1 at position 30." in html
    assert (version.position, version.reason, version.artifact) == (30, Version.Reason.REQUEST, run.checkpoint)
    assert version.metrics == run.summary
    client.post(page("run_publish", run.number))
    assert Version.objects.count() == 1


def test_nothing_learned_is_nothing_to_publish(model, owner):
    run = start_run(model=model, mode=Run.Mode.FOLLOW, actor=None)
    with pytest.raises(UserError, match="has not learned anything yet"):
        publish_now(run_id=run.pk, actor=owner)


# --- going back -----------------------------------------------------------------------------------


def test_a_position_that_is_kept_is_had_back_at_once(client, page, model):
    run = make_run(model, events=60, publish_every=20)
    kept = run.versions.get(position=40)
    answer = client.post(page("run_restore", run.number), {"position": "40"})
    assert answer["Location"] == page("version", kept.number)
    assert Run.objects.count() == 1


def test_any_other_position_is_replayed_from_the_version_before(client, page, model):
    run = make_run(model, events=60, publish_every=20)
    answer = client.post(page("run_restore", run.number), {"position": "47"})
    restoring = Run.objects.latest("number")
    assert answer["Location"] == page("run", restoring.number)
    assert (restoring.purpose, restoring.start_position, restoring.target_position) == ("restore", 40, 47)
    learn(restoring)
    html = client.get(page("run", restoring.number)).content.decode()
    assert "Restores the model as it was after position 47" in html
    assert "restored" in html


@pytest.mark.parametrize("position", ["", "0", "-5", "61", "x", "4.5", str(10**30)])
def test_a_position_the_run_never_held_is_refused(client, page, model, position):
    run = make_run(model, events=60)
    answer = client.post(page("run_restore", run.number), {"position": position})
    assert answer.status_code == 422
    assert "field-errors" in answer.content.decode()
    assert Run.objects.count() == 1


# --- the list -------------------------------------------------------------------------------------


@pytest.fixture
def several(model):
    """Runs 1 (completed), 2 (paused), 3 (follows), 4 (cancelled, of another model)."""
    make_run(model, events=40)
    pause_run(run=start_run(model=model, mode=Run.Mode.REPLAY, actor=None), actor=None)
    start_run(model=model, mode=Run.Mode.FOLLOW, actor=None)
    other = start_run(model=make_model(model.project, "Other"), mode=Run.Mode.REPLAY, actor=None)
    cancel_run(run=other, actor=None)
    return model


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({}, [4, 3, 2, 1]),
        ({"state": "active"}, [3]),
        ({"state": "completed"}, [1]),
        ({"mode": "follow"}, [3]),
        ({"mode": "replay", "state": "paused"}, [2]),
        ({"state": "asleep", "mode": "x", "model": "y", "page": "z"}, [4, 3, 2, 1]),
        ({"model": str(10**30), "page": str(10**30)}, [4, 3, 2, 1]),
        ({"mode": "follow", "state": "failed"}, []),
    ],
)
def test_runs_are_filtered_by_state_and_mode(client, page, several, asked, numbers, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        answer = client.get(page("run_list"), asked)
    assert [row.number for row in answer.context["page"].object_list] == numbers
    if not numbers:
        assert "No run fits" in answer.content.decode()


def test_runs_are_filtered_by_model_and_live_while_one_is_at_work(client, page, several):
    answer = client.get(page("run_list"), {"model": several.pk})
    assert [row.number for row in answer.context["page"].object_list] == [3, 2, 1]
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    assert 'hx-trigger="every 2s"' not in client.get(page("run_list"), {"state": "completed"}).content.decode()


def test_long_lists_come_in_pages(client, page, model):
    Run.objects.bulk_create(
        Run(project=model.project, number=number, model=model, mode="replay", spec=TREE, seed=1, state="cancelled")
        for number in range(1, 31)
    )
    first, second = client.get(page("run_list")), client.get(page("run_list") + "?page=2")
    assert [row.number for row in first.context["page"].object_list] == list(range(30, 5, -1))
    assert [row.number for row in second.context["page"].object_list] == list(range(5, 0, -1))


# --- who may --------------------------------------------------------------------------------------

ACTIONS = ("run_pause", "run_resume", "run_cancel", "run_publish")


def test_a_viewer_watches_and_may_not_steer(client, page, run, team):
    viewer = make_user()
    make_member(team, viewer)
    client.force_login(viewer)
    html = client.get(page("run", run.number)).content.decode()
    assert "Pause" not in html and "cancel-run" not in html
    for name in ("run_list", "run_live", "run_chart", "run_metrics"):
        args = [] if name == "run_list" else [run.number]
        assert client.get(page(name, *args)).status_code == 200
    assert [client.post(page(name, run.number)).status_code for name in ACTIONS] == [403] * 4
    assert client.get(page("run_create")).status_code == 403
    assert client.get(page("run_restore", run.number)).status_code == 403
    assert client.post(page("run_restore", run.number), {"position": "50"}).status_code == 403
    assert client.post(page("run_create"), form_of(run.model)).status_code == 403
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_an_outsider_finds_nothing(client, page, run):
    client.force_login(make_user())
    names = ("run", "run_live", "run_chart", "run_metrics")
    assert [client.get(page(name, run.number)).status_code for name in names] == [404] * 4
    assert [client.post(page(name, run.number)).status_code for name in ACTIONS] == [404] * 4
    assert client.get(page("run_list")).status_code == 404


def test_actions_are_posts(client, page, run):
    assert [client.get(page(name, run.number)).status_code for name in ("run_pause", "run_resume", "run_publish")] == [
        405
    ] * 3


def test_the_json_holds_no_markup_that_could_end_its_script(client, page, run):
    text = client.get(page("run", run.number)).content.decode()
    data = text.split('id="metric-rocauc-data" type="application/json">')[1].split("</script>")[0]
    assert "<" not in data
    json.loads(data)
