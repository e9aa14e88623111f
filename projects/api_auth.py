"""Who makes an API call: a project token (`Authorization: Bearer <token>`) or a browser session with CSRF."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from projects.event_store import stored_time
from projects.models import ApiToken, Project

#: "Last used" is written at most this often: it is for people, not for accounting.
LAST_USED_STEP = timedelta(minutes=1)

_TOKEN = ("id", "project_id", "name", "prefix", "scopes", "created_by_id")
_PROJECT = ("id", "team_id", "slug", "task")
_USER = ("id", "username", "is_active")
_FIND = f"""
SELECT {", ".join(f"t.{name}" for name in _TOKEN)}, {", ".join(f"p.{name}" for name in _PROJECT)},
       {", ".join(f"u.{name}" for name in _USER)}, (t.last_used_at IS NULL OR t.last_used_at < %s)
FROM projects_apitoken t JOIN projects_project p ON p.id = t.project_id LEFT JOIN auth_user u ON u.id = t.created_by_id
WHERE t.digest = %s AND t.revoked_at IS NULL
"""  # noqa: S608 - constants only


class TokenHolder(AnonymousUser):
    """Stands for a token whose maker's account is gone."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True


class TokenAuthentication(BaseAuthentication):
    """DRF's way to a project token; the token is in `request.auth`."""

    def authenticate(self, request: Request) -> tuple[User | TokenHolder, ApiToken] | None:
        token = find_token(request.headers.get("Authorization", ""))
        return None if token is None else (token.created_by or TokenHolder(), token)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI description about project tokens."""

    target_class = TokenAuthentication
    name = "projectToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A project token, made in the project's settings."}


def find_token(authorization: str) -> ApiToken | None:
    """Return the token that an `Authorization` header carries, None when it carries none, in one query.

    The token comes with its project and its maker; of those only the columns that calls need, the rest when asked for.

    Raises
    ------
    AuthenticationFailed
        The header names a token that does not exist or was revoked.

    """
    kind, _, secret = authorization.partition(" ")
    if kind.lower() != "bearer":
        return None
    now = timezone.now()
    row = _read_token(ApiToken.digest_of(secret.strip()), now)
    if row is None:
        raise AuthenticationFailed("This token is unknown or revoked. Make a new one in the project's settings.")
    token = ApiToken.from_db("default", _TOKEN, (*row[:4], json.loads(row[4]), row[5]))
    token.project = Project.from_db("default", _PROJECT, row[6:10])
    if row[10] is not None:
        token.created_by = User.from_db("default", _USER, (row[10], row[11], bool(row[12])))
    if row[13]:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _read_token(digest: str, now: datetime) -> tuple[Any, ...] | None:
    """The row of a token that works. Every API call begins with this query, so it is written by hand."""
    parameters = [stored_time(now - LAST_USED_STEP), digest]
    try:
        return _one_row(_FIND, parameters)
    except (InterfaceError, OperationalError):
        # The connection was lost since the last call, by a restart of the database for instance: nothing is written
        # yet, so a new one is tried.
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return _one_row(_FIND, parameters)


def _one_row(sql: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def authorization_of(request: HttpRequest) -> str:
    """Return the `Authorization` header; `request.headers` would first make a table of them all."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    return header


def identify(request: HttpRequest) -> None:
    """Do for a plain Django view what DRF does: set `request.auth`, or check the CSRF token of a session.

    Raises
    ------
    AuthenticationFailed
        There is neither a token nor a session.
    PermissionDenied
        The session's request does not carry the CSRF token.

    """
    token = find_token(authorization_of(request))
    if token is not None:
        request.auth = token  # type: ignore[attr-defined]
        request.user = token.created_by or TokenHolder()
        return
    if not request.user.is_authenticated:
        raise AuthenticationFailed("Send a project token: Authorization: Bearer <token>.")
    check = CSRFCheck(lambda _request: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    if reason:
        raise PermissionDenied(f"CSRF failed: {reason}")
