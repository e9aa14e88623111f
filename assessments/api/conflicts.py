"""How a change in place of an answer that was not read is refused: with the answer as it stands beside the error."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from ops_portal.errors import UserError, error_body


def conflict_message(happened: str, *, read: int, stands: int) -> str:
    """Say what happened after version `read` was read, and what to send to take the place of version `stands`."""
    return (
        f"{happened} after version {read} was read. "
        f"Look at `theirs`, and send yours with version {stands} if it is to take its place."
    )


def tell_conflict(error: UserError, happened: str, *, read: int, theirs: dict[str, Any]) -> Response:
    """Refuse with `theirs`, the answer that stands and its version."""
    message = conflict_message(happened, read=read, stands=theirs["version"])
    return Response(error_body(error.code, message) | {"theirs": theirs}, status=error.status)
