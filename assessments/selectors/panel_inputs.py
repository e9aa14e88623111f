"""What the scoring needs of a round: options, answers by code, scopes and settings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from assessments.models import Confidence, Rating, Round, ScopeProfile, Stance
from assessments.principles import Days
from assessments.scoring.changes import Inputs
from assessments.scoring.panel import LIGHT, Answer, Panel, options_from
from assessments.scoring.scope import Measurement, Scope
from assessments.scoring.settings import Settings
from assessments.selectors.editions import catalogue_of


def read_inputs(one: Round) -> Inputs:
    """Return the inputs of a closed round, experts under their codes: 3 queries, 2 more for its scope profiles."""
    ratings = [row for row in one.ratings.select_related("expert") if _says_something(row)]
    weights = list(one.weights.select_related("expert"))
    light = {row.principle for row in ratings if rates_light(row)}
    experts = tuple(sorted({row.expert.code for row in ratings} | {row.expert.code for row in weights}))
    swing = {
        row.expert.code: {key: float(value) for key, value in row.points.items() if value is not None}
        for row in weights
        # Points for only some of the benefits would make the others worthless: they count when all are given.
        if row.points and all(value is not None for value in row.points.values())
    }
    panel = Panel(
        # A light level nobody rated is no option: the principle is then judged as a whole.
        options=options_from(catalogue_of(one.assessment), in_place=one.in_place, light=light),
        experts=experts,
        answers=tuple(_answers(ratings, light)),
        swing=swing,
    )
    return Inputs(
        panel=panel,
        scope=scope_of(one.scope_current, one.scope_current) or Scope(values={}),
        planned=scope_of(one.scope_planned, one.scope_current) if one.scope_planned else None,
        settings=Settings.from_json(one.settings),
    )


def scope_of(profile: ScopeProfile | None, current: ScopeProfile | None) -> Scope | None:
    """Return a profile as the scoring reads it; what a plan leaves open is as now."""
    if profile is None:
        return None
    base = current.values if current else {}
    first = profile.first_version
    if first is None:
        first = bool(current and current.first_version)
    measured = {name: Measurement(**found) for name, found in profile.measurements.items()}
    return Scope(values={**base, **profile.values}, first_version=first, measured=measured)


def rates_light(row: Rating) -> bool:
    """Say whether a rating says something about the light level: "don't know" alone is nothing."""
    known = any(value is not None for value in row.light_benefits.values())
    return row.stance == Stance.RATES and (known or _light_effort(row) is not None)


def _says_something(row: Rating) -> bool:
    said = row.vote is not None or bool(row.benefits) or row.effort_likely is not None
    return row.stance != Stance.RATES or said or rates_light(row)


def _answers(ratings: Sequence[Rating], light: Collection[str]) -> Iterator[Answer]:
    """The answers on principles and on the light levels on offer: who refuses one refuses the other."""
    for row in ratings:
        rates = row.stance == Stance.RATES
        whole = Answer(
            expert=row.expert.code,
            option=row.principle,
            ratings=dict(row.benefits) if rates else {},
            effort=_effort(row) if rates else None,
            confidence=row.confidence or Confidence.MEDIUM,  # type: ignore[arg-type]
            holistic=row.vote if rates else None,
            applies=row.stance != Stance.NOT_APPLICABLE,
        )
        yield whole
        if row.principle in light:
            yield replace(
                whole,
                option=row.principle + LIGHT,
                ratings=dict(row.light_benefits) if rates else {},
                effort=_light_effort(row) if rates else None,
                holistic=None,
            )


def _effort(row: Rating) -> Days | None:
    return _days(row.effort_low, row.effort_likely, row.effort_high)


def _light_effort(row: Rating) -> Days | None:
    return _days(row.light_effort_low, row.light_effort_likely, row.light_effort_high)


def _days(low: float | None, likely: float | None, high: float | None) -> Days | None:
    """An estimate counts once it is complete."""
    return None if low is None or likely is None or high is None else Days(low, likely, high)
