"""An archived project takes nothing new, whichever way it is asked; what is there can be ended and read."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from models_registry.models import Deployment, Prediction, Proposal, RegisteredModel, Run, ShadowChange
from models_registry.services.canary import start_canary
from models_registry.services.deployment import deploy
from models_registry.services.proposals import carry_out_due, propose
from models_registry.services.runs import cancel_run, pause_run, resume_run, start_run
from models_registry.services.shadows import start_shadow, stop_shadow
from ops_portal.errors import UserError
from projects.models import Event, Fallback, Project
from projects.services.imports import pause_import, start_bundled
from projects.services.projects import archive_project, unarchive_project
from tests.api.calls import Calls, refused
from tests.models_registry.learned import TREE, make_model, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(project, owner):
    """A project with three versions, the first of which serves, a run at work and one that is paused; then archived."""
    run = make_run(make_model(project, spec=TREE), events=90, publish_every=30, seed=1)
    deploy(project=project, version=run.versions.get(number=1), actor=owner)
    for number in (2, 3):
        follower = start_run(model=run.model, mode=Run.Mode.FOLLOW, actor=owner, seed=number)
    pause_run(run=follower, actor=owner)
    return project


def archive(project: Project, owner) -> None:
    archive_project(project=project, actor=owner)
    project.refresh_from_db()


NEW = [
    ("deployments/", {"version": 2}),
    ("deployments/", {"version": 2, "canary": 5}),
    ("deployments/", {"version": 2, "at": (timezone.now() + timedelta(hours=2)).isoformat()}),
    ("deployments/canary/abort/", {}),
    ("rollback/", {"to": 2, "since": "drop", "reason": "worse"}),
    ("challengers/", {"version": 2}),
    ("runs/", {"model": "Tree", "mode": "replay"}),
    ("runs/3/resume/", {}),
    ("models/", {"name": "another", "spec": TREE}),
    ("versions/2/verify/", {}),
    ("versions/restore/", {"run": 1, "position": 45}),
    ("predict/", {"features": {"x": 1.0}}),
    ("events/", {"features": {"x": 1.0}}),
    ("labels/", {"id": "e1", "label": True}),
]


def test_the_api_refuses_what_is_new(used, owner):
    start_canary(project=used, version=Run.objects.get(number=1).versions.get(number=3), share=5, actor=owner)
    used.fallback = Fallback.LAST
    used.save()
    archive(used, owner)
    before = [table.objects.count() for table in (Deployment, Proposal, Run, ShadowChange, Event, Prediction)]
    api = Calls(used)
    for path, body in NEW:
        error = refused(api.post(path, body), 409, code="archived")
        assert "Bring it back" in error["message"], path
    assert [table.objects.count() for table in (Deployment, Proposal, Run, ShadowChange, Event, Prediction)] == before
    unarchive_project(project=used, actor=owner)
    assert api.post("predict/", {"features": {"x": 1.0}}).status_code == 200
    assert api.post("deployments/", {"version": 2}).status_code == 201


def test_a_session_is_refused_a_prediction_too(used, owner, client):
    archive(used, owner)
    client.force_login(owner)
    url = f"/api/v1/projects/{used.slug}/predict/"
    refused(client.post(url, {"features": {"x": 1.0}}, content_type="application/json"), 409, code="archived")


def test_pages_say_so_before_and_after(used, owner, client):
    archive(used, owner)
    client.force_login(owner)
    deploying = reverse("models_registry:deploy", args=[used.slug])
    page = client.get(deploying).content.decode()
    assert "This project is archived" in page and "To the settings" in page
    deployments = client.get(reverse("models_registry:deployment_list", args=[used.slug])).content.decode()
    assert deploying not in deployments and "Add a challenger" not in deployments, "nothing is offered that is refused"
    asked = client.post(deploying, {"version": 2, "mode": "pin", "expected": 1}, follow=True)
    assert "archived and takes nothing new" in asked.content.decode()
    trying = reverse("models_registry:predict_form", args=[used.slug])
    assert "This project is archived" in client.get(trying).content.decode()
    asked = client.post(trying, {"feature-0": "1"})
    assert asked.status_code == 422 and "archived and takes nothing new" in asked.content.decode()
    assert Deployment.objects.count() == 1


def links_on(html):
    """Where the links, buttons and forms of a page lead, without what is asked along."""
    return {found.partition("?")[0] for found in re.findall(r'(?:href|action|hx-get|hx-post)="([^"]+)"', html)}


@pytest.mark.parametrize("has_something", [True, False], ids=["used", "empty"])
def test_pages_offer_nothing_that_is_refused(project, owner, client, request, has_something):
    if has_something:
        request.getfixturevalue("used")
        imported = start_bundled(project=project, actor=owner, name="Phishing", events=10)
        pause_import(data_import=imported, actor=owner)
    client.force_login(owner)
    base = f"/projects/{project.slug}/"
    refusing = [
        "deployments/deploy/", "deployments/roll-back/", "deployments/canary/", "deployments/challengers/new/",
        "models/new/", "runs/new/", "comparisons/new/", "comparisons/sweep/", "data/upload/", "data/bundled/",
        "data/synthetic/", *(f"runs/{number}/restore/" for number in (1, 2, 3) if has_something),
    ]  # fmt: skip
    posts = ["runs/3/resume/", "versions/2/verify/", "predict/"]
    reading = [
        "", "data/", "data/labels/", "models/", "runs/", "comparisons/", "versions/", "deployments/", "settings/",
        "deployments/timeline/", "predict/",
    ]  # fmt: skip
    if has_something:
        model = RegisteredModel.objects.get()
        reading += [f"models/{model.pk}/", "runs/1/", "runs/3/", "versions/2/", "versions/compare/?a=1&b=2"]
        reading += [f"data/imports/{imported.pk}/"]
        posts += [f"data/imports/{imported.pk}/resume/"]
    barred = {base + path for path in [*refusing, *posts]}
    for path in refusing:
        assert client.get(base + path).status_code in (200, 302), path
    offered = set().union(*(links_on(client.get(base + path).content.decode()) for path in reading))
    assert len(barred & offered) > (12 if has_something else 5), barred - offered
    archive(project, owner)
    for path in reading:
        html = client.get(base + path).content.decode()
        assert not barred & links_on(html), path
        assert "Save the rule" not in html
        assert html.count("This project is archived") == 1, path
    for path in refusing:
        answer = client.get(base + path, follow=True)
        html = answer.content.decode()
        assert html.count("This project is archived") == 1, path
        assert answer.redirect_chain or "<form" not in html.partition("<main")[2], path


def test_commands_refuse(used, owner):
    archive(used, owner)
    lines = (
        ("deploy", used.slug, "2"),
        ("rollback", used.slug, "--to", "2", "--since", "drop", "--reason", "r"),
        ("predict", used.slug, '{"x": 1.0}'),
        ("label", used.slug, "e1", "true"),
        ("start_run", used.slug, "Tree"),
    )
    for line in lines:
        with pytest.raises(CommandError, match="archived and takes nothing new") as refusal:
            call_command(*line, "--as", owner.username, stdout=io.StringIO(), stderr=io.StringIO())
        assert refusal.value.returncode == 1


def test_what_is_there_can_be_ended(used, owner):
    version = Run.objects.get(number=1).versions.get(number=3)
    start_shadow(project=used, version=version, actor=owner)
    archive(used, owner)
    pause_run(run=Run.objects.get(number=2), actor=owner)
    with pytest.raises(UserError, match="archived"):
        resume_run(run=Run.objects.get(number=2), actor=owner)
    cancel_run(run=Run.objects.get(number=2), actor=owner)
    stop_shadow(project=used, version=version, actor=owner)
    with pytest.raises(UserError, match="archived"):
        start_shadow(project=used, version=version, actor=owner)


def test_a_deployment_that_was_scheduled_is_not_carried_out(used, owner):
    now = timezone.now()
    version = Run.objects.get(number=1).versions.get(number=2)
    proposal = propose(project=used, version=version, actor=owner, now=now, due_at=now + timedelta(minutes=5))
    archive(used, owner)
    carry_out_due(now=now + timedelta(minutes=6))
    step = proposal.steps.get()
    assert step.kind == "failed" and "archived" in step.note
    assert Deployment.objects.count() == 1
