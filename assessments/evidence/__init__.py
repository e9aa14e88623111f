"""Answers from the portal's own records: read once by `gather`, judged by named checks.

The catalogue names a check where the records can answer a practice; a check that has nothing to judge by yet says
nothing, so an empty project is not told "no" by its own emptiness.
"""

from assessments.evidence import data, learning, releases, versions
from assessments.evidence.finding import CHECKS, Finding
from assessments.evidence.records import Records, gather
from assessments.evidence.scope import Measured, MeasuredScope, measure_scope

#: Checks the catalogue names and the portal keeps no record for: people answer those practices.
NOT_RECORDED = frozenset(
    {
        "restart_recovers",
        "queue_visible",
        "schema_enforced",
        "live_metric_with_label_count",
        "input_monitor_runs",
        "silence_alarm",
        "alarms_have_owner",
    }
)

__all__ = [
    "CHECKS",
    "NOT_RECORDED",
    "Finding",
    "Measured",
    "MeasuredScope",
    "Records",
    "data",
    "gather",
    "learning",
    "measure_scope",
    "releases",
    "versions",
]
