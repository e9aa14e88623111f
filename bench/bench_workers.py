"""Two worker processes against one, and the memory of a worker over a million events.

    python -m bench.bench_workers [two|memory ...]

Throughput is that of two runs at once on a worker of two processes, over that of one run alone on the same worker; on
SQLite, and on PostgreSQL where a server can be reached. Times are the best of some rounds in turn, by the runs' own
clocks: two cores are fully at work, and whatever else the machine does then only ever adds. Memory is the resident
memory of the process that learns.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from bench import learning_runs, sandbox
from tests.run import find_servers

if TYPE_CHECKING:
    from models_registry.models import Run

MODELS = [("logistic-regression", 100_000), ("hoeffding-tree", 50_000)]
ROUNDS = 5
WANTED = 1.8
MARKS = (100_000, 250_000, 500_000, 1_000_000)
#: Memory at a million events over memory at a hundred thousand: what is not growth but noise.
GROWTH = 1.05


def two_workers() -> bool:
    """Print one line per model, on the database of this process; return whether one was too slow."""
    from django.db import connection

    sandbox.setup()
    failed = False
    project = learning_runs.store("agrawal", learning_runs.agrawal(max(count for _, count in MODELS)))
    with sandbox.broker(), sandbox.workers(2):
        for slug, count in MODELS:
            model = learning_runs.register(project, slug)
            for _ in "12":  # warm both processes
                learning_runs.finish([learning_runs.start(model, target_position=5_000) for _ in "12"])
            ones, twos = [], []
            for _ in range(ROUNDS):
                ones.append(take_time([learning_runs.start(model, target_position=count)]))
                both = [learning_runs.start(model, target_position=count) for _ in "12"]
                twos.append(take_time(both))
                assert both[0].digest == both[1].digest, "the same model must make the same predictions"
            one, two = min(ones), min(twos)
            failed |= 2 * one / two < WANTED
            print(
                f"| {connection.vendor} | {slug} | {count:,} | {count / one:,.0f}/s | {2 * count / two:,.0f}/s"
                f" | **{2 * one / two:.2f}** | {WANTED} |",
                flush=True,
            )
    return failed


def take_time(runs: list[Run]) -> float:
    """Wait until runs just started have ended, without asking often; return the seconds from first to last."""
    learning_runs.finish(runs, every=0.1)
    ends = [run.finished_at for run in runs if run.finished_at]
    return (max(ends) - min(run.created_at for run in runs)).total_seconds()


def memory() -> bool:
    """Print the memory of a worker while it learns a million events; return whether it grew."""
    sandbox.setup()
    from models_registry.models import Run

    events = learning_runs.agrawal(MARKS[0])
    project = learning_runs.store("agrawal", events)
    while project.last_position < MARKS[-1]:
        learning_runs.add(project, events)
    print()
    print("| events learned | memory of the worker |")
    print("|---|---|")
    found: list[float] = []
    with sandbox.broker(), sandbox.workers(1) as parent:
        run = learning_runs.start(learning_runs.register(project, "logistic-regression"))
        for mark in MARKS:
            sandbox.wait_until(lambda mark=mark: Run.objects.filter(pk=run.pk, position__gte=mark).exists(), 600, 0.05)
            found.append(sandbox.memory_of_children(parent) / 2**20)
            print(f"| {mark:,} | {found[-1]:.0f} MiB |", flush=True)
        learning_runs.finish([run])
    growth = found[-1] / found[0]
    print()
    print(f"StandardScaler, logistic regression: **{growth:.2f}** times the memory after ten times the events.")
    print(
        f"At the end {run.points.count():,} metric points and {run.versions.count()} versions, in one run of a million."
    )
    return growth > GROWTH


def main(parts: list[str]) -> int:
    """Run each part in a process of its own: a process has one database."""
    if parts == ["here"]:
        return int(two_workers())
    failed = 0
    if not parts or "two" in parts:
        print("| database | model | events | one run | two at once | gain | wanted |")
        print("|---|---|---|---|---|---|---|", flush=True)
        command = [sys.executable, "-m", "bench.bench_workers", "here"]
        embedded = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        failed += subprocess.run(command, cwd=sandbox.ROOT, env=embedded, check=False).returncode
        servers = find_servers()
        if isinstance(servers, str):
            print(f"\nPostgreSQL: not measured, {servers}.")
        else:
            environment = {**embedded, "DATABASE_URL": servers["DATABASE_URL"]}
            failed += subprocess.run(command, cwd=sandbox.ROOT, env=environment, check=False).returncode
    if not parts or "memory" in parts:
        failed += memory()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(sandbox.MISSED if main(sys.argv[1:]) else 0)
