"""The dashboard and the project pages on the demo data: queries and time in the server."""

from __future__ import annotations

import statistics
import sys
import time

from bench import sandbox

QUERIES = 15
MILLISECONDS = 150
REPEATS = 15
PAGES = (
    "/",
    "/projects/{slug}/",
    "/projects/{slug}/data/",
    "/projects/{slug}/models/",
    "/projects/{slug}/runs/",
    "/projects/{slug}/runs/1/",
    "/projects/{slug}/versions/",
    "/projects/{slug}/versions/1/",
    "/projects/{slug}/deployments/",
    "/projects/{slug}/assessment/",
    "/projects/{slug}/activity/",
)


def main() -> int:
    """Print one line per page."""
    sandbox.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    call_command("seed_demo", stdout=sys.stderr)
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(username="owner"), backend="django.contrib.auth.backends.ModelBackend")
    failed = False
    print("| page | queries | median, ms | slowest of the rest, ms |")
    print("|---|---|---|---|")
    for pattern in PAGES:
        path = pattern.format(slug="phishing-pages")
        client.get(path)  # templates are compiled once per process
        times = []
        for _ in range(REPEATS):
            with CaptureQueriesContext(connection) as queries:
                started = time.perf_counter()
                response = client.get(path)
                times.append(1000 * (time.perf_counter() - started))
            assert response.status_code == 200, (path, response.status_code)
        median = statistics.median(times)
        failed |= len(queries) > QUERIES or median > MILLISECONDS
        print(f"| `{pattern}` | {len(queries)} | {median:.0f} | {max(times):.0f} |", flush=True)
    print()
    print(f"At most {QUERIES} queries and {MILLISECONDS} ms are wanted. Sessions and sign-in are included.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(sandbox.MISSED if main() else 0)
