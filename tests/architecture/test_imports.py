"""What is loaded when: the pages must not pay for what only learning needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.portal import ROOT

LOAD_EVERYTHING_A_PAGE_NEEDS = """
import django, sys
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
import models_registry.tasks, projects.tasks
slow = {name.partition(".")[0] for name in sys.modules} & {"river", "scipy", "plotly", "sklearn", "pandas"}
print(",".join(sorted(slow - ALLOWED)))
"""


@pytest.mark.parametrize("allowed", [{"scipy"}], ids=["all but scipy, which scoring chooses sets with"])
def test_pages_and_tasks_load_without_river(allowed: set[str]) -> None:
    script = LOAD_EVERYTHING_A_PAGE_NEEDS.replace("ALLOWED", repr(allowed))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
