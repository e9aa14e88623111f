"""The live metric: how answers did that were really given, scored by the labels that came for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from models_registry.learning.live import FEWEST, live_measure, value_of
from models_registry.learning.measures import Measure, find_measure
from models_registry.learning.pairing import COLUMNS
from models_registry.models import LivePoint
from models_registry.selectors.metrics import Figure
from projects.models import Project

#: Stretches of the stream that count as lately.
LATELY = 20


@dataclass(frozen=True)
class LiveFigure:
    """The live metric of a version over some of its answers."""

    measure: Measure
    figure: Figure
    sums: Mapping[str, float]

    @property
    def answers(self) -> int:
        """How many labelled answers it rests on."""
        return int(self.sums.get("events") or 0)

    @property
    def enough(self) -> bool:
        """Say whether they are enough to say something."""
        return self.answers >= FEWEST

    def is_better_than(self, other: LiveFigure) -> bool:
        """Say whether this is the better value of two that are known."""
        assert self.figure.value is not None and other.figure.value is not None
        return self.measure.is_better(self.figure.value, other.figure.value)

    def __str__(self) -> str:
        return str(self.figure)


def measure_of(project: Project) -> Measure:
    """The metric that live answers of a project are judged by."""
    return live_measure(project.task, project.primary_metric)


def note_measure(project: Project) -> str:
    """Say why answers are judged by another metric than the project's own; empty where they are not."""
    measure, own = measure_of(project), find_measure(project.primary_metric)
    if measure.name == own.name:
        return ""
    return (
        f"Answers are judged by {measure.title}: {own.title}, the project's own metric, cannot be worked out from the"
        " sums that are kept of them."
    )


def figure_of(project: Project, sums: Mapping[str, float | None]) -> LiveFigure:
    """Work out the live metric of some sums."""
    measure = measure_of(project)
    known = {column: sums.get(column) or 0.0 for column in COLUMNS[project.task]}
    value = value_of(project.task, measure.name, known)
    return LiveFigure(measure, Figure(value, measure.format(value)), known)


def sums_by(points: QuerySet[LivePoint], task: str, *keys: str) -> list[dict[str, Any]]:
    """Sum the points up by some of their columns: one query."""
    sums = {column: Sum(column) for column in COLUMNS[task]}
    # Named apart from the columns, which they would hide.
    named = {f"all_{column}": value for column, value in sums.items()}
    rows = points.order_by().values(*keys).annotate(**named)
    return [{key.removeprefix("all_"): value for key, value in row.items()} for row in rows]


def live_figures(project: Project, version_numbers: Iterable[int] | None = None) -> dict[int, LiveFigure]:
    """The live metric of versions over everything they answered, by number: one query."""
    points = LivePoint.objects.filter(project=project)
    if version_numbers is not None:
        points = points.filter(version__number__in=list(version_numbers))
    rows = sums_by(points, project.task, "version__number")
    return {row["version__number"]: figure_of(project, row) for row in rows}


def live_of_deployments(project: Project, deployment_ids: Iterable[int]) -> dict[tuple[int, int], LiveFigure]:
    """The live metric by the deployment that put a version there (its canaries' rows included) and by version id.

    One query.
    """
    ids = list(deployment_ids)
    points = LivePoint.objects.annotate(settled=Coalesce("deployment__origin", "deployment")).filter(settled__in=ids)
    rows = sums_by(points, project.task, "settled", "version")
    return {(row["settled"], row["version"]): figure_of(project, row) for row in rows}


def live_lately(project: Project, deployment_id: int, version_id: int) -> LiveFigure:
    """The live metric of a version over its newest stretches under one deployment: one query."""
    points = LivePoint.objects.annotate(settled=Coalesce("deployment__origin", "deployment")).filter(
        settled=deployment_id, version=version_id
    )
    newest = Subquery(points.order_by("-stretch").values("stretch")[:1])
    rows = sums_by(points.filter(stretch__gt=newest - LATELY), project.task, "version")
    return figure_of(project, rows[0] if rows else {})
