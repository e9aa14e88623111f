"""Pausing, resuming, cancelling, publishing, going back, and who may."""

from __future__ import annotations

import json

import pytest

from models_registry.models import Run, Version
from models_registry.services.runs import start_run
from models_registry.services.versions import publish_now
from ops_portal.errors import UserError
from projects.models import Activity
from tests.factories import make_events, make_member, make_user
from tests.models_registry.learned import learn, make_run

HTMX = {"HX-Request": "true"}


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


def form_of(chosen, **more):
    return {"model": chosen.pk, "mode": "replay", "from_version": "", "publish_every": "5000", "seed": "", **more}


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
