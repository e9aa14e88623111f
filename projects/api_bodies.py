"""The body of an API request as numbered items: one JSON object, a list of them, or NDJSON read in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest

from ops_portal.errors import UserError
from projects.bodies import NDJSON_TYPES, BodyError, Item, Readable, number_items, read_json, read_ndjson_items


class Body(NamedTuple):
    """The items of a body, and whether it was one of many: a list or NDJSON."""

    items: Iterator[Item]
    many: bool


def read_body(request: HttpRequest) -> Body:
    """Return the items of a request's body; reading them may raise `BodyError`.

    Raises
    ------
    UserError
        The content type or encoding is not taken.
    BodyError
        The body is empty, too long or not JSON.

    """
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UserError("Compressed bodies are not taken; send the JSON as it is.", code="unsupported", status=415)
    if request.content_type in NDJSON_TYPES:
        return Body(_some(read_ndjson_items(_source(request))), many=True)
    if request.content_type == "application/json":
        value = read_json(_source(request))
        return Body(number_items(value), many=isinstance(value, list))
    raise UserError(
        "Send application/json (an object or a list) or application/x-ndjson (one object per line).",
        code="unsupported",
        status=415,
    )


def _source(request: HttpRequest) -> Readable:
    """Return what to read the body from: a chunked one has no length, without which Django takes it for empty."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        source: Readable = request.META["wsgi.input"]
        return source
    return request


def _some(items: Iterator[Item]) -> Iterator[Item]:
    """Refuse a body without a single item: whoever sent it meant to send something."""
    first = next(items, None)
    if first is None:
        raise BodyError("The body is empty.")
    yield first
    yield from items
