"""The catalogue of principles and a project's assessment through the HTTP API."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments.principles import load_catalogue
from assessments.services.assessments import close, ensure_open
from assessments.services.panel_results import work_out
from assessments.services.panel_rounds import open_round
from projects.models import Scope
from tests.api.calls import Calls, refused
from tests.assessments.test_results import hold_round
from tests.factories import make_events

pytestmark = pytest.mark.django_db


def test_the_catalogue(client, project):
    refused(client.get("/api/v1/principles/"), 401)
    headers = Calls(project, Scope.INGEST).headers
    body = client.get("/api/v1/principles/", headers=headers).json()
    catalogue = load_catalogue()
    assert body["edition"] == catalogue.edition
    assert [each["slug"] for each in body["principles"]] == list(catalogue.slugs)
    tags = {source["tag"] for source in body["sources"]}
    for principle in body["principles"]:
        assert principle["practices"] and set(principle["requires"]) <= set(catalogue.slugs)
        for statement in [*principle["why"], *principle["practices"]]:
            assert statement["own"] or statement["sources"]
            assert {source.partition(" ")[0] for source in statement["sources"]} <= tags


def test_the_assessment_of_a_project(project, owner):
    make_events(project, 30)
    api = Calls(project, Scope.READ)
    body = api.get("assessment/").json()
    assert (body["number"], body["state"], body["scope_declared"]) == (None, "none", False)
    assert body["practices"] == sum(each["practices"] for each in body["principles"])
    assert body["next_step"] == "Describe the scope first"
    assert {each["slug"] for each in body["principles"]} == set(load_catalogue().slugs)
    ensure_open(project=project, actor=owner)
    assert (api.get("assessment/").json()["number"], api.get("assessment/").json()["state"]) == (1, "open")
    close(project=project, actor=owner)
    shut = api.get("assessment/").json()
    assert (shut["number"], shut["state"], shut["closed"]) == (1, "closed", [1])
    refused(Calls(project, Scope.PREDICT).get("assessment/"), 403)


def test_closed_rounds_and_their_results(client, project, owner):
    api = Calls(project, Scope.READ)
    assert api.get("assessment/rounds/").json() == {"next": None, "previous": None, "results": []}
    closed = hold_round(project, owner, reason="We lost a day in March.")
    [row] = api.get("assessment/rounds/").json()["results"]
    assert (row["assessment"], row["round"], row["complete"], row["seal"]) == (1, 1, False, closed.seal)
    work_out(closed.pk)
    with CaptureQueriesContext(connection) as queries:
        assert api.get("assessment/rounds/").json()["results"][0]["complete"]
    reading = [query["sql"] for query in queries if "assessments_round" in query["sql"]]
    assert reading and not any('."result",' in sql for sql in reading), "results are large"
    told = api.get("assessment/1/rounds/1/").json()
    client.force_login(owner)
    assert told == client.get(f"/projects/{project.slug}/assessment/rounds/1/export.json").json()
    assert "Secret Name" not in str(told)
    for name in ("report.pdf", "export.csv"):
        at = f"/projects/{project.slug}/assessment/rounds/1/{name}"
        found, page = api.get(f"assessment/1/rounds/1/{name}"), client.get(at)
        assert found.status_code == 200 and found["Content-Type"] == page["Content-Type"]
        assert found["Content-Disposition"] == page["Content-Disposition"]
        assert name == "report.pdf" or found.getvalue() == page.getvalue()
        asked = api.client.get(api.url(f"assessment/1/rounds/1/{name}"), headers=api.headers | {"Accept": "image/png"})
        assert asked.status_code == 200
        refused(api.get(f"assessment/9/rounds/1/{name}"), 404)
        refused(Calls(project, Scope.PREDICT).get(f"assessment/1/rounds/1/{name}"), 403)
    assert api.get("assessment/1/rounds/1/report.pdf").content.startswith(b"%PDF-")
    open_round(project=project, actor=owner)
    assert len(api.get("assessment/rounds/").json()["results"]) == 1
    for name in ("", "report.pdf", "export.csv"):
        refused(api.get(f"assessment/1/rounds/2/{name}"), 404)
    refused(api.get("assessment/9/rounds/1/"), 404)
    refused(Calls(project, Scope.PREDICT).get("assessment/1/rounds/1/"), 403)
