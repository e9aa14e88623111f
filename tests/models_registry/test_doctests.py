"""Every example in the docstrings of the registry is true: of the learning, and of whatever else has one."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import models_registry

ROOT = Path(models_registry.__path__[0])
MODULES = [
    ".".join(("models_registry", *path.relative_to(ROOT).with_suffix("").parts))
    for path in sorted(ROOT.rglob("*.py"))
    if "\n    >>> " in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert found.failed == 0


def test_the_learning_has_examples() -> None:
    assert sum(name.startswith("models_registry.learning.") for name in MODULES) > 20
