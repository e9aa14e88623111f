"""The words charts are made of: series, bands, markers, and the chart itself with its sentence and its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any

Value = float | int | str | date | datetime | None
Figure = dict[str, Any]

CLEAR = "rgba(0,0,0,0)"
COLOURS = ("--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
#: Kinds of events along the x axis: their word, symbol and colour.
MARKERS = {
    "drift": ("Drift", "triangle-up", "--warn"),
    "alarm": ("Alarm", "x", "--bad"),
    "version": ("Version", "diamond", "--calm"),
    "deployment": ("Deployment", "square", "--live"),
    "canary": ("Canary", "star", "--accent"),
    "rollback": ("Rollback", "triangle-left", "--bad"),
}


@dataclass(frozen=True)
class Series:
    """One line, or one colour of bars or dots.

    `low` and `high` (same length as `y`) draw an envelope around a line and a whisker on a dot.
    """

    name: str
    x: Sequence[Value]
    y: Sequence[Value]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None


@dataclass(frozen=True)
class Band:
    """A stretch of the x axis with something to say about it."""

    label: str
    start: Value
    end: Value
    #: Whether it is shaded; of stretches that touch each other, every other one is.
    shaded: bool = True


@dataclass(frozen=True)
class Marker:
    """An event at one place of the x axis; `kind` is a key of `MARKERS`."""

    x: Value
    kind: str
    label: str


@dataclass(frozen=True)
class Chart:
    """A figure and what must stand beside it: `summary` is one sentence, `columns` and `rows` are its numbers.

    `words` are the places of columns that hold words, besides the first.
    """

    figure: Figure
    title: str
    summary: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to draw."""
        return not self.rows


def clean(value: Value) -> Value:
    """What JSON can carry: no NaN, times as text, text without markup."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def text_of(value: object) -> str:
    """Plotly reads tags in text; names that people chose have none."""
    return escape(str(value), quote=False)


def look_of(kind: str) -> tuple[str, str, str]:
    """Word, symbol and colour of a kind of event."""
    return MARKERS.get(kind, (kind.replace("_", " ").capitalize(), "circle", "--calm"))
