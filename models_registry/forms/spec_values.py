"""The values of parameters as text in a form field: written from JSON, and read back."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from models_registry.forms.specs import load_json
from models_registry.learning.catalogue import Parameter
from models_registry.learning.errors import SpecError

#: What a field left empty says: the parameter is left out, so that its default holds.
LEFT_OUT = object()

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,300}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "none": None}


def kinds_of(param: Parameter) -> set[str]:
    """Return the kinds of value that a parameter takes."""
    return {accepts["type"] for accepts in param.accepts}


def choices_of(param: Parameter) -> list[Any]:
    """Return the fixed values that a parameter may have."""
    found = [choice for accepts in param.accepts for choice in accepts.get("choices", ())]
    return [*found, *([True, False] if "boolean" in kinds_of(param) else [])]


def write_value(value: Any) -> str:
    """Write a value into a field.

    Examples
    --------
    >>> write_value(0.01), write_value(True), write_value("gini"), write_value(["a", "b"]), write_value(["a,b"])
    ('0.01', 'true', 'gini', 'a, b', '["a,b"]')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_stands_in_a_row(item) for item in value):
        return ", ".join(write_value(item) for item in value)
    return json.dumps(value, ensure_ascii=False)


def read_value(param: Parameter, text: str) -> Any:
    """Read what was typed for a parameter.

    What the parameter does not take comes back as text, for the check of the spec to name.

    Examples
    --------
    >>> delta = Parameter("delta", ({"type": "number", "over": 0},))
    >>> read_value(delta, " 0.5 "), read_value(delta, "much"), read_value(delta, "") is LEFT_OUT
    (0.5, 'much', True)
    >>> read_value(Parameter("keys", ({"type": "list", "of": {"type": "text"}},)), "length, port")
    ['length', 'port']
    """
    kinds = kinds_of(param)
    if kinds == {"text"}:
        return text or LEFT_OUT
    given = text.strip()
    if not given:
        return LEFT_OUT
    for choice in choices_of(param):
        if write_value(choice) == given:
            return choice
    if kinds & {"list", "map"} and given[0] in "[{":
        return _read_json(given)
    if "list" in kinds and ("text" not in kinds or "," in given):
        of = next(accepts["of"] for accepts in param.accepts if accepts["type"] == "list")
        return [_read_plain(item.strip(), {of["type"]}) for item in given.split(",") if item.strip()]
    return _read_plain(given, kinds | ({"null"} if param.nullable else set()))


def _stands_in_a_row(item: Any) -> bool:
    if isinstance(item, str):
        return item != "" and item == item.strip() and "," not in item and item[0] not in "[{"
    return isinstance(item, int | float) and not isinstance(item, bool)


def _read_plain(text: str, kinds: set[str]) -> Any:
    if "null" in kinds and text.lower() in ("null", "none"):
        return None
    if "boolean" in kinds and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if kinds & {"number", "integer"}:
        if _WHOLE.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
            return number
    return text


def _read_json(text: str) -> Any:
    """Read a list or an object; what is neither stays text."""
    try:
        return load_json(text)
    except (SpecError, ValueError, RecursionError):
        return text
