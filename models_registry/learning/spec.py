"""The description of a model: what it may say, checked without importing River.

A spec is JSON: `{"steps": [part, ...]}`, where a part is one of

- `{"use": "linear_model.LogisticRegression", "params": {"l2": 0.01}}`: a class of the catalogue. A parameter may hold
  such a part again: `{"optimizer": {"use": "optim.SGD", "params": {"lr": 0.05}}}`;
- `{"steps": [...]}`: parts one after the other;
- `{"union": [part, ...]}`: transformers side by side, their outputs joined;
- `{"select": {"types": ["number"]}, "steps": [...]}`: parts that see only some columns, chosen by `types` (`number`,
  `text`, `boolean`; a boolean counts as a number too) or by `names`.

The last step of a model is the one that predicts; those before it transform.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .catalogue import BINARY, REGRESSION, TASKS, Entry, Parameter, read_catalogue
from .errors import Fault, SpecError
from .values import accepted, expected, find_unkeepable, listed, name_roles, show

MAX_DEPTH = 8
MAX_STEPS = 20
MAX_PARTS = 200
MAX_BYTES = 64 * 1024
MAX_MODELS = 1_000
"""Most single models a spec may come to when its ensembles are multiplied out."""

SELECT_TYPES = ("number", "text", "boolean")
_PASS_ON = ("compose.Select", "compose.Discard")
_COUNTS = ("n_models", "n_estimators", "n_trees")


def validate(spec: object, task: str) -> None:
    """Check that a spec describes a model that can be built for a task.

    Parameters
    ----------
    spec
        The spec, as decoded JSON.
    task
        `binary`, `multiclass` or `regression`.

    Raises
    ------
    SpecError
        With the place and message of every fault found.

    Examples
    --------
    >>> validate({"steps": [{"use": "linear_model.LogisticRegression", "params": {"l2": "x"}}]}, "binary")
    Traceback (most recent call last):
    ...
    models_registry.learning.errors.SpecError: steps[0].params.l2: expected a number >= 0, got "x"
    """
    if task not in TASKS:
        raise ValueError(f"unknown task {task!r}")
    checker = _Checker()
    role = "regressor" if task == REGRESSION else "classifier"
    checker.check_size(spec)
    if not checker.faults:
        models = checker.check_part(spec, "", (role,), task, 0)
        if not checker.faults and models > MAX_MODELS:
            checker.add("", f"it comes to {models:,} models in all; at most {MAX_MODELS:,} are allowed")
    if checker.faults:
        first = checker.faults[0]
        raise SpecError(first.place, first.message, checker.faults)


def validate_component(part: object, roles: tuple[str, ...], task: str = BINARY) -> None:
    """Check a part that is not a model, such as a drift detector.

    Examples
    --------
    >>> validate_component({"use": "drift.ADWIN", "params": {"delta": 0.01}}, ("drift_detector",))
    """
    checker = _Checker()
    checker.check_size(part)
    if not checker.faults:
        checker.check_part(part, "", roles, task, 0)
    if checker.faults:
        first = checker.faults[0]
        raise SpecError(first.place, first.message, checker.faults)


def canonical(spec: dict[str, Any]) -> str:
    """Return the one text form of a spec, whatever the order its keys came in."""
    return json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def resolve(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec with every parameter written out, defaults included.

    Examples
    --------
    >>> resolve({"use": "optim.SGD"})
    {'use': 'optim.SGD', 'params': {'lr': 0.01}}
    """
    resolved: dict[str, Any] = {}
    for key, value in spec.items():
        if key in ("steps", "union"):
            resolved[key] = [resolve(part) for part in value]
        elif key != "params":
            resolved[key] = value
    if "use" in spec:
        entry = read_catalogue().entries[spec["use"]]
        given = spec.get("params", {})
        resolved["params"] = {p.name: _resolve_value(given.get(p.name, p.default)) for p in entry.params}
    return resolved


def _resolve_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_resolve_value(item) for item in value]
    if isinstance(value, dict) and ("use" in value or "steps" in value or "union" in value):
        return resolve(value)
    return value


