"""`POST events/` and `POST labels/`: shapes, receipts, who may, and bodies nobody should send."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from projects import bodies
from projects.models import ApiToken, Event, Scope
from projects.services.tokens import revoke_token
from tests.factories import make_member, make_project, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(project, client):
    secret = make_token(project, Scope.INGEST)

    def send(body, what="events", content_type="application/json", **headers):
        if not isinstance(body, bytes | str):
            body = json.dumps(body)
        headers = {"Authorization": f"Bearer {secret}"} | headers
        return client.post(f"/api/v1/projects/{project.slug}/{what}/", body, content_type=content_type, headers=headers)

    return send


def counts(response):
    assert response.status_code == 200, response.content
    body = response.json()
    return body["accepted"], body["duplicates"], [(r["line"], r["error"]) for r in body["rejected"]]


def test_one_object_a_list_and_ndjson(post, project):
    assert counts(post({"id": "a", "features": {"x": 1}, "label": True})) == (1, 0, [])
    assert counts(post([{"features": {"x": 1}}, {"id": "a", "features": {"x": 1}, "label": True}])) == (1, 1, [])
    lines = b'{"id": 7, "features": {"x": 1}, "at": "2026-01-01T00:00:00Z"}\n\n{"features": {"x": 2}, "label": false}'
    assert counts(post(lines, content_type="application/x-ndjson")) == (2, 0, [])
    project.refresh_from_db()
    assert (project.event_count, project.last_position) == (4, 2)
    assert project.events.filter(key="7", event_at__year=2026).exists()


def test_of_many_rejections_the_first_are_told_and_all_are_counted(post):
    post([{"id": "a", "features": {"x": 1}}])
    # By turns one that cannot be read, one that the database refuses, and in each batch a good one at the end.
    wrong = [{"features": {"x": [1]}} if number % 2 else {"id": "a", "features": {"x": 2}} for number in range(2_499)]
    body = b"\n".join(json.dumps(line).encode() for line in [*wrong[:999], {"features": {"x": 1}}, *wrong[999:]])
    for content_type, raw in (
        ("application/x-ndjson", body),
        ("application/json", b"[" + body.replace(b"\n", b",") + b"]"),
    ):
        told = post(raw, content_type=content_type).json()
        assert (told["accepted"], told["rejected_count"], len(told["rejected"])) == (1, 2_499, 1_000)
        assert [one["line"] for one in told["rejected"]] == [*range(1, 1_000), 1_001]


def test_labels_join_and_are_corrected(post):
    post([{"id": "a", "features": {"x": 1}}, {"id": "b", "features": {"x": 1}}])
    response = post([{"id": "a", "label": True}, {"id": "nobody", "label": True}, {"id": "b"}], "labels")
    assert counts(response) == (1, 0, [(3, "label: missing; send the value that was observed")])
    assert response.json()["waiting"] == 1
    assert post({"id": "nobody", "features": {"x": 1}}).json()["accepted"] == 1
    assert post({"id": "nobody", "label": True}, "labels").json()["duplicates"] == 1, "the early label joined it"
    assert post({"id": "a", "label": False}, "labels").json()["corrections"] == 1


def test_a_body_of_which_nothing_is_taken_is_an_error_with_the_same_receipt(post):
    response = post([{"features": {"x": [1]}}])
    assert response.status_code == 422
    body = response.json()
    assert body["error"]["code"] == "rejected"
    assert "features.x: expected a number" in body["error"]["message"]
    assert (body["accepted"], body["rejected_count"], body["rejected"][0]["line"]) == (0, 1, 1)


BAD_EVENTS = [
    ([], "expected an object, got a list"),
    (7, "expected an object, got the number 7"),
    ({}, "features: missing"),
    ({"features": {}}, "features: empty"),
    ({"features": [1]}, "features: expected an object, got a list"),
    ({"features": {"": 1}}, "a name has 0 characters"),
    ({"features": {"n" * 201: 1}}, "a name has 201 characters"),
    ({"features": {"x": {"y": 1}}}, "features.x: expected a number, a text, true, false or null, got an object"),
    ({"features": {"x": float("nan")}}, "features.x: NaN is not a number a model can learn from"),
    ({"features": {"x": float("inf")}}, "features.x: infinity is not a number"),
    ({"features": {"x": 2**63}}, "features.x: a whole number beyond 64 bits"),
    ({"features": {"x": "a" * 10_001}}, "features.x: 10,001 characters"),
    ({"features": {"x": "\ud800"}}, "features.x: has a broken character"),
    ({"features": {"x": "a\0b"}}, "features.x: has a null character"),
    ({"features": {"a\0b": 1}}, "features: has a null character"),
    ({"features": {"x": 1}, "label": "a\0b"}, "label: has a null character"),
    ({"features": {"x": 1}, "a\0\ud800": 1}, "a\ufffd?: unknown field"),
    ({"features": {"\ud800": [1]}}, "features.?: expected a number"),
    ({"features": {f"f{i}": i for i in range(1001)}}, "features: 1,001 features"),
    ({"features": {"x": 1}, "lable": 1}, "lable: unknown field; the fields are at, features, id, label"),
    ({"features": {"x": 1}, "label": 2}, "label: expected true, false, 0, 1 or one of two texts, got the number 2"),
    ({"features": {"x": 1}, "label": [1]}, "label: expected true"),
    ({"features": {"x": 1}, "label": float("nan")}, "label: NaN"),
    ({"features": {"x": 1}, "label": ""}, "label: has 0 characters"),
    ({"features": {"x": 1}, "id": ""}, "id: has 0 characters"),
    ({"features": {"x": 1}, "id": "k" * 201}, "id: has 201 characters"),
    ({"features": {"x": 1}, "id": "a\x00b"}, "id: has characters that cannot be printed"),
    ({"features": {"x": 1}, "id": 1.5}, "id: expected a text or a whole number"),
    ({"features": {"x": 1}, "at": "yesterday"}, "at: expected a time such as"),
    ({"features": {"x": 1}, "at": 5}, "at: expected a time such as"),
    ({"features": {"x": 1}, "at": "0001-01-01T00:00:00+23:00"}, "at: expected a time such as"),
]


@pytest.mark.parametrize("kind", ["list", "ndjson"])
@pytest.mark.parametrize(("bad", "reason"), BAD_EVENTS, ids=[reason for _, reason in BAD_EVENTS])
def test_a_bad_item_is_named_and_the_good_ones_beside_it_are_taken(post, bad, reason, kind):
    good = {"features": {"x": 1.0}, "label": True}
    if kind == "list":
        response = post([good, bad, good])
    else:
        lines = "\n".join(json.dumps(item) for item in (good, bad, good))
        response = post(lines, content_type="application/x-ndjson")
    accepted, duplicates, [(line, error)] = counts(response)
    assert (accepted, duplicates, line) == (2, 0, 2)
    assert reason in error
    assert Event.objects.count() == 2


BAD_BODIES = [
    (b"  \n ", "empty"),
    (b"{", "not JSON"),
    (b"\xff\xfe", "not UTF-8 at byte 1"),
    (b"[" * 200_000, "nested too deeply"),
    (b'{"features": {"x": ' + b"9" * 5000 + b"}}", "too many digits"),
    (b'{"features": {"x": 1, "x": 2}}', 'the name "x" occurs twice'),
]


@pytest.mark.parametrize(("body", "reason"), BAD_BODIES, ids=[reason for _, reason in BAD_BODIES])
def test_a_body_that_cannot_be_read_is_a_400_with_the_reason(post, body, reason):
    response = post(body)
    assert response.status_code == 400
    assert reason in response.json()["error"]["message"]
    assert Event.objects.count() == 0


def test_a_line_that_cannot_be_read_is_rejected_alone(post, monkeypatch):
    monkeypatch.setattr(bodies, "MAX_LINE", 1000)
    monkeypatch.setattr(bodies, "PIECE", 64)
    good = b'{"features": {"x": 1.0}, "label": true}'
    lines = [good, b"{", good, b'{"features": {"x": "' + b"a" * 3000 + b'"}}', good, b'{"id":"q","id":"r"}', b"\xff"]
    accepted, _, rejected = counts(post(b"\r\n".join(lines), content_type="application/x-ndjson"))
    assert accepted == 3
    assert [line for line, _ in rejected] == [2, 4, 6, 7]
    assert ["not JSON" in rejected[0][1], "longer than" in rejected[1][1], "twice" in rejected[2][1]] == [True] * 3


def test_escaped_quotes_are_no_doubles(post, project):
    assert counts(post({"features": {'a"b': 'say "hi"', "c": "\\"}, "label": 'y"es'})) == (1, 0, [])


def test_a_large_body_is_refused_as_json_and_taken_as_ndjson(post, project, monkeypatch):
    monkeypatch.setattr(bodies, "MAX_JSON", 10_000)
    events = [{"id": f"e{i}", "features": {"x": i}, "label": i % 2 == 0} for i in range(2500)]
    response = post(events)
    assert response.status_code == 400
    assert "application/x-ndjson" in response.json()["error"]["message"]
    lines = "\n".join(json.dumps(event) for event in events)
    assert counts(post(lines, content_type="application/x-ndjson")) == (2500, 0, [])
    project.refresh_from_db()
    assert project.last_position == 2500


@pytest.mark.parametrize(
    ("content_type", "headers"), [("text/csv", {}), ("application/json", {"Content-Encoding": "gzip"})]
)
def test_what_is_not_understood_is_a_415(post, content_type, headers):
    response = post(b"{}", content_type=content_type, **headers)
    assert response.status_code == 415
    assert response.json()["error"]["code"] == "unsupported"


def test_get_is_a_405(client, project):
    response = client.get(f"/api/v1/projects/{project.slug}/events/")
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("what", ["events", "labels"])
def test_who_may_send(client, project, team, what):
    url = f"/api/v1/projects/{project.slug}/{what}/"

    def status(secret=None, slug=None):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        target = url.replace(project.slug, slug) if slug else url
        response = client.post(target, "[]", content_type="application/json", headers=headers)
        if response.status_code != 200:
            assert set(response.json()["error"]) == {"code", "message"}
        return response.status_code

    assert status() == 401
    assert status("wrong") == 401
    ingest = make_token(project, Scope.INGEST)
    assert status(ingest) == 200
    assert status(ingest, make_project(team).slug) == 404
    assert status(ingest, "no-such-project") == 404
    assert status(make_token(project, Scope.READ, Scope.PREDICT, Scope.MANAGE)) == 403
    revoke_token(token=ApiToken.objects.get(digest=ApiToken.digest_of(ingest)), actor=make_user())
    assert status(ingest) == 401

    for role, expected in {"viewer": 403, "expert": 403, "maintainer": 200}.items():
        user = make_user()
        client.force_login(user)
        assert status() == 404, "an outsider"
        make_member(team, user, role)
        assert status() == expected, role


def test_a_session_needs_the_csrf_token_and_a_token_does_not(project, owner):
    url = f"/api/v1/projects/{project.slug}/events/"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    refused = strict.post(url, '{"features": {"x": 1}}', content_type="application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["error"]["message"]
    strict.cookies["csrftoken"] = "a" * 32
    with_csrf = strict.post(
        url, '{"features": {"x": 1}}', content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert with_csrf.status_code == 200
    del strict.cookies["csrftoken"]
    headers = {"Authorization": f"Bearer {make_token(project)}"}
    taken = strict.post(url, '{"features": {"x": 1}}', content_type="application/json", headers=headers)
    assert taken.status_code == 200


def test_an_archived_project_answers_409(post, project):
    project.archived_at = timezone.now()
    project.save()
    response = post({"features": {"x": 1}})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "archived")


def test_last_use_of_a_token_is_kept_to_the_minute(post, django_assert_num_queries):
    assert post({"features": {"x": 1}}).status_code == 200
    first = ApiToken.objects.get().last_used_at
    with django_assert_num_queries(6):  # token, transaction, lock, insert, counts, end
        post({"features": {"x": 1}})
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    post({"features": {"x": 1}})
    assert ApiToken.objects.get().last_used_at > first
