"""Making and revoking a project's tokens for the HTTP API."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ops_portal.errors import UserError
from projects.models import ApiToken, Project, Scope
from projects.services.activity import record

#: What every token begins with, so that people and secret scanners recognise one.
MARK = "opp_"


@transaction.atomic
def create_token(*, project: Project, actor: User, name: str, scopes: Sequence[str]) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, which is shown once and kept nowhere."""
    unknown = set(scopes) - set(Scope.values)
    if unknown or not scopes:
        raise UserError(f"Choose at least one of the scopes {', '.join(Scope.values)}.", fields={"scopes": "not valid"})
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        project=project,
        name=name,
        prefix=secret[:10],
        digest=ApiToken.digest_of(secret),
        scopes=[scope for scope in Scope.values if scope in scopes],
        created_by=actor,
    )
    record(
        actor=actor,
        verb="token.created",
        summary=f'made the API token "{name}" ({", ".join(token.scopes)})',
        project=project,
        token=token.pk,
        scopes=token.scopes,
    )
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User) -> None:
    """Stop a token from working; its name and last use stay on record."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if not changed:
        raise UserError("This token was revoked already.", code="conflict", status=409)
    record(
        actor=actor,
        verb="token.revoked",
        summary=f'revoked the API token "{token.name}"',
        project=token.project,
        token=token.pk,
    )
