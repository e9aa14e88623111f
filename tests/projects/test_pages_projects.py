"""Registering a project, its settings and tokens, and what the log says about each change."""

from __future__ import annotations

import pytest
from django.urls import reverse

from projects.context import switcher
from projects.models import Activity, ApiToken, Project, Role, Team
from tests.factories import make_member, make_project, make_team, make_user

pytestmark = pytest.mark.django_db

NEW = {
    "name": "Card fraud",
    "description": "Stops stolen cards.",
    "task": "binary",
    "label_name": "is_fraud",
    "primary_metric": "ROCAUC",
}


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def log():
    return list(Activity.objects.order_by("pk").values_list("actor_name", "verb"))


def test_a_project_is_registered_and_its_scope_comes_next(signed_in, team):
    response = signed_in.post(reverse("projects:create"), NEW | {"team": team.pk})
    project = Project.objects.get()
    assert response["Location"] == reverse("assessments:scope", args=[project.slug])
    assert (project.slug, project.team, project.task, project.primary_metric) == (
        "card-fraud",
        team,
        "binary",
        "ROCAUC",
    )
    assert log() == [("olga", "project.created")]


def test_a_first_team_is_made_with_the_first_project(client):
    user = make_user("neo")
    client.force_login(user)
    page = client.get(reverse("projects:create"))
    assert b"Name of your team" in page.content
    client.post(reverse("projects:create"), NEW | {"new_team": "Zion"})
    team = Team.objects.get()
    assert team.memberships.get().role == Role.OWNER
    assert team.projects.get().name == "Card fraud"
    assert log() == [("neo", "team.created"), ("neo", "project.created")]


def test_a_refused_project_leaves_no_team_behind(client):
    make_team("Zion")
    client.force_login(make_user())
    response = client.post(reverse("projects:create"), NEW | {"new_team": "zion"})
    assert response.status_code == 422
    assert b"There is a team called" in response.content
    assert Team.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "phishing PAGES"}, "already has a project called"),
        ({"task": "clustering"}, "Select a valid choice"),
        ({"task": ""}, "This field is required"),
        ({"primary_metric": "MAE"}, "Select a valid choice"),
        ({"team": 0}, "Select a valid choice"),
        ({"name": "x" * 81}, "at most 80 characters"),
    ],
)
def test_what_is_wrong_with_a_new_project_is_said(signed_in, team, project, change, message):
    response = signed_in.post(reverse("projects:create"), NEW | {"team": team.pk} | change)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert Project.objects.count() == 1


def test_a_team_one_only_reads_is_not_offered(client, team):
    viewer = make_user()
    make_member(team, viewer, Role.VIEWER)
    client.force_login(viewer)
    assert client.post(reverse("projects:create"), NEW | {"team": team.pk}).status_code == 422
    assert not Project.objects.exists()


def test_metrics_follow_the_task(signed_in, team):
    page = signed_in.get(reverse("projects:create"), {"part": "metric", "task": "regression"}).content.decode()
    assert "Mean absolute error" in page
    assert "ROC AUC" not in page
    assert "<html" not in page


def test_slugs_are_unique_and_no_page(team, owner):
    from projects.services.projects import create_project

    slugs = [
        create_project(team=team, actor=owner, name=name, task="binary", label_name="y", primary_metric="F1").slug
        for name in ("New", "Été!", "été", "日本", "日本語", "a" * 80)
    ]
    assert slugs == ["new-2", "ete", "ete-2", "project", "project-2", "a" * 70]


def test_settings_are_saved_and_the_change_is_on_record(signed_in, project):
    address = reverse("projects:settings", args=[project.slug])
    fields = {"name": "Pages", "description": "", "label_name": "phish", "primary_metric": "F1", "fallback": "error"}
    assert signed_in.post(address, fields).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.slug, project.label_name) == ("Pages", "phishing-pages", "phish")
    [change] = Activity.objects.all()
    assert change.summary == "changed the name and label name and primary metric"
    assert change.data["changes"]["name"] == {"from": "Phishing pages", "to": "Pages"}
    signed_in.post(address, fields)
    assert Activity.objects.count() == 1, "saving the same again changes nothing"


def test_a_refused_change_is_shown_and_not_saved(signed_in, project, team):
    make_project(team, name="Taken")
    fields = {"name": "taken", "description": "", "label_name": "y", "primary_metric": "F1", "fallback": "error"}
    response = signed_in.post(reverse("projects:settings", args=[project.slug]), fields)
    assert response.status_code == 422
    assert b"already has a project called" in response.content
    assert "Phishing pages" in response.content.decode()
    project.refresh_from_db()
    assert project.name == "Phishing pages"


def test_a_token_is_shown_once_and_only_its_hash_kept(signed_in, project):
    response = signed_in.post(
        reverse("projects:token_create", args=[project.slug]), {"name": "Robot", "scopes": ["ingest", "read"]}
    )
    token = ApiToken.objects.get()
    page = response.content.decode()
    start = page.index(token.prefix)
    secret = page[start : page.index("<", start)]
    assert ApiToken.digest_of(secret) == token.digest
    assert "no-store" in response["Cache-Control"]
    assert secret not in str(list(ApiToken.objects.values())) + str(list(Activity.objects.values()))
    assert secret not in signed_in.get(reverse("projects:settings", args=[project.slug])).content.decode()
    assert log() == [("olga", "token.created")]
    sent = signed_in.post(
        f"/api/v1/projects/{project.slug}/events/",
        '{"features": {"x": 1}}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert sent.status_code == 200


def test_a_token_is_revoked_once(signed_in, project):
    signed_in.post(reverse("projects:token_create", args=[project.slug]), {"name": "Robot", "scopes": ["ingest"]})
    address = reverse("projects:token_revoke", args=[project.slug, ApiToken.objects.get().pk])
    assert b"cannot be undone" in signed_in.get(address).content
    assert signed_in.post(address).status_code == 302
    assert ApiToken.objects.get().revoked_at
    page = signed_in.post(address, follow=True)
    assert b"revoked already" in page.content
    assert log() == [("olga", "token.created"), ("olga", "token.revoked")]


@pytest.mark.parametrize("fields", [{"name": "", "scopes": ["read"]}, {"name": "x"}, {"name": "x", "scopes": ["all"]}])
def test_a_token_without_name_or_scope_is_refused(signed_in, project, fields):
    assert signed_in.post(reverse("projects:token_create", args=[project.slug]), fields).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_project_is_put_away_and_brought_back(signed_in, project, rf, owner):
    archive, back = (reverse(f"projects:{name}", args=[project.slug]) for name in ("archive", "unarchive"))
    request = rf.get("/")
    request.user = owner
    assert list(switcher(request)["switcher_projects"]) == [project]
    assert b"Archive this project?" in signed_in.get(archive).content
    assert signed_in.post(archive).status_code == 302
    assert list(switcher(request)["switcher_projects"]) == []
    assert b"archived already" in signed_in.post(archive, follow=True).content
    page = signed_in.get(reverse("projects:settings", args=[project.slug])).content
    assert b"This project is archived" in page
    signed_in.post(back)
    project.refresh_from_db()
    assert project.archived_at is None
    assert b"not archived" in signed_in.post(back, follow=True).content
    assert log() == [("olga", "project.archived"), ("olga", "project.unarchived")]


def test_settings_cost_few_queries(signed_in, project, django_assert_max_num_queries):
    signed_in.post(reverse("projects:token_create", args=[project.slug]), {"name": "Robot", "scopes": ["ingest"]})
    with django_assert_max_num_queries(8):
        signed_in.get(reverse("projects:settings", args=[project.slug]))
