"""What a parameter takes: whether a value will do, and how to say what would."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from .catalogue import Parameter

_ARTICLE = {"number": "a number", "integer": "a whole number", "boolean": "true or false", "text": "text"}


def accepted(accepts: dict[str, Any], value: Any) -> bool:
    """Whether a plain value will do: a number, a text, one of some choices. Lists and parts are never plain."""
    kind = accepts["type"]
    if kind == "choice":
        return any(value == choice and type(value) is type(choice) for choice in accepts["choices"])
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str) and len(value) <= accepts["max_length"]
    if kind not in ("number", "integer") or isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind == "integer" and not isinstance(value, int):
        return False
    return (
        math.isfinite(value)
        and ("min" not in accepts or value >= accepts["min"])
        and ("over" not in accepts or value > accepts["over"])
        and ("max" not in accepts or value <= accepts["max"])
        and ("under" not in accepts or value < accepts["under"])
    )


def expected(param: Parameter) -> str:
    """Say what a parameter takes.

    Examples
    --------
    >>> expected(Parameter("delta", ({"type": "number", "over": 0, "under": 1},), nullable=True))
    'a number > 0 and < 1 or null'
    """
    words = [_describe(accepts) for accepts in param.accepts]
    return " or ".join(words + (["null"] if param.nullable else []))


def _describe(accepts: dict[str, Any]) -> str:
    kind = accepts["type"]
    if kind == "choice":
        return f"one of {', '.join(json.dumps(choice) for choice in accepts['choices'])}"
    if kind == "use":
        return name_roles(tuple(accepts["roles"]))
    if kind == "list":
        return f"a list of {_describe(accepts['of'])}"
    if kind == "map":
        return f"an object whose values are {_describe(accepts['of'])}"
    signs = (("min", ">="), ("over", ">"), ("max", "<="), ("under", "<"))
    bounds = [f"{sign} {accepts[key]}" for key, sign in signs if key in accepts]
    return _ARTICLE[kind] + (f" {' and '.join(bounds)}" if bounds else "")


def name_roles(roles: tuple[str, ...]) -> str:
    """Say which parts may stand somewhere: `a classifier or a regressor`."""
    words = [role.replace("_", " ") for role in roles]
    return " or ".join(("an " if word[0] in "aeiou" else "a ") + word for word in words)


def listed(items: tuple[str, ...] | list[str]) -> str:
    """Return several names as one text."""
    return ", ".join(items)


def show(value: object) -> str:
    """Return a value as JSON, shortened where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 80 else text[:77] + "..."


def find_unkeepable(value: object) -> Iterator[tuple[str, str]]:
    r"""Yield where plain JSON holds text that no database can keep, and what is wrong with it.

    Examples
    --------
    >>> list(find_unkeepable({"names": ["kind", "a\0b"]}))
    [('names[1]', 'it holds a NUL character')]
    """
    # A stack and no recursion: what comes from outside may be nested more deeply than Python calls.
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        place, found = waiting.pop()
        if isinstance(found, list | tuple):
            waiting += [(f"{place}[{i}]", item) for i, item in enumerate(found)]
        elif isinstance(found, dict):
            for key, item in found.items():
                if wrong := _name_unkeepable(str(key)):
                    yield place, f"a name in it is not text: {wrong}"
                else:
                    waiting.append((f"{place}.{key}" if place else str(key), item))
        elif isinstance(found, str) and (wrong := _name_unkeepable(found)):
            yield place, wrong


def _name_unkeepable(text: str) -> str:
    if "\0" in text:
        return "it holds a NUL character"
    return "it holds half of a character" if any("\ud800" <= sign <= "\udfff" for sign in text) else ""
