"""Who makes an API call: a project token (`Authorization: Bearer <token>`) or a browser session with CSRF."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from projects.models import ApiToken

#: "Last used" is written at most this often: it is for people, not for accounting.
LAST_USED_STEP = timedelta(minutes=1)


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

    Raises
    ------
    AuthenticationFailed
        The header names a token that does not exist or was revoked.

    """
    kind, _, secret = authorization.partition(" ")
    if kind.lower() != "bearer":
        return None
    token = (
        ApiToken.objects.select_related("project__team", "created_by")
        .filter(digest=ApiToken.digest_of(secret.strip()), revoked_at=None)
        .first()
    )
    if token is None:
        raise AuthenticationFailed("This token is unknown or revoked. Make a new one in the project's settings.")
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def identify(request: HttpRequest) -> None:
    """Do for a plain Django view what DRF does: set `request.auth`, or check the CSRF token of a session.

    Raises
    ------
    AuthenticationFailed
        There is neither a token nor a session.
    PermissionDenied
        The session's request does not carry the CSRF token.

    """
    token = find_token(request.headers.get("Authorization", ""))
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
