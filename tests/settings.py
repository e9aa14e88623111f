"""Settings of the test suite: the portal's own, with data in a directory that goes away."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("OPS_PORTAL_DATA", tempfile.mkdtemp(prefix="ops-portal-tests-"))

from ops_portal.settings import *  # noqa: F403
from ops_portal.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: worker processes and live servers must see the same database.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["OPS_PORTAL_DATA"]) / "test.sqlite3")}
