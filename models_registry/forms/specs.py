"""A spec as JSON text: read with everything that is wrong with it, and written the way people edit it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from models_registry.learning.errors import Fault, SpecError
from models_registry.learning.spec import MAX_BYTES, validate
from models_registry.learning.values import find_unkeepable

INDENT = 2
#: What fits on one line is written on one line.
WIDTH = 60
#: Deeper than any valid spec: not worth breaking up.
DEEP = 30


@dataclass(frozen=True)
class SpecReading:
    """What a text says as a spec: the spec when it is one, else everything that is wrong with it.

    `value` is what the JSON holds, also where that is not a spec; None where it is nothing that could be shown.
    """

    spec: dict[str, Any] | None
    faults: tuple[Fault, ...] = ()
    value: Any = None


def read_spec(text: str, task: str) -> SpecReading:
    """Read a spec from JSON text and check it for a task; every fault found comes back, none is raised."""
    if not text.strip():
        return SpecReading(None, (Fault("", "Write a spec, or start from a template."),))
    if len(text) > MAX_BYTES:
        return _wrong(f"It is {len(text):,} characters long; at most {MAX_BYTES:,} are allowed.")
    value = None
    try:
        value = load_json(text)
        if unkeepable := [Fault(*found) for found in find_unkeepable(value)]:
            return SpecReading(None, tuple(unkeepable))
        validate(value, task)
    except json.JSONDecodeError as wrong:
        return _wrong(f"This is not JSON yet, at line {wrong.lineno}, column {wrong.colno}: {wrong.msg}.")
    except SpecError as wrong:
        return SpecReading(None, tuple(wrong.errors), value)
    except RecursionError:
        return _wrong("It is nested too deeply.")
    except ValueError:
        return _wrong("It holds a number with thousands of digits.")
    return SpecReading(value, value=value)


def load_json(text: str) -> Any:
    """Decode JSON as its standard has it: no NaN, no key twice in one object."""
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)


def show_spec(spec: Any) -> str:
    """Write a spec the way people edit it: short objects on one line, long ones broken up."""
    return _write(spec, 0)


def _write(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(flat) + depth * INDENT <= WIDTH or depth > DEEP:
        return flat
    pad = "\n" + " " * INDENT * (depth + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {_write(item, depth + 1)}" for key, item in value.items()]
    else:
        items = [_write(item, depth + 1) for item in value]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}{pad}{(',' + pad).join(items)}\n{' ' * INDENT * depth}{end}"


def _wrong(message: str) -> SpecReading:
    return SpecReading(None, (Fault("", message),))


def _refuse_constant(name: str) -> None:
    raise SpecError("", f"{name} is not a JSON number.")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice in one object: JSON would silently keep only the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise SpecError("", f'The key "{twice}" stands twice in one object.')
    return found
