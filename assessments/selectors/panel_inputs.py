"""What the scoring needs of a round: options, answers by code, scopes and settings."""

from __future__ import annotations

from assessments.models import Confidence, Rating, Round, ScopeProfile, Stance
from assessments.principles import Days
from assessments.scoring.changes import Inputs
from assessments.scoring.panel import Answer, Panel, options_from
from assessments.scoring.scope import Measurement, Scope
from assessments.scoring.settings import Settings
from assessments.selectors.editions import catalogue_of


def read_inputs(one: Round) -> Inputs:
    """Return the inputs of a closed round, experts under their codes: 3 queries, 2 more for its scope profiles."""
    ratings = [row for row in one.ratings.select_related("expert") if _says_something(row)]
    weights = list(one.weights.select_related("expert"))
    experts = tuple(sorted({row.expert.code for row in ratings} | {row.expert.code for row in weights}))
    swing = {
        row.expert.code: {key: float(value) for key, value in row.points.items() if value is not None}
        for row in weights
        # Points for only some of the benefits would make the others worthless: they count when all are given.
        if row.points and all(value is not None for value in row.points.values())
    }
    panel = Panel(
        # Experts rate principles in full; light levels belong to the first recommendation, before anybody has voted.
        options=options_from(catalogue_of(one.assessment), in_place=one.in_place, light=False),
        experts=experts,
        answers=tuple(_answer(row) for row in ratings),
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


def _says_something(row: Rating) -> bool:
    return row.stance != Stance.RATES or row.vote is not None or bool(row.benefits) or row.effort_likely is not None


def _answer(row: Rating) -> Answer:
    days = (row.effort_low, row.effort_likely, row.effort_high)
    rates = row.stance == Stance.RATES
    effort = None
    if rates and days[0] is not None and days[1] is not None and days[2] is not None:
        effort = Days(days[0], days[1], days[2])
    return Answer(
        expert=row.expert.code,
        option=row.principle,
        ratings=dict(row.benefits) if rates else {},
        effort=effort,
        confidence=row.confidence or Confidence.MEDIUM,  # type: ignore[arg-type]
        holistic=row.vote if rates else None,
        applies=row.stance != Stance.NOT_APPLICABLE,
    )
