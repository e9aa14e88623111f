"""Pages of canaries, challengers, proposals and the timeline."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from models_registry.models import Alarm, Deployment, Proposal, ShadowChange
from models_registry.selectors.timeline import read_timeline
from models_registry.services.canary import start_canary
from models_registry.services.proposals import propose
from models_registry.services.shadows import start_shadow
from projects.models import Project, Role
from tests.factories import make_member, make_user
from tests.models_registry.answered import answer, rights
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def versions(project):
    run = add_run(add_model(project))
    found = [add_version(run, position=position) for position in (100, 200, 300)]
    add_deployment(found[0])
    add_deployment(found[1])
    return found


@pytest.fixture
def mia(project):
    person = make_user("mia")
    make_member(project.team, person, Role.MAINTAINER)
    return person


def address(name, project, *more):
    return reverse(f"models_registry:{name}", args=[project.slug, *more])


def text_of(response):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def newest(project):
    return Deployment.objects.filter(project=project).first()


# --- canary ---------------------------------------------------------------------------------------


def test_a_canary_is_started_changed_promoted_from_its_card(signed_in, project, versions):
    canary = address("canary", project)
    assert "<dialog" in signed_in.get(canary, headers=HTMX).content.decode()
    done = signed_in.post(canary, {"version": 3, "share": 5, "reason": "watch it", "expected": 2})
    assert done.status_code == 302 and said(done) == ["v3 answers 5% of the traffic from now on."]
    page = signed_in.get(address("deployment_list", project))
    assert page.context["canary"].share == 5 and "None of v3's answers has a label yet." in text_of(page)
    assert "Start a canary" not in text_of(page), "while one runs its share is changed"
    form = signed_in.get(canary)
    assert form.context["form"]["share"].value() == 10 and "Change the canary's share" in text_of(form)
    assert [number for number, _ in form.context["form"].fields["version"].choices] == [3]
    signed_in.post(canary, {"version": 3, "share": 10, "expected": 3})
    assert newest(project).kind == Deployment.Kind.WIDEN
    signed_in.post(address("deploy", project), {"version": 3, "mode": "pin", "expected": 4})
    assert newest(project).kind == Deployment.Kind.PROMOTE
    history = text_of(signed_in.get(address("deployment_list", project)))
    assert "Canary started" in history and "v3 at 10%" in history and "Canary promoted" in history


def test_a_canary_is_aborted_with_a_note_and_only_once(signed_in, project, versions, owner):
    start_canary(project=project, version=versions[2], share=5, actor=owner)
    abort = address("canary_abort", project)
    assert "v3 of logistic-1 answers 5% of the traffic" in text_of(signed_in.get(abort))
    done = signed_in.post(abort, {"reason": "slow", "expected": 3})
    assert said(done) == ["The canary is aborted: v2 answers everything again."]
    assert (newest(project).kind, newest(project).reason) == (Deployment.Kind.ABORT, "slow")
    assert signed_in.post(abort, {"reason": "", "expected": 4}).status_code == 422
    assert signed_in.get(abort).status_code == 302


def test_somebody_was_faster_with_the_canary(signed_in, project, versions, owner):
    start_canary(project=project, version=versions[2], share=5, actor=owner)
    refused = signed_in.post(address("canary", project), {"version": 3, "share": 5, "expected": 2})
    assert refused.status_code == 422 and "olga started v3 as canary meanwhile" in text_of(refused)


@pytest.mark.parametrize("share", ["", "0", "51", "x", "-3", "99999999999999999999"])
def test_a_share_that_makes_no_sense_is_refused(signed_in, project, versions, share):
    refused = signed_in.post(address("canary", project), {"version": 3, "share": share, "expected": 2})
    assert refused.status_code == 422 and newest(project).number == 2


def test_the_card_says_whether_it_is_better(signed_in, project, versions, owner):
    row = start_canary(project=project, version=versions[2], share=5, actor=owner)
    answer(project, row, rights(195, 5), version=versions[2])
    answer(project, row, rights(120, 80), version=versions[1], start=300)
    canary = signed_in.get(address("deployment_list", project)).context["canary"]
    assert canary.standing == "better"
    assert canary.words == (
        "v3 errs less than v2, and not by chance: Accuracy 97.5% over 200 labelled answers, against 60.0% over 200 of "
        "v2 in the same time."
    )


# --- challengers ----------------------------------------------------------------------------------


def test_a_challenger_enters_and_leaves(signed_in, project, versions):
    done = signed_in.post(address("challenger", project), {"version": 3, "reason": "newer", "expected": 2})
    assert said(done) == ["v3 predicts in the shadow from now on."]
    page = text_of(signed_in.get(address("deployment_list", project)))
    assert "newer" in page and "No event that both predicted has a label yet" in page
    gone = signed_in.post(address("challenger_stop", project, 3))
    assert gone.status_code == 302 and said(gone)[-1] == "v3 no longer predicts in the shadow."
    assert ShadowChange.objects.count() == 2
    assert signed_in.post(address("challenger_stop", project, 99)).status_code == 404


# --- proposals ------------------------------------------------------------------------------------


def test_a_schedule_is_made_by_the_deploy_form_and_withdrawn_on_its_page(signed_in, project, versions):
    at = (timezone.now() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    done = signed_in.post(address("deploy", project), {"version": 3, "mode": "pin", "at": at, "expected": 2})
    assert done.status_code == 302 and said(done)[0].startswith("Proposal 1 waits until")
    assert newest(project).number == 2
    assert "Deploy v3 of logistic-1" in text_of(signed_in.get(address("deployment_list", project)))
    page = signed_in.get(address("proposal", project, 1))
    assert "Scheduled" in text_of(page) and "Approve" not in text_of(page)
    done = signed_in.post(address("proposal", project, 1), {"decision": "withdraw", "note": ""})
    assert said(done)[-1] == "Proposal 1 is withdrawn."
    past = {"version": 3, "mode": "pin", "at": "2020-01-01T10:00", "expected": 2}
    refused = signed_in.post(address("deploy", project), past)
    assert refused.status_code == 422 and "Choose a time within the next year" in text_of(refused)


def test_a_second_person_approves_on_the_page_and_the_proposer_cannot(client, project, versions, owner, mia):
    Project.objects.update(deploys_need_approval=True)
    client.force_login(owner)
    assert "Propose a deployment" in text_of(client.get(address("deploy", project)))
    done = client.post(address("deploy", project), {"version": 3, "mode": "pin", "reason": "better", "expected": 2})
    assert said(done) == ["Proposal 1 waits for a second person to approve it."]
    page = client.get(address("proposal", project, 1))
    assert "somebody else has to approve it" in text_of(page) and 'value="approve"' not in page.content.decode()
    refused = client.post(address("proposal", project, 1), {"decision": "approve"})
    assert refused.status_code == 422 and "you proposed this yourself" in text_of(refused)
    client.force_login(mia)
    assert 'value="approve"' in client.get(address("proposal", project, 1)).content.decode()
    assert client.post(address("proposal", project, 1), {"decision": "decline", "note": ""}).status_code == 422
    done = client.post(address("proposal", project, 1), {"decision": "approve", "note": "fine"})
    assert said(done)[-1] == "Proposal 1 is approved and carried out: deployment 3."
    history = text_of(client.get(address("deployment_list", project)))
    assert "approved by mia" in history
    settled = text_of(client.get(address("proposal", project, 1)))
    assert "Carried out" in settled and "fine" in settled


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EXPERT])
def test_others_see_and_may_not_decide(client, project, versions, owner, role):
    Project.objects.update(deploys_need_approval=True)
    project.refresh_from_db()
    propose(project=project, version=versions[2], actor=owner, now=timezone.now())
    person = make_user("vera")
    make_member(project.team, person, role)
    client.force_login(person)
    page = client.get(address("proposal", project, 1))
    assert page.status_code == 200 and "Decide" not in text_of(page)
    assert client.post(address("proposal", project, 1), {"decision": "approve"}).status_code == 403
    for name in ("canary", "canary_abort", "challenger"):
        assert client.get(address(name, project)).status_code == 403
    assert client.post(address("challenger_stop", project, 3)).status_code == 403
    assert client.get(address("timeline", project)).status_code == 200
    assert Proposal.objects.get().steps.count() == 0


def test_outsiders_find_nothing(client, project, versions):
    client.force_login(make_user("mallory"))
    for name in ("canary", "canary_abort", "challenger", "timeline"):
        assert client.get(address(name, project)).status_code == 404
    assert client.get(address("proposal", project, 1)).status_code == 404


def test_only_an_owner_may_turn_the_second_person_off(client, project, versions, owner, mia):
    given = {
        "name": project.name,
        "description": "",
        "label_name": "label",
        "primary_metric": "ROCAUC",
        "fallback": "error",
    }
    settings = reverse("projects:settings", args=[project.slug])
    client.force_login(owner)
    client.post(settings, given | {"deploys_need_approval": "on"})
    project.refresh_from_db()
    assert project.deploys_need_approval
    client.force_login(mia)
    client.post(settings, given)
    project.refresh_from_db()
    assert project.deploys_need_approval
    client.force_login(owner)
    client.post(settings, given)
    project.refresh_from_db()
    assert not project.deploys_need_approval


# --- timeline -------------------------------------------------------------------------------------


def test_the_timeline_shows_who_served_when_with_everything_that_happened(
    signed_in, project, versions, owner, django_assert_num_queries
):
    first, second = Deployment.objects.order_by("number")
    start = timezone.now() - timedelta(hours=1)
    answer(project, first, rights(90, 10))
    answer(project, second, rights(60, 40), start=200)
    canary = start_canary(project=project, version=versions[2], share=5, actor=owner)
    answer(project, canary, rights(50, 0), version=versions[2], start=400)
    add_deployment(versions[0], kind=Deployment.Kind.ROLLBACK)
    Deployment.objects.filter(number=1).update(created_at=start.replace(year=2026, month=5, day=1))
    Alarm.objects.create(run=versions[0].run, position=140)
    with django_assert_num_queries(3):
        chart = read_timeline(project)
    assert [trace["name"] for trace in chart.figure["data"]][:2] == ["What serves", "Canary's answers"]
    events = [row[-1] for row in chart.rows if row[-1] not in {"—", "-"}]
    assert any("Rollback: Rolled back to v1" in event for event in events)
    assert any("Canary: v3 starts as canary at 5%" in event for event in events)
    assert any("Drift: Run 1, position 140" in event for event in events)
    layout = chart.figure["layout"]
    assert layout["annotations"][0]["text"] == "v1"
    assert datetime.fromisoformat(layout["xaxis"]["range"][1]) >= Deployment.objects.get(number=1).created_at
    drawn = [value for value in chart.figure["data"][0]["y"] if value is not None]
    assert drawn == [0.88, 0.92, 0.6, 0.6]
    assert "none of its answers has a label yet" in chart.summary
    page = signed_in.get(address("timeline", project))
    assert "The way back" in text_of(page)


def test_the_timeline_before_the_first_deployment_says_what_to_do(signed_in, project):
    assert "Nothing was deployed yet" in text_of(signed_in.get(address("timeline", project)))


def test_the_list_with_everything_on_it_needs_few_queries(
    signed_in, project, versions, owner, django_assert_max_num_queries
):
    start_shadow(project=project, version=versions[0], actor=owner)
    start_canary(project=project, version=versions[2], share=5, actor=owner)
    at = timezone.now()
    propose(project=project, version=versions[2], actor=owner, now=at, due_at=at + timedelta(hours=1))
    with django_assert_max_num_queries(15):
        assert signed_in.get(address("deployment_list", project)).status_code == 200
