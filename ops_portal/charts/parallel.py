"""Parallel coordinates: one upright axis per quantity, one line per thing, from its value to its value.

Drawn with plain lines: Plotly's own kind needs WebGL code made at run time, which the content security policy forbids.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops_portal.charts.figure import COLOURS, SYMBOLS, Chart, Figure, text_of
from ops_portal.charts.layout import layout_of
from ops_portal.charts.lines import dash_of
from ops_portal.charts.table import cell

#: More lines than this are all drawn alike, but for the chosen one.
MOST_COLOURS = 12


@dataclass(frozen=True)
class Axis:
    """One quantity: its value for each thing, None where it has none; texts are put in their order."""

    title: str
    values: Sequence[float | int | str | bool | None]


def parallel_chart(
    *, axes: Sequence[Axis], names: Sequence[str], title: str, summary: str, name_title: str, chosen: int = -1
) -> Chart:
    """Draw a line per name through its value on every axis; the `chosen` one is thicker."""
    places = [_places(axis.values) for axis in axes]
    traces: list[Figure] = []
    for index, name in enumerate(names):
        shown = [at[index] for at in places]
        colour = COLOURS[index % len(COLOURS)] if len(names) <= MOST_COLOURS else "--chart-6/60"
        is_chosen = index == chosen
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": text_of(name),
                "x": list(range(len(axes))),
                "y": shown,
                "customdata": [text_of(_say(axis.values[index])) for axis in axes],
                "line": {
                    "color": "--accent" if is_chosen and len(names) > MOST_COLOURS else colour,
                    "width": 3.5 if is_chosen else 1.75,
                    "dash": "solid" if is_chosen else dash_of(index),
                },
                "marker": {"color": colour, "symbol": SYMBOLS[index % len(SYMBOLS)], "size": 7},
                "connectgaps": False,
                "hovertemplate": "%{customdata}",
            }
        )
    layout = layout_of("", "")
    layout |= {"hovermode": "closest", "showlegend": len(names) <= MOST_COLOURS}
    layout["xaxis"] |= {
        "tickmode": "array",
        "tickvals": list(range(len(axes))),
        "ticktext": [_wrap(axis.title) for axis in axes],
        "range": [-0.35, len(axes) - 0.65],
        "showgrid": True,
        "gridcolor": "--chart-axis",
        "fixedrange": True,
    }
    layout["yaxis"] |= {"range": [-0.12, 1.12], "visible": False, "fixedrange": True}
    layout["margin"] |= {"l": 12, "b": 60}
    layout["annotations"] = [
        mark for place, axis in enumerate(axes) for mark in _scale(place, axis, last=place == len(axes) - 1)
    ]
    columns = (name_title, *(axis.title for axis in axes))
    rows = tuple((name, *(_say(axis.values[index]) for axis in axes)) for index, name in enumerate(names))
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)


def _say(value: float | int | str | bool | None) -> str:
    """A value as people write it."""
    return str(value).lower() if isinstance(value, bool) else cell(value)


def _wrap(title: str) -> str:
    """A class and its parameter, one under the other."""
    owner, dot, name = title.rpartition(".")
    return f"{text_of(owner)}<br>{text_of(name)}" if dot else text_of(title)


def _numbers(values: Sequence[Any]) -> list[float]:
    return [
        float(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    ]


def _words(values: Sequence[Any]) -> list[str]:
    """The values that are no numbers, in the order of the alphabet."""
    return sorted({_say(value) for value in values if isinstance(value, str | bool)})


def _places(values: Sequence[Any]) -> list[float | None]:
    """Where each value stands on its axis, from 0 to 1; small positive numbers far apart by their logarithm."""
    words = _words(values)
    if words:
        known = {word: index / max(1, len(words) - 1) for index, word in enumerate(words)}
        return [known.get(_say(value)) for value in values]
    numbers = _numbers(values)
    if not numbers:
        return [None for _ in values]
    by_size = _by_size(numbers)
    low, high = (math.log(min(numbers)), math.log(max(numbers))) if by_size else (min(numbers), max(numbers))
    return [
        None if not _numbers([value]) else _between(math.log(value) if by_size else float(value), low, high)
        for value in values
    ]


def _between(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _by_size(numbers: Sequence[float]) -> bool:
    return min(numbers) > 0 and max(numbers) / min(numbers) >= 50


def _scale(place: int, axis: Axis, *, last: bool) -> list[Figure]:
    """The ends of an axis, or all of its words where they are few; to the left of the last, which has no room else."""
    words = _words(axis.values)
    numbers = _numbers(axis.values)
    if words:
        shown = words if len(words) <= 6 else [words[0], words[-1]]
        marks = [(words.index(word) / max(1, len(words) - 1), word) for word in shown]
    elif numbers and min(numbers) < max(numbers):
        marks = [(0.0, f"{min(numbers):.4g}"), (1.0, f"{max(numbers):.4g}")]
    elif numbers:
        marks = [(0.5, f"{numbers[0]:.4g}")]
    else:
        marks = []
    return [
        {
            "x": place,
            "y": at,
            "xref": "x",
            "yref": "y",
            "text": text_of(word[:24]),
            "showarrow": False,
            "xanchor": "right" if last else "left",
            "xshift": -8 if last else 8,
            "yshift": -9 if at < 0.25 else 9,
            "font": {"size": 11, "color": "--chart-text"},
        }
        for at, word in marks
    ]
