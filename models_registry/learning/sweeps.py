"""Many specs from one: a grid over some parameters, or random draws from their ranges."""

from __future__ import annotations

import copy
import itertools
import math
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import SpecError

MOST = 50
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


def make_grid(spec: dict[str, Any], choices: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Return a spec for every combination of values.

    Parameters
    ----------
    spec
        The spec to vary.
    choices
        The values to try, by place: `steps[1].params.l2`.

    Returns
    -------
    The specs, each under a name that says what is different: `l2=0.1, lr=0.01`.

    Examples
    --------
    >>> spec = {"use": "linear_model.LogisticRegression"}
    >>> list(make_grid(spec, {"params.l2": [0, 0.1], "params.l1": [0]}))
    ['l2=0, l1=0', 'l2=0.1, l1=0']
    """
    total = math.prod(len(values) for values in choices.values())
    if not 1 <= total <= MOST:
        raise SpecError("", f"the grid comes to {total:,} models; between 1 and {MOST} are allowed")
    return _vary(spec, [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())])


def draw_specs(
    spec: dict[str, Any], ranges: Mapping[str, Mapping[str, Any]], count: int, *, seed: int
) -> dict[str, dict[str, Any]]:
    """Return specs with random parameters.

    Parameters
    ----------
    spec
        The spec to vary.
    ranges
        What to draw from, by place: `{"low": 0.001, "high": 1, "log": true}`, `{"low": 1, "high": 9, "whole": true}` or
        `{"values": [...]}`.
    count
        How many; fewer come out when two draws are the same.
    seed
        Seed of the draws.

    Examples
    --------
    >>> spec = {"use": "linear_model.LogisticRegression"}
    >>> list(draw_specs(spec, {"params.l2": {"low": 0.001, "high": 1, "log": True}}, 2, seed=1))
    ['l2=0.00253', 'l2=0.349']
    """
    if not 1 <= count <= MOST:
        raise SpecError("", f"{count:,} models were asked for; between 1 and {MOST} are allowed")
    rng = random.Random(seed)  # noqa: S311 (a sweep has to repeat itself)
    return _vary(spec, [{place: _draw(rng, place, what) for place, what in ranges.items()} for _ in range(count)])


def read_place(spec: dict[str, Any], place: str) -> Any:
    """Return what stands at a place of a spec; `None` for a parameter it does not set."""
    found: Any = spec
    for step in _steps(place):
        found = _follow(found, step)
    return found


def _follow(found: Any, step: str | int) -> Any:
    if isinstance(found, list) and isinstance(step, int):
        return found[step] if step < len(found) else None
    return found.get(step) if isinstance(found, dict) else None


def _vary(spec: dict[str, Any], settings: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    varied: dict[str, dict[str, Any]] = {}
    for setting in settings:
        twin = copy.deepcopy(spec)
        for place, value in setting.items():
            _write(twin, place, value)
        varied[", ".join(f"{_short(place, setting)}={_show(value)}" for place, value in setting.items())] = twin
    return varied


def _write(spec: dict[str, Any], place: str, value: Any) -> None:
    *path, last = _steps(place)
    found: Any = spec
    for step in path:
        if isinstance(found, dict) and step == "params":
            found = found.setdefault("params", {})
        else:
            found = _follow(found, step)
    if not isinstance(found, dict) or not isinstance(last, str):
        raise SpecError(place, "there is no such place in the spec")
    found[last] = value


def _steps(place: str) -> list[str | int]:
    steps: list[str | int] = []
    end = 0
    for match in _STEP.finditer(place):
        if match.start() != end:
            break
        end = match.end()
        steps.append(match.group(1) if match.group(1) else int(match.group(2)))
    if end != len(place) or not steps:
        raise SpecError(place, "expected a place such as steps[1].params.l2")
    return steps


def _draw(rng: random.Random, place: str, what: Mapping[str, Any]) -> Any:
    if "values" in what:
        if not isinstance(what["values"], list) or not what["values"]:
            raise SpecError(place, "expected a list of values")
        return rng.choice(what["values"])
    low, high = what.get("low"), what.get("high")
    numbers = all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in (low, high))
    if low is None or high is None or not numbers or not low < high or (what.get("log") and low <= 0):
        raise SpecError(place, 'expected {"low": ..., "high": ...} with low < high (and > 0 for a log range)')
    if what.get("whole"):
        return rng.randint(int(low), int(high))
    if what.get("log"):
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        value = rng.uniform(low, high)
    return float(f"{value:.3g}")


def _short(place: str, setting: Mapping[str, Any]) -> str:
    """Return the parameter's own name, or its whole place when another has the same."""
    name = place.rpartition(".")[2]
    return place if sum(other.rpartition(".")[2] == name for other in setting) > 1 else name


def _show(value: Any) -> str:
    if isinstance(value, dict) and "use" in value:
        return str(value["use"]).rpartition(".")[2]
    return str(value)
