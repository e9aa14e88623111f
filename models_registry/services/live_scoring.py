"""Scoring the answers that were given, when their labels come: the live metric of every deployment.

Labels have positions without gaps, so "scored up to position p" says exactly what was scored. The sums and the position
move in one transaction, and the position only from where it was read: no answer is counted twice or left out.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least

from models_registry.learning.live import AnswerBook
from models_registry.models import LivePoint, Prediction, ScoredUpTo
from projects.models import Project

#: Positions of the stream that share one point.
STRETCH = 50
#: Positions looked at in one transaction, and seconds after which the rest waits for the next time.
POSITIONS, SECONDS = 5_000, 1.0

_decode = msgspec.json.Decoder().decode


@dataclass
class _Stretch:
    labels: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)


def score_answers(project_id: int) -> bool:
    """Score the answers whose labels came since the last time; say whether more is left."""
    ScoredUpTo.objects.get_or_create(project_id=project_id)
    until = time.perf_counter() + SECONDS
    while _score_some(project_id):
        if time.perf_counter() > until:
            return True
    return False


@transaction.atomic
def _score_some(project_id: int) -> bool:
    """Score the next positions; say whether there may be more."""
    project = Project.objects.get(pk=project_id)
    mark = ScoredUpTo.objects.select_for_update().get(project_id=project_id)
    upto = min(project.last_position, mark.position + POSITIONS)
    if upto <= mark.position:
        return False
    book = AnswerBook(project.task, project.label_classes)
    for (deployment_id, version_id, stretch), found in _collect(project_id, mark.position, upto).items():
        sums = book.sum_up(found.labels, found.answers)
        if sums["events"]:
            _add(project_id, deployment_id, version_id, stretch, sums, found.times)
    ScoredUpTo.objects.filter(pk=mark.pk, position=mark.position).update(position=upto)
    return upto < project.last_position


def _collect(project_id: int, after: int, upto: int) -> dict[tuple[int, int, int], _Stretch]:
    """The answers to events labelled in between, given before their label came, by deployment, version and stretch."""
    rows: Iterable[Any] = (
        Prediction.objects.filter(
            event__project_id=project_id,
            event__position__gt=after,
            event__position__lte=upto,
            at__lte=F("event__labelled_at"),
            version__isnull=False,  # a fallback's answer is no version's
        )
        .order_by("event__position", "pk")
        .values_list("deployment_id", "version_id", "output", "at", "event__label", "event__position")
    )
    found: dict[tuple[int, int, int], _Stretch] = defaultdict(_Stretch)
    for deployment_id, version_id, output, at, label, position in rows:
        part = found[deployment_id, version_id, (position - 1) // STRETCH]
        part.labels.append(_decode(label))
        part.answers.append(_decode(output)["prediction"])
        part.times.append(at)
    return found


def _add(
    project_id: int, deployment_id: int, version_id: int, stretch: int, sums: dict[str, float], times: list[datetime]
) -> None:
    """Add sums to the point of a stretch; the caller holds the project's mark, so nobody else does meanwhile."""
    first, last = min(times), max(times)
    known = LivePoint.objects.filter(deployment_id=deployment_id, version_id=version_id, stretch=stretch)
    grown: dict[str, Any] = {column: F(column) + value for column, value in sums.items()}
    grown |= {"first_at": Least(F("first_at"), first), "last_at": Greatest(F("last_at"), last)}
    if not known.update(**grown):
        LivePoint.objects.create(
            project_id=project_id,
            deployment_id=deployment_id,
            version_id=version_id,
            stretch=stretch,
            first_at=first,
            last_at=last,
            **sums,
        )
