"""The documentation names what is there."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_every_decision_is_listed_and_every_listed_one_is_there():
    text = (DOCS / "architecture.md").read_text()
    decided = {f"decisions/{path.name}" for path in (DOCS / "decisions").glob("*.md")}
    listed = {part.partition(")")[0] for part in text.split("](")[1:] if part.startswith("decisions/")}
    assert listed == decided
