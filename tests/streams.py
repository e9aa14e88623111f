"""Real streams that River bundles, as a project's labelled events."""

from __future__ import annotations

from itertools import cycle, islice

from django.utils import timezone
from river import datasets

from projects.models import Project
from projects.payload import Incoming
from projects.services.events import accept


def bundled_events(project: Project, name: str, count: int) -> None:
    """Give `project` the first `count` events of a bundled data set, from the start again where it is shorter."""
    rows = islice(cycle(getattr(datasets, name)()), count)
    items = [Incoming(line, None, dict(features), label) for line, (features, label) in enumerate(rows, 1)]
    for start in range(0, count, 1000):
        accept(project_id=project.pk, items=items[start : start + 1000], now=timezone.now())
    project.refresh_from_db()
