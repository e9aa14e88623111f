"""Background learning through database, worker and checkpoints, against bare River loops.

    python -m bench.bench_training [small|linear|tree|forest ...]

All learn the same events in the same order with the same seed, in one process; the bare loop has them in memory as
Python objects. It updates River's objects for the same metrics as the portal (Accuracy, F1, ROC AUC and log loss, each
overall and rolling). The portal also scores a baseline, watches for drift, digests every prediction, keeps metric
points, checkpoints and versions. Its time is from the ring of the bell to the committed end of the run, in a warm
worker process. The last column is the ratio to a bare loop that scores accuracy alone.
"""

from __future__ import annotations

import statistics
import sys
from typing import NamedTuple

from bench import learning_runs, sandbox


class Case(NamedTuple):
    """A model on a stream, and what the ratio should reach."""

    part: str
    stream: str
    model: str
    events: int
    rounds: int
    wanted: float


#: A forest learns a thousand events a second: one round of two hundred thousand takes as long as all the others.
CASES = [
    Case("small", "phishing", "logistic-regression", 20_000, 3, 0.5),
    Case("small", "phishing", "hoeffding-tree", 20_000, 3, 0.7),
    Case("linear", "agrawal", "logistic-regression", 200_000, 3, 0.7),
    Case("tree", "agrawal", "hoeffding-tree", 200_000, 3, 0.85),
    Case("forest", "agrawal", "adaptive-random-forest", 200_000, 1, 0.85),
]


def main(parts: list[str]) -> int:
    """Print one line per case."""
    sandbox.setup()
    cases = [case for case in CASES if not parts or case.part in parts]
    events = {}
    for stream in sorted({case.stream for case in cases}):
        most = max(case.events for case in cases if case.stream == stream)
        events[stream] = getattr(learning_runs, stream)(most)
    failed = False
    print("| model | stream | events | bare loop | portal | ratio | wanted | to accuracy only |")
    print("|---|---|---|---|---|---|---|---|")
    with sandbox.broker():
        projects = {stream: learning_runs.store(stream, rows) for stream, rows in events.items()}
        with sandbox.workers(1):
            for case in cases:
                model = learning_runs.register(projects[case.stream], case.model)
                rows = events[case.stream][: case.events]
                learning_runs.finish([learning_runs.start(model, target_position=min(case.events, 5_000))])  # warm
                rounds = []
                for _ in range(case.rounds):
                    bare, accuracy = learning_runs.bare_seconds(model.spec, rows)
                    run = learning_runs.start(model, target_position=case.events)
                    portal = learning_runs.finish([run])
                    assert run.summary["overall.Accuracy"] == accuracy, "the same model must have the same accuracy"
                    rounds.append((bare, portal))
                few, _ = learning_runs.bare_seconds(model.spec, rows, few=True)
                ratio = statistics.median(bare / portal for bare, portal in rounds)
                bare, portal = (case.events / statistics.median(times) for times in zip(*rounds, strict=True))
                failed |= ratio < case.wanted
                print(
                    f"| {case.model} | {case.stream} | {case.events:,} | {bare:,.0f}/s | {portal:,.0f}/s"
                    f" | **{ratio:.2f}** | {case.wanted} | {few * portal / case.events:.2f} |",
                    flush=True,
                )
    print()
    print("Ratios are medians over three rounds (one for the forest), each of which ran both in turn.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(sandbox.MISSED if main(sys.argv[1:]) else 0)
