"""Compared runs as rows for a file: what their table shows, with every digit, and what was said of chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from models_registry.selectors.side_by_side import Line, SideBySide


def list_rows(shown: SideBySide) -> Iterator[dict[str, Any]]:
    """Give one row per run, in the order of the table; all have the same names in the same order."""
    for line in shown.lines:
        yield {
            "Run": line.row.number,
            "Name": line.name,
            "Champion": line.champion,
            "Version": line.version,
            "State": line.row.state,
            "Error": line.error,
            **_figures(line, shown),
            **{name: cell.value for name, cell in zip(shown.parameters, line.parameters, strict=True)},
            **{name: cell.value for name, cell in zip(shown.facts, line.facts, strict=True)},
            "Duration": line.row.duration and round(line.row.duration.total_seconds(), 3),
            "Events/s": line.row.rate or None,
            "Real or chance": line.verdict.words if line.verdict else "",
        }


def _figures(line: Line, shown: SideBySide) -> dict[str, Any]:
    overall = {one.title: figure.value for one, figure in zip(shown.measures, line.figures, strict=True)}
    first = shown.measure.title
    against = f"{line.lead} {line.standing}" if line.standing in ("better", "worse") else line.standing
    return {first: overall[first], f"{first}, lately": line.rolling.value, "Against the champion": against} | overall
