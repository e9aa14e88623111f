"""Editions of a team's catalogue through the HTTP API: the same services and access rule as its pages."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from assessments.models import Edition
from assessments.principles import load_catalogue
from assessments.services.assessments import ensure_open
from projects.models import Role, Scope
from tests.api.calls import JSON, Calls, refused
from tests.factories import make_member, make_project, make_team, make_user

pytestmark = pytest.mark.django_db

SAID = {
    "name": "Cost control",
    "definition": "What a model costs is known.",
    "serves": ["K5"],
    "requires": ["versioning"],
    "practices": [{"text": "The monthly bill is read.", "sources": ["INC-7"]}],
    "ratings": {"K5": 2},
    "effort": {"low": 1, "likely": 2, "high": 4},
}
SHIPPED = load_catalogue().edition


class Team:
    """Calls the catalogue of a team with somebody's session."""

    def __init__(self, team, user) -> None:
        self.base, self.browser = f"/api/v1/teams/{team.slug}/catalogue/", Client()
        if user:
            self.browser.force_login(user)

    def get(self, path, query=None):
        return self.browser.get(self.base + path, query or {})

    def post(self, path, body=None, method="post"):
        return getattr(self.browser, method)(self.base + path, json.dumps(body or {}), content_type=JSON)


@pytest.fixture
def api(team, owner):
    return Team(team, owner)


def test_from_a_draft_to_an_edition_that_assessments_take(api, project, owner):
    refused(api.get("draft/"), 404, code="no_draft")
    draft = api.post("draft/", {"source": "current"})
    assert draft.status_code == 201
    assert [one["slug"] for one in draft.json()["principles"]] == list(load_catalogue().slugs)
    refused(api.post("draft/"), 409, code="draft_open")
    api.post("draft/sources/", {"tag": "inc-7", "reference": "Report on the outage", "url": "https://example.org/7"})
    made = api.post("draft/principles/", SAID)
    assert made.status_code == 201, made.content
    assert (made.json()["slug"], made.json()["effort"]["high"], made.json()["light"]) == ("cost-control", 4.0, None)
    assert api.post("draft/principles/governance/retire/").json()["retired"] == ["governance"]
    assert api.post("draft/principles/governance/back/").json()["retired"] == []
    draft = api.get("draft/").json()
    assert [(one["slug"], one["kind"]) for one in draft["changes"]] == [("cost-control", "added")]
    assert [one["tag"] for one in draft["new_sources"]] == ["INC-7"]
    edition = api.post("draft/publish/", {"note": "We pay for it."})
    assert edition.status_code == 201 and edition.json()["name"] == f"{SHIPPED} team 1"
    ensure_open(project=project, actor=owner)
    rows = api.get("editions/").json()["results"]
    assert [(one["name"], one["own"], one["used"]) for one in rows] == [
        (f"{SHIPPED} team 1", True, 1),
        (SHIPPED, False, 0),
    ]
    read = api.get(f"editions/{rows[0]['id']}/").json()
    assert read["edition"] == f"{SHIPPED} team 1" and read["principles"][-1]["name"] == "Cost control"
    changes = api.get(f"editions/{rows[0]['id']}/changes/").json()
    assert changes["against"] == SHIPPED and changes["principles"][0]["kind"] == "added"
    back = api.get(f"editions/{rows[1]['id']}/changes/", {"against": rows[0]["id"]}).json()
    assert [(one["slug"], one["kind"]) for one in back["principles"]] == [("cost-control", "retired")]
    refused(api.get(f"editions/{rows[1]['id']}/changes/", {"against": 10**6}), 404)


def test_what_was_read_and_sent_back_changes_nothing_and_a_new_word_is_the_teams(api):
    principle = next(one for one in api.post("draft/").json()["principles"] if one["slug"] == "monitoring")
    said = {name: principle[name] for name in SAID} | {"was": principle["was"], "light": principle["light"]}
    for name in ("why", "limits", "worth_more", "worth_less", "practices"):
        kept = ("id", "text", "sources") if name == "practices" else ("text", "sources")
        said[name] = [{key: one[key] for key in kept} for one in principle[name]]
    saved = api.post("draft/principles/monitoring/", said, method="put")
    assert saved.status_code == 200, saved.content
    assert api.get("draft/").json()["changes"] == []
    assert {name: saved.json()[name] for name in principle} == principle
    said["limits"] = [*said["limits"], {"text": "Somebody has to look."}]
    assert api.post("draft/principles/monitoring/", said, method="put").json()["limits"][-1]["team"]
    refused(api.post("draft/principles/monitoring/", said, method="put"), 409, code="principle_conflict")


