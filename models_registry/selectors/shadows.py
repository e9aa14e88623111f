"""Challengers in the shadow: which versions predict beside what serves, and whether they would do better."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from models_registry.learning.compare import Verdict, compare
from models_registry.learning.live import AnswerBook
from models_registry.learning.pairing import Pairing
from models_registry.models import ShadowAnswer, ShadowChange
from models_registry.selectors.live import measure_of
from models_registry.selectors.people import name_person
from projects.models import Project

#: Pairs of answers that a verdict rests on at most, the newest ones: what a page can work out while somebody waits.
MOST_PAIRS = 5_000


def open_shadows(project_id: int) -> QuerySet[ShadowChange]:
    """The facts that let a version predict in the shadow and still stand, oldest first."""
    later = ShadowChange.objects.filter(project=OuterRef("project"), version=OuterRef("version"), pk__gt=OuterRef("pk"))
    return ShadowChange.objects.filter(~Exists(later), project_id=project_id, started=True).order_by("pk")


@dataclass(frozen=True)
class ShadowRow:
    """A challenger, what it said beside what serves, and what the paired test says of the two."""

    version: int
    model: str
    position: int
    since: datetime
    by: str
    reason: str
    asked: int
    verdict: Verdict | None

    @property
    def paired(self) -> int:
        """How many events both were scored on."""
        return self.verdict.events if self.verdict else 0

    @property
    def capped(self) -> bool:
        """Say whether older pairs were left out."""
        return self.paired >= MOST_PAIRS

    @property
    def leads(self) -> bool:
        """Say whether it is really better than what serves."""
        return self.verdict is not None and self.verdict.better == f"v{self.version}"


def list_shadows(project: Project, serving_id: int | None, serving: int | None) -> list[ShadowRow]:
    """Return the challengers of a project, the newest first: one query, and one for each of them."""
    answers = ShadowAnswer.objects.filter(version=OuterRef("version")).order_by().values("version")
    changes = open_shadows(project.pk).select_related("version__model", "created_by").order_by("-pk")
    changes = changes.annotate(asked=Coalesce(Subquery(answers.annotate(asked=Count("pk")).values("asked")), 0))
    rows = []
    for change in changes.defer("version__spec", "version__metrics", "version__environment", "version__model__spec"):
        version = change.version
        rows.append(
            ShadowRow(
                version=version.number,
                model=version.model.name,
                position=version.position,
                since=change.created_at,
                by=name_person(change.created_by),
                reason=change.reason,
                asked=change.asked,
                verdict=_judge(project, serving_id, serving, version.pk, version.number),
            )
        )
    return rows


def _judge(project: Project, serving_id: int | None, serving: int | None, rival_id: int, rival: int) -> Verdict | None:
    """Compare a challenger with what serves on the events that both answered before their label came."""
    if serving_id is None:
        return None
    answers = ShadowAnswer.objects.filter(
        version_id=rival_id,
        prediction__version_id=serving_id,
        prediction__event__position__isnull=False,
        prediction__at__lte=F("prediction__event__labelled_at"),
    )
    newest = answers.order_by("-prediction__event__position").values_list(
        "prediction__event__label", "prediction__output", "output"
    )
    return _compare(project, f"v{serving}", f"v{rival}", list(newest[:MOST_PAIRS])[::-1])


def _compare(project: Project, champion: str, rival: str, rows: Sequence[Any]) -> Verdict | None:
    """Run the paired test over rows of label and two outputs, as they are stored, in the order of the labels."""
    book = AnswerBook(project.task, project.label_classes)
    labels, ours, theirs = [], [], []
    for label, given, shadow in rows:
        truth = book.read(json.loads(label))
        if truth is not None:
            labels.append(truth)
            ours.append(book.read(json.loads(given)["prediction"]))
            theirs.append(book.read(json.loads(shadow)["prediction"]))
    if not labels:
        return None
    pairing = Pairing(project.task, [champion, rival])
    pairing.add(labels, [ours, theirs])
    return compare(pairing, champion, rival, measure_of(project).name)
