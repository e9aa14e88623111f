"""What the code and libraries were that learned something, in words."""

from __future__ import annotations

from collections.abc import Mapping


def describe_change(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Say how the code and libraries of a replay differ from those that learned first; empty when they do not.

    Examples
    --------
    >>> describe_change({"river": "0.26.0", "portal": "0.1.0"}, {"river": "0.26.1", "portal": "0.1.0"})
    'learned with River 0.26.0, replayed with River 0.26.1'

    """
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    if not names:
        return ""
    return f"learned with {_list(before, names)}, replayed with {_list(after, names)}"


def _list(environment: Mapping[str, str], names: list[str]) -> str:
    return ", ".join(f"{name.capitalize()} {environment.get(name, 'unknown')}" for name in names)
