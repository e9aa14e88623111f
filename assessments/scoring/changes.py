"""Why two results differ: new answers, a new scope or changed assumptions, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assessments.scoring.panel import Panel
from assessments.scoring.recommend import recommend_from_panel, share_of_readings
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


def work_out_shares(inputs: Inputs) -> Mapping[str, float]:
    """How often each option belongs in the best set, 0..1."""
    return share_of_readings(inputs.panel, inputs.scope, inputs.settings)


def explain_changes(
    before: Inputs,
    after: Inputs,
    results: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
    shares_of: Callable[[Inputs], Mapping[str, float]] = work_out_shares,
) -> tuple[OptionChange, ...]:
    """Split the difference between two results by swapping one thing at a time.

    The new answers come first, then the new scope and plan, then the changed assumptions, of which the number of draws
    and the seed are two. The first and the last step are the two results themselves, to the last digit; between them
    only the shares are worked out, and where a step changes nothing, nothing is.

    Parameters
    ----------
    before, after
        What the two results were made from.
    results
        The two results as `Result.to_json` gives them, where they are at hand; worked out otherwise.
    shares_of
        Works out the shares of a step between them.

    Returns
    -------
    One entry per option of either panel.

    """
    first, last = before.settings, after.settings
    if (first.benefits, first.factors) != (last.benefits, last.factors):
        raise ValueError("benefits or scope factors were redefined; the two results cannot be compared step by step")
    ends = [
        {option["slug"]: option for option in result["options"]}
        for result in results or (_work_out(before), _work_out(after))
    ]
    shares = [{slug: option["probability"] for slug, option in end.items()} for end in ends]
    known: list[tuple[Inputs, Mapping[str, float | None]]] = [(before, shares[0]), (after, shares[1])]
    chain: list[Mapping[str, float | None]] = [shares[0]]
    for step in (replace(before, panel=after.panel), replace(after, settings=first)):
        found = next((there for inputs, there in known if _same_readings(inputs, step)), None)
        known.append((step, shares_of(step) if found is None else found))
        chain.append(known[-1][1])
    chain.append(shares[1])
    votes = before.panel.votes(), after.panel.votes()
    slugs = dict.fromkeys(option.slug for panel in (before.panel, after.panel) for option in panel.options)
    return tuple(
        _change(slug, chain, ends, _moves(votes[0].get(slug, {}), votes[1].get(slug, {}), slug, ends)) for slug in slugs
    )


def _same_readings(one: Inputs, other: Inputs) -> bool:
    """Say whether the shares of two inputs are the same: the plan has no part in them."""
    return (one.panel, one.scope, one.settings) == (other.panel, other.scope, other.settings)


def _work_out(inputs: Inputs) -> Mapping[str, Any]:
    return recommend_from_panel(inputs.panel, inputs.scope, inputs.planned, inputs.settings, details=False).to_json()


def _change(
    slug: str,
    chain: Sequence[Mapping[str, float | None]],
    ends: Sequence[Mapping[str, Mapping[str, Any]]],
    votes: VoteMove,
) -> OptionChange:
    p = [shares.get(slug) for shares in chain]
    known = [value for value in p if value is not None]
    parts, note = (0.0, 0.0, 0.0), ""
    if len(known) == len(p):
        parts = (known[1] - known[0], known[2] - known[1], known[3] - known[2])
    elif known:
        note = "It could be chosen in one of the two results only."
    else:
        note = "It could not be chosen in either result."
    then, now = (end.get(slug) for end in ends)
    return OptionChange(
        slug=slug,
        before=p[0],
        after=p[-1],
        verdict_before=then["verdict"] if then else None,
        verdict_after=now["verdict"] if now else None,
        by_answers=parts[0],
        by_scope=parts[1],
        by_assumptions=parts[2],
        votes=votes,
        note=note,
    )


def _moves(
    then: Mapping[str, int], now: Mapping[str, int], slug: str, ends: Sequence[Mapping[str, Mapping[str, Any]]]
) -> VoteMove:
    steps = [now[expert] - then[expert] for expert in now if expert in then]
    medians = [end[slug]["agreement"]["median"] if slug in end else None for end in ends]
    return VoteMove(
        both=len(steps),
        changed=sum(step != 0 for step in steps),
        up=sum(step > 0 for step in steps),
        down=sum(step < 0 for step in steps),
        median_before=medians[0],
        median_after=medians[1],
    )
