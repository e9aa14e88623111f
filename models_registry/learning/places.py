"""Places in a spec, as faults name them: `steps[1].params.l2`."""

from __future__ import annotations

import re
from typing import Any

Keys = tuple[str | int, ...]

_KEY = re.compile(r"\[(\d{1,5})\]|([^.\[\]]+)")


def read_place(place: str) -> Keys:
    """Return the keys that lead to a place.

    Examples
    --------
    >>> read_place("steps[1].params.l2")
    ('steps', 1, 'params', 'l2')
    """
    return tuple(int(index) if index else name for index, name in _KEY.findall(place))


def write_place(keys: Keys) -> str:
    """Return the place that keys lead to.

    Examples
    --------
    >>> write_place(("steps", 1, "params", "l2"))
    'steps[1].params.l2'
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def find_at(spec: Any, keys: Keys) -> Any:
    """Return what stands at a place, or raise `LookupError`."""
    found = spec
    for key in keys:
        found = _check_holds(found, key)[key]
    return found


def put_at(spec: Any, keys: Keys, value: Any) -> None:
    """Set what stands at a place; the object it is a key of is made where it is missing."""
    *way, last = keys
    if way and way[-1] == "params":
        find_at(spec, tuple(way[:-1])).setdefault("params", {})
    _check_holds(find_at(spec, tuple(way)), last)[last] = value


def drop_at(spec: Any, keys: Keys) -> None:
    """Take away what stands at a place, and the object of parameters that it leaves empty."""
    *way, last = keys
    holder = find_at(spec, tuple(way))
    find_at(holder, (last,))
    del holder[last]
    if way and way[-1] == "params" and not holder:
        del find_at(spec, tuple(way[:-1]))["params"]


def _check_holds(holder: Any, key: str | int) -> Any:
    """Return what holds a key, or raise `LookupError` where it is of another kind."""
    if not isinstance(holder, list if isinstance(key, int) else dict):
        raise LookupError(write_place((key,)))
    return holder
