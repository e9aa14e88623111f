"""`/api/v1/projects/`: who sees what, registering, and that the description knows every call."""

from __future__ import annotations

import pytest
from drf_spectacular.generators import SchemaGenerator

from projects.models import Project, Role, Scope
from tests.factories import make_member, make_project, make_team, make_token, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/projects/"
NEW = {"name": "Card fraud", "task": "binary", "label": "is_fraud"}


def test_a_person_lists_their_projects_and_a_token_its_own(client, project, team, owner):
    other = make_project(team)
    make_project(make_team())
    client.force_login(owner)
    listed = client.get(URL).json()
    assert [one["slug"] for one in listed["results"]] == [other.slug, project.slug]
    assert listed["results"][1] | {"created_at": ""} == {
        "slug": "phishing-pages",
        "name": "Phishing pages",
        "team": "fraud-desk",
        "description": "",
        "task": "binary",
        "label": "label",
        "primary_metric": "ROCAUC",
        "events": 0,
        "labelled": 0,
        "created_at": "",
        "archived_at": None,
    }
    client.logout()
    headers = {"Authorization": f"Bearer {make_token(project, Scope.READ)}"}
    assert [one["slug"] for one in client.get(URL, headers=headers).json()["results"]] == [project.slug]
    assert client.get(f"{URL}{project.slug}/", headers=headers).json()["team"] == "fraud-desk"
    assert client.get(f"{URL}{other.slug}/", headers=headers).status_code == 404


def test_errors_have_the_one_shape(client, project):
    refused = client.get(URL)
    assert refused.status_code == 401
    assert set(refused.json()["error"]) == {"code", "message"}
    revoked = client.get(URL, headers={"Authorization": "Bearer nothing"})
    assert revoked.status_code == 401
    client.force_login(make_user())
    missing = client.get(f"{URL}{project.slug}/")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    headers = {"Authorization": f"Bearer {make_token(project, Scope.INGEST)}"}
    lacking = client.get(f"{URL}{project.slug}/", headers=headers)
    assert lacking.status_code == 403
    assert '"read"' in lacking.json()["error"]["message"]


def test_pages_go_on_by_cursor(client, team, owner):
    for _ in range(5):
        make_project(team)
    client.force_login(owner)
    first = client.get(URL, {"page_size": 2}).json()
    second = client.get(first["next"]).json()
    slugs = [one["slug"] for page in (first, second) for one in page["results"]]
    assert len(set(slugs)) == 4


def test_a_project_is_registered(client, team, owner):
    client.force_login(owner)
    response = client.post(URL, NEW | {"team": team.slug}, content_type="application/json")
    assert response.status_code == 201
    assert response.json()["primary_metric"] == "Accuracy"
    assert Project.objects.get().created_by == owner


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"team": "nobody"}, 404),
        ({"name": ""}, 400),
        ({"task": "clustering"}, 400),
        ({"primary_metric": "MAE"}, 400),
        ({"name": "phishing pages"}, 409),
    ],
)
def test_a_project_that_cannot_be_is_refused(client, team, owner, project, change, status):
    client.force_login(owner)
    response = client.post(URL, NEW | {"team": team.slug} | change, content_type="application/json")
    assert response.status_code == status
    assert {"code", "message"} <= set(response.json()["error"])
    assert Project.objects.count() == 1


def test_readers_and_tokens_register_nothing(client, team, project):
    viewer = make_user()
    make_member(team, viewer, Role.VIEWER)
    client.force_login(viewer)
    assert client.post(URL, NEW | {"team": team.slug}, content_type="application/json").status_code == 404
    client.logout()
    headers = {"Authorization": f"Bearer {make_token(project)}"}
    refused = client.post(URL, NEW | {"team": team.slug}, content_type="application/json", headers=headers)
    assert refused.status_code == 403
    assert Project.objects.count() == 1


def test_the_description_has_every_call():
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    assert {"get", "post"} <= set(paths["/api/v1/projects/"])
    for call in ("events", "labels"):
        post = paths[f"/api/v1/projects/{{slug}}/{call}/"]["post"]
        assert {"application/json", "application/x-ndjson"} == set(post["requestBody"]["content"])
        assert {"200", "400", "401", "403", "404", "409", "415", "422"} <= set(post["responses"])
