"""Charts as plain Plotly figures with one theme, each with its title, a sentence, and its numbers for a table.

Colours are names of the style sheet's custom properties (`--chart-1`, with `/16` for 16 % of it); `js/charts.js` puts
in the value of the theme in use, so a figure need not know whether the page is light or dark. Series also differ in
dash and symbol, because colour alone is not a sign. Nothing here imports plotly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any

from ops_portal.templatetags.reading import DASH, plain_metric

Value = float | int | str | date | datetime | None
Figure = dict[str, Any]

CLEAR = "rgba(0,0,0,0)"
COLOURS = ("--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
#: Kinds of events along the x axis: their word, symbol and colour.
MARKERS = {
    "drift": ("Drift", "triangle-up", "--warn"),
    "alarm": ("Alarm", "x", "--bad"),
    "version": ("Version", "diamond", "--calm"),
    "deployment": ("Deployment", "square", "--live"),
    "rollback": ("Rollback", "triangle-left", "--bad"),
}
#: More rows than this make a table nobody reads; the figure keeps every point.
TABLE_ROWS = 200
#: Few enough points for each to get a symbol.
SYMBOL_POINTS = 40


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


@dataclass(frozen=True)
class Marker:
    """An event at one place of the x axis; `kind` is a key of `MARKERS`."""

    x: Value
    kind: str
    label: str


@dataclass(frozen=True)
class Chart:
    """A figure and what must stand beside it: `summary` is one sentence, `columns` and `rows` are its numbers."""

    figure: Figure
    title: str
    summary: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to draw."""
        return not self.rows


def line_chart(
    *,
    series: Sequence[Series],
    title: str,
    summary: str,
    x_title: str,
    y_title: str,
    bands: Sequence[Band] = (),
    markers: Sequence[Marker] = (),
    y_range: tuple[float, float] | None = None,
    y_format: str = "",
) -> Chart:
    """Lines over a position or a time, with bands and vertical event lines.

    `y_format` is a d3 format for the axis, such as ".0%".
    """
    traces: list[Figure] = []
    for index, one in enumerate(series):
        if one.low is not None and one.high is not None:
            traces += _envelope(one, index)
        traces.append(_line(one, index))
    layout = _layout(x_title, y_title, y_range=y_range, y_format=y_format)
    layout["hovermode"] = "x unified"
    if all(isinstance(x, int | float) for one in series for x in one.x):
        layout["xaxis"]["unifiedhovertitle"] = {"text": f"{_text(x_title)} %{{x:,}}"}
    layout["shapes"] = [_band_shape(band) for band in bands] + [_marker_shape(marker) for marker in markers]
    layout["annotations"] = [_band_label(band) for band in bands]
    if markers:
        # Symbols hang on an axis of their own, so that they stay at the upper edge whatever the zoom.
        traces += _marker_traces(markers)
        layout["yaxis2"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    columns, rows = _table(series, x_title, markers)
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)


def bar_chart(
    *,
    series: Sequence[Series],
    title: str,
    summary: str,
    x_title: str,
    y_title: str,
    horizontal: bool = False,
    stacked: bool = False,
    x_format: str = "",
    y_format: str = "",
) -> Chart:
    """Bars by category: `x` of a series holds the categories, `y` their values, also when they lie `horizontal`."""
    traces: list[Figure] = []
    for index, one in enumerate(series):
        names, values = [_text(name) for name in one.x], [_clean(value) for value in one.y]
        traces.append(
            {
                "type": "bar",
                "name": _text(one.name),
                "orientation": "h" if horizontal else "v",
                "x": values if horizontal else names,
                "y": names if horizontal else values,
                "marker": {
                    "color": COLOURS[index % len(COLOURS)],
                    "pattern": {"shape": ("", "/", ".", "x", "-", "+")[index % 6], "solidity": 0.25},
                },
                "hovertemplate": "%{label}: %{value:.4~g}<extra>%{fullData.name}</extra>",
            }
        )
    layout = _layout(x_title, y_title, x_format=x_format, y_format=y_format)
    layout |= {"barmode": "stack" if stacked else "group", "bargap": 0.32, "hovermode": "closest"}
    if horizontal:
        # The first category on top, as a list is read
        layout["yaxis"] |= {"autorange": "reversed", "showgrid": False}
        layout["xaxis"] |= {"showgrid": True, "rangemode": "tozero"}
    else:
        layout["yaxis"]["rangemode"] = "tozero"
    layout["showlegend"] = len(series) > 1
    columns, rows = _table(series, y_title if horizontal else x_title)
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)


