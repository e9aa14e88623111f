"""The parameters of a spec as a flat list: what tables of runs show, and what a sweep may vary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .catalogue import Parameter, read_catalogue

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter of one component of a spec.

    Parameters
    ----------
    name
        The component's class and the parameter: `LogisticRegression.l2`. A class that a spec uses twice is numbered
        from its second use on: `StandardScaler#2.with_std`.
    place
        Where it stands: `steps[1].params.l2`.
    value
        Its value, the default where the spec sets none.
    is_set
        Whether the spec sets it.
    param
        What the catalogue says of it.
    """

    name: str
    place: str
    value: Any
    is_set: bool
    param: Parameter


def list_settings(spec: dict[str, Any]) -> list[Setting]:
    """Return every parameter of every component of a spec, outer components before those inside them.

    Examples
    --------
    >>> spec = {"steps": [{"use": "linear_model.LogisticRegression", "params": {"l2": 0.1}}]}
    >>> [(one.name, one.place, one.value) for one in list_settings(spec) if one.is_set]
    [('LogisticRegression.l2', 'steps[0].params.l2', 0.1)]
    """
    return list(_walk(spec, "", Counter()))


def flatten_parameters(spec: dict[str, Any]) -> dict[str, Scalar]:
    """Return the value of every parameter by its name; a component that stands as a value is named by its class.

    Examples
    --------
    >>> parameters = flatten_parameters({"use": "optim.SGD", "params": {"lr": {"use": "optim.schedulers.Constant"}}})
    >>> parameters["SGD.lr"]
    'Constant'
    """
    try:
        return {setting.name: _plain(setting.value) for setting in list_settings(spec)}
    except (KeyError, TypeError):  # a class that this edition of the catalogue does not know
        return {}


def _walk(part: dict[str, Any], place: str, seen: Counter[str]) -> Iterator[Setting]:
    if "use" not in part:
        key = "union" if "union" in part else "steps"
        for index, item in enumerate(part[key]):
            yield from _walk(item, f"{place}.{key}[{index}]" if place else f"{key}[{index}]", seen)
        return
    entry = read_catalogue().entries[part["use"]]
    short = _class_of(part)
    seen[short] += 1
    owner = short if seen[short] == 1 else f"{short}#{seen[short]}"
    given = part.get("params", {})
    for param in entry.params:
        inner = f"{place}.params.{param.name}" if place else f"params.{param.name}"
        value = given.get(param.name, param.default)
        yield Setting(f"{owner}.{param.name}", inner, value, param.name in given, param)
    for name, value in given.items():
        inner = f"{place}.params.{name}" if place else f"params.{name}"
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            if _is_part(item):
                yield from _walk(item, f"{inner}[{index}]" if isinstance(value, list) else inner, seen)


def _plain(value: Any) -> Scalar:
    if _is_part(value):
        return _class_of(value)
    if isinstance(value, list):
        return ", ".join(str(_plain(item)) for item in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _class_of(part: dict[str, Any]) -> str:
    return str(part["use"]).rpartition(".")[2] if "use" in part else "pipeline"


def _is_part(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("use", "steps", "union"))
