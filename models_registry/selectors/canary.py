"""A canary while it runs: how it does on its share of the traffic, against what serves the rest in the same time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models_registry.learning.live import Apart, compare_apart
from models_registry.models import LivePoint
from models_registry.selectors.live import LiveFigure, figure_of, sums_by
from models_registry.selectors.serving import ServingNow
from projects.models import Project

BETTER, WORSE, OPEN = "better", "worse", "open"


@dataclass(frozen=True)
class CanaryNow:
    """What a canary did so far, in figures and in a sentence."""

    version: int
    model: str
    share: int
    at: datetime
    beside: int
    ours: LiveFigure
    theirs: LiveFigure
    apart: Apart | None

    @property
    def standing(self) -> str:
        """Say whether it is really better, really worse, or that this is open."""
        if self.apart is None or not self.apart.real:
            return OPEN
        return BETTER if self.apart.difference < 0 else WORSE

    @property
    def words(self) -> str:
        """The comparison in a sentence."""
        if not self.ours.answers:
            return f"None of v{self.version}'s answers has a label yet."
        title = self.ours.measure.title
        facts = (
            f"{title} {self.ours} over {self.ours.answers:,} labelled answers, against {self.theirs} over "
            f"{self.theirs.answers:,} of v{self.beside} in the same time"
        )
        if self.apart is None or self.apart.interval is None:
            return f"Too few labels to tell: {facts}."
        if not self.apart.real:
            return f"Too close to tell: {facts}."
        than = f"v{self.version} errs {'less' if self.standing == BETTER else 'more'} than v{self.beside}"
        return f"{than}, and not by chance: {facts}."


def read_canary(project: Project, serving: ServingNow | None) -> CanaryNow | None:
    """Return how the canary does, or None while there is none: one query."""
    if serving is None or serving.canary is None:
        return None
    canary = serving.canary
    points = LivePoint.objects.filter(
        project=project, deployment__origin=serving.origin_pk, deployment__canary=canary.version_id
    )
    sums = {row["version"]: row for row in sums_by(points, project.task, "version")}
    ours = figure_of(project, sums.get(canary.version_id, {}))
    theirs = figure_of(project, sums.get(serving.version_id, {}))
    return CanaryNow(
        version=canary.version,
        model=canary.model,
        share=canary.share,
        at=canary.at,
        beside=serving.version,
        ours=ours,
        theirs=theirs,
        apart=compare_apart(project.task, ours.sums, theirs.sums),
    )