def dot_chart(
    *,
    series: Sequence[Series],
    title: str,
    summary: str,
    x_title: str,
    y_title: str = "",
    x_range: tuple[float, float] | None = None,
) -> Chart:
    """Dots in rows, with a whisker from `low` to `high`: ratings, estimates with their uncertainty."""
    traces: list[Figure] = []
    for index, one in enumerate(series):
        values = [_clean(value) for value in one.y]
        trace = {
            "type": "scatter",
            "mode": "markers",
            "name": _text(one.name),
            "x": values,
            "y": [_text(name) for name in one.x],
            "marker": {"color": COLOURS[index % 6], "symbol": SYMBOLS[index % 6], "size": 10},
            "hovertemplate": "%{y}: %{x:.4~g}<extra>%{fullData.name}</extra>",
        }
        if one.low is not None and one.high is not None:
            trace["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": _gaps(values, one.high),
                "arrayminus": _gaps(one.low, values),
                "color": COLOURS[index % 6],
                "thickness": 1.5,
                "width": 4,
            }
        traces.append(trace)
    layout = _layout(x_title, y_title)
    layout |= {"hovermode": "closest", "showlegend": len(series) > 1}
    layout["yaxis"] |= {"autorange": "reversed", "type": "category"}
    layout["xaxis"] |= {"showgrid": True} | ({"range": list(x_range)} if x_range else {})
    columns, rows = _table(series, y_title)
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)


def matrix_chart(
    *,
    labels: Sequence[str],
    counts: Sequence[Sequence[int]],
    title: str,
    summary: str,
    x_title: str = "Predicted",
    y_title: str = "True",
) -> Chart:
    """A confusion matrix: row by row the true label, column by column the predicted one."""
    names = [_text(label) for label in labels]
    shown: Figure = {"type": "heatmap", "x": names, "y": names, "z": [list(row) for row in counts]}
    shown |= {
        "colorscale": [[0, "--surface"], [1, "--chart-1"]],
        "showscale": False,
        "texttemplate": "%{z:,}",
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": f"{y_title} %{{y}}, {x_title.lower()} %{{x}}: %{{z:,}}<extra></extra>",
    }
    layout = _layout(x_title, y_title)
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"type": "category", "showline": False, "ticks": ""}
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False}
    columns = (f"{y_title} / {x_title.lower()}", *labels)
    rows = tuple((str(label), *(_cell(count) for count in row)) for label, row in zip(labels, counts, strict=True))
    return Chart({"data": [shown], "layout": layout}, title, summary, columns, rows)


# --- the pieces of a figure -----------------------------------------------------------------------


def _layout(
    x_title: str,
    y_title: str,
    *,
    y_range: tuple[float, float] | None = None,
    x_format: str = "",
    y_format: str = "",
) -> Figure:
    axis = {
        "gridcolor": "--chart-grid",
        "linecolor": "--chart-axis",
        "tickcolor": "--chart-axis",
        "zeroline": False,
        "automargin": True,
        "fixedrange": False,
    }
    return {
        "autosize": True,
        "margin": {"l": 52, "r": 12, "t": 12, "b": 44},
        "font": {"size": 12, "color": "--chart-text"},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "hoverlabel": {
            "bgcolor": "--surface-raised",
            "bordercolor": "--line-strong",
            "font": {"color": "--text", "size": 12},
            "align": "left",
            "namelength": -1,
        },
        "legend": {
            "orientation": "h",
            # An envelope would turn the order round
            "traceorder": "normal",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "bgcolor": CLEAR,
        },
        "xaxis": axis
        | {
            "title": {"text": _text(x_title), "standoff": 8, "font": {"size": 12}},
            "showgrid": False,
            "showline": True,
            "ticks": "outside",
        }
        | ({"tickformat": x_format} if x_format else {}),
        "yaxis": axis
        | {"title": {"text": _text(y_title), "standoff": 8, "font": {"size": 12}}}
        | ({"range": list(y_range)} if y_range else {})
        | ({"tickformat": y_format} if y_format else {}),
    }


