"""Calling the HTTP API of one project, as a program with a token does."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from projects.models import Project
from tests.factories import make_token

JSON = "application/json"


class Calls:
    """The API of `project`, called with a token."""

    def __init__(self, project: Project, *scopes: str, secret: str | None = None, actor: Any = None) -> None:
        self.project = project
        self.secret = secret or make_token(project, *scopes, actor=actor)
        self.client = Client()

    def url(self, path: str = "") -> str:
        return f"/api/v1/projects/{self.project.slug}/{path}"

    def get(self, path: str = "", query: dict | None = None) -> HttpResponse:
        return self.client.get(self.url(path), query or {}, headers=self.headers)

    def post(self, path: str, body: Any = None, *, content_type: str = JSON, **headers: str) -> HttpResponse:
        return self.send("post", path, body, content_type=content_type, **headers)

    def put(self, path: str, body: Any = None) -> HttpResponse:
        return self.send("put", path, body)

    def send(self, method: str, path: str, body: Any, *, content_type: str = JSON, **headers: str) -> HttpResponse:
        data = body if isinstance(body, (str, bytes)) else b"" if body is None else json.dumps(body)
        call = getattr(self.client, method)
        return call(self.url(path), data, content_type=content_type, headers=self.headers | headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


class Person:
    """The API of a project, called by a person who is signed in."""

    def __init__(self, project: Project, user: Any) -> None:
        self.base, self.browser = f"/api/v1/projects/{project.slug}/", Client()
        self.browser.force_login(user)

    def get(self, path: str, query: dict | None = None) -> HttpResponse:
        return self.browser.get(self.base + path, query or {})

    def post(self, path: str, body: Any = None, method: str = "post") -> HttpResponse:
        data = body if isinstance(body, bytes) else json.dumps(body or {})
        return getattr(self.browser, method)(self.base + path, data, content_type=JSON)

    def put(self, path: str, body: Any = None) -> HttpResponse:
        return self.post(path, body, "put")


def refused(response: HttpResponse, status: int, *, code: str | None = None) -> dict[str, Any]:
    """The error of an answer, which must have the one shape and this status."""
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) == {"error"} and set(body["error"]) <= {"code", "message", "fields"}, body
    assert isinstance(body["error"]["message"], str) and body["error"]["message"]
    if code:
        assert body["error"]["code"] == code
    return body["error"]
