"""`make test`: every suite, first on the embedded default, then on PostgreSQL and Redis where they can be reached.

Options are handed on to pytest: `make test ARGS="-k rollback"`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import psycopg
import redis

PYTEST = [sys.executable, "-m", "pytest"]
FAILED, NO_TEST_CHOSEN = 1, 5
#: Tests that never touch a database; once is enough for them.
PURE = (
    "tests/models_registry/test_learning_*.py",
    "tests/assessments/test_scoring_*.py",
    "tests/assessments/test_catalogue.py",
    "tests/ops_portal/test_[acu]*.py",
    "tests/architecture/*.py",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: list[str]) -> int:
    """Run the suites and return the exit code."""
    started = time.monotonic()
    browser = find_browser()
    embedded = {**os.environ}
    embedded.pop("DATABASE_URL", None)
    embedded.pop("REDIS_URL", None)
    if browser:
        embedded["OPS_PORTAL_CHROMIUM"] = browser
    print("== SQLite and the bundled broker", flush=True)
    codes = [
        suite(["-n", "2", "-m", "not worker and not browser", *arguments], embedded),
        suite(["-m", "worker", *arguments], embedded),
        suite(["-m", "browser", *arguments], embedded),
    ]
    servers = find_servers()
    if isinstance(servers, str):
        print(f"== PostgreSQL and Redis: NOT RUN, {servers}", flush=True)
    else:
        print(f"== PostgreSQL and Redis: {servers['DATABASE_URL']} and {servers['REDIS_URL']}", flush=True)
        real = {**embedded, **servers}
        without_pure = [f"--ignore-glob={pattern}" for pattern in PURE]
        codes += [
            suite(["-n", "2", "-m", "not worker and not browser", *without_pure, *arguments], real),
            suite(["-m", "worker", *arguments], real),
        ]
    print(f"== {'passed' if not any(codes) else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True)
    return max(codes)


def suite(arguments: list[str], environment: dict[str, str]) -> int:
    """Run pytest once, and what failed once more, alone: a race lost on a busy machine is told, but fails nothing.

    A choice that leaves this suite empty is no failure.
    """
    code = subprocess.run([*PYTEST, "-q", *arguments], env=environment, check=False).returncode
    if code == FAILED:
        print("== again, one at a time: what failed", flush=True)
        again = ["-q", *arguments, "-p", "no:xdist", "--last-failed", "--last-failed-no-failures", "none"]
        again = [
            argument for place, argument in enumerate(again) if argument not in ("-n",) and again[place - 1] != "-n"
        ]
        code = subprocess.run([*PYTEST, *again], env=environment, check=False).returncode
        if code == 0:
            print("== FLAKY: what failed above passed when run again; look into it", flush=True)
    return 0 if code == NO_TEST_CHOSEN and len(sys.argv) > 1 else code


def find_browser() -> str | None:
    """Return the system's Chromium, installing it where it is missing; None leaves Playwright's own in use."""
    found = which_browser()
    if found:
        return found
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        print("== installing Chromium for the browser tests", flush=True)
        subprocess.run([apt, "update", "-qq"], check=False)
        subprocess.run(
            [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"], check=False
        )
        found = which_browser()
        if found:
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
