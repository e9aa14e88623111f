"""The numbers of a chart as a table: what must stand beside every drawing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ops_portal.charts.figure import Marker, Series, Value, look_of
from ops_portal.templatetags.reading import DASH, plain_metric

#: More rows than this make a table nobody reads; the figure keeps every point.
TABLE_ROWS = 200


def cell(value: Value, form: str = "") -> str:
    """A value as it stands in a table; `form` is a format of Python for numbers, such as ".0%"."""
    if form and isinstance(value, int | float):
        return format(value, form)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return plain_metric(value) or DASH
    return DASH if value is None else str(value)


def table_of(
    series: Sequence[Series], x_title: str, markers: Sequence[Marker] = (), form: str = ""
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """One row per x, one column per series (and per edge of its range), one for events where there are some."""
    columns: dict[str, dict[Value, str]] = {}
    for one in series:
        for name, values in ((one.name, one.y), (f"{one.name}, low", one.low), (f"{one.name}, high", one.high)):
            if values is not None:
                columns[name] = {x: cell(y, form) for x, y in zip(one.x, values, strict=True)}
    kept: list[Any] = list(dict.fromkeys(x for one in series for x in one.x))
    if len(kept) > TABLE_ROWS:
        step = (len(kept) - 1) / (TABLE_ROWS - 1)
        kept = [kept[round(index * step)] for index in range(TABLE_ROWS)]
    if markers:
        columns["Event"] = {marker.x: f"{look_of(marker.kind)[0]}: {marker.label}" for marker in markers}
        kept = list(dict.fromkeys([*kept, *columns["Event"]]))
    if not any(x is None or isinstance(x, str) for x in kept):
        kept.sort()
    rows = tuple((cell(x), *(cells.get(x, DASH) for cells in columns.values())) for x in kept)
    return (x_title or "Item", *columns), rows