def test_wrong_principles_are_refused_field_by_field(api):
    api.post("draft/")
    for change, place in (
        ({"serves": ["K9"], "ratings": {}}, "serves"),
        ({"requires": ["nothing"]}, "requires"),
        ({"ratings": {"K1": 2}}, "ratings"),
        ({"ratings": {"K5": 9}}, "ratings"),
        ({"effort": {"low": 5, "likely": 2, "high": 4}}, "effort"),
        ({"practices": []}, "practices"),
        ({"practices": [{"text": "Bills.", "sources": ["NOWHERE 3"]}]}, "practices"),
        ({"name": "x" * 81}, "name"),
        ({"owner": "me"}, "owner"),
    ):
        body = SAID | {"practices": [{"text": "The monthly bill is read."}]} | change
        error = refused(api.post("draft/principles/", body), 400)
        assert place in error["fields"], error
    assert "cost-control" not in [one["slug"] for one in api.get("draft/").json()["principles"]]
    refused(api.post("draft/principles/nothing/retire/"), 404)
    refused(api.post("draft/principles/versioning/retire/"), 409, code="still_needed")
    refused(api.post("draft/sources/", {"tag": "?", "reference": "x"}), 400)


@pytest.mark.parametrize("link", ["ftp://files.example.org/report", "javascript:alert(1)", "report.pdf"])
def test_a_source_is_no_link_that_a_browser_should_not_follow(api, link):
    api.post("draft/")
    told = refused(api.post("draft/sources/", {"tag": "INC-7", "reference": "An incident", "url": link}), 400)
    assert "url" in told["fields"]


def test_discarding(api):
    api.post("draft/")
    assert api.post("draft/discard/").status_code == 200
    refused(api.post("draft/discard/"), 404, code="no_draft")
    refused(api.post("draft/publish/"), 409, code="no_draft")
    refused(api.get("draft/import/"), 404, code="up_to_date")
    assert not Edition.objects.filter(team__isnull=False).exists()


def test_who_may_read_and_who_may_change(api, project, team, owner):
    api.post("draft/")
    number = Edition.objects.get(team=None).pk
    viewer, expert, stranger = make_user(), make_user(), make_user()
    make_member(team, viewer, Role.VIEWER)
    make_member(team, expert, Role.EXPERT)
    reads = ("editions/", f"editions/{number}/", f"editions/{number}/changes/")
    writes = ("draft/", "draft/publish/", "draft/discard/", "draft/import/", "draft/sources/", "draft/principles/",
              "draft/principles/testing/retire/", "draft/principles/testing/back/")  # fmt: skip
    reader = Calls(project, Scope.READ)
    full = Calls(project, actor=owner)
    others = make_team("Others", owner=make_user())
    foreign = Calls(make_project(others))
    for path in reads:
        refused(Team(team, None).get(path), 401)
        refused(Team(team, stranger).get(path), 404)
        assert Team(team, viewer).get(path).status_code == 200
        assert reader.client.get(api.base + path, headers=reader.headers).status_code == 200
        refused(reader.client.get(api.base + path, headers=Calls(project, Scope.PREDICT).headers), 403)
        refused(reader.client.get(api.base + path, headers=foreign.headers), 404)
    before = Edition.objects.get(team=team).document
    for path in writes:
        refused(Team(team, None).post(path), 401)
        refused(Team(team, stranger).post(path), 404)
        refused(Team(team, viewer).post(path), 403)
        refused(Team(team, expert).post(path), 403)
        refused(full.client.post(api.base + path, "{}", content_type=JSON, headers=full.headers), 403)
    assert Edition.objects.get(team=team).document == before
    refused(Team(others, stranger).get("editions/"), 404)


def test_the_portals_newer_edition(api, team):
    """The draft rests on an edition of which the portal's is a successor: both changed one name."""
    api.post("draft/")
    api.post("draft/principles/", SAID | {"practices": [{"text": "The monthly bill is read."}]})
    api.post("draft/publish/")
    old = Edition.objects.get(team=None)
    document = json.loads(json.dumps(old.document))
    document["principles"][0]["name"] = "Versions"
    Edition.objects.filter(pk=old.pk).update(document=document, digest="old", name="2020.01")
    own = Edition.objects.get(team=team)
    mine = json.loads(json.dumps(own.document))
    mine["principles"][0]["name"] = "Our versions"
    Edition.objects.filter(pk=own.pk).update(document=mine)
    shown = api.get("draft/import/").json()
    key = f"{document['principles'][0]['slug']}/name"
    assert [one["key"] for one in shown["conflicts"]] == [key] and shown["against"] == "2020.01"
    taken = api.post("draft/import/", {"take": [key]})
    assert taken.status_code == 200, taken.content
    assert taken.json()["principles"][0]["name"] == load_catalogue().principles[0].name
    assert taken.json()["principles"][-1]["slug"] == "cost-control" and taken.json()["newer"] == ""
