"""Deploying and rolling back from the pages: who may, what is recorded, conflicts, and input that makes no sense."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from celery.app.task import Task as CeleryTask
from django.contrib.messages import get_messages
from django.urls import reverse
from kombu.exceptions import OperationalError

from models_registry.models import Deployment, Run, Version
from models_registry.selectors.history import OFFERED
from projects.models import Activity, Role
from tests.factories import NOW, make_events, make_member, make_project, make_user
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version, serve

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def three(project):
    """A finished run of 300 events with v1, v2 and v3, of which v1 and then v2 were deployed."""
    make_events(project, 300)
    run = add_run(add_model(project), position=300)
    versions = [add_version(run, position=position) for position in (100, 200, 300)]
    for version in versions[:2]:
        add_deployment(version)
    return versions


def address(name: str, project) -> str:
    return reverse(f"models_registry:{name}", args=[project.slug])


def text_of(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def deploying(version: int, *, expected: int, **more) -> dict:
    return {"version": version, "mode": "pin", "reason": "", "expected": expected} | more


def rolling_back(to: int, *, expected: int, since: str = "challenger", **more) -> dict:
    return {"to": to, "since": since, "reason": "It got worse", "expected": expected} | more


def newest(project) -> Deployment:
    return Deployment.objects.filter(project=project).first()


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EXPERT])
def test_members_without_the_right_are_refused(client, project, three, role):
    member = make_user()
    make_member(project.team, member, role)
    client.force_login(member)
    assert client.post(address("deploy", project), deploying(3, expected=2)).status_code == 403
    assert client.post(address("roll_back", project), rolling_back(1, expected=2)).status_code == 403
    assert client.get(address("deploy", project)).status_code == 403
    page = client.get(address("deployment_list", project))
    assert page.status_code == 200 and address("roll_back", project) not in page.content.decode()
    assert newest(project).number == 2


def test_outsiders_find_nothing(client, project, three):
    client.force_login(make_user("mallory"))
    for name in ("deployment_list", "deploy", "roll_back", "predict_form"):
        assert client.get(address(name, project)).status_code == 404
    assert client.post(address("deploy", project), deploying(3, expected=2)).status_code == 404
    assert client.post(address("roll_back", project), rolling_back(1, expected=2)).status_code == 404


def test_maintainers_may(client, project, three):
    member = make_user("mia")
    make_member(project.team, member, Role.MAINTAINER)
    client.force_login(member)
    response = client.post(address("deploy", project), deploying(3, expected=2, reason="Better since the spring"))
    assert response.status_code == 302 and response["Location"] == address("deployment_list", project)
    row = newest(project)
    assert (row.version.number, row.created_by, row.reason) == (3, member, "Better since the spring")
    assert said(response) == ["v3 of logistic-1 serves now."]
    assert Activity.objects.first().verb == "deployed"


# --- deploying ------------------------------------------------------------------------------------


def test_nothing_to_deploy_leads_to_a_run(signed_in, project):
    assert "There is no version to deploy yet" in text_of(signed_in.get(address("deploy", project)))
    assert "Nothing is deployed yet" in text_of(signed_in.get(address("deployment_list", project)))


def test_the_first_deployment_expects_none(signed_in, project):
    add_version(add_run(add_model(project)))
    page = signed_in.get(address("deploy", project))
    assert page.context["form"]["expected"].value() == 0
    assert signed_in.post(address("deploy", project), deploying(1, expected=0)).status_code == 302
    assert newest(project).number == 1


def test_the_choice_shows_metric_and_position_and_takes_a_version_from_the_address(signed_in, project, three):
    page = signed_in.get(address("deploy", project) + "?version=1").content.decode()
    assert re.search(
        r'<option value="1" selected>\s*v1 · logistic-1 · position 100 · ROC AUC 80.0% · served before', page
    )
    assert "v2 · logistic-1 · position 200 · ROC AUC 80.0% · serving now" in page


def test_an_old_version_is_offered_when_it_is_asked_for(signed_in, project):
    run = add_run(add_model(project))
    for position in range(OFFERED + 5):
        add_version(run, position=position)
    assert 'value="1"' not in signed_in.get(address("deploy", project)).content.decode().split("<select")[1]
    assert 'value="1" selected' in signed_in.get(address("deploy", project) + "?version=1").content.decode()
    assert signed_in.post(address("deploy", project), deploying(1, expected=0)).status_code == 302
    assert newest(project).version.number == 1


def test_following_needs_a_run_that_goes_on(signed_in, project, three):
    refused = signed_in.post(address("deploy", project), deploying(3, expected=2, mode="follow"))
    assert refused.status_code == 422 and "nothing to follow" in text_of(refused)
    run = add_run(three[0].model, mode=Run.Mode.FOLLOW, state=Run.State.RUNNING)
    add_version(run, position=300)
    done = signed_in.post(address("deploy", project), deploying(4, expected=2, mode="follow"))
    assert done.status_code == 302 and said(done) == ["v4 of logistic-1 serves now, following its run."]
    assert newest(project).mode == Deployment.Mode.FOLLOW


def test_deploying_what_serves_already_is_said(signed_in, project, three):
    refused = signed_in.post(address("deploy", project), deploying(2, expected=2))
    assert refused.status_code == 422 and "v2 serves already." in text_of(refused)


def test_somebody_was_faster(signed_in, project, three):
    colleague = make_user("carl", first_name="Carl", last_name="Colleague")
    add_deployment(three[2], created_by=colleague)
    refused = signed_in.post(address("deploy", project), deploying(1, expected=2))
    assert refused.status_code == 422
    assert "Carl Colleague deployed v3 meanwhile." in text_of(refused)
    assert newest(project).number == 3, "nothing was changed"
    again = re.search(r'name="expected"[^>]* value="(\d+)"', refused.content.decode())[1]
    assert signed_in.post(address("deploy", project), deploying(1, expected=int(again))).status_code == 302
    assert newest(project).version.number == 1


def test_other_mistakes_do_not_hide_that_somebody_was_faster(signed_in, project, three):
    add_deployment(three[2])
    first = signed_in.post(address("roll_back", project), rolling_back(1, expected=2, reason=""))
    assert first.status_code == 422 and re.search(r'name="expected"[^>]* value="2"', first.content.decode())
    second = signed_in.post(address("roll_back", project), rolling_back(1, expected=2))
    assert "Somebody deployed v3" in text_of(second)


# --- rolling back ---------------------------------------------------------------------------------


def test_the_last_good_version_is_offered_first_with_what_was_learned_since(signed_in, project, three):
    page = signed_in.get(address("roll_back", project))
    assert page.context["form"]["to"].value() == 1
    assert "200 labelled events" in text_of(page)
    for help_text in ("Nothing is stopped or lost", "learns the events since then", "kept as a version first"):
        assert help_text in text_of(page)
    choices = [number for number, _ in page.context["form"].fields["to"].choices]
    assert choices == [1, 3], "what served before comes first, what serves is left out"
    assert signed_in.get(address("roll_back", project) + "?to=3").context["form"]["to"].value() == 3


def test_challenger_lets_the_runs_go_on(signed_in, project, three, owner):
    follower = add_run(three[0].model, mode=Run.Mode.FOLLOW, state=Run.State.RUNNING)
    response = signed_in.post(address("roll_back", project), rolling_back(1, expected=2))
    assert response.status_code == 302 and said(response) == ["Rolled back: v1 serves from now on."]
    row = newest(project)
    assert (row.kind, row.version.number, row.since, row.reason, row.created_by, row.previous.number) == (
        Deployment.Kind.ROLLBACK,
        1,
        "challenger",
        "It got worse",
        owner,
        2,
    )
    follower.refresh_from_db()
    assert follower.state == Run.State.RUNNING
    page = signed_in.get(address("deployment_list", project))
    assert "kept as challenger" in text_of(page) and "It got worse" in text_of(page)
    assert page.context["last_good"] is None, "v2 was rolled back: it is no good version to go back to"


def test_replay_starts_a_run_and_rings_for_it(signed_in, project, three, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = signed_in.post(address("roll_back", project), rolling_back(1, expected=2, since="replay"))
    replay = newest(project).replay_run
    assert (replay.from_version, replay.start_position, replay.target_position) == (three[0], 100, 300)
    assert said(response) == [
        f"Rolled back: v1 serves from now on. Run {replay.number} replays what was learned since."
    ]
    assert [ring[:2] for ring in rung if ring[0] == "models_registry.tasks.advance_run"] == [
        ("models_registry.tasks.advance_run", (replay.pk,))
    ]
    page = signed_in.get(address("deployment_list", project))
    assert reverse("models_registry:run", args=[project.slug, replay.number]) in page.content.decode()
    assert "Learning since is replayed" in text_of(page)


def test_a_broker_that_is_down_costs_nothing(
    signed_in, project, three, monkeypatch, django_capture_on_commit_callbacks, caplog
):
    def fail(*args, **kwargs):
        raise OperationalError("no broker")

    monkeypatch.setattr(CeleryTask, "apply_async", fail)
    with django_capture_on_commit_callbacks(execute=True):
        response = signed_in.post(address("roll_back", project), rolling_back(1, expected=2, since="replay"))
    assert response.status_code == 302 and newest(project).replay_run.state == Run.State.QUEUED
    assert "could not be rung" in caplog.text


def test_nothing_to_replay_is_said(signed_in, project, three):
    signed_in.post(address("roll_back", project), rolling_back(3, expected=2, since="replay"))
    assert newest(project).replay_run is None
    assert "there was nothing to replay" in text_of(signed_in.get(address("deployment_list", project)))


def test_drop_keeps_the_state_and_stops_the_runs(signed_in, project, three):
    follower = add_run(
        three[0].model,
        mode=Run.Mode.FOLLOW,
        state=Run.State.RUNNING,
        position=300,
        target_position=None,
        from_version=newest(project).version,
    )
    response = signed_in.post(address("roll_back", project), rolling_back(1, expected=2, since="drop"))
    assert response.status_code == 302
    follower.refresh_from_db()
    assert follower.state == Run.State.CANCELLED
    kept = Version.objects.get(run=follower)
    assert (kept.position, kept.reason) == (300, Version.Reason.SAFETY)


def test_a_follower_can_be_set_back_to_where_it_started(signed_in, project):
    run = add_run(add_model(project), mode=Run.Mode.FOLLOW, state=Run.State.RUNNING, position=500)
    add_deployment(add_version(run, position=100), mode=Deployment.Mode.FOLLOW)
    page = signed_in.get(address("roll_back", project))
    assert page.context["form"]["to"].value() == 1
    assert signed_in.post(address("roll_back", project), rolling_back(1, expected=1)).status_code == 302
    assert newest(project).mode == Deployment.Mode.PIN


def test_rolling_back_where_nothing_serves(signed_in, project):
    response = signed_in.get(address("roll_back", project))
    assert response.status_code == 302 and "nothing to roll back" in said(response)[0]


def test_the_only_version_has_nothing_before_it(signed_in, project):
    serve(project)
    assert "There is no other version yet" in text_of(signed_in.get(address("roll_back", project)))


def test_a_reason_and_a_choice_are_needed(signed_in, project, three):
    refused = signed_in.post(address("roll_back", project), rolling_back(1, expected=2, reason="  ", since=""))
    text = text_of(refused)
    assert refused.status_code == 422 and "Give a reason" in text and "required" in text
    assert newest(project).number == 2


def test_somebody_rolled_back_first(signed_in, project, three):
    add_deployment(three[0], kind=Deployment.Kind.ROLLBACK, created_by=make_user("carl"))
    refused = signed_in.post(address("roll_back", project), rolling_back(1, expected=2))
    assert refused.status_code == 422 and "carl rolled back to v1 meanwhile" in text_of(refused)


# --- the dialogs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deploy", "roll_back"])
def test_htmx_gets_a_dialog_and_everybody_else_a_page(signed_in, project, three, name):
    dialog = signed_in.get(address(name, project), headers=HTMX).content.decode()
    assert "<dialog" in dialog and "data-dialog-opened" in dialog and "<html" not in dialog
    page = signed_in.get(address(name, project)).content.decode()
    assert "<html" in page and "<dialog" not in page and f'action="{address(name, project)}"' in page


def test_a_refused_dialog_comes_back_open_and_a_carried_out_one_reloads(signed_in, project, three):
    refused = signed_in.post(address("roll_back", project), rolling_back(1, expected=2, reason=""), headers=HTMX)
    assert refused.status_code == 422 and "data-dialog-opened" in refused.content.decode()
    done = signed_in.post(address("roll_back", project), rolling_back(1, expected=2), headers=HTMX)
    assert done.status_code == 200 and done["HX-Redirect"] == address("deployment_list", project)


# --- history --------------------------------------------------------------------------------------


def test_history_says_from_to_who_when_why_and_for_how_long(
    signed_in, project, three, owner, django_assert_max_num_queries
):
    rows = list(Deployment.objects.filter(project=project).order_by("number"))
    for hours, row in enumerate(rows):
        Deployment.objects.filter(pk=row.pk).update(created_at=NOW + timedelta(hours=2 * hours), created_by=owner)
    with django_assert_max_num_queries(15):
        page = signed_in.get(address("deployment_list", project))
    text = text_of(page)
    assert "v1 → to v2" in text and "olga, served 2 h" in text and "olga, serving now" in text
    assert 'title="4 May 2026, 14:00:00 UTC"' in page.content.decode()


def test_history_is_paged_and_every_row_knows_how_long_it_served(signed_in, project, three):
    for place in range(25):
        add_deployment(three[place % 3])
    first, second = (signed_in.get(address("deployment_list", project) + f"?page={page}") for page in (1, 2))
    assert [len(page.context["page"].object_list) for page in (first, second)] == [20, 7]
    assert sum(row.current for page in (first, second) for row in page.context["page"].object_list) == 1
    assert signed_in.get(address("deployment_list", project) + "?page=junk").status_code == 200


# --- input that makes no sense --------------------------------------------------------------------

NONSENSE = ["", "0", "-1", "x", "1.5", "99999999999999999999999", "٣", "²", "\x00", "1" * 5000, "<script>"]


@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_is_refused_and_changes_nothing(signed_in, project, three, value):
    for name, data in (("deploy", deploying(3, expected=2)), ("roll_back", rolling_back(1, expected=2))):
        for field in data:
            if field == "reason":
                continue
            response = signed_in.post(address(name, project), data | {field: value})
            assert response.status_code == 422, (name, field)
        assert signed_in.get(address(name, project), {"version": value, "to": value}).status_code == 200
    assert newest(project).number == 2


def test_empty_and_long_posts(signed_in, project, three):
    assert signed_in.post(address("deploy", project), {}).status_code == 422
    assert signed_in.post(address("roll_back", project), {}).status_code == 422
    long = signed_in.post(address("roll_back", project), rolling_back(1, expected=2, reason="x" * 501))
    assert long.status_code == 422 and "at most 500 characters" in text_of(long)


def test_a_version_of_another_project_cannot_be_deployed(signed_in, project, three, team):
    serve(make_project(team, name="Other"))
    assert signed_in.post(address("deploy", project), deploying(7, expected=2)).status_code == 422


def test_only_get_and_post(signed_in, project, three):
    assert signed_in.delete(address("deploy", project)).status_code == 405
    assert signed_in.post(address("deployment_list", project)).status_code == 405
