"""JSON bodies of DRF calls, read strictly: what is unclear or cannot be stored never reaches a serializer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import IO, Any

from django.http.request import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from projects.bodies import BodyError, decode
from projects.texts import fault_of

#: Specs are limited to 64 kB; everything else is far smaller.
MAX_BYTES = 2**20
#: A spec of the deepest kind allowed has fewer levels.
MAX_DEPTH = 64
LARGEST = 2**63 - 1


class StrictJSONParser(JSONParser):
    """DRF's JSON parser with limits on size, depth and numbers; a name that occurs twice is refused."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            raw = stream.read(MAX_BYTES + 1)
        except UnreadablePostError:
            raise ParseError("The body ended before it was complete; send it again.") from None
        if len(raw) > MAX_BYTES:
            raise ParseError(f"The body is larger than {MAX_BYTES >> 20} MB.")
        try:
            value = decode(raw)
        except BodyError as wrong:
            raise ParseError(f"The body cannot be read: {wrong}.") from None
        fault = find_fault(value)
        if fault:
            raise ParseError(f"The body cannot be read: {fault}.")
        return value


def find_fault(value: object) -> str:
    """Say what in a decoded body no call can take, or nothing: depth, numbers beyond JSON's, broken characters."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                below += one.keys()
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif fault := _fault_of(one):
                return fault
        if not below:
            return ""
        level = below
    return f"nested more than {MAX_DEPTH} levels deep"


def _fault_of(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN and infinities are no JSON numbers"
    if isinstance(value, int) and abs(value) > LARGEST:
        return "a whole number is beyond 64 bits"
    if isinstance(value, str) and (fault := fault_of(value)):
        return f"a text {fault}"
    return ""
