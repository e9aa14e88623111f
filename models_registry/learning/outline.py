"""A spec as a picture needs it: nested boxes with titles, set parameters and inner models."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .catalogue import read_catalogue

SEQUENCE, SIDE_BY_SIDE, COMPONENT = "sequence", "union", "component"


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the picture.

    Parameters
    ----------
    kind
        `sequence` (items one after the other), `union` (items side by side) or `component` (a River class).
    title
        What to write in it.
    place
        Where it stands in the spec: `steps[1].params.model`.
    path
        The River class, for a component.
    name
        The parameter that holds it, for a component inside another.
    settings
        The parameters the spec sets, as (name, text) pairs.
    items
        The boxes inside.
    """

    kind: str
    title: str
    place: str
    path: str = ""
    name: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    items: tuple[Box, ...] = field(default=())


def outline(spec: dict[str, Any]) -> Box:
    """Return the boxes of a valid spec.

    Examples
    --------
    >>> box = outline({"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "naive_bayes.GaussianNB"}]})
    >>> box.kind, [item.title for item in box.items]
    ('sequence', ['Standard scaler', 'Gaussian NB'])
    """
    return _outline(spec, "", "")


def describe(spec: dict[str, Any]) -> str:
    """Return the spec as one line: `Standard scaler, then Logistic regression (l2 = 0.01)`.

    Examples
    --------
    >>> describe({"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LinearRegression"}]})
    'Standard scaler, then Linear regression'
    """
    return _describe(outline(spec))


def _describe(box: Box) -> str:
    if box.kind == SEQUENCE:
        inner = ", then ".join(_describe(item) for item in box.items)
        return f"{box.title}: {inner}" if box.title else inner
    if box.kind == SIDE_BY_SIDE:
        return "[" + " beside ".join(_describe(item) for item in box.items) + "]"
    notes = [f"{name} = {text}" for name, text in box.settings]
    notes += [_describe(item) for item in box.items]
    return box.title + (f" ({', '.join(notes)})" if notes else "")


def _outline(part: dict[str, Any], place: str, name: str) -> Box:
    if "use" in part:
        return _outline_use(part, place, name)
    key = "union" if "union" in part else "steps"
    prefix = f"{place}.{key}" if place else key
    items = tuple(_outline(item, f"{prefix}[{i}]", "") for i, item in enumerate(part[key]))
    title = _select_title(part["select"]) if "select" in part else ""
    return Box(SIDE_BY_SIDE if key == "union" else SEQUENCE, title, place, name=name, items=items)


def _select_title(select: dict[str, Any]) -> str:
    kind, values = next(iter(select.items()))
    return ("Columns of type " if kind == "types" else "Columns ") + ", ".join(values)


def _outline_use(part: dict[str, Any], place: str, name: str) -> Box:
    entry = read_catalogue().entries[part["use"]]
    settings: list[tuple[str, str]] = []
    items: list[Box] = []
    for key, value in part.get("params", {}).items():
        inner = f"{place}.params.{key}" if place else f"params.{key}"
        if _is_part(value):
            items.append(_outline(value, inner, key))
        elif isinstance(value, list) and value and all(_is_part(item) for item in value):
            items.extend(_outline(item, f"{inner}[{i}]", key) for i, item in enumerate(value))
        else:
            settings.append((key, value if isinstance(value, str) else json.dumps(value)))
    return Box(COMPONENT, entry.title, place, entry.path, name, tuple(settings), tuple(items))


def _is_part(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("use", "steps", "union"))
