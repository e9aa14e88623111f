"""Several models in one pass against a run each: the same models, events and seeds, through database and checkpoints.

Both ways learn in this process, one after the other, with everything that a worker does: reading, decoding, learning,
scoring, checkpoints, metric points and outcomes. A ratio is the time of the separate runs over that of the one pass;
times are of the processor, so that other work on the machine disturbs them little.
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import islice
from typing import Any

from bench import sandbox

EVENTS = 20_000
REPEATS = 3
#: Template, how many variants of it, what the ratio should reach: the dearer the model, the less there is to share.
CASES = [("logistic-regression", 4, 1.05), ("logistic-regression", 8, 1.05), ("hoeffding-tree", 4, 1.0)]


def learn(runs: list[Any]) -> float:
    """Learn runs to their end; return the processor seconds."""
    from models_registry.services.training import advance

    started = time.process_time()
    for run in runs:
        while advance(run.pk).more:
            pass
    return time.process_time() - started


def main() -> int:
    """Print one line per case."""
    sandbox.setup()
    from django.utils import timezone
    from river.datasets import synth

    from models_registry.learning.templates import find_template
    from models_registry.services.comparisons import start_comparison
    from models_registry.services.runs import register_model, start_run
    from projects.models import Project, Team
    from projects.payload import Incoming
    from projects.services.events import accept

    team = Team.objects.create(name="Bench", slug="bench")
    project = Project.objects.create(
        team=team, name="Loans", slug="loans", task="binary", label_name="label", primary_metric="Accuracy"
    )
    stream = islice(synth.Agrawal(classification_function=0, seed=1), EVENTS)
    items = [Incoming(line, None, dict(x), bool(y)) for line, (x, y) in enumerate(stream, 1)]
    for start in range(0, EVENTS, 1_000):
        accept(project_id=project.pk, items=items[start : start + 1_000], now=timezone.now())
    failed = False
    print(f"{EVENTS:,} events, medians of {REPEATS} rounds that take turns.\n")
    print("| models | a run each, s | one pass, s | ratio | wanted |")
    print("|---|---|---|---|---|")
    for slug, count, wanted in CASES:
        spec = find_template(slug).spec
        models = [
            register_model(project=project, name=f"{slug} {count} {n}", spec=spec, actor=None) for n in range(count)
        ]
        rounds = []
        for _ in range(REPEATS):
            single = [start_run(model=model, mode="replay", actor=None, seed=1, publish_every=0) for model in models]
            apart = learn(single)
            made = start_comparison(project=project, name="", models=models, actor=None, seed=1, publish_every=0)
            rounds.append((apart, learn(list(made.runs.order_by("pk")))))
        ratio = statistics.median(apart / together for apart, together in rounds)
        failed |= ratio < wanted
        apart, together = (statistics.median(one[i] for one in rounds) for i in range(2))
        print(f"| {count} x {slug} | {apart:.2f} | {together:.2f} | **{ratio:.2f}** | {wanted} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(sandbox.MISSED if main() else 0)
