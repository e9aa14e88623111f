"""`make test`: every suite, first on the embedded default, then on PostgreSQL and Redis where they can be reached.

Options are handed on to pytest: `make test ARGS="-k rollback"`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

#: Migrations are run by the other suites; tables made at once save each of these processes seconds.
QUICK = ("-n", "2", "--dist", "worksteal", "--no-migrations", "-m", "not worker and not browser")
WORKERS = Path("tests/worker")
#: Where tests in a browser are: in front of the whole portal, and in front of pages of the test's own process.
PORTAL, PANEL = Path("tests/browser"), Path("tests/assessments")
FAILED, NO_TEST_CHOSEN = 1, 5
#: Starts the embedded default, whatever servers there are.
EMBEDDED_ONLY = "tests/worker/test_up.py"
#: Without a window it needs a tenth less of a core; the engine is the same.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: How the browser is started for tests.
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, eq=False)
class Suite:
    """One call of pytest, with the servers it runs against."""

    name: str
    options: tuple[str, ...]
    environment: dict[str, str]
    places: tuple[Path, ...] = ()  # where its tests are, so that it need not look at all the others

    def run(self, arguments: list[str], *more: str) -> int:
        """Run it and print what it printed in one piece, since another suite runs beside it."""
        started = time.monotonic()
        cache = f"cache_dir=.pytest_cache/{self.name.replace(' ', '-')}"
        named = [argument for argument in arguments if file_of(argument).exists()]
        others = [argument for argument in arguments if argument not in named]
        places = self.places_within(named)
        if named and not places:
            return 0
        command = [sys.executable, "-m", "pytest", "-q", "-o", cache, *self.options, *places, *others, *more]
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        print(f"== {self.name}: {time.monotonic() - started:.0f} s\n{done.stdout}", flush=True)
        return 0 if done.returncode == NO_TEST_CHOSEN and arguments else done.returncode

    def places_within(self, named: list[str]) -> list[str]:
        """Return where its tests are, as far as that is what was named, a part of it, or around it."""
        if not named or not self.places:
            return named or [str(place) for place in self.places]
        inside = [one for one in named if any(file_of(one).is_relative_to(place) for place in self.places)]
        around = [str(place) for place in self.places if any(place.is_relative_to(file_of(one)) for one in named)]
        return inside or around


def file_of(argument: str) -> Path:
    """Return the file or directory of a test's name such as `tests/api/test_rate.py::test_it`."""
    return Path(argument.partition("::")[0])


def main(arguments: list[str]) -> int:
    """Run the suites and return the exit code."""
    started = time.monotonic()
    browser = find_browser()
    embedded = {**os.environ}
    embedded.pop("DATABASE_URL", None)
    embedded.pop("REDIS_URL", None)
    embedded.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes need not compile the same sources each time
    embedded["OPENBLAS_NUM_THREADS"] = "1"  # its threads wait for each other by spinning, on cores that others need
    if browser:
        embedded["OPS_PORTAL_CHROMIUM"] = browser
    print("== SQLite and the bundled broker: unit and API, worker, browser", flush=True)
    quick = [Suite("SQLite", QUICK, embedded)]
    waiting = [
        Suite("portal in the browser", ("-m", "browser"), embedded, (PORTAL,)),
        Suite("SQLite workers", ("-m", "worker"), embedded, (WORKERS,)),
        Suite("panel in the browser", ("-m", "browser"), embedded, (PANEL,)),
    ]
    servers = find_servers()
    if isinstance(servers, str):
        print(f"== PostgreSQL and Redis: NOT RUN, {servers}", flush=True)
    else:
        print(f"== PostgreSQL and Redis: {servers['DATABASE_URL']} and {servers['REDIS_URL']}", flush=True)
        real = {**embedded, **servers}
        # Tests that may not reach a database have run by then: once is enough for them.
        quick.append(Suite("PostgreSQL", (*QUICK, "--database-only"), real))
        options = ("-m", "worker", f"--ignore={EMBEDDED_ONLY}")
        waiting.insert(2, Suite("PostgreSQL workers", options, real, (WORKERS,)))
    # What computes all the time has both cores to itself; browsers and workers wait a good deal, and two lanes
    # fill two cores: the portal's pages take as long as the rest.
    codes = {suite: suite.run(arguments) for suite in quick}
    with ThreadPoolExecutor(2) as pool:
        codes |= zip(waiting, pool.map(lambda suite: suite.run(arguments), waiting), strict=True)
    for suite in codes:
        if codes[suite] == FAILED:
            codes[suite] = run_again(suite, arguments)
    failed = any(codes.values())
    print(f"== {'FAILED' if failed else 'passed'} in {time.monotonic() - started:.0f} s", flush=True)
    return int(failed)


def run_again(suite: Suite, arguments: list[str]) -> int:
    """Run what failed once more, alone: a race lost on a busy machine is told, but fails nothing."""
    print(f"== {suite.name}: what failed, again, one at a time", flush=True)
    code = suite.run(arguments, "-n", "0", "--last-failed", "--last-failed-no-failures", "none")
    if code == 0:
        print("== FLAKY: what failed above passed when run again; look into it", flush=True)
    return code


def find_browser() -> str | None:
    """Return the system's Chromium, installing it where it is missing; None leaves Playwright's own in use."""
    found = which_browser()
    if found:
        return found
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        print("== installing Chromium for the browser tests", flush=True)
        subprocess.run([apt, "update", "-qq"], check=False)
        for package in BROWSERS[:2]:
            install = [apt, "install", "-y", "-qq", "--no-install-recommends", package, "fonts-dejavu-core"]
            subprocess.run(install, check=False)
            if found := which_browser():
                return found
    print("== no Chromium on this machine: fetching Playwright's own", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return None


def which_browser() -> str | None:
    """Return the Chromium of this machine, if it has one."""
    given = os.environ.get("OPS_PORTAL_CHROMIUM")
    return given or next((path for name in BROWSERS if (path := shutil.which(name))), None)


def find_servers() -> dict[str, str] | str:
    """Return the addresses of PostgreSQL and Redis: those given, else local ones; or why there are none."""
    database = os.environ.get("DATABASE_URL", "")
    candidates = [database] if database.startswith("postgres") else ["postgres://127.0.0.1:5432/postgres"]
    broker = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/9"
    for url in candidates:
        try:
            with psycopg.connect(url, connect_timeout=3, autocommit=True) as connection:
                user, name = connection.info.user, connection.info.dbname
        except psycopg.Error as error:
            return f"no PostgreSQL at {url}: {str(error).strip().splitlines()[0]}"
        if not database:
            url = f"postgres://{user}@127.0.0.1:5432/{name}"
        try:
            redis.Redis.from_url(broker).ping()
        except redis.RedisError as error:
            return f"no Redis at {broker}: {error}"
        return {"DATABASE_URL": url, "REDIS_URL": broker}
    return "no address to try"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
