"""Scope factors measured from the portal's records: proposed to people, never put in their place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from assessments.evidence.finding import ACTIVITY, DEPLOYMENTS, OVERVIEW, RUNS, Place, address, counted
from assessments.evidence.records import Records
from assessments.scoring.scope import Measurement
from models_registry.models import Deployment, Run

DAYS_PER_MONTH = 365.25 / 12
#: A younger project is measured over a week, lest one deployment on its first day counts as seven a week.
SHORTEST = timedelta(days=7)
#: The entry in the log is written a moment after the deployment it tells of.
SAME_MOMENT = timedelta(seconds=5)


@dataclass(frozen=True)
class Measured:
    """A scope factor as the records have it.

    `value` is in the factor's unit; `measurement` holds the count behind a rate. `sentence` says what was counted and
    `query` how it was looked up.
    """

    name: str
    value: float
    sentence: str
    query: str
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
        found += [_deployments(records), _manual_steps(records), _rollbacks(records), _hours(records)]
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
    return min(max(age, SHORTEST), timedelta(days=records.days))


def _rate(
    records: Records,
    name: str,
    count: int,
    words: tuple[str, str],
    place: Place,
    days_per_period: float,
    period: str,
    query: str,
) -> Measured:
    days = _window(records).total_seconds() / 86400
    periods = days / days_per_period
    url, link = address(place, records.project.slug)
    value = round(count / periods, 2)
    sentence = f"{counted(count, *words)} in {counted(round(days), 'day')}: {value:g} a {period}."
    return Measured(name, value, sentence, query, url, link, Measurement(count, round(periods, 3)))


def _deployments(records: Records) -> Measured:
    # Widening or aborting a canary brings no version that was not there before.
    brought = [row for row in records.deployments if row.kind not in (Deployment.Kind.WIDEN, Deployment.Kind.ABORT)]
    count = sum(row.created_at >= records.since for row in brought)
    query = (
        f"Deployments of this project in the last {records.days} days, or since it was registered, rollbacks included, "
        "per week."
    )
    return _rate(records, "deployments_per_week", count, ("deployment", "deployments"), DEPLOYMENTS, 7, "week", query)


def _manual_steps(records: Records) -> Measured | None:
    """Actions of people from the start of a version's run until it was deployed; what they do elsewhere is not seen."""
    counts = [
        sum(row.version__run__created_at <= at <= row.created_at + SAME_MOMENT for at in records.actions)
        for row in records.deployments
        if row.kind == Deployment.Kind.DEPLOY and row.created_at >= records.since
    ]
    if not counts:
        return None
    url, link = address(ACTIVITY, records.project.slug)
    steps = round(median(counts))
    return Measured(
        "manual_steps",
        steps,
        f"{counted(steps, 'action')} by people in the portal per deployment (median of {len(counts):,}); "
        "steps outside the portal are not counted.",
        f"For each deployment of the last {records.days} days: entries of people in the activity log about runs, "
        "versions and deployments, from the start of the version's run until it was deployed.",
        url,
        link,
    )


def _rollbacks(records: Records) -> Measured:
    count = sum(row.created_at >= records.since for row in records.rollbacks)
    query = (
        f"Deployments of the kind “rolled back” in the last {records.days} days, or since the project was registered, "
        "per month."
    )
    words = ("rollback", "rollbacks")
    return _rate(records, "rollbacks_per_month", count, words, DEPLOYMENTS, DAYS_PER_MONTH, "month", query)


def _drift(records: Records) -> Measured:
    """Drift alarms a month; alarms of replays over old events say nothing about this month, so they are left out."""
    live = any(run.mode == Run.Mode.FOLLOW for run in records.learning_runs)
    count = records.live_alarms_lately if live else 0
    words = ("drift alarm on live events", "drift alarms on live events")
    query = f"Drift alarms of runs that follow the live stream, in the last {records.days} days, per month."
    return _rate(records, "drift_alarms_per_month", count, words, RUNS, DAYS_PER_MONTH, "month", query)


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
        "For each rollback: the time from the deployment it took back until the rollback.",
        url,
        link,
    )


def _models(records: Records) -> Measured | None:
    count = records.models_serving_in_team
    if not count:
        return None
    url, link = address(OVERVIEW, records.project.slug)
    said = f"{counted(count, 'project')} of this team {'serves' if count == 1 else 'serve'} a model now."
    query = "Projects of the team that are not archived and have a deployment; one model serves per project."
    return Measured("models_in_production", count, said, query, url, link)


def _people(records: Records) -> Measured | None:
    count = records.people_lately
    if not count:
        return None
    url, link = address(OVERVIEW, records.project.slug)
    people = counted(count, "person", "people")
    query = (
        f"Different people in this project's activity log of the last {records.days} days; "
        "answers in assessments do not count."
    )
    said = f"{people} changed something in this project in {records.days} days."
    return Measured("people", count, said, query, url, link)
