"""Four delivery figures from a project's deployments: how often, how fast, how often wrong, how soon put right.

A change is a version coming to serve, at once or as a canary. It failed if a rollback took it back or its canary was
aborted. Lead time runs from the start of the run that learned the version to the moment it serves; time to restore from
the moment a failed change serves to the moment it no longer does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from models_registry.models import Deployment
from projects.models import Project

#: The newest rows looked at; a project that deploys ten times a day fills them in seven months.
MOST = 2000
KIND = Deployment.Kind


@dataclass(frozen=True)
class Change:
    """A version that came to serve; `restored_at` is when it was taken back, if it was."""

    at: datetime
    version: int
    begun_at: datetime
    restored_at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """The figures of one stretch of time; None where nothing in it can be measured. Times are medians, in hours."""

    start: datetime
    end: datetime
    changes: int
    failed: int
    lead_hours: float | None
    restore_hours: float | None

    @property
    def per_week(self) -> float | None:
        """Changes a week; a stretch of less than a day says nothing about a week."""
        days = (self.end - self.start) / timedelta(days=1)
        return 7 * self.changes / days if days >= 1 else None

    @property
    def failure_rate(self) -> float | None:
        """Part of the changes that failed."""
        return self.failed / self.changes if self.changes else None


def read_changes(project: Project) -> list[Change]:
    """Read all changes of a project, oldest first, with what became of them: 1 query."""
    rows = Deployment.objects.filter(project=project).order_by("-number").values(
        "kind", "created_at", "version", "version__run__created_at", "canary", "canary__run__created_at",
        "previous__version", "previous__canary",
    )[:MOST]  # fmt: skip
    changes: list[Change] = []
    for row in reversed(rows):
        kind, at = row["kind"], row["created_at"]
        if kind == KIND.DEPLOY:
            changes.append(Change(at, row["version"], row["version__run__created_at"]))
        elif kind == KIND.CANARY and row["canary"]:
            changes.append(Change(at, row["canary"], row["canary__run__created_at"]))
        elif kind in (KIND.ROLLBACK, KIND.ABORT):
            _take_back(changes, row["previous__version" if kind == KIND.ROLLBACK else "previous__canary"], at)
    return changes


def _take_back(changes: list[Change], version: int | None, at: datetime) -> None:
    """Mark the newest change to this version as failed."""
    for place in range(len(changes) - 1, -1, -1):
        change = changes[place]
        if change.version == version:
            if change.restored_at is None:
                changes[place] = Change(change.at, change.version, change.begun_at, at)
            return


def measure_delivery(changes: Sequence[Change], start: datetime, end: datetime) -> Delivery:
    """Measure the changes that came to serve from `start` until before `end`."""
    mine = [change for change in changes if start <= change.at < end]
    failed = [change for change in mine if change.restored_at is not None]
    return Delivery(
        start=start,
        end=end,
        changes=len(mine),
        failed=len(failed),
        lead_hours=_median_hours([change.at - change.begun_at for change in mine]),
        restore_hours=_median_hours([change.restored_at - change.at for change in failed if change.restored_at]),
    )


def _median_hours(spans: Sequence[timedelta]) -> float | None:
    return median(span / timedelta(hours=1) for span in spans) if spans else None
