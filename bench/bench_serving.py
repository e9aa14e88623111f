"""Predictions, single labelled events, batches and a rollback over HTTP, against a portal of its own.

One web process (Granian, WSGI) unless said otherwise; the load comes from a process of its own over loopback, with kept
connections that each wait for their answer. Features and prediction are stored before the answer leaves. Runs on
SQLite, and on PostgreSQL where one can be reached, in a database that is created and dropped.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from bench import load, sandbox

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
CLIENTS = 8
#: Threads of a web process: as many requests can share a commit.
THREADS = os.environ.get("BENCH_THREADS", "8")
POSTGRESQL = os.environ.get("BENCH_POSTGRESQL", "postgres://root@127.0.0.1:5432")
DATABASE = f"ops_portal_bench_{os.getpid()}"
PREDICTIONS_WANTED = {"sqlite": 3_000, "postgresql": 1_300}
EVENTS_WANTED, BATCHES_WANTED, TREE_WANTED = 1_300, 20_000, 0.8
P99_WANTED, ROLLBACK_WANTED = 20.0, 100.0
#: So many events make the tree larger than this many bytes.
EVENTS, TREE_BYTES = 28_000, 400_000
#: Between the last event and the last one learned.
CATCH_UP_SECONDS = 60.0


@dataclass
class Bench:
    """A project with two deployed versions, and what to send to it."""

    project: Any
    owner: Any
    token: str
    features: list[str]
    labelled: list[str]
    linear: list[Any]
    tree: Any

    def job(self, port: int, call: str, bodies: list[str], **options: Any) -> load.Job:
        """Describe a load on one call; every job's ids are its own."""
        path = f"/api/v1/projects/{self.project.slug}/{call}/"
        options = {"clients": CLIENTS, "seconds": SECONDS, "prefix": f"{time.monotonic_ns()}-"} | options
        return load.Job(port, path, self.token, bodies, **options)


def prepare() -> Bench:
    """Make a project, let two linear models and a tree learn, and get a token."""
    from django.contrib.auth.models import User
    from django.utils import timezone
    from river import datasets

    from models_registry.learning.templates import find_template
    from models_registry.models import Version
    from models_registry.services.runs import register_model, start_run
    from models_registry.services.training import advance
    from projects.models import Project, Scope, Team
    from projects.payload import Incoming
    from projects.services.events import accept
    from projects.services.tokens import create_token

    owner = User.objects.create_user("bench")
    team = Team.objects.create(name="Bench", slug="bench")
    project = Project.objects.create(
        team=team, name="Phishing", slug="phishing", task="binary", label_name="is_phishing", primary_metric="Accuracy"
    )
    events = [(dict(x), y) for x, y in islice(cycle(datasets.Phishing()), EVENTS)]
    for start in range(0, len(events), 1_000):
        items = [Incoming(line, None, x, y) for line, (x, y) in enumerate(events[start : start + 1_000], 1)]
        accept(project_id=project.pk, items=items, now=timezone.now())

    def learned(name: str, seed: int) -> Any:
        model = project.models.filter(name=name).first() or register_model(
            project=project, name=name, spec=find_template(name).spec, actor=None
        )
        run = start_run(model=model, mode="replay", actor=None, seed=seed)
        while advance(run.pk).more:
            pass
        return Version.objects.filter(run=run).order_by("position").last()

    linear = [learned("logistic-regression", seed) for seed in (1, 2)]
    tree = learned("hoeffding-tree", 1)
    assert tree.artifact_bytes >= TREE_BYTES, f"the tree has {tree.artifact_bytes:,} bytes"
    _, token = create_token(project=project, actor=owner, name="bench", scopes=Scope.values)
    features = [json.dumps({"id": load.MARK, "features": x}) for x, _ in events[:1_250]]
    labelled = [json.dumps({"id": load.MARK, "features": x, "label": y}) for x, y in events[:1_250]]
    return Bench(project, owner, token, features, labelled, linear, tree)


