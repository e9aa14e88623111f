"""Two versions side by side: what differs in the spec, and which does better, in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models_registry.learning import measures
from models_registry.learning.measures import Measure, key_of
from models_registry.learning.spec import resolve
from models_registry.models import Version
from models_registry.selectors.metrics import Figure, distance, metric_names, primary_name
from models_registry.selectors.people import name_person
from models_registry.selectors.versions import find_version
from projects.models import Project

FIRST, SECOND, EVEN = "first", "second", "even"


@dataclass(frozen=True)
class SpecLine:
    """One place of the two specs. A value is None where that spec has nothing there."""

    place: str
    first: str | None
    second: str | None
    first_is_default: bool = False
    second_is_default: bool = False

    @property
    def differs(self) -> bool:
        """Say whether the two specs differ here."""
        return self.first != self.second


@dataclass(frozen=True)
class MetricLine:
    """One metric, seen one way, of both versions; `better` says which of them it favours."""

    measure: Measure
    view: str
    primary: bool
    first: Figure
    second: Figure
    difference: str
    better: str

    @property
    def label(self) -> str:
        """Name the series: `Accuracy, rolling`."""
        return f"{self.measure.title}, {self.view}"


@dataclass(frozen=True)
class FactLine:
    """One fact about both versions."""

    name: str
    first: str
    second: str

    @property
    def differs(self) -> bool:
        """Say whether the fact differs."""
        return self.first != self.second


@dataclass(frozen=True)
class Comparison:
    """Two versions, and everything about them side by side."""

    first: Version
    second: Version
    facts: tuple[FactLine, ...]
    spec: tuple[SpecLine, ...]
    metrics: tuple[MetricLine, ...]
    same_spec: bool
    same_events: bool
    verdict: str


def compare_versions(project: Project, first: int, second: int) -> Comparison:
    """Return two versions of a project side by side, or raise `Http404`. Two queries."""
    a, b = find_version(project, first), find_version(project, second)
    lines = tuple(_compare_specs(a.spec, b.spec))
    same_events = a.position == b.position and a.run.start_position == b.run.start_position
    metrics = tuple(_compare_metrics(a, b, project))
    return Comparison(
        first=a,
        second=b,
        facts=tuple(_compare_facts(a, b)),
        spec=lines,
        metrics=metrics,
        same_spec=not any(line.differs for line in lines),
        same_events=same_events,
        verdict=_verdict(a, b, metrics),
    )


def _compare_facts(a: Version, b: Version) -> Iterator[FactLine]:
    def line(name: str, first: object, second: object) -> FactLine:
        return FactLine(name, str(first), str(second))

    yield line("Model", a.model.name, b.model.name)
    yield line("Run", a.run.number, b.run.number)
    yield line("Position", f"{a.position:,}", f"{b.position:,}")
    yield line("Seed", a.run.seed, b.run.seed)
    yield line("Published because", a.get_reason_display(), b.get_reason_display())
    yield line("Published by", name_person(a.created_by), name_person(b.created_by))
    for name in sorted({*a.environment, *b.environment}):
        yield line(f"{name.capitalize()} version", a.environment.get(name, "—"), b.environment.get(name, "—"))


def _compare_specs(a: dict[str, Any], b: dict[str, Any]) -> Iterator[SpecLine]:
    """Yield one line per place that either spec names; where one leaves a default, the default is shown."""
    first, second = dict(_flatten(a, "")), dict(_flatten(b, ""))
    first_all, second_all = _with_defaults(a, first), _with_defaults(b, second)
    for place in dict.fromkeys([*first, *second]):
        one, other = _value_at(place, first_all), _value_at(place, second_all)
        yield SpecLine(
            place,
            one,
            other,
            first_is_default=place not in first and one is not None,
            second_is_default=place not in second and other is not None,
        )


def _value_at(place: str, values: dict[str, str]) -> str | None:
    """Return the value at a place, or the one that stands for everything around it: a default of `none`."""
    while place not in values:
        place, dot, _ = place.rpartition(".")
        if not dot:
            return None
    return "none" if values[place] == "null" else values[place]


def _with_defaults(spec: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    try:
        return dict(_flatten(resolve(spec), "")) | given
    except (KeyError, TypeError):  # a class that this edition of the catalogue does not know
        return given


def _flatten(part: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield every leaf of a spec with its place: `steps[1].params.l2`, `0.01`."""
    if isinstance(part, dict) and part:
        for key, value in part.items():
            yield from _flatten(value, f"{place}.{key}" if place else str(key))
    elif isinstance(part, list) and any(isinstance(item, dict) for item in part):
        for index, item in enumerate(part):
            yield from _flatten(item, f"{place}[{index}]")
    elif not (isinstance(part, dict) and place.endswith("params")):
        yield place, part if isinstance(part, str) else json.dumps(part, ensure_ascii=False)


def _compare_metrics(a: Version, b: Version, project: Project) -> Iterator[MetricLine]:
    primary = primary_name(a.metrics, project)
    names = metric_names([*a.metrics, *b.metrics])
    for name in sorted(names, key=lambda name: name != primary):
        measure = measures.find_measure(name)
        for view in (measures.OVERALL, measures.ROLLING):
            first, second = a.metrics.get(key_of(view, name)), b.metrics.get(key_of(view, name))
            yield MetricLine(
                measure,
                measures.VIEWS[view],
                name == primary,
                Figure(first, measure.format(first)),
                Figure(second, measure.format(second)),
                distance(measure, first, second),
                _better(measure, first, second),
            )


def _better(measure: Measure, first: float | None, second: float | None) -> str:
    if first is None or second is None:
        return ""
    if math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-12):
        return EVEN
    return FIRST if measure.is_better(first, second) else SECOND


def _verdict(a: Version, b: Version, metrics: tuple[MetricLine, ...]) -> str:
    """Say in one sentence which version does better lately, by the primary metric."""
    rolling = next((line for line in metrics if line.primary and line.view == measures.VIEWS[measures.ROLLING]), None)
    if rolling is None or not rolling.better:
        return "The two cannot be compared by a metric yet."
    if rolling.better == EVEN:
        return f"Both reach {rolling.first} {rolling.measure.title} lately."
    winner, loser = (a, b) if rolling.better == FIRST else (b, a)
    return f"{winner} does better lately: its {rolling.measure.title} is {rolling.difference} ahead of {loser}'s."
