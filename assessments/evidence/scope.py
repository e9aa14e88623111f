"""Scope factors measured from the portal's records: proposed to people, never put in their place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from assessments.evidence.finding import DEPLOYMENTS, OVERVIEW, RUNS, Place, address, counted
from assessments.evidence.records import LATELY, Records
from assessments.scoring.scope import Measurement
from models_registry.models import Run

DAYS_PER_MONTH = 365.25 / 12
#: A younger project is measured over a week, lest one deployment on its first day counts as seven a week.
SHORTEST = timedelta(days=7)


@dataclass(frozen=True)
class Measured:
    """A scope factor as the records have it.

    `value` is in the factor's unit; `measurement` holds the count behind a rate. `sentence` says what was counted.
    """

    name: str
    value: float
    sentence: str
    url: str
    link: str
    measurement: Measurement | None = None


@dataclass(frozen=True)
class MeasuredScope:
    """Everything about the scope that the records know."""

    factors: dict[str, Measured]
    first_version: bool
    first_version_sentence: str


def measure_scope(records: Records) -> MeasuredScope:
    """Return what the records say about the scope factors; what they cannot say is left out."""
    found = [_models(records), _people(records)]
    if records.deployments:
        found += [_deployments(records), _rollbacks(records), _hours(records)]
    if records.learning_runs:
        found.append(_drift(records))
    serving = bool(records.deployments)
    said = (
        f"v{records.deployments[0].version__number} is deployed, so a first version is out."
        if serving
        else "Nothing was ever deployed in this project."
    )
    return MeasuredScope({one.name: one for one in found if one}, not serving, said)


def _window(records: Records) -> timedelta:
    age = records.read_at - records.project.created_at
    return min(max(age, SHORTEST), LATELY)


def _rate(
    records: Records, name: str, count: int, words: tuple[str, str], place: Place, days_per_period: float, period: str
) -> Measured:
    days = _window(records).total_seconds() / 86400
    periods = days / days_per_period
    url, link = address(place, records.project.slug)
    value = round(count / periods, 2)
    sentence = f"{counted(count, *words)} in {counted(round(days), 'day')}: {value:g} a {period}."
    return Measured(name, value, sentence, url, link, Measurement(count, round(periods, 3)))


def _deployments(records: Records) -> Measured:
    count = sum(row.created_at >= records.since for row in records.deployments)
    return _rate(records, "deployments_per_week", count, ("deployment", "deployments"), DEPLOYMENTS, 7, "week")


def _rollbacks(records: Records) -> Measured:
    count = sum(row.created_at >= records.since for row in records.rollbacks)
    return _rate(records, "rollbacks_per_month", count, ("rollback", "rollbacks"), DEPLOYMENTS, DAYS_PER_MONTH, "month")


def _drift(records: Records) -> Measured:
    """Drift alarms a month; alarms of replays over old events say nothing about this month, so they are left out."""
    live = any(run.mode == Run.Mode.FOLLOW for run in records.learning_runs)
    count = records.live_alarms_lately if live else 0
    words = ("drift alarm on live events", "drift alarms on live events")
    return _rate(records, "drift_alarms_per_month", count, words, RUNS, DAYS_PER_MONTH, "month")


def _hours(records: Records) -> Measured | None:
    served = [
        (row.created_at - row.previous__created_at).total_seconds() / 3600
        for row in records.rollbacks
        if row.previous__created_at is not None
    ]
    if not served:
        return None
    url, link = address(DEPLOYMENTS, records.project.slug)
    hours = round(median(served), 1)
    return Measured(
        "hours_to_restore",
        hours,
        f"Versions that were rolled back had served {hours:g} hours (median of {len(served):,}).",
        url,
        link,
    )


def _models(records: Records) -> Measured | None:
    count = records.models_serving_in_team
    if not count:
        return None
    url, link = address(OVERVIEW, records.project.slug)
    said = f"{counted(count, 'project')} of this team {'serves' if count == 1 else 'serve'} a model now."
    return Measured("models_in_production", count, said, url, link)


def _people(records: Records) -> Measured | None:
    count = records.people_lately
    if not count:
        return None
    url, link = address(OVERVIEW, records.project.slug)
    people = counted(count, "person", "people")
    return Measured("people", count, f"{people} changed something in this project in 90 days.", url, link)