def _line(one: Series, index: int) -> Figure:
    colour = COLOURS[index % len(COLOURS)]
    few = len(one.x) <= SYMBOL_POINTS
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": _text(one.name),
        "x": [_clean(value) for value in one.x],
        "y": [_clean(value) for value in one.y],
        "line": {"color": colour, "width": 2 if index == 0 else 1.75, "dash": DASHES[index % len(DASHES)]},
        "marker": {"color": colour, "symbol": SYMBOLS[index % len(SYMBOLS)], "size": 6},
        "connectgaps": False,
        "hovertemplate": "%{y:.4~f}",
    }


def _envelope(one: Series, index: int) -> list[Figure]:
    """Two invisible lines with the space between them filled."""
    shared: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": [_clean(value) for value in one.x],
        "line": {"width": 0, "color": COLOURS[index % len(COLOURS)]},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    low = shared | {"y": [_clean(value) for value in one.low or ()]}
    high = shared | {"y": [_clean(value) for value in one.high or ()]}
    return [low, high | {"fill": "tonexty", "fillcolor": f"{COLOURS[index % len(COLOURS)]}/16"}]


def _band_shape(band: Band) -> Figure:
    place = {"x0": _clean(band.start), "x1": _clean(band.end), "y0": 0, "y1": 1, "xref": "x", "yref": "paper"}
    return {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": "--calm/16"} | place


def _band_label(band: Band) -> Figure:
    return {
        "x": _clean(band.start),
        "y": 0,
        "xref": "x",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "text": _text(band.label),
        "showarrow": False,
        "font": {"size": 11, "color": "--chart-text"},
    }


def _marker_shape(marker: Marker) -> Figure:
    at, colour = _clean(marker.x), _look(marker.kind)[2]
    line = {"color": colour, "width": 1.25, "dash": "dot"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "xref": "x", "yref": "paper", "line": line}


def _marker_traces(markers: Sequence[Marker]) -> list[Figure]:
    traces: list[Figure] = []
    for kind in dict.fromkeys(marker.kind for marker in markers):
        word, symbol, colour = _look(kind)
        mine = [marker for marker in markers if marker.kind == kind]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "yaxis": "y2",
                "name": word,
                "x": [_clean(marker.x) for marker in mine],
                "y": [0.97] * len(mine),
                "text": [_text(marker.label) for marker in mine],
                "marker": {"symbol": symbol, "size": 10, "color": colour, "line": {"width": 1.5, "color": "--surface"}},
                "cliponaxis": False,
                "hovertemplate": "%{text}",
            }
        )
    return traces


def _look(kind: str) -> tuple[str, str, str]:
    return MARKERS.get(kind, (kind.replace("_", " ").capitalize(), "circle", "--calm"))


def _gaps(lower: Sequence[Any], upper: Sequence[Any]) -> list[float]:
    pairs = zip(lower, upper, strict=True)
    return [0.0 if low is None or high is None else max(0.0, high - low) for low, high in pairs]


# --- values and tables ----------------------------------------------------------------------------


def _clean(value: Value) -> Value:
    """What JSON can carry: no NaN, times as text, text without markup."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _text(value: object) -> str:
    """Plotly reads tags in text; names that people chose have none."""
    return escape(str(value), quote=False)


def _cell(value: Value) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return plain_metric(value) or DASH
    return DASH if value is None else str(value)


def _table(
    series: Sequence[Series], x_title: str, markers: Sequence[Marker] = ()
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """One row per x, one column per series (and per edge of its range), one for events where there are some."""
    columns: dict[str, dict[Value, str]] = {}
    for one in series:
        for name, values in ((one.name, one.y), (f"{one.name}, low", one.low), (f"{one.name}, high", one.high)):
            if values is not None:
                columns[name] = {x: _cell(y) for x, y in zip(one.x, values, strict=True)}
    kept: list[Any] = list(dict.fromkeys(x for one in series for x in one.x))
    if len(kept) > TABLE_ROWS:
        step = (len(kept) - 1) / (TABLE_ROWS - 1)
        kept = [kept[round(index * step)] for index in range(TABLE_ROWS)]
    if markers:
        columns["Event"] = {marker.x: f"{_look(marker.kind)[0]}: {marker.label}" for marker in markers}
        kept = list(dict.fromkeys([*kept, *columns["Event"]]))
    if not any(x is None or isinstance(x, str) for x in kept):
        kept.sort()
    rows = tuple((_cell(x), *(cells.get(x, DASH) for cells in columns.values())) for x in kept)
    return (x_title or "Item", *columns), rows
