"""A spec as pages show it: in a few words, as a drawing, and as tables of parameters. No query, no River."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models_registry.learning.catalogue import read_catalogue
from models_registry.learning.outline import COMPONENT, SEQUENCE, Box, outline

#: One step as `components/_pipeline.html` draws it.
Step = dict[str, Any]

UNKNOWN = "A spec of another edition of the catalogue"


@dataclass(frozen=True)
class ParameterRow:
    """One parameter of a component: its value, and whether the spec sets it or River's default holds."""

    name: str
    value: str
    is_set: bool
    help: str


@dataclass(frozen=True)
class Component:
    """One River class of a spec with all of its parameters, those that the spec sets first."""

    title: str
    path: str
    place: str
    summary: str
    parameters: tuple[ParameterRow, ...]

    @property
    def chosen(self) -> tuple[ParameterRow, ...]:
        """The parameters that the spec sets."""
        return tuple(row for row in self.parameters if row.is_set)

    @property
    def defaults(self) -> tuple[ParameterRow, ...]:
        """The parameters left at their default."""
        return tuple(row for row in self.parameters if not row.is_set)


def name_steps(spec: dict[str, Any]) -> str:
    """Say what a model is in a few words: `Standard scaler → Logistic regression`."""
    try:
        return _words(outline(spec), settings=False)
    except (KeyError, TypeError):
        return UNKNOWN


def draw_pipeline(spec: dict[str, Any]) -> list[Step]:
    """Return the steps of a spec for the drawing; none where the catalogue no longer knows one of its classes."""
    try:
        whole = outline(spec)
    except (KeyError, TypeError):
        return []
    return _steps(whole)


def list_components(spec: dict[str, Any]) -> tuple[Component, ...]:
    """Return every River class of a spec with its parameters, outer ones before those inside them."""
    try:
        return tuple(_components(spec, ""))
    except (KeyError, TypeError):
        return ()


def _steps(box: Box) -> list[Step]:
    """Return a box as a row of steps: those of a plain sequence, else the box by itself."""
    if box.kind == SEQUENCE and not box.title:
        return [_step(item) for item in box.items]
    return [_step(box)]


def _step(box: Box) -> Step:
    if box.kind == COMPONENT:
        params = dict(box.settings)
        for item in box.items:
            text = _words(item, settings=True)
            params[item.name] = f"{params[item.name]}, {text}" if item.name in params else text
        return {"name": box.title, "params": params}
    if box.kind == SEQUENCE:
        return {"select": box.title or "one after the other", "steps": [_step(item) for item in box.items]}
    return {"union": [_steps(item) for item in box.items]}


def _words(box: Box, *, settings: bool) -> str:
    if box.kind == COMPONENT:
        notes = [f"{name} = {text}" for name, text in box.settings] if settings else []
        notes += [_words(item, settings=settings) for item in box.items if settings or item.name not in _QUIET]
        return f"{box.title} ({', '.join(notes)})" if notes else box.title
    if box.kind == SEQUENCE:
        inner = " → ".join(_words(item, settings=settings) for item in box.items)
        if not settings and inner:
            return inner
        return f"{box.title}: {inner}" if box.title and inner else box.title or inner
    return "(" + " + ".join(_words(item, settings=settings) for item in box.items) + ")"


#: Inner parts that say how, not what: left out where a model is named in a few words.
_QUIET = frozenset({"optimizer", "loss", "drift_detector", "warning_detector", "engine", "splitter", "initializer"})


def _components(part: dict[str, Any], place: str) -> Iterator[Component]:
    if "use" not in part:
        key = "union" if "union" in part else "steps"
        for index, item in enumerate(part[key]):
            yield from _components(item, f"{place}.{key}[{index}]" if place else f"{key}[{index}]")
        return
    entry = read_catalogue().entries[part["use"]]
    given = part.get("params", {})
    rows = [
        ParameterRow(param.name, describe_value(given.get(param.name, param.default)), param.name in given, param.help)
        for param in entry.params
    ]
    rows.sort(key=lambda row: not row.is_set)
    yield Component(entry.title, entry.path, place, entry.summary, tuple(rows))
    for name, value in given.items():
        inner = f"{place}.params.{name}" if place else f"params.{name}"
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            if _is_part(item):
                yield from _components(item, f"{inner}[{index}]" if isinstance(value, list) else inner)


def _is_part(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("use", "steps", "union"))


def describe_value(value: Any) -> str:
    """Write a parameter's value for reading: an inner component by its title, anything else as JSON."""
    if _is_part(value):
        return name_steps(value)
    if isinstance(value, list) and value and all(_is_part(item) for item in value):
        return ", ".join(name_steps(item) for item in value)
    if value is None:
        return "none"
    if isinstance(value, float) and float(short := f"{value:g}") == value:
        return short
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
