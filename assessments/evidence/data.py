"""Checks that look at events, labels, predictions and people."""

from __future__ import annotations

from datetime import timedelta
from statistics import quantiles

from assessments.evidence.finding import EVENTS, NO, OVERVIEW, PARTLY, SETTINGS, YES, Said, check, counted
from assessments.evidence.records import Records, may_deploy


@check("order_and_times_kept", EVENTS)
def order_and_times_kept(records: Records) -> Said:
    """The newest 300 labelled events: their order, own time, arrival and the time of their label."""
    if not records.events:
        return None
    own = sum(row.event_at is not None for row in records.events)
    if own == len(records.events):
        return YES, "Events keep their order, their own time, their arrival and the time of their label, each apart."
    return PARTLY, (
        "Events keep their order, their arrival and the time of their label; "
        f"{own} of the newest {len(records.events)} also say when they happened."
    )


@check("labels_joined_by_id", EVENTS)
def labels_joined_by_id(records: Records) -> Said:
    """The newest 300 stored predictions, and how many got a label that was sent later under the same event id."""
    if not records.predictions:
        return None
    joined = sum(row.event__labelled_at is not None for row in records.predictions)
    total = counted(len(records.predictions), "stored prediction")
    if not joined:
        return NO, f"{total}, and no label has come for any of them."
    return YES, f"{joined} of {total} were joined with their label by event id."


@check("delayed_evaluation", EVENTS)
def delayed_evaluation(records: Records) -> Said:
    """The newest 300 stored predictions whose label came later, scored against the prediction of that moment."""
    delays = _delays(records)
    if not delays:
        return None
    return YES, f"{counted(len(delays), 'stored prediction')} were scored when their label came."


@check("label_delay_reported", EVENTS)
def label_delay_reported(records: Records) -> Said:
    """Time from prediction to label over the newest 300 stored predictions, and the share still without a label."""
    delays = sorted(_delays(records))
    if len(delays) < 10:
        return None
    deciles = quantiles([delay.total_seconds() for delay in delays], n=10)
    open_share = 1 - len(delays) / len(records.predictions)
    return YES, (
        f"Label delay: half within {_time(deciles[4])}, nine in ten within {_time(deciles[8])}; "
        f"{open_share:.0%} of the newest {len(records.predictions)} predictions have no label yet."
    )


@check("prediction_traceable", EVENTS)
def prediction_traceable(records: Records) -> Said:
    """The newest 300 stored predictions: each names its version, or that it is a fallback, and its event."""
    by_version = [row.version_id for row in records.predictions if row.version_id is not None]
    if not by_version:
        return None
    fallbacks = len(records.predictions) - len(by_version)
    others = f"; {counted(fallbacks, 'answer')} beside them are marked as fallbacks" if fallbacks else ""
    return YES, (
        f"The newest {counted(len(by_version), 'prediction')} name the version that made them "
        f"({counted(len(set(by_version)), 'version')}) and keep their inputs{others}."
    )


@check("corrections_recorded", EVENTS)
def corrections_recorded(records: Records) -> Said:
    """Second, different labels: stored beside the first one, which stays in order."""
    if not records.corrections:
        return None
    return YES, f"{counted(records.corrections, 'correction')} recorded beside the first label."


@check("roles_listed", SETTINGS)
def roles_listed(records: Records) -> Said:
    """Members of the team and their roles."""
    members, deployers = sum(records.roles.values()), may_deploy(records.roles)
    if not members:
        return None
    if members == 1:
        return PARTLY, "The team has one member, so there is nobody to share roles with."
    if not deployers:
        return NO, f"{counted(members, 'member')}, but nobody may deploy or roll back."
    return YES, f"{counted(members, 'member')} with a role each; {deployers} may deploy and roll back."


@check("goal_written", OVERVIEW)
def goal_written(records: Records) -> Said:
    """The project's description and its primary metric."""
    project = records.project
    if project.description.strip() and project.primary_metric:
        return (
            YES,
            f"The goal is written in the project's description; success is measured by {project.primary_metric}.",
        )
    if project.primary_metric:
        return PARTLY, f"Success is measured by {project.primary_metric}; the goal is not written down."
    return NO, "Neither a goal nor a success metric is written down."


def _delays(records: Records) -> list[timedelta]:
    """Times from prediction to label, where a label came after its prediction."""
    return [
        row.event__labelled_at - row.at
        for row in records.predictions
        if row.event__labelled_at is not None and row.event__labelled_at > row.at
    ]


def _time(seconds: float) -> str:
    for limit, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= limit:
            return counted(round(seconds / limit), unit)
    return counted(max(round(seconds), 1), "second")
