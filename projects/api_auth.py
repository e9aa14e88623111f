"""Who makes an API call: a project token (`Authorization: Bearer <token>`) or a browser session with CSRF."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ops_portal.raw_sql import fetch_all
from projects.event_store import stored_time
from projects.models import ApiToken, Project

#: "Last used" is written at most this often: it is for people, not for accounting.
LAST_USED_STEP = timedelta(minutes=1)

_TOKEN = ("id", "project_id", "name", "prefix", "scopes", "created_by_id")
_PROJECT = ("id", "team_id", "slug", "task", "fallback")
_USER = ("id", "username", "is_active")
_COLUMNS = ", ".join(
    [f"t.{name}" for name in _TOKEN] + [f"p.{name}" for name in _PROJECT] + [f"u.{name}" for name in _USER]
)
_decode = msgspec.json.Decoder().decode


class Beside(NamedTuple):
    """What a call reads in the same query as its token: SQL of columns, and of joins to the token's project `p`."""

    columns: str = ""
    joins: str = ""


NOTHING = Beside()


class TokenRow(NamedTuple):
    """A token that works, as read: the values of its own columns, of its project's, its maker's, and what is beside."""

    token: tuple[Any, ...]
    project: tuple[Any, ...]
    user: tuple[Any, ...]
    beside: tuple[Any, ...]


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
    row = read_token(authorization)
    if row is None:
        return None
    token = ApiToken.from_db("default", _TOKEN, (*row.token[:4], _decode(row.token[4]), row.token[5]))
    token.project = Project.from_db("default", _PROJECT, row.project)
    if row.user[0] is not None:
        token.created_by = User.from_db("default", _USER, (*row.user[:2], bool(row.user[2])))
    return token


def read_token(authorization: str, beside: Beside = NOTHING) -> TokenRow | None:
    """Do the same without making objects, and read what is `beside` it too: the calls that come most often do this.

    Raises
    ------
    AuthenticationFailed
        The header names a token that does not exist or was revoked.

    """
    kind, _, secret = authorization.partition(" ")
    if kind.lower() != "bearer":
        return None
    now = timezone.now()
    row = _read(ApiToken.digest_of(secret.strip()), now, beside)
    if row is None:
        raise AuthenticationFailed("This token is unknown or revoked. Make a new one in the project's settings.")
    if row[14]:
        ApiToken.objects.filter(pk=row[0]).update(last_used_at=now)
    return TokenRow(row[:6], row[6:11], row[11:14], row[15:])


def _read(digest: str, now: datetime, beside: Beside) -> tuple[Any, ...] | None:
    sql = (
        f"SELECT {_COLUMNS}, (t.last_used_at IS NULL OR t.last_used_at < %s){beside.columns}"  # noqa: S608 - constants
        " FROM projects_apitoken t JOIN projects_project p ON p.id = t.project_id"
        f" LEFT JOIN auth_user u ON u.id = t.created_by_id{beside.joins}"
        " WHERE t.digest = %s AND t.revoked_at IS NULL"
    )
    parameters = [stored_time(now - LAST_USED_STEP), digest]
    try:
        rows = fetch_all(sql, parameters, plan_once=True)
    except (InterfaceError, OperationalError):
        # The connection was lost since the last call, by a restart of the database for instance: nothing is written
        # yet, so a new one is tried.
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        rows = fetch_all(sql, parameters, plan_once=True)
    return rows[0] if rows else None


def authorization_of(request: HttpRequest) -> str:
    """Return the `Authorization` header; `request.headers` would first make a table of them all."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    return header


def identify_session(request: HttpRequest) -> None:
    """Do for a plain Django view what DRF does for a session: check who it is, and its CSRF token.

    Raises
    ------
    AuthenticationFailed
        There is no session.
    PermissionDenied
        The request does not carry the CSRF token.

    """
    if not request.user.is_authenticated:
        raise AuthenticationFailed("Send a project token: Authorization: Bearer <token>.")
    check = CSRFCheck(lambda _request: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    if reason:
        raise PermissionDenied(f"CSRF failed: {reason}")
