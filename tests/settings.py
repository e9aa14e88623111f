"""Settings of the test suite: the portal's own, with data in a directory that goes away.

Worker processes of a test are started with these settings too, and told the database and queue of the test.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("OPS_PORTAL_DATA", tempfile.mkdtemp(prefix="ops-portal-tests-"))

from ops_portal.settings import *  # noqa: F403
from ops_portal.settings import DATABASES

# Each client of a test makes the middleware anew: files are looked for when asked for, not all of them each time.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TEST_DATABASE = os.environ.get("OPS_PORTAL_TEST_DATABASE")
if TEST_DATABASE:
    DATABASES["default"]["NAME"] = TEST_DATABASE
elif DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: worker processes and live servers must see the same database.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["OPS_PORTAL_DATA"]) / "test.sqlite3")}

if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # Processes are killed here, the server never: it need not wait for its disk at each commit.
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"

TEST_QUEUE = os.environ.get("OPS_PORTAL_TEST_QUEUE")
if TEST_QUEUE:
    CELERY_TASK_DEFAULT_QUEUE = TEST_QUEUE
else:
    # Messages of tests that need no worker go nowhere.
    CELERY_BROKER_URL = "memory://"
