"""The version a rollback offers first: the last good one, by what its answers turned out to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models_registry.models import Deployment
from models_registry.selectors.live import LiveFigure, live_figures, live_lately
from projects.models import Project

#: Deployments searched for it.
LOOKED_BACK = 200


@dataclass(frozen=True)
class LastGood:
    """A version to go back to, and why this one, in a sentence."""

    number: int
    reason: str


def find_last_good(project: Project, lately: LiveFigure | None = None) -> LastGood | None:
    """Return the version to restore first: of those that served and were not rolled back from, whose file is kept.

    The one that served last among those whose live metric beats what serves now; where none does, the best of them;
    where labels are too few to judge, the one that served last. `lately` is the live metric of what serves now,
    where it is known already. Three queries at most, one where none served before.
    """
    past = _served_before(project)
    if past is None or not past.numbers:
        return None
    lately = lately or live_lately(project, past.deployment_id, past.version_id)
    figures = {number: figure for number, figure in live_figures(project, past.numbers).items() if figure.enough}
    return _choose(past, lately, figures)


@dataclass(frozen=True)
class _Past:
    deployment_id: int
    version_id: int
    serving: int
    #: Versions that could be restored, the one that served last first.
    numbers: tuple[int, ...]


def _served_before(project: Project) -> _Past | None:
    """What served, newest first, without what was rolled back from: one query."""
    history = list(
        Deployment.objects.filter(project=project, origin=None)
        .order_by("-number")
        .values_list("pk", "version_id", "version__number", "kind", "version__artifact_removed_at")[:LOOKED_BACK]
    )
    if not history:
        return None
    pk, version_id, serving = history[0][:3]
    seen, next_kind, numbers = {serving}, history[0][3], []
    for _, _, number, kind, removed in history[1:]:
        # The newest stay of a version counts: once rolled back it is bad, deployed again it has another chance.
        if number not in seen and next_kind != Deployment.Kind.ROLLBACK and removed is None:
            numbers.append(number)
        seen.add(number)
        next_kind = kind
    return _Past(pk, version_id, serving, tuple(numbers))


def _choose(past: _Past, lately: LiveFigure, figures: Mapping[int, LiveFigure]) -> LastGood:
    judged = [number for number in past.numbers if number in figures]
    if not judged:
        return LastGood(
            past.numbers[0],
            f"v{past.numbers[0]} served last before v{past.serving}; "
            "too few of their answers have a label to choose by the live metric.",
        )
    title = lately.measure.title
    if not lately.enough:
        best = _best(judged, figures)
        return LastGood(
            best,
            f"v{best} had the best live {title} of those that served before: {_tell(figures[best])}. "
            f"Too few answers of v{past.serving} have a label to compare.",
        )
    better = [number for number in judged if figures[number].is_better_than(lately)]
    if better:
        return LastGood(
            better[0],
            f"v{better[0]} is the last one whose live {title} was better: {_tell(figures[better[0]])}, "
            f"against {_tell(lately)} of v{past.serving} lately.",
        )
    best = _best(judged, figures)
    return LastGood(
        best,
        f"None that served before did better than v{past.serving} does lately ({title} {_tell(lately)}); "
        f"v{best} came nearest: {_tell(figures[best])}.",
    )


def _best(numbers: list[int], figures: Mapping[int, LiveFigure]) -> int:
    best = numbers[0]
    for number in numbers[1:]:
        if figures[number].is_better_than(figures[best]):
            best = number
    return best


def _tell(figure: LiveFigure) -> str:
    return f"{figure} over {figure.answers:,} labelled answers"
