"""Two closed rounds side by side, and the difference between them explained one change at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assessments.models import Round
from assessments.scoring.changes import Inputs, OptionChange, explain_changes, work_out_shares
from assessments.scoring.verdict import IN_WORDS
from assessments.selectors.assumption_sets import changed
from assessments.selectors.editions import catalogue_of
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.report import full_result, inputs_from_key, inputs_key
from assessments.selectors.rounds import closed_rounds
from assessments.selectors.what_if import describe_scopes
from ops_portal.charts import Chart, Series, dot_chart
from projects.models import Project


@dataclass(frozen=True)
class RoundChoice:
    """A closed round that can be compared: how addresses name it, and how people do."""

    value: str
    label: str
    round: Round


@dataclass(frozen=True)
class ComparedLine:
    """A principle in both rounds; the three parts, in points, add up to the difference."""

    name: str
    change: OptionChange
    before: str
    after: str

    @property
    def parts(self) -> tuple[float, float, float]:
        """Percentage points by new answers, by another scope, by other assumptions."""
        change = self.change
        return 100 * change.by_answers, 100 * change.by_scope, 100 * change.by_assumptions

    @property
    def moved(self) -> bool:
        """Say whether the verdict is another one."""
        return self.change.verdict_before != self.change.verdict_after


@dataclass(frozen=True)
class Comparison:
    """Two rounds with what differs between their inputs and how that moved each principle."""

    before: RoundChoice
    after: RoundChoice
    lines: tuple[ComparedLine, ...]
    scopes: tuple[tuple[str, str, str], ...]
    assumptions: tuple[tuple[str, str, str], ...]
    net_before: float
    net_after: float
    chart: Chart | None
    problem: str = ""

    @property
    def moved(self) -> tuple[ComparedLine, ...]:
        """The principles with another verdict."""
        return tuple(line for line in self.lines if line.moved)


def read_choices(project: Project) -> list[RoundChoice]:
    """The closed rounds of all assessments, newest first: 1 query. Their results, which are large, are not read yet."""
    rows = closed_rounds(project).defer("result").order_by("-assessment__number", "-number")
    return [
        RoundChoice(
            value=f"{one.assessment.number}.{one.number}",
            label=f"Assessment {one.assessment.number}, round {one.number} ({one.closed_at:%Y-%m-%d})",
            round=one,
        )
        for one in rows
    ]


def newest_two(choices: Sequence[RoundChoice]) -> tuple[str, str]:
    """Name the rounds that are compared when nobody says which: the newest with the one before it."""
    newest = choices[0].value if choices else ""
    return choices[1].value if len(choices) > 1 else newest, newest


def compare_rounds(before: RoundChoice, after: RoundChoice) -> Comparison:
    """Put two closed rounds side by side: some 7 queries for each.

    What they say is what was kept of them. Between them, only the shares of steps that differ from both are worked out.
    """
    first, last = read_inputs(before.round), read_inputs(after.round)
    results = (before.round.result or full_result(first), after.round.result or full_result(last))
    names = {option["slug"]: option["name"] for result in results for option in result["options"]}
    problem, lines = "", []
    try:
        changes = explain_changes(first, last, results, _shares_of)
    except ValueError as reason:
        problem = f"The rounds cannot be compared step by step: {reason}."
    else:
        lines = [_line(change, names) for change in changes]
    return Comparison(
        before=before,
        after=after,
        lines=tuple(lines),
        scopes=describe_scopes(first, last),
        assumptions=changed(first.settings, last.settings, catalogue_of(after.round.assessment)),
        net_before=results[0]["today"]["net_p50"],
        net_after=results[1]["today"]["net_p50"],
        chart=_chart(lines) if lines else None,
        problem=problem,
    )


def _shares_of(inputs: Inputs) -> Mapping[str, float]:
    return _worked_out(inputs_key(inputs))


# Closed rounds are sealed, so the steps between two of them are always the same.
@lru_cache(maxsize=64)
def _worked_out(key: str) -> Mapping[str, float]:
    return work_out_shares(inputs_from_key(key))


def _line(change: OptionChange, names: dict[str, str]) -> ComparedLine:
    before, after = (
        IN_WORDS[verdict] if verdict else "not offered" for verdict in (change.verdict_before, change.verdict_after)
    )
    return ComparedLine(names.get(change.slug, change.slug), change, before, after)


def _chart(lines: Sequence[ComparedLine]) -> Chart:
    names = [line.name for line in lines]
    shares = [[line.change.before for line in lines], [line.change.after for line in lines]]
    moved = sum(line.moved for line in lines)
    chart = dot_chart(
        series=[Series("Before", names, shares[0]), Series("After", names, shares[1])],
        title="How often each principle belongs in the best set",
        summary=f"Before and after, from the same random numbers; {moved} of {len(lines)} verdicts are others.",
        x_title="Share of the readings",
        y_title="Principle",
        x_range=(-0.03, 1.03),
        table_format=".0%",
    )
    chart.figure["layout"]["xaxis"] |= {"tickformat": ".0%"}
    return chart
