"""Every example in the docstrings of the catalogue and the scoring is true, and neither needs Django."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import assessments.principles
import assessments.scoring

MODULES = sorted(
    module.name
    for package in (assessments.principles, assessments.scoring)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0


def test_scoring_imports_no_django_and_no_celery():
    imports = "; ".join(f"import {name}" for name in MODULES)
    code = f"import sys; {imports}; sys.exit(any(m in sys.modules for m in ('django', 'celery', 'river')))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
