"""Wrong, hostile and unauthorised requests: a clear 4xx in the one shape, nothing changed."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from models_registry.models import Deployment, RegisteredModel, Run
from projects.models import ApiToken, Event, Role, Scope
from projects.services.tokens import revoke_token
from tests.api.calls import JSON, Calls, refused
from tests.factories import make_member, make_project, make_user
from tests.models_registry.serving_records import SPEC, add_model, add_run, add_version, serve

pytestmark = pytest.mark.django_db

CALLS = ["models/", "runs/", "deployments/", "rollback/", "versions/restore/", "predict/", "events/", "labels/"]
BODIES = {
    "empty": b"",
    "blank": b" \n",
    "cut off": b'{"model": 1',
    "not JSON": b"model=1",
    "a NaN": b'{"version": NaN, "reason": "r"}',
    "an infinity": b'{"position": -Infinity, "run": 1}',
    "a number beyond floats": b'{"version": 1e999}',
    "a whole number beyond 64 bits": b'{"version": 99999999999999999999}',
    "a number of 5,000 digits": b'{"version": ' + b"9" * 5000 + b"}",
    "lists 200,000 deep": b"[" * 200_000,
    "objects 900 deep": b'{"spec":' * 900 + b"1" + b"}" * 900,
    "objects 100 deep": b'{"spec":' * 100 + b"1" + b"}" * 100,
    "UTF-16": json.dumps({"version": 1}).encode("utf-16"),
    "Latin-1": '{"reason": "schön"}'.encode("latin-1"),
    "a name twice": b'{"version": 1, "version": 2}',
    "a null character": b'{"name": "a\\u0000b", "reason": "a\\u0000b"}',
    "half a surrogate pair": b'{"name": "\\ud800", "reason": "\\ud800"}',
    "a list": b"[[1]]",
    "a text": b'"rollback"',
    "a number": b"5",
    "null": b"null",
    "2 MB": b'{"reason": "' + b"a" * (2 * 2**20) + b'"}',
}


@pytest.fixture
def api(project, owner):
    serve(project)
    return Calls(project, actor=owner)


@pytest.mark.parametrize("path", CALLS)
def test_bodies_that_make_no_sense(api, path):
    for name, body in BODIES.items():
        response = api.post(path, body)
        assert 400 <= response.status_code < 500, (name, response.content)
        assert response.json()["error"]["message"], name
    assert (Deployment.objects.count(), Run.objects.count(), RegisteredModel.objects.count()) == (1, 1, 1)
    assert not Event.objects.exists()


@pytest.mark.parametrize("path", ["models/", "runs/", "deployments/", "rollback/", "versions/restore/", "events/"])
def test_other_content_types(api, path):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        refused(api.post(path, b'{"version": 1}', content_type=content_type), 415)


def test_specs_that_attack(api):
    def register(spec):
        return refused(api.post("models/", {"name": "m", "spec": spec}), 400)

    for use in ("os.system", "builtins.eval", "__import__", "linear_model.__class__", "../river", "", "a" * 9000):
        register({"steps": [{"use": use}]})
    register({"steps": [{"use": "linear_model.LogisticRegression", "params": {"__class__": 1}}]})
    register({"steps": [{"use": "ensemble.BaggingClassifier", "params": {"n_models": 10**15}}]})
    register({"steps": [{"select": {"names": ["\u0000"]}, "steps": []}]})
    deep: dict = {"use": "linear_model.LogisticRegression"}
    for _ in range(30):
        deep = {"steps": [deep]}
    register(deep)
    register({"steps": [{"use": "linear_model.LogisticRegression"}] * 5000})
    register({})
    register({"steps": {"use": "linear_model.LogisticRegression"}})
    assert api.post("models/", {"name": "m", "spec": SPEC}).status_code == 201


WRITES = [
    ("models/", {"name": "m", "spec": SPEC}),
    ("runs/", {"model": 1, "mode": "follow"}),
    ("runs/1/pause/", None),
    ("runs/1/resume/", None),
    ("runs/1/cancel/", None),
    ("runs/1/publish/", None),
    ("versions/restore/", {"run": 1, "position": 10}),
    ("versions/1/verify/", None),
    ("deployments/", {"version": 1}),
    ("rollback/", {"since": "drop", "reason": "r"}),
]
READS = [
    "models/",
    "runs/",
    "runs/1/",
    "runs/1/metrics/",
    "runs/1/set-aside/",
    "versions/",
    "versions/1/",
    "deployments/",
    "alarms/",
    "monitors/",
    "assessment/",
    "assessment/rounds/",
    "",
]


@pytest.mark.parametrize(("path", "body"), WRITES, ids=[path for path, _ in WRITES])
def test_who_may_not_change_things(project, team, path, body):
    add_version(add_run(add_model(project)))
    before = Run.objects.count(), Deployment.objects.count(), RegisteredModel.objects.count()
    manager = Calls(project, Scope.MANAGE)
    revoked = Calls(project)
    revoke_token(token=ApiToken.objects.get(digest=ApiToken.digest_of(revoked.secret)), actor=make_user())
    refused(revoked.post(path, body), 401)
    refused(Calls(project, secret="nonsense").post(path, body), 401)
    refused(Calls(project, Scope.INGEST, Scope.PREDICT, Scope.READ).post(path, body), 403)
    refused(Calls(project, secret=Calls(make_project(team)).secret).post(path, body), 404)

    def by_session(role, **options):
        user = make_user()
        if role:
            make_member(team, user, role)
        browser = Client(**options)
        browser.force_login(user)
        return browser.post(manager.url(path), json.dumps(body), content_type=JSON)

    refused(Client().post(manager.url(path), json.dumps(body), content_type=JSON), 401)
    refused(by_session(None), 404)
    refused(by_session(Role.VIEWER), 403)
    refused(by_session(Role.EXPERT), 403)
    assert "CSRF" in refused(by_session(Role.OWNER, enforce_csrf_checks=True), 403)["message"]
    assert (Run.objects.count(), Deployment.objects.count(), RegisteredModel.objects.count()) == before


@pytest.mark.parametrize("path", READS)
def test_who_may_read(project, team, path):
    add_version(add_run(add_model(project)))
    url = Calls(project, Scope.READ).url(path)
    refused(Client().get(url), 401)
    refused(Calls(project, Scope.MANAGE, Scope.INGEST, Scope.PREDICT).get(path), 403)
    refused(Calls(project, secret=Calls(make_project(team)).secret).get(path), 404)
    outsider, viewer = make_user(), make_user()
    make_member(team, viewer, Role.VIEWER)
    browser = Client()
    browser.force_login(outsider)
    refused(browser.get(url), 404)
    browser.force_login(viewer)
    assert browser.get(url).status_code == 200


def test_a_session_with_its_csrf_token_may(project, owner):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    browser.cookies["csrftoken"] = "a" * 32
    body = json.dumps({"name": "m", "spec": SPEC})
    url = Calls(project).url("models/")
    made = browser.post(url, body, content_type=JSON, headers={"X-CSRFToken": "a" * 32})
    assert made.status_code == 201, made.content


def test_methods_and_addresses_that_are_not_there(api):
    refused(api.client.delete(api.url("models/"), headers=api.headers), 405)
    refused(api.client.put(api.url("runs/1/"), "{}", content_type=JSON, headers=api.headers), 405)
    refused(api.get("rollback/"), 405)
    refused(api.get("weather/"), 404)
    assert "slash" in refused(api.post("rollback", {"since": "drop", "reason": "r"}), 404)["message"]
    refused(api.client.post("/api/v1/", "{}", content_type=JSON), 404)
