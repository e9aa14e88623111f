"""How a run is judged: its metrics, the window of the rolling ones, the baseline, and what watches its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models_registry.learning import baselines, measures
from models_registry.learning.catalogue import REGRESSION
from models_registry.learning.errors import SpecError
from models_registry.learning.spec import validate_component
from models_registry.models import Version
from ops_portal.errors import UserError
from projects.models import Project

#: Events over which rolling metrics are taken.
WINDOW = 500
LARGEST_WINDOW = 100_000
MOST_METRICS = 12
_KEPT = ("metrics", "window", "drift", "baseline")


@dataclass(frozen=True)
class Judging:
    """What was asked for; what is left empty is the usual for the project's task.

    `drift` is a detector's spec, True for the usual one, or False for none.
    """

    metrics: Sequence[str] = ()
    window: int = WINDOW
    baseline: str = ""
    drift: bool | dict[str, Any] = True


USUAL = Judging()


def watcher_roles(task: str) -> tuple[str, ...]:
    """Return which detectors may watch the error of a task: some know only right and wrong."""
    return ("drift_detector",) if task == REGRESSION else ("drift_detector", "binary_drift_detector")


def usual_metrics(project: Project) -> list[str]:
    """Return the metrics that a run of a project has when nobody chooses: its primary one first."""
    return list(dict.fromkeys((project.primary_metric, *measures.DEFAULTS[project.task])))


def write_judging(project: Project, judging: Judging, from_version: Version | None) -> dict[str, Any]:
    """Return what is written down with a run, so that it can be repeated when the project's settings have changed.

    A run that goes on from a version goes on with its metrics too: they are part of the state.
    """
    if from_version is not None:
        if judging != USUAL:
            raise UserError(
                "A run that goes on from a version is judged as that version was. Start from nothing to change it.",
                fields={"metrics": "Goes on as the version was judged."},
            )
        return {key: value for key, value in from_version.run.options.items() if key in _KEPT}
    names = _read_metrics(project, judging.metrics) if judging.metrics else []
    if len(names) > MOST_METRICS:
        raise UserError(f"Choose at most {MOST_METRICS} metrics.", fields={"metrics": f"At most {MOST_METRICS}."})
    if not 2 <= judging.window <= LARGEST_WINDOW:
        raise UserError(
            f"The window holds 2 to {LARGEST_WINDOW:,} events.", fields={"window": f"2 to {LARGEST_WINDOW:,}."}
        )
    kinds = baselines.list_baselines(project.task)
    if judging.baseline not in ("", *kinds):
        raise UserError(f"Baselines of this task: {', '.join(kinds)}.", fields={"baseline": ", ".join(kinds)})
    if isinstance(judging.drift, dict):
        _check_detector(judging.drift, project.task)
    return {
        "metrics": names or usual_metrics(project),
        "window": judging.window,
        "baseline": judging.baseline or kinds[0],
        "drift": judging.drift,
    }


def _read_metrics(project: Project, given: Sequence[str]) -> list[str]:
    """Return metrics by the names they are kept under, the project's primary one first."""
    try:
        found = [measures.find_measure(name) for name in (project.primary_metric, *given)]
    except LookupError as wrong:
        raise UserError(f"{wrong.args[0]}.", fields={"metrics": f"{wrong.args[0]}."}) from wrong
    if unknown := [measure.name for measure in found if project.task not in measure.tasks]:
        listed = ", ".join(unknown)
        raise UserError(f"{listed}: no metric of this task.", fields={"metrics": f"No metric of this task: {listed}."})
    return list(dict.fromkeys(measure.name for measure in found))


def _check_detector(spec: dict[str, Any], task: str) -> None:
    try:
        validate_component(spec, watcher_roles(task), task)
    except SpecError as wrong:
        raise UserError(f"The drift detector is not valid: {wrong}", fields={"drift": str(wrong)}) from wrong
