"""From a spec to the River model it describes."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from river import compose

from . import spec as specs
from .catalogue import Entry, read_catalogue
from .errors import SpecError

_TYPES: dict[str, tuple[type, ...]] = {"number": (int, float), "text": (str,), "boolean": (bool,)}


def build(spec: dict[str, Any], seed: int, *, task: str | None = None) -> Any:
    """Return a fresh model.

    Everything in it that draws random numbers gets the same seed, so that two builds of one spec learn alike.

    Parameters
    ----------
    spec
        A spec as `spec.validate` accepts it.
    seed
        The seed of the run.
    task
        When given, the spec is validated for it first.

    Returns
    -------
    The model: a River pipeline, or the single estimator a spec without steps names.

    Raises
    ------
    SpecError
        When River refuses the parameters, with the place in the spec.

    Examples
    --------
    >>> print(build({"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LinearRegression"}]}, 1))
    StandardScaler | LinearRegression
    """
    if task is not None:
        specs.validate(spec, task)
    return _build_part(spec, seed, "")


def _build_part(part: dict[str, Any], seed: int, place: str) -> Any:
    if "use" in part:
        return _build_use(part, seed, place)
    if "union" in part:
        branches = [_build_part(branch, seed, f"{place}.union[{i}]") for i, branch in enumerate(part["union"])]
        return compose.TransformerUnion(*branches)
    steps = [_build_select(part["select"])] if "select" in part else []
    for i, step in enumerate(part["steps"]):
        built = _build_part(step, seed, f"{place}.steps[{i}]")
        # A pipeline that is a step of a pipeline would learn without transforming: River takes it for the last step.
        steps.extend(built.steps.values() if isinstance(built, compose.Pipeline) else [built])
    return compose.Pipeline(*steps) if len(steps) > 1 else steps[0]


def _build_select(select: dict[str, Any]) -> Any:
    if "types" in select:
        return compose.SelectType(*[kind for name in select["types"] for kind in _TYPES[name]])
    return compose.Select(*select["names"])


def _build_use(part: dict[str, Any], seed: int, place: str) -> Any:
    entry = read_catalogue().entries[part["use"]]
    cls = find_class(entry.path)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, value in _chosen(entry, part.get("params", {})).items():
        param = entry.find_param(name)
        built = _build_value(value, seed, f"{place}.params.{name}")
        if param is not None and any(accepts.get("tuple") for accepts in param.accepts) and isinstance(built, list):
            built = tuple(built)
        if param is not None and param.positional:
            args.extend(built)
        else:
            kwargs[name] = built
    if "seed" in inspect.signature(cls).parameters:
        kwargs["seed"] = seed
    try:
        return cls(*args, **kwargs)
    except Exception as error:
        raise SpecError(place.lstrip("."), f"River refuses it: {error}") from error


def _chosen(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """Return what to pass: the given parameters, and the portal's defaults where they are not River's."""
    return {param.name: param.default for param in entry.params if param.own_default} | given


def _build_value(value: Any, seed: int, place: str) -> Any:
    if isinstance(value, list):
        return [_build_value(item, seed, f"{place}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, dict) and ("use" in value or "steps" in value or "union" in value):
        return _build_part(value, seed, place)
    return value


def find_class(path: str) -> Any:
    """Return the River class behind a catalogue path."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"river.{module}"), name)
