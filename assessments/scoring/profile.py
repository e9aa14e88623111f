"""The first recommendation, from the scope alone, before any panel has voted.

Two things the portal assumes by itself are put together: the value model with the catalogue's own ratings and efforts,
and the catalogue's starting profile, which says what a project at a given stage usually begins with. Both are the
portal's own; a panel's answers replace the first and its votes overrule both.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from assessments.principles import Catalogue, Principle, Stage, load_catalogue
from assessments.scoring.panel import LIGHT, Panel, options_from
from assessments.scoring.recommend import OptionResult, Result, quick, recommend_from_panel
from assessments.scoring.scope import Scope
from assessments.scoring.settings import Settings
from assessments.scoring.verdict import Verdict, Worth

LIFTED: dict[Verdict, Verdict] = {"not yet": "later", "later": "now"}


@dataclass(frozen=True, slots=True)
class LightAdvice:
    """What to do about the light level of a principle that is not adopted in full."""

    name: str
    text: str
    verdict: Verdict
    probability: float | None
    worth: Worth | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the portal proposes for one principle before anybody has voted.

    `asked_by` names the stages of the starting profile that ask for it and `asks` whether in full or lightly;
    `factors` are the scope factors the reasons rest on; `worth` is what it adds beyond its light level. All figures are
    the portal's own assumption (`assumed`), save for what is in place.
    """

    slug: str
    name: str
    verdict: Verdict
    borderline: bool
    probability: float | None
    planned_probability: float | None
    effort: float | None
    worth: Worth | None
    reasons: tuple[str, ...]
    factors: tuple[str, ...]
    asks: Literal["full", "light", ""]
    asked_by: tuple[str, ...]
    light: LightAdvice | None
    assumed: bool = True


def recommend(
    scope: Scope,
    planned: Scope | None = None,
    settings: Settings | None = None,
    *,
    catalogue: Catalogue | None = None,
    in_place: Collection[str] = (),
) -> list[Recommendation]:
    """Propose what to adopt from the scope alone.

    The model's verdict is lifted one step, from "not yet" to "later" or from "later" to "now", where a stage of the
    starting profile asks for the principle. Strict regulation is a duty and no trade-off: what its stage asks for is
    "now".

    Parameters
    ----------
    scope, planned
        The project today, and as planned. Unknown factors are left out; at least one must be known.
    settings
        Assumptions; the portal's own by default.
    catalogue
        The edition; the one that ships with the portal by default.
    in_place
        Slugs of principles, or light levels (``monitoring:light``), already in place.

    Returns
    -------
    One recommendation per principle, in the catalogue's order.

    Examples
    --------
    >>> from assessments.scoring.scope import FIRST, LARGE
    >>> [r.slug for r in recommend(FIRST) if r.verdict == "now"]
    ['versioning']
    >>> sum(r.verdict == "now" for r in recommend(LARGE))
    9

    """
    settings = quick(settings or Settings())
    catalogue = catalogue or load_catalogue()
    panel = Panel(options_from(catalogue, in_place=in_place))
    result = recommend_from_panel(panel, scope, planned, settings, details=False)
    stages = stages_of(scope, catalogue, settings)
    duty = scope.values.get("regulated") == 1
    lifted = {
        principle.slug: _lift(result.option(principle.slug), _asking(principle, stages), duty)
        for principle in catalogue.principles
    }
    for principle in catalogue.principles:
        _raise_prerequisites(principle, lifted, catalogue)
    return [
        _recommendation(principle, result, stages, duty, lifted[principle.slug], settings)
        for principle in catalogue.principles
    ]


def stages_of(scope: Scope, catalogue: Catalogue, settings: Settings) -> tuple[Stage, ...]:
    """The stages of the starting profile a project has reached; they add up."""
    known = {factor.name: scope.value(factor.name, settings.telemetry_rule) or 0.0 for factor in settings.factors}
    several = known.get("models_in_production", 0) >= settings.several_models
    reached = {"prototype"}
    if not scope.first_version:
        reached.add("first-production")
        if several or known.get("deployments_per_week", 0) >= settings.continuous_per_week:
            reached.add("several-or-continuous")
    if known.get("regulated", 0) > 0 or known.get("criticality", 0) >= 5:
        reached.add("regulated")
    return tuple(stage for stage in catalogue.starting_profile if stage.slug in reached)


def _asking(principle: Principle, stages: tuple[Stage, ...]) -> list[Stage]:
    return [stage for stage in stages if principle.slug in stage.full]


def _raise_prerequisites(
    principle: Principle, lifted: dict[str, tuple[Verdict, list[str]]], catalogue: Catalogue
) -> None:
    """What an adopted principle needs is adopted too; the model sees to that itself, the profile's lift does not."""
    if lifted[principle.slug][0] != "now":
        return
    for needed in principle.requires:
        verdict, notes = lifted[needed]
        if verdict in LIFTED:
            lifted[needed] = ("now", [*notes, f"{principle.name} needs it."])
            _raise_prerequisites(catalogue.principle(needed), lifted, catalogue)


def _recommendation(
    principle: Principle,
    result: Result,
    stages: tuple[Stage, ...],
    duty: bool,
    lifted: tuple[Verdict, list[str]],
    settings: Settings,
) -> Recommendation:
    found = result.option(principle.slug)
    asking = _asking(principle, stages)
    asking_light = [stage for stage in stages if principle.slug in stage.light]
    verdict, notes = lifted[0], list(lifted[1])
    factors: tuple[str, ...] = ()
    if found.worth:
        named = found.worth.for_it if verdict == "now" else (*found.worth.for_it, *found.worth.against_it)
        factors = tuple(dict.fromkeys(reason.factor for reason in named))
    if result.scope.first_version and verdict in ("later", "not yet"):
        times = 1 + settings.first_version_delay
        notes.append(
            f"Before the first release every day of effort counts {times:g} times, because it enlarges the scope and "
            "delays the release (SEED-A; the factor is the portal's own)."
        )
    return Recommendation(
        slug=principle.slug,
        name=principle.name,
        verdict=verdict,
        borderline=found.borderline and verdict == found.verdict,
        probability=found.probability,
        planned_probability=found.planned_probability,
        effort=found.effort,
        worth=found.worth,
        reasons=(*found.reasons, *notes),
        factors=factors,
        asks="full" if asking else "light" if asking_light else "",
        asked_by=tuple(stage.slug for stage in asking or asking_light),
        light=_light_advice(principle, result, verdict, asking_light, duty),
    )


def _lift(found: OptionResult, asking: list[Stage], duty: bool) -> tuple[Verdict, list[str]]:
    """Verdict after the starting profile has been heard, with a sentence if that changed it."""
    stages = " and ".join(f'"{stage.when}"' for stage in asking)
    if duty and any(stage.slug == "regulated" for stage in asking) and found.verdict in LIFTED:
        return "now", ["Strict regulation asks for it, whatever it saves."]
    if asking and found.verdict in LIFTED:
        return LIFTED[found.verdict], [f"Lifted one step, because the starting profile asks for it at {stages}."]
    return found.verdict, []


def _light_advice(
    principle: Principle, result: Result, verdict: Verdict, asking: list[Stage], duty: bool
) -> LightAdvice | None:
    if principle.light is None or verdict in ("now", "in place", "does not apply"):
        return None
    found = result.option(principle.slug + LIGHT)
    light_verdict, notes = _lift(found, asking, duty)
    return LightAdvice(
        name=principle.light.name,
        text=principle.light.text,
        verdict=light_verdict,
        probability=found.probability,
        worth=found.worth,
        reasons=(*found.reasons, *notes),
    )