class _Checker:
    """Walks a spec and collects its faults; each check returns how many single models the part comes to."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._parts = 0

    def add(self, place: str, message: str) -> None:
        self.faults.append(Fault(place, message))

    def check_size(self, spec: object) -> None:
        try:
            size = len(json.dumps(spec))
        except (TypeError, ValueError, RecursionError):
            self.add("", "it is not plain JSON")
            return
        if size > MAX_BYTES:
            self.add("", f"it is {size:,} bytes long; at most {MAX_BYTES:,} are allowed")
        self.faults += [Fault(place, message) for place, message in find_unkeepable(spec)]

    def check_part(self, part: object, place: str, roles: tuple[str, ...], task: str, depth: int) -> int:
        self._parts += 1
        if self._parts > MAX_PARTS:
            if self._parts == MAX_PARTS + 1:
                self.add(place, f"more than {MAX_PARTS} parts")
            return 1
        if depth > MAX_DEPTH:
            self.add(place, f"nested more than {MAX_DEPTH} deep")
            return 1
        if not isinstance(part, dict):
            self.add(place, f'expected an object such as {{"use": "..."}}, got {show(part)}')
            return 1
        kinds = [key for key in ("use", "steps", "union") if key in part]
        if len(kinds) != 1:
            self.add(place, 'expected exactly one of "use", "steps" or "union"')
            return 1
        allowed = {"use": ("use", "params"), "steps": ("steps", "select"), "union": ("union",)}[kinds[0]]
        for key in part:
            if key not in allowed:
                self.add(_join(place, str(key)), f"unknown key; here go {listed(allowed)}")
        check = {"use": self._check_use, "steps": self._check_steps, "union": self._check_union}[kinds[0]]
        return check(part, place, roles, task, depth)

    def _check_steps(self, part: dict[str, Any], place: str, roles: tuple[str, ...], task: str, depth: int) -> int:
        if "select" in part:
            self._check_select(part["select"], _join(place, "select"))
        steps = part["steps"]
        least = 0 if "select" in part and "transformer" in roles else 1
        if not self._is_list(steps, _join(place, "steps"), least, MAX_STEPS):
            return 1
        last = len(steps) - 1
        return sum(
            self.check_part(
                step, f"{_join(place, 'steps')}[{i}]", roles if i == last else ("transformer",), task, depth + 1
            )
            for i, step in enumerate(steps)
        )

    def _check_union(self, part: dict[str, Any], place: str, roles: tuple[str, ...], task: str, depth: int) -> int:
        if "transformer" not in roles:
            self.add(place, f"expected {name_roles(roles)}; a union only transforms, so it cannot come last")
            return 1
        if not self._is_list(part["union"], _join(place, "union"), 2, MAX_STEPS):
            return 1
        for i, branch in enumerate(part["union"]):
            self.check_part(branch, f"{_join(place, 'union')}[{i}]", ("transformer",), task, depth + 1)
        return 1

    def _check_select(self, select: object, place: str) -> None:
        if not isinstance(select, dict) or len(select) != 1 or not {"types", "names"} & set(select):
            self.add(place, 'expected {"types": [...]} or {"names": [...]}')
            return
        key, value = next(iter(select.items()))
        place = _join(place, key)
        if self._is_list(value, place, 1, 1000):
            for i, item in enumerate(value):
                if key == "types" and item not in SELECT_TYPES:
                    self.add(f"{place}[{i}]", f"expected one of {listed(SELECT_TYPES)}, got {show(item)}")
                elif key == "names" and not isinstance(item, str):
                    self.add(f"{place}[{i}]", f"expected text, got {show(item)}")

    def _check_use(self, part: dict[str, Any], place: str, roles: tuple[str, ...], task: str, depth: int) -> int:
        entry = self._find_entry(part["use"], place, roles, task)
        if entry is None:
            return 1
        params = part.get("params", {})
        place = _join(place, "params")
        if not isinstance(params, dict):
            self.add(place, f"expected an object, got {show(params)}")
            return 1
        inner = 0
        for name, value in params.items():
            param = entry.find_param(name)
            if param is None:
                known = ", ".join(p.name for p in entry.params) or "none"
                self.add(_join(place, str(name)), f"{entry.path} has no such parameter; it has: {known}")
            else:
                inner += self._check_value(param, value, _join(place, name), task, depth)
        for param in entry.params:
            if param.required and param.name not in params:
                self.add(_join(place, param.name), f"{entry.path} needs this: {expected(param)}")
        count = next((params.get(p.name, p.default) for p in entry.params if p.name in _COUNTS), 1)
        return max(1, inner) * count if isinstance(count, int) else 1

    def _find_entry(self, path: object, place: str, roles: tuple[str, ...], task: str) -> Entry | None:
        catalogue = read_catalogue()
        entry = catalogue.entries.get(path) if isinstance(path, str) else None
        place = _join(place, "use")
        if entry is None:
            reason = catalogue.why_refused(path) if isinstance(path, str) else ""
            self.add(place, f"{show(path)} is not offered{f': {reason}' if reason else ''}")
        elif not entry.plays(roles):
            self.add(place, f"expected {name_roles(roles)}, but {entry.path} is {name_roles(entry.roles)}")
        elif not entry.fits(task):
            self.add(place, f"{entry.path} does {listed(entry.tasks)}, not {task}")
        else:
            return entry
        return None

    def _check_value(self, param: Parameter, value: Any, place: str, task: str, depth: int) -> int:
        if value is None and param.nullable:
            return 0
        for accepts in param.accepts:
            kind = accepts["type"]
            if kind == "use" and isinstance(value, dict):
                return self._check_nested(accepts, value, place, task, depth)
            if kind == "list" and isinstance(value, list):
                if not self._is_list(value, place, accepts["min_items"], accepts["max_items"]):
                    return 0
                item = Parameter(param.name, (accepts["of"],))
                return sum(self._check_value(item, v, f"{place}[{i}]", task, depth) for i, v in enumerate(value))
            if kind == "map" and isinstance(value, dict):
                item = Parameter(param.name, (accepts["of"],))
                if len(value) > accepts["max_items"]:
                    self.add(place, f"at most {accepts['max_items']} names are allowed")
                return sum(self._check_value(item, v, _join(place, str(k)), task, depth) for k, v in value.items())
            if accepted(accepts, value):
                return 0
        self.add(place, f"expected {expected(param)}, got {show(value)}")
        return 0

    def _check_nested(self, accepts: dict[str, Any], value: Any, place: str, task: str, depth: int) -> int:
        roles = tuple(accepts["roles"])
        wanted = accepts.get("task", "same")
        inner = task if wanted == "same" else wanted
        if {"classifier", "regressor"} <= set(roles):
            roles = ("regressor",) if inner == REGRESSION else ("classifier",)
        return self.check_part(value, place, roles, inner, depth + 1)

    def _is_list(self, value: object, place: str, least: int, most: int) -> bool:
        if not isinstance(value, list):
            self.add(place, f"expected a list, got {show(value)}")
        elif not least <= len(value) <= most:
            self.add(place, f"expected between {least} and {most} items, got {len(value)}")
        else:
            return True
        return False


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def find_needed_features(spec: dict[str, Any]) -> list[str]:
    """Return the features a spec names where it meets the events as they come: without one it cannot go on.

    Examples
    --------
    >>> text = {"use": "feature_extraction.BagOfWords", "params": {"on": "comment"}}
    >>> find_needed_features({"steps": [text, {"use": "naive_bayes.MultinomialNB"}]})
    ['comment']
    """
    if "union" in spec:
        return list(dict.fromkeys(name for part in spec["union"] for name in find_needed_features(part)))
    if "steps" in spec:
        needed = list(spec.get("select", {}).get("names", []))
        for step in spec["steps"]:
            needed += find_needed_features(step)
            if step.get("use") not in _PASS_ON:
                break
        return list(dict.fromkeys(needed))
    if not spec["use"].startswith(("compose.Select", "compose.Grouper", "feature_extraction.", "preprocessing.GapEnc")):
        return []
    found: list[str] = []
    for name in ("keys", "on", "by"):
        value = spec.get("params", {}).get(name)
        found += value if isinstance(value, list) else [value] if value else []
    return found


def find_differences(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return where two specs differ, defaults written out: `(place, value in one, value in other)`.

    What only one of them has is `None` in the other.

    Examples
    --------
    >>> plain = {"use": "linear_model.LogisticRegression"}
    >>> find_differences(plain, {"use": "linear_model.LogisticRegression", "params": {"l2": 0.1, "l1": 0.0}})
    [('params.l2', 0.0, 0.1)]
    """
    flat, flat_other = dict(_flatten(resolve(one), "")), dict(_flatten(resolve(other), ""))
    places = [*flat, *(place for place in flat_other if place not in flat)]
    return [
        (place, flat.get(place), flat_other.get(place)) for place in places if flat.get(place) != flat_other.get(place)
    ]


def _flatten(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flatten(inner, _join(place, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for i, item in enumerate(value):
            yield from _flatten(item, f"{place}[{i}]")
    else:
        yield place, value
