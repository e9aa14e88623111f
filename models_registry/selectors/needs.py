"""What needs somebody in a project, and the page where it is put right. No query: it judges facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models_registry.models import Run, Version
from models_registry.selectors.metrics import MetricRow, read_primary
from models_registry.selectors.serving import ServingNow, beats, is_useless, lately
from projects.models import Project

#: Order on the page: what is broken first, then what is getting worse, then what could be better, then what to do next.
BROKEN, WORSENING, BETTER, NEXT = range(4)
LONGEST_ERROR = 140


@dataclass(frozen=True)
class Need:
    """One thing somebody should look at; `route` is a URL name that takes the project's slug and `number`, if given."""

    rank: int
    tone: str
    icon: str
    text: str
    action: str
    route: str
    number: int | None = None
    query: str = ""


@dataclass(frozen=True)
class Facts:
    """What the judgement rests on. `drifts` is how many were found since the deployment, and in which run."""

    project: Project
    serving: ServingNow | None
    labelled: int
    has_models: bool
    has_runs: bool
    failed: tuple[Run, ...]
    drifts: tuple[int, int | None]
    versions: tuple[Version, ...]
    may_deploy: bool


def list_needs(facts: Facts) -> Iterator[Need]:
    """Yield what needs somebody, the most pressing first."""
    yield from _failures(facts)
    yield from _worsening(facts)
    yield from _better(facts)
    yield from _next_step(facts)


def _failures(facts: Facts) -> Iterator[Need]:
    for run in facts.failed:
        error = run.error if len(run.error) <= LONGEST_ERROR else run.error[: LONGEST_ERROR - 1].rstrip() + "…"
        text = f"Run {run.number} of {run.model.name} failed: {error}"
        yield Need(BROKEN, "bad", "circle-x", text, "Look at the run", "models_registry:run", run.number)


def _worsening(facts: Facts) -> Iterator[Need]:
    serving = facts.serving
    if serving is None:
        return
    if is_useless(serving.metric):
        ours, guess = lately(serving.metric)
        text = (
            f"v{serving.version} does no better than guessing: {serving.metric.measure.title} {ours}, "
            f"and {guess} for the baseline on the same events."
        )
        yield Need(WORSENING, "bad", "trending-down", text, "Look at the versions", "models_registry:version_list")
    found, run = facts.drifts
    if found and run is not None:
        times = "once" if found == 1 else f"{found:,} times"
        text = f"Drift was found {times} since v{serving.version} was deployed."
        yield Need(WORSENING, "warn", "triangle-alert", text, "Look at the run", "models_registry:run", run)


def _better(facts: Facts) -> Iterator[Need]:
    serving = facts.serving
    if serving is None:
        return
    best = _best_version(facts, serving)
    if best is None:
        return
    version, metric = best
    text = (
        f"{version} of {version.model.name} does better than v{serving.version}: "
        f"{metric.measure.title} {lately(metric)[0]} against {lately(serving.metric)[0]}."
    )
    yield _offer(facts, version, text, BETTER)


def _best_version(facts: Facts, serving: ServingNow) -> tuple[Version, MetricRow] | None:
    """The best newer version that has learned at least as much as what serves; a follower's own run is no rival."""
    best: tuple[Version, MetricRow] | None = None
    for version in facts.versions:
        rival = version.number > serving.version and version.position >= serving.position
        if not rival or (serving.follows and version.run_id == serving.run_id):
            continue
        metric = read_primary(version.metrics, facts.project)
        if beats(metric, best[1] if best else serving.metric):
            best = (version, metric)
    return best


def _offer(facts: Facts, version: Version, text: str, rank: int) -> Need:
    if not facts.may_deploy:
        return Need(rank, "accent", "arrow-up-right", text, "Look at it", "models_registry:version", version.number)
    query = f"?version={version.number}"
    return Need(rank, "accent", "arrow-up-right", text, "Deploy it", "models_registry:deploy", query=query)


def _next_step(facts: Facts) -> Iterator[Need]:
    """For a project on its way to its first deployment: the one step that comes next."""
    if facts.serving is not None:
        return
    if facts.versions:
        newest = facts.versions[0]
        yield _offer(facts, newest, f"{newest} of {newest.model.name} is ready; nothing is deployed yet.", NEXT)
    elif not facts.labelled:
        text = "No labelled events yet: upload a file, pick a bundled data set, or send events."
        yield Need(NEXT, "accent", "database", text, "Bring data", "projects:data")
    elif not facts.has_models:
        text = "The data is there; describe a model that learns from it."
        yield Need(NEXT, "accent", "box", text, "Describe a model", "models_registry:model_create")
    elif not facts.has_runs:
        text = "A model is described; start a run to let it learn."
        yield Need(NEXT, "accent", "play", text, "Start a run", "models_registry:run_create")
