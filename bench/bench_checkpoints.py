"""What checkpoints cost: the share of a run's time that is not reading and learning, and the size of what is kept.

    python -m bench.bench_checkpoints

Everything counts as cost that is not reading events, predicting, scoring and learning: taking the run, writing and
signing the file, metric points, the transaction, the way of the message through the broker, the version at the end.
The last column adds a version, with its digest, by the usual rule. The last model is a forest made large on purpose: it
goes on from a version of 50 MB.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from bench import learning_runs, sandbox

if TYPE_CHECKING:
    from models_registry.models import Run

WANTED = 5.0
#: Many trees that split early and learn little at each leaf: large soon, and then kept from growing.
LARGE = {
    "steps": [
        {
            "use": "forest.ARFClassifier",
            "params": {
                "n_models": 30,
                "max_size": 3.0,
                "memory_estimate_period": 2_000,
                "leaf_prediction": "mc",
                "grace_period": 25,
                "delta": 0.2,
                "max_features": 2,
            },
        }
    ]
}
CASES = [("logistic-regression", 200_000), ("hoeffding-tree", 100_000), ("adaptive-random-forest", 20_000)]
LARGE_AT, LARGE_EVENTS = 3_000, 12_000


def main() -> int:
    """Print one line per model."""
    sandbox.setup()
    from models_registry.services.runs import PUBLISH_EVERY

    project = learning_runs.store("agrawal", learning_runs.agrawal(200_000, function=2, noise=0.2))
    failed = False
    print("| model | events | checkpoint at the end | time | of it not learning | wanted | with versions by rule |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with sandbox.broker(), sandbox.workers(1):
        for slug, count in CASES:
            model = learning_runs.register(project, slug)
            learning_runs.finish([learning_runs.start(model, target_position=1_000)])  # warm
            plain, ruled = (
                measure(learning_runs.start(model, target_position=count, publish_every=every))
                for every in (0, PUBLISH_EVERY)
            )
            failed |= report(slug, count, plain, f"{ruled.share:.1f}%")
        model = learning_runs.register(project, "large forest", LARGE)
        grown = learning_runs.start(model, target_position=LARGE_AT)
        learning_runs.finish([grown])
        goal = LARGE_AT + LARGE_EVENTS
        run = learning_runs.start(model, from_version=grown.versions.get(), target_position=goal, publish_every=0)
        failed |= report("large forest", LARGE_EVENTS, measure(run), "")
    return int(failed)


class Measured(NamedTuple):
    """A run that has ended: its seconds, the share of them that was not learning, its last checkpoint's bytes."""

    seconds: float
    share: float
    size: int


def measure(run: Run) -> Measured:
    """Wait for a run to end and measure it."""
    seconds = learning_runs.finish([run])
    return Measured(seconds, 100 * (1 - run.learning_seconds / seconds), run.checkpoint_bytes)


def report(name: str, events: int, found: Measured, ruled: str) -> bool:
    """Print a line; return whether checkpoints cost too much."""
    size = f"{found.size / 2**20:.1f} MiB" if found.size > 2**20 else f"{found.size:,} bytes"
    print(
        f"| {name} | {events:,} | {size} | {found.seconds:.1f} s | **{found.share:.1f}%** | under {WANTED:.0f}%"
        f" | {ruled} |",
        flush=True,
    )
    return found.share >= WANTED


if __name__ == "__main__":
    sys.exit(sandbox.MISSED if main() else 0)
