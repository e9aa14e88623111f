"""What every operation of the OpenAPI description has in common: the refusals that any of them may answer."""

from __future__ import annotations

from typing import Any

from ops_portal.wsgi_bodies import WHOLE

REFUSALS = {
    "400": "Something in the request is not valid.",
    "401": "There is no token or session, or the token is unknown or revoked.",
    "403": "The token lacks the scope, the role does not allow it, or the CSRF token is missing.",
    "404": "There is nothing here, or it is not yours to see.",
    "406": "The `Accept` header asks for a type that is not offered.",
    "409": "It cannot be done as things are now; the message says why.",
    "411": f"The body comes in pieces and is over {WHOLE >> 20} MB: say its `Content-Length`.",
    "415": "The body is not of a type that is taken.",
    "429": "Too many requests with this token; `Retry-After` says for how many seconds to wait.",
}
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def _is_stream(operation: dict[str, Any]) -> bool:
    return "application/x-ndjson" in operation.get("requestBody", {}).get("content", {})


def add_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to every operation the refusals it does not describe itself, all in the one shape of errors."""
    shape = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            if method not in _METHODS or not path.startswith("/api/v1/"):
                continue
            for status, description in REFUSALS.items():
                if status == "415" and "requestBody" not in operation:
                    continue
                if status in {"406", "411"} and _is_stream(operation):
                    continue
                if status in {"409", "411"} and method == "get":
                    continue
                operation["responses"].setdefault(status, {"description": description, "content": shape})
    return result
