"""Background learning through database, worker and checkpoints, against bare River loops.

All learn the same events in the same order with the same seed; the bare loops have them in memory as Python objects.
One bare loop updates River's objects for the same metrics as the portal (Accuracy, F1, ROC AUC and log loss, each
overall and rolling); the other, for comparison, only Accuracy. The portal also scores a baseline, watches for drift,
digests every prediction and keeps metric points. Its time is from the ring of the bell to the committed end of the
run, in a warm worker process.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from itertools import cycle, islice
from typing import Any

from bench import sandbox

SEED = 42
WINDOW = 500
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))
#: Template, events, what the ratio should reach.
CASES = [("logistic-regression", 20_000, 0.5), ("hoeffding-tree", 20_000, 0.7)]


def bare_seconds(spec: dict[str, Any], events: list[tuple[dict[str, Any], Any]], *, few: bool) -> tuple[float, float]:
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


def portal_seconds(model: Any) -> tuple[float, float, float]:
    """One run through the worker. Return its wall seconds, its learning seconds and the final accuracy."""
    from models_registry.models import Run
    from models_registry.services.runs import start_run
    from models_registry.tasks import advance_run

    run = start_run(model=model, mode=Run.Mode.REPLAY, actor=None, seed=SEED, window=WINDOW)
    started = time.perf_counter()
    advance_run.delay(run.pk)
    sandbox.wait_until(lambda: Run.objects.filter(pk=run.pk, state=Run.State.COMPLETED).exists(), 600)
    wall = time.perf_counter() - started
    run.refresh_from_db()
    return wall, run.learning_seconds, run.summary["overall.Accuracy"]


def main() -> int:
    """Print one line per case."""
    sandbox.setup()
    from django.utils import timezone
    from river import datasets

    from models_registry.learning.templates import find_template
    from models_registry.services.runs import register_model
    from projects.models import Project, Team
    from projects.payload import Incoming
    from projects.services.events import accept

    team = Team.objects.create(name="Bench", slug="bench")
    project = Project.objects.create(
        team=team, name="Phishing", slug="phishing", task="binary", label_name="is_phishing", primary_metric="Accuracy"
    )
    most = max(count for _, count, _ in CASES)
    events = [(dict(x), y) for x, y in islice(cycle(datasets.Phishing()), most)]
    with sandbox.broker():
        items = [Incoming(line, None, x, y) for line, (x, y) in enumerate(events, 1)]
        for start in range(0, most, 1_000):
            accept(project_id=project.pk, items=items[start : start + 1_000], now=timezone.now())
        failed = False
        print(
            "| model | events | bare, same metrics | bare, accuracy only | portal | ratio | ratio to latter | wanted |"
        )
        print("|---|---|---|---|---|---|---|---|")
        with sandbox.workers(1):
            for slug, count, wanted in CASES:
                spec = find_template(slug).spec
                model = register_model(project=project, name=slug, spec=spec, actor=None)
                portal_seconds(model)  # warm: the first run also imports
                rounds = []
                for _ in range(REPEATS):
                    same, few = (bare_seconds(spec, events[:count], few=few) for few in (False, True))
                    portal = portal_seconds(model)
                    assert same[1] == few[1] == portal[2], "the same model must have the same accuracy"
                    rounds.append((same[0], few[0], portal[0]))
                speeds = [count / statistics.median(one[i] for one in rounds) for i in range(3)]
                ratio, strict = (statistics.median(one[i] / one[2] for one in rounds) for i in range(2))
                failed |= ratio < wanted
                print(
                    f"| {slug} | {count:,} | "
                    + " | ".join(f"{speed:,.0f}/s" for speed in speeds)
                    + f" | **{ratio:.2f}** | {strict:.2f} | {wanted} |",
                    flush=True,
                )
        print()
        print(f"Ratios are medians of {REPEATS} rounds, each of which ran all three in turn.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
