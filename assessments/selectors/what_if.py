"""What if: the saved inputs with one thing turned, and what that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from assessments.scoring.changes import Inputs
from assessments.scoring.scope import Scope
from assessments.scoring.verdict import IN_WORDS


@dataclass(frozen=True)
class WhatIfLine:
    """A principle before and after."""

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
    """The saved result beside the varied one."""

    lines: tuple[WhatIfLine, ...]
    net_before: float
    net_after: float
    now_before: int
    now_after: int


def vary(inputs: Inputs, turned: Mapping[str, Any]) -> Inputs:
    """Return the inputs with another budget, worth of the benefits, or scope part of the way to the plan (in %)."""
    settings = replace(inputs.settings, budget_days=turned.get("budget"))
    if turned.get("worth"):
        settings = replace(settings, full_benefit_days=turned["worth"])
    part = (turned.get("plan") or 0) / 100
    scope = _on_the_way(inputs.scope, inputs.planned, part, inputs) if inputs.planned and part else inputs.scope
    return replace(inputs, settings=settings, scope=scope)


def _on_the_way(scope: Scope, planned: Scope, part: float, inputs: Inputs) -> Scope:
    """The scope a part of the way from today to the plan, along each factor's own scale."""
    values = dict(scope.values)
    for factor in inputs.settings.factors:
        now, then = scope.values.get(factor.name), planned.values.get(factor.name)
        if now is None or then is None or now == then:
            continue
        here, there = factor.position(now), factor.position(then)
        values[factor.name] = then if part >= 1 else factor.raw(here + (there - here) * part)
    first = planned.first_version if part >= 0.5 else scope.first_version
    return Scope(values=values, first_version=first, measured={})


def compare_what_if(before: Mapping[str, Any], after: Mapping[str, Any]) -> WhatIf:
    """Put two results side by side, in the catalogue's order."""
    later = {option["slug"]: option for option in after["options"]}
    lines = tuple(
        WhatIfLine(
            name=option["name"],
            before=option["verdict"].replace(" ", "_"),
            after=later[option["slug"]]["verdict"].replace(" ", "_"),
            before_words=IN_WORDS[option["verdict"]],
            after_words=IN_WORDS[later[option["slug"]]["verdict"]],
            probability_before=option["probability"],
            probability_after=later[option["slug"]]["probability"],
        )
        for option in before["options"]
    )
    return WhatIf(
        lines=lines,
        net_before=before["today"]["net_p50"],
        net_after=after["today"]["net_p50"],
        now_before=sum(line.before == "now" for line in lines),
        now_after=sum(line.after == "now" for line in lines),
    )
