"""Changes to a spec by form fields and buttons: what was typed, and parts added, exchanged, moved and taken away."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from django.http import QueryDict

from models_registry.forms.spec_tree import STEPS, UNION, Columns, Control, Node, Slot, SpecTree
from models_registry.forms.spec_values import LEFT_OUT, read_value
from models_registry.learning.catalogue import read_catalogue
from models_registry.learning.examples import starter
from models_registry.learning.places import Keys, drop_at, find_at, put_at, read_place
from models_registry.learning.values import accepted

#: Names of form fields begin with what they hold; the place follows.
VALUE, PART, TYPES, NAMES, BY = "at:", "part:", "types:", "names:", "by:"
_EMPTY_SELECT: dict[str, Any] = {"types": ["number"]}


def apply_fields(spec: Any, shown: SpecTree, posted: QueryDict) -> Any:
    """Return the spec with what was changed in the fields that showed another state of it.

    A field that says what it was drawn with says nothing: so the JSON and the fields may both have been edited.
    """
    changed = copy.deepcopy(spec)
    for control in shown.controls.values():
        _attempt(_apply_control, changed, control, posted)
    for columns in shown.columns.values():
        _attempt(_apply_columns, changed, columns, posted)
    return changed


def _attempt(apply: Callable[..., None], *args: Any) -> None:
    """Apply a field, unless the JSON no longer has its place."""
    try:
        apply(*args)
    except LookupError:
        return


def _apply_control(spec: Any, control: Control, posted: QueryDict) -> None:
    keys = read_place(control.place)
    part = posted.get(PART + control.place)
    if part is not None and part != control.chosen:
        value = make_part(part, control.slot) if control.slot and part else LEFT_OUT
        before = find_at(spec, keys) if control.given else None
        _put(spec, keys, _carry_over(before, value, control.slot.task) if control.slot else value)
        return
    typed = posted.get(VALUE + control.place)
    if typed is not None and control.typed and _plain(typed) != control.text:
        _put(spec, keys, read_value(control.param, _plain(typed)))


def _apply_columns(spec: Any, columns: Columns, posted: QueryDict) -> None:
    keys = read_place(columns.place)
    by = posted.get(BY + columns.place, columns.by)
    types = [kind for kind in posted.getlist(TYPES + columns.place) if kind]
    names = _plain(posted.get(NAMES + columns.place, columns.names))
    if by == "names" and (columns.by != "names" or names != columns.names):
        put_at(spec, keys, {"names": [name.strip() for name in names.split(",") if name.strip()]})
    elif by == "types" and TYPES + columns.place in posted and (columns.by != "types" or tuple(types) != columns.types):
        put_at(spec, keys, {"types": types})
    elif by == "types" and columns.by != "types":
        put_at(spec, keys, _EMPTY_SELECT)


def _put(spec: Any, keys: Keys, value: Any) -> None:
    if value is LEFT_OUT:
        drop_at(spec, keys)
    else:
        put_at(spec, keys, value)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "")


def make_part(choice: str, slot: Slot) -> Any:
    """Return a new part: a class with what it requires filled in, or an empty holder of parts."""
    if choice == STEPS:
        return {STEPS: []}
    if choice == UNION:
        return {UNION: []}
    if choice == "select":
        return {"select": copy.deepcopy(_EMPTY_SELECT), STEPS: []}
    return copy.deepcopy(starter(choice, slot.task, columns=False)) if choice in read_catalogue().entries else LEFT_OUT


def _carry_over(before: Any, after: Any, task: str) -> Any:
    """Keep what was set for a class that is exchanged for another one that takes the same."""
    if not isinstance(after, dict) or "use" not in after or not isinstance(before, dict):
        return after
    entry = read_catalogue().entries[after["use"]]
    given = before.get("params")
    for name, value in given.items() if isinstance(given, dict) else ():
        param = entry.find_param(name)
        if param and any(accepted(accepts, value) for accepts in param.accepts):
            after.setdefault("params", {})[name] = value
    return after


def add_part(spec: Any, tree: SpecTree, place: str, choice: str) -> str:
    """Put a new part into the list at a place: a transformer before what predicts. Return where it stands."""
    found = next((one for one in tree.lists() if one[0] == place), None)
    if found is None:
        raise LookupError(place)
    _, items, slot = found
    part = make_part(choice, slot)
    if part is LEFT_OUT:
        raise LookupError(choice)
    entry = read_catalogue().entries.get(choice)
    prepares = choice in ("select", UNION) or (entry is not None and entry.plays(("transformer",)))
    at = len(items) - 1 if items and items[-1].predicts and prepares else len(items)
    find_at(spec, read_place(place)).insert(at, part)
    return f"{place}[{at}]"


def exchange_part(spec: Any, node: Node, choice: str) -> None:
    """Put another part in the place of one; what both take is kept, and so are the parts that one holds."""
    keys = read_place(node.place)
    before = find_at(spec, keys)
    part = make_part(choice, node.slot)
    if part is LEFT_OUT:
        raise LookupError(choice)
    part = _carry_over(before, part, node.slot.task)
    holder = STEPS if STEPS in part else UNION
    if holder in part and isinstance(before, dict):
        part[holder] = before.get(STEPS, before.get(UNION, []))
    if not keys:
        spec.clear()
        spec.update(part)
    else:
        put_at(spec, keys, part)


def move_part(spec: Any, place: str, by: int) -> str:
    """Let a part change places with its neighbour. Return where it stands then."""
    *way, at = read_place(place)
    if not isinstance(at, int):
        raise LookupError(place)
    items = find_at(spec, tuple(way))
    to = at + by
    if not 0 <= to < len(items):
        raise LookupError(place)
    items[at], items[to] = items[to], items[at]
    return place.removesuffix(f"[{at}]") + f"[{to}]"


def wrap_in_steps(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model of one class as steps, so that others can come before it."""
    return {STEPS: [dict(spec)]}
