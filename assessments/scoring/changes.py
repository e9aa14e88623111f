"""Why two results differ: new answers, a new scope or changed assumptions, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from assessments.scoring.panel import Panel
from assessments.scoring.recommend import Result, recommend_from_panel
from assessments.scoring.scope import Scope
from assessments.scoring.settings import Settings
from assessments.scoring.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Inputs:
    """All a recommendation is made from."""

    panel: Panel
    scope: Scope
    planned: Scope | None = None
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class VoteMove:
    """How the votes on an option moved: who voted in both rounds, how many of them changed, and the medians."""

    both: int
    changed: int
    up: int
    down: int
    median_before: float | None
    median_after: float | None


@dataclass(frozen=True, slots=True)
class OptionChange:
    """How the probability of an option moved; the three parts add up to `after - before`.

    A probability is ``None`` where the option could not be chosen (in place, not applicable, not offered); the parts
    are then 0 and `note` says so.
    """

    slug: str
    before: float | None
    after: float | None
    verdict_before: Verdict | None
    verdict_after: Verdict | None
    by_answers: float
    by_scope: float
    by_assumptions: float
    votes: VoteMove
    note: str


def explain_changes(before: Inputs, after: Inputs) -> tuple[OptionChange, ...]:
    """Split the difference between two results by swapping one thing at a time.

    The new answers come first, then the new scope and plan, then the changed assumptions, of which the number of draws
    and the seed are two. The first and the last step are the two results themselves, to the last digit; where a step
    changes nothing, nothing is worked out.

    Parameters
    ----------
    before, after
        What the two results were made from.

    Returns
    -------
    One entry per option of either panel.

    """
    first, last = before.settings, after.settings
    if (first.benefits, first.factors) != (last.benefits, last.factors):
        raise ValueError("benefits or scope factors were redefined; the two results cannot be compared step by step")
    steps = [
        before,
        replace(before, panel=after.panel),
        replace(after, settings=first),
        after,
    ]
    chain: list[Result] = []
    for step, previous in zip(steps, [None, *steps], strict=False):
        chain.append(chain[-1] if step == previous else _work_out(step))
    slugs = dict.fromkeys(option.slug for panel in (before.panel, after.panel) for option in panel.options)
    return tuple(_change(slug, chain, before.panel, after.panel) for slug in slugs)


def _work_out(inputs: Inputs) -> Result:
    return recommend_from_panel(inputs.panel, inputs.scope, inputs.planned, inputs.settings, details=False)


def _change(slug: str, chain: Sequence[Result], before: Panel, after: Panel) -> OptionChange:
    found = [{option.slug: option for option in result.options}.get(slug) for result in chain]
    p = [option.probability if option else None for option in found]
    known = [value for value in p if value is not None]
    parts, note = (0.0, 0.0, 0.0), ""
    if len(known) == len(p):
        parts = (known[1] - known[0], known[2] - known[1], known[3] - known[2])
    elif known:
        note = "It could be chosen in one of the two results only."
    else:
        note = "It could not be chosen in either result."
    return OptionChange(
        slug=slug,
        before=p[0],
        after=p[-1],
        verdict_before=found[0].verdict if found[0] else None,
        verdict_after=found[-1].verdict if found[-1] else None,
        by_answers=parts[0],
        by_scope=parts[1],
        by_assumptions=parts[2],
        votes=_moves(slug, before, after, chain),
        note=note,
    )


def _moves(slug: str, before: Panel, after: Panel, chain: Sequence[Result]) -> VoteMove:
    then, now = before.votes().get(slug, {}), after.votes().get(slug, {})
    steps = [now[expert] - then[expert] for expert in now if expert in then]
    medians = [
        {option.slug: option.agreement.median for option in result.options}.get(slug)
        for result in (chain[0], chain[-1])
    ]
    return VoteMove(
        both=len(steps),
        changed=sum(step != 0 for step in steps),
        up=sum(step > 0 for step in steps),
        down=sum(step < 0 for step in steps),
        median_before=medians[0],
        median_after=medians[1],
    )