@contextmanager
def web(processes: int, bench: Bench) -> Iterator[int]:
    """Web processes, warm; yields their port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws"]
    command += ["--workers", str(processes), "--blocking-threads", THREADS, "--log-level", "error"]
    server = subprocess.Popen([*command, "ops_portal.wsgi:application"], cwd=sandbox.ROOT, start_new_session=True)
    try:
        sandbox.wait_until(lambda: _listens(port), 60)
        # Warm: River is imported and the model loaded in every process.
        warm = load.run(bench.job(port, "predict", bench.features, seconds=0.5, warm=8.0, clients=4 * processes))
        assert not warm.errors, warm.first_error
        yield port
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        time.sleep(0.1)
        return False
    return True


def line(database: str, what: str, figure: str, p50: str, p99: str, errors: int, wanted: str, *, met: bool) -> bool:
    """Print one line of the table; return whether it failed."""
    good = met and not errors
    print(
        f"| {database} | {what} | {figure} | {p50} | {p99} | {errors} | {wanted} | {'yes' if good else '**no**'} |",
        flush=True,
    )
    return not good


def measure(database: str, bench: Bench) -> int:
    """Print the lines of one database; return how many targets were missed."""
    from models_registry.services.deployment import deploy

    missed = 0
    wanted = PREDICTIONS_WANTED[database]
    deploy(project=bench.project, version=bench.linear[0], actor=bench.owner)
    with web(1, bench) as port:
        linear = load.finish(load.start(bench.job(port, "predict", bench.features)))
        missed += _line_of(database, "predict, linear model", linear, f"> {wanted:,}/s, p99 < 20 ms", wanted)
        deploy(project=bench.project, version=bench.tree, actor=bench.owner)
        tree = load.finish(load.start(bench.job(port, "predict", bench.features)))
        size = f"predict, {bench.tree.artifact_bytes / 1000:.0f} kB Hoeffding tree"
        missed += _line_of(database, size, tree, f"> {TREE_WANTED} x linear", linear.rate * TREE_WANTED)
        missed += events(database, bench, port)
        batches = ["[" + ",".join(islice(cycle(bench.labelled), at, at + 1_000)) + "]" for at in (0, 250)]
        got = load.finish(load.start(bench.job(port, "events", batches, clients=2)))
        missed += _line_of(
            database,
            "batches of 1,000 labelled events",
            got,
            f"> {BATCHES_WANTED:,} events/s",
            BATCHES_WANTED,
            times=1_000,
        )
    with web(2, bench) as port:
        missed += events(database, bench, port, processes=2)
        missed += rollback(database, bench, port)
    bench.project.refresh_from_db()
    assert bench.project.event_count == bench.project.events.count(), "the count of events is wrong"
    return missed


def _line_of(database: str, what: str, got: load.Load, wanted: str, least: float, times: int = 1) -> bool:
    rate = got.rate * times
    met = rate >= least and (times > 1 or got.p99 < P99_WANTED or "p99" not in wanted)
    figure = f"**{rate:,.0f}/s**"
    return line(database, what, figure, f"{got.p50:.1f} ms", f"{got.p99:.1f} ms", got.errors, wanted, met=met)


def events(database: str, bench: Bench, port: int, processes: int = 1) -> int:
    """Single labelled events while runs follow them, one for each process to learn in: what is accepted is learned."""
    from models_registry.models import Run
    from models_registry.services.runs import start_run

    bench.project.refresh_from_db()
    first = bench.project.last_position
    version = bench.linear[0]
    runs = [
        start_run(model=version.model, mode=Run.Mode.FOLLOW, actor=None, seed=seed, from_version=version)
        for seed in range(processes)
    ]
    with sandbox.workers(processes):
        # The version stands at an earlier position: what is there already is learned first.
        sandbox.wait_until(lambda: _position(runs) >= first, CATCH_UP_SECONDS, every=0.1)
        got = load.finish(load.start(bench.job(port, "events", bench.labelled)))
        done = time.perf_counter()
        sandbox.wait_until(lambda: _position(runs) >= first + got.accepted, CATCH_UP_SECONDS, every=0.01)
        behind = time.perf_counter() - done
        time.sleep(1)  # anything learned twice would show now
    bench.project.refresh_from_db()
    _refresh(runs, "learned")
    learned = [run.learned - (first - run.start_position) for run in runs]
    exact = {got.accepted, bench.project.last_position - first} == set(learned)
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(state=Run.State.CANCELLED)
    if processes > 1:
        what, wanted, least = f"the same, {processes} web processes, {processes} workers, {processes} runs", "", 0
    else:
        what, wanted, least = "single labelled events, a run following", f"> {EVENTS_WANTED:,}/s", EVENTS_WANTED
    missed = _line_of(database, what, got, wanted, least)
    return missed + line(
        database,
        "accepted = learned" + (" by each run" if processes > 1 else ""),
        f"**{got.accepted:,} = {' = '.join(f'{count:,}' for count in learned)}**",
        f"{behind:.1f} s behind",
        "",
        0,
        "equal",
        met=exact,
    )


def _position(runs: list[Any]) -> int:
    """Up to where all of these runs have learned."""
    _refresh(runs, "position")
    return min(int(run.position) for run in runs)


def _refresh(runs: list[Any], field: str) -> None:
    for run in runs:
        run.refresh_from_db(fields=[field])


def rollback(database: str, bench: Bench, port: int) -> int:
    """Roll back while clients predict on two processes: when does the first answer come, and does any call fail."""
    from models_registry.services.deployment import deploy, roll_back

    deploy(project=bench.project, version=bench.linear[1], actor=bench.owner)
    deploy(project=bench.project, version=bench.linear[0], actor=bench.owner)
    current = [bench.linear[0], bench.linear[1]]
    changes: list[tuple[float, float, int]] = []
    process = load.start(bench.job(port, "predict", bench.features, keep=True, seconds=SECONDS + 1))
    time.sleep(2)
    until = time.monotonic() + SECONDS - 1
    while time.monotonic() < until:
        current.reverse()
        asked = time.time()
        roll_back(project=bench.project, actor=bench.owner, since="challenger", reason="bench", to=current[0])
        changes.append((asked, time.time(), current[0].number))
        time.sleep(0.4)
    got = load.finish(process)
    waits, late = [], 0
    answers = [(sent, back, json.loads(body)["version"]) for sent, back, status, body in got.answers if status == 200]
    for number, (asked, committed, version) in enumerate(changes):
        end = changes[number + 1][0] if number + 1 < len(changes) else float("inf")
        waits.append(min(back for _, back, gave in answers if back > asked and gave == version) - asked)
        late += sum(gave != version for sent, back, gave in answers if sent > committed and back < end)
    longest = max(waits) * 1000
    what = f"{len(waits)} rollbacks under load, 2 processes: call to first restored answer"
    return line(
        database,
        what,
        f"**{longest:.0f} ms** at most",
        f"{statistics.median(waits) * 1000:.0f} ms",
        "",
        got.errors + late,
        f"< {ROLLBACK_WANTED:.0f} ms, none failed or late",
        met=longest < ROLLBACK_WANTED,
    )


def one(database: str) -> int:
    """Measure one database in this process."""
    sandbox.setup()
    with sandbox.broker():
        return measure(database, prepare())


def find_postgresql() -> str:
    """Create a database and return its URL, empty when there is no server."""
    import psycopg

    try:
        with psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3) as server:
            server.execute(f'CREATE DATABASE "{DATABASE}"')
    except psycopg.Error:
        return ""
    return f"{POSTGRESQL}/{DATABASE}"


def main() -> int:
    """Measure each database in a process of its own: Django has one for good."""
    if len(sys.argv) > 1:
        return min(one(sys.argv[1]), 100)
    print(
        "| database | what | figure | p50 | p99 | errors | wanted | met |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    plain = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    missed = subprocess.run([sys.executable, "-m", "bench.bench_serving", "sqlite"], env=plain, check=False).returncode
    url = find_postgresql()
    if url:
        import psycopg

        try:
            given = plain | {"DATABASE_URL": url}
            command = [sys.executable, "-m", "bench.bench_serving", "postgresql"]
            missed += subprocess.run(command, env=given, check=False).returncode
        finally:
            with psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True) as server:
                server.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')
    load_now = os.getloadavg()[0]
    print(
        f"\n{CLIENTS} clients, {THREADS} threads a web process, {SECONDS:.0f} s each; load at the end {load_now:.1f}."
    )
    if not url:
        print("PostgreSQL could not be reached, so it was not measured.")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(sandbox.MISSED if main() else 0)
