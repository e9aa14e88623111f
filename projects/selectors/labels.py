"""What the page about labels shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from projects.models import EarlyLabel, Event, LabelCorrection, LabelDeadline, Project

SHOWN = 20
#: Counting stops here: "more than" says enough.
COUNTED = 100_000


@dataclass(frozen=True)
class WaitingLabel:
    """A label whose event has not come."""

    key: str
    label: Any
    received_at: datetime


@dataclass(frozen=True)
class Correction:
    """A second label, beside the one that was learned."""

    event_pk: int
    key: str
    learned: Any
    label: Any
    received_at: datetime


@dataclass(frozen=True)
class LabelsOverview:
    """The page about labels."""

    labelled: int
    unlabelled: int
    early: int
    unknown: int
    defaulted: int
    wait: timedelta | None
    default: Any
    has_default: bool
    waiting_labels: list[WaitingLabel]
    corrections: list[Correction]

    @property
    def wait_text(self) -> str:
        """How long an event may wait, in words."""
        return wait_in_words(self.wait) if self.wait else ""


def labels_overview(project: Project) -> LabelsOverview:
    """Return the page about the labels of `project`; three queries besides the project's own."""
    rule = label_deadline(project) or LabelDeadline()
    waiting = EarlyLabel.objects.filter(project=project)[:SHOWN] if project.early_labels else []
    corrections = LabelCorrection.objects.filter(event__project=project).select_related("event").order_by("-pk")
    return LabelsOverview(
        labelled=project.last_position,
        unlabelled=project.event_count - project.last_position,
        early=project.early_labels,
        unknown=rule.unknown,
        defaulted=rule.defaulted,
        wait=rule.wait,
        default=msgspec.json.decode(rule.default) if rule.default else None,
        has_default=bool(rule.default),
        waiting_labels=[WaitingLabel(one.key, msgspec.json.decode(one.label), one.received_at) for one in waiting],
        corrections=[
            Correction(
                one.event_id,
                one.event.key,
                msgspec.json.decode(one.event.label or "null"),
                msgspec.json.decode(one.label),
                one.received_at,
            )
            for one in corrections[:SHOWN]
        ],
    )


def label_deadline(project: Project) -> LabelDeadline | None:
    """Return the project's rule for labels that never come, None when there never was one; one query."""
    return LabelDeadline.objects.filter(project=project).first()


def overdue_now(project: Project, wait: timedelta, now: datetime) -> int:
    """Count the events that a rule with this `wait` would touch at once, up to `COUNTED`; one query."""
    overdue = Event.objects.filter(project=project, label=None, received_at__lte=now - wait, missed_label=None)
    return overdue.order_by()[:COUNTED].count()


def wait_in_words(wait: timedelta) -> str:
    """Write a wait as people say it: 90 minutes, 36 hours, 7 days."""
    seconds = int(wait.total_seconds())
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % unit == 0 and seconds >= unit:
            count = seconds // unit
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
