"""Project tokens: `Authorization: Bearer <token>`."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request


class TokenAuthentication(BaseAuthentication):
    """Finds the project token of a request."""

    def authenticate(self, request: Request) -> None:
        return None
