"""What a run records beside parameters and metrics, as the tables of compared runs show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models_registry.learning.baselines import TITLES
from models_registry.models import Run
from models_registry.selectors.people import name_person
from models_registry.selectors.runs import name_watcher
from ops_portal.templatetags.reading import DASH

_FACTS: dict[str, Callable[[Run], object]] = {
    "Seed": lambda run: run.seed,
    "Mode": lambda run: run.get_mode_display().partition(":")[0],
    "First event": lambda run: f"{run.start_position + 1:,}",
    "Last event": lambda run: f"{run.position:,}",
    "Window": lambda run: f"{run.options.get('window', 500):,}",
    "Baseline": lambda run: TITLES.get(run.options.get("baseline", ""), DASH),
    "Watched by": lambda run: name_watcher(run.options.get("drift")) or "nothing",
    "Trigger": lambda run: run.trigger,
    "Started by": lambda run: name_person(run.created_by),
    "River": lambda run: run.environment.get("river", DASH),
    "Python": lambda run: run.environment.get("python", DASH),
    "Portal": lambda run: run.environment.get("portal", DASH),
    "Commit": lambda run: run.environment.get("commit", DASH),
}


def read_fact(run: Run, name: str) -> str:
    """Return a fact about a run (with its starter fetched) as people read it."""
    return str(_FACTS[name](run))


def differing_facts(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the names of the facts that are not the same in all of the runs."""
    return tuple(name for name in _FACTS if len({read_fact(run, name) for run in runs}) > 1)
