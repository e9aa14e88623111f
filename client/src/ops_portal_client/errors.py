"""What can go wrong: the portal refuses, or it cannot be reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OpsPortalError(Exception):
    """Base of every error of this client."""


class ApiError(OpsPortalError):
    """The portal refused a call.

    Parameters
    ----------
    status
        The HTTP status.
    code
        A short name for programs, stable across releases: `nothing_deployed`, `conflict` ...
    message
        A sentence for people, with what to do.
    fields
        Messages by field, where the fault has one.

    """

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{message} ({status} {code})")
        self.status = status
        self.code = code
        self.message = message
        self.fields = dict(fields or {})


class Unreachable(OpsPortalError):  # noqa: N818 - it reads better where it is caught
    """The portal did not answer, however often it was asked; whether it did the call is not known."""
