"""Events in a database, runs over them through the worker, and the bare River loop to hold them against."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from bench import sandbox

if TYPE_CHECKING:
    from models_registry.models import RegisteredModel, Run
    from projects.models import Project

SEED = 42
WINDOW = 500
Events = list[tuple[dict[str, Any], bool]]


def phishing(count: int) -> Events:
    """River's bundled pages, real or fishing for passwords; from the start again where there are no more."""
    from river import datasets

    return [(dict(x), y) for x, y in islice(cycle(datasets.Phishing()), count)]


def agrawal(count: int, *, function: int = 0, noise: float = 0.0) -> Events:
    """River's generator of loan applications: nine features, never the same event twice."""
    from river.datasets import synth

    stream = synth.Agrawal(classification_function=function, seed=1, perturbation=noise)
    return [(x, bool(y)) for x, y in stream.take(count)]


def store(name: str, events: Events) -> Project:
    """Make a project and give it events, as the API does."""
    from projects.models import Project, Team

    team, _ = Team.objects.get_or_create(name="Bench", slug="bench")
    project = Project.objects.create(
        team=team, name=name, slug=name, task="binary", label_name="label", primary_metric="Accuracy"
    )
    add(project, events)
    return project


def add(project: Project, events: Events) -> None:
    """Give a project more events, as the API does."""
    from django.utils import timezone

    from projects.payload import Incoming
    from projects.services.events import accept

    for start in range(0, len(events), 5_000):
        items = [Incoming(i, None, x, y) for i, (x, y) in enumerate(events[start : start + 5_000], start + 1)]
        accept(project_id=project.pk, items=items, now=timezone.now())
    project.refresh_from_db()


def register(project: Project, slug: str, spec: dict[str, Any] | None = None) -> RegisteredModel:
    """Register a model: of a template, or of a spec."""
    from models_registry.learning.templates import find_template
    from models_registry.services.runs import register_model

    return register_model(project=project, name=slug, spec=spec or find_template(slug).spec, actor=None)


def bare_seconds(spec: dict[str, Any], events: Events, *, few: bool = False) -> tuple[float, float]:
    """Predict, score, learn: River alone. Return the seconds and the final accuracy; `few` scores only that."""
    from river import metrics, utils

    from models_registry.learning.build import build

    model = build(spec, SEED, task="binary")
    by_label = [metrics.Accuracy()]
    by_chances: list[Any] = []
    if not few:
        by_label += [metrics.F1(), utils.Rolling(metrics.Accuracy, WINDOW), utils.Rolling(metrics.F1, WINDOW)]
        by_chances = [metrics.ROCAUC(), metrics.LogLoss()]
        by_chances += [utils.Rolling(metrics.ROCAUC, WINDOW), utils.Rolling(metrics.LogLoss, WINDOW)]
    started = time.perf_counter()
    for x, y in events:
        chances = model.predict_proba_one(x)
        if chances:  # as in progressive_val_score: what could not be predicted is not scored
            label = max(chances, key=chances.get)
            for metric in by_label:
                metric.update(y, label)
            for metric in by_chances:
                metric.update(y, chances)
        model.learn_one(x, y)
    return time.perf_counter() - started, by_label[0].get()


def start(model: RegisteredModel, **options: Any) -> Run:
    """Start a run over the stored events and ring for it."""
    from models_registry.models import Run
    from models_registry.services.judging import Judging
    from models_registry.services.runs import start_run
    from models_registry.tasks import advance_run

    run = start_run(model=model, mode=Run.Mode.REPLAY, actor=None, seed=SEED, judging=Judging(window=WINDOW), **options)
    advance_run.delay(run.pk)
    return run


def finish(runs: Sequence[Run], *, every: float = 0.005) -> float:
    """Wait until runs just started have ended; return the seconds."""
    from models_registry.models import Run

    started = time.perf_counter()
    mine = Run.objects.filter(pk__in=[run.pk for run in runs])
    sandbox.wait_until(lambda: not mine.exclude(state__in=Run.ENDED).exists(), 600, every)
    seconds = time.perf_counter() - started
    for run in runs:
        run.refresh_from_db()
        assert run.state == Run.State.COMPLETED, run.error
    return seconds
