"""What if: the saved inputs with something turned, beside the saved result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assessments.models import Round
from assessments.scoring.changes import Inputs
from assessments.scoring.panel import LIGHT
from assessments.scoring.scope import Factor, Measurement, Scope
from assessments.scoring.verdict import IN_WORDS, code_of
from assessments.selectors.report import full_result, quick_result
from ops_portal.charts import Chart, Series, bar_chart


@dataclass(frozen=True)
class Turned:
    """Where the controls stand: worth and budget in days, part of the way to the plan, and factors moved by hand.

    A factor is moved to a position on its scale, 0..1, or to a value in its own unit.
    """

    worth: float
    budget: float | None
    part: float
    positions: Mapping[str, float] = field(default_factory=dict)
    first_version: bool = False
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class WhatIfLine:
    """A principle as saved, and as it would be."""

    slug: str
    name: str
    before: str
    after: str
    before_words: str
    after_words: str
    probability_before: float | None
    probability_after: float | None

    @property
    def moved(self) -> bool:
        """Say whether the verdict is another one."""
        return self.before != self.after


@dataclass(frozen=True)
class WhatIf:
    """The saved result beside the varied one; `said` names what differs between their inputs, in words."""

    lines: tuple[WhatIfLine, ...]
    said: tuple[tuple[str, str, str], ...]
    net_before: float
    net_after: float
    now_before: int
    now_after: int
    chart: Chart

    @property
    def moved(self) -> tuple[WhatIfLine, ...]:
        """The principles with another verdict."""
        return tuple(line for line in self.lines if line.moved)


def read_what_if(one: Round, inputs: Inputs, turned: Turned) -> WhatIf:
    """Work out a closed round with other assumptions, with as many readings as the saved result has."""
    varied = vary(inputs, turned)
    if one.result:
        before, after = one.result, full_result(varied)
    else:
        before, after = quick_result(inputs), quick_result(varied)
    return compare(before, after, describe_inputs(inputs, varied))


def vary(inputs: Inputs, turned: Turned) -> Inputs:
    """Return the inputs with the controls as they stand: first the way to the plan, then what was moved by hand."""
    settings = replace(inputs.settings, budget_days=turned.budget, full_benefit_days=turned.worth)
    scope = inputs.scope
    if inputs.planned and turned.part:
        scope = _on_the_way(scope, inputs.planned, turned.part, inputs)
    values, measured = dict(scope.values), dict(scope.measured)
    for factor in settings.factors:
        if factor.name in turned.positions:
            position = turned.positions[factor.name]
            values[factor.name] = factor.reached(position, rising=position >= 0.5)
            measured.pop(factor.name, None)
        if factor.name in turned.values:
            values[factor.name] = turned.values[factor.name]
            measured.pop(factor.name, None)
    first = scope.first_version if turned.first_version == inputs.scope.first_version else turned.first_version
    return replace(inputs, settings=settings, scope=Scope(values, first, measured))


def _on_the_way(scope: Scope, planned: Scope, part: float, inputs: Inputs) -> Scope:
    """The scope a part of the way from today to the plan, along each factor's own scale."""
    values: dict[str, float | None] = dict(scope.values)
    measured: dict[str, Measurement] = dict(scope.measured)
    for factor in inputs.settings.factors:
        now, then = scope.values.get(factor.name), planned.values.get(factor.name)
        if now is None or then is None or now == then:
            continue
        here, there = factor.position(now), factor.position(then)
        values[factor.name] = then if part >= 1 else factor.raw(here + (there - here) * part)
        measured.pop(factor.name, None)
    first = planned.first_version if part >= 0.5 else scope.first_version
    return Scope(values, first, measured)


def describe_inputs(before: Inputs, after: Inputs) -> tuple[tuple[str, str, str], ...]:
    """What differs between two inputs apart from the answers: what it is, how it was, how it would be."""
    rows = []
    for title, a, b in (
        ("Worth of all benefits", _days(before.settings.full_benefit_days), _days(after.settings.full_benefit_days)),
        ("Budget", _days(before.settings.budget_days), _days(after.settings.budget_days)),
    ):
        if a != b:
            rows.append((title, a, b))
    return (*rows, *describe_scopes(before, after))


def describe_scopes(before: Inputs, after: Inputs) -> tuple[tuple[str, str, str], ...]:
    """What differs between two scopes, in words."""
    rows = []
    if before.scope.first_version != after.scope.first_version:
        rows.append(("First version is out", _no_or_yes(before.scope), _no_or_yes(after.scope)))
    for factor in after.settings.factors:
        was, would = (one.scope.value(factor.name, one.settings.telemetry_rule) for one in (before, after))
        words = _say(factor, was), _say(factor, would)
        if words[0] == words[1] and was is not None and would is not None:
            # Between two levels the words are the same, what follows is not.
            words = f"{words[0]} ({was:.4g})", f"{words[1]} ({would:.4g})"
        if words[0] != words[1]:
            rows.append((factor.title, *words))
    return tuple(rows)


def compare(before: Mapping[str, Any], after: Mapping[str, Any], said: tuple[tuple[str, str, str], ...]) -> WhatIf:
    """Put two results side by side, in the catalogue's order."""
    later = {option["slug"]: option for option in after["options"]}
    lines = tuple(
        WhatIfLine(
            slug=option["slug"],
            name=option["name"],
            before=code_of(option["verdict"]),
            after=code_of(later[option["slug"]]["verdict"]),
            before_words=IN_WORDS[option["verdict"]],
            after_words=IN_WORDS[later[option["slug"]]["verdict"]],
            probability_before=option["probability"],
            probability_after=later[option["slug"]]["probability"],
        )
        for option in before["options"]
    )
    return WhatIf(
        lines=lines,
        said=said,
        net_before=before["today"]["net_p50"],
        net_after=after["today"]["net_p50"],
        now_before=_count_now(before),
        now_after=_count_now(after),
        chart=_chart(lines),
    )


def _count_now(result: Mapping[str, Any]) -> int:
    """How many principles are worth adopting now; their light levels are not counted beside them."""
    return sum(one["verdict"] == "now" for one in result["options"] if not one["slug"].endswith(LIGHT))


def _chart(lines: tuple[WhatIfLine, ...]) -> Chart:
    shown = [line for line in lines if line.probability_before is not None or line.probability_after is not None]
    names = [line.name for line in shown]
    chart = bar_chart(
        series=[
            Series("Saved", names, [line.probability_before for line in shown]),
            Series("What if", names, [line.probability_after for line in shown]),
        ],
        title="How often each principle would belong in the best set",
        summary="The saved result beside the one with the controls as they stand, with the same readings.",
        x_title="Share of the readings",
        y_title="Principle",
        horizontal=True,
        x_format=".0%",
        table_format=".0%",
    )
    chart.figure["layout"]["xaxis"] |= {"range": [0, 1]}
    return chart


def _say(factor: Factor, value: float | None) -> str:
    return "not known" if value is None else factor.say(value)


def _days(days: float | None) -> str:
    return "no limit" if days is None else f"{days:g} days"


def _no_or_yes(scope: Scope) -> str:
    return "no" if scope.first_version else "yes"
