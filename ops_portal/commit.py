"""Which commit the code that runs here was checked out from."""

from __future__ import annotations

import subprocess
from functools import cache

from django.conf import settings


@cache
def code_commit() -> str:
    """Return the commit of this checkout in twelve digits, `+changes` after it where files differ from it.

    Asked once per process. Empty where there is nothing to tell: no checkout, or no git.
    """
    root = settings.BASE_DIR
    if not (root / ".git").exists():  # without this, git would find the checkout of something around it
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=+changes"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()
