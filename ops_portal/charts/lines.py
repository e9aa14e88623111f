"""Lines over a position or a time, with bands and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ops_portal.charts.figure import (
    COLOURS,
    SYMBOLS,
    Band,
    Chart,
    Figure,
    Marker,
    Series,
    clean,
    look_of,
    text_of,
)
from ops_portal.charts.layout import layout_of
from ops_portal.charts.table import table_of

#: Few enough points for each to get a symbol.
SYMBOL_POINTS = 40
#: A band that takes a smaller share of the axis carries no name.
LEAST_NAMED_SHARE = 0.05
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def line_chart(
    *,
    series: Sequence[Series],
    title: str,
    summary: str,
    x_title: str,
    y_title: str,
    bands: Sequence[Band] = (),
    markers: Sequence[Marker] = (),
    x_range: tuple[datetime, datetime] | None = None,
    y_range: tuple[float, float] | None = None,
    y_format: str = "",
) -> Chart:
    """Lines over a position or a time, with bands and vertical event lines.

    `x_range` is the first and last time of the axis; without it the axis fits what is drawn. `y_format` is a d3 format
    for the axis, such as ".0%".
    """
    traces: list[Figure] = []
    for index, one in enumerate(series):
        if one.low is not None and one.high is not None:
            traces += _envelope(one, index)
        traces.append(_line(one, index))
    layout = layout_of(x_title, y_title, y_range=y_range, y_format=y_format)
    layout["hovermode"] = "x unified"
    if x_range:
        layout["xaxis"]["range"] = [clean(end) for end in x_range]
    if series and all(isinstance(x, int | float) for one in series for x in one.x):
        layout["xaxis"]["unifiedhovertitle"] = {"text": f"{text_of(x_title)} %{{x:,}}"}
    layout["shapes"] = [_band_shape(band) for band in bands if band.shaded] + [
        _marker_shape(marker) for marker in markers
    ]
    layout["annotations"] = [_band_label(band) for band in bands if _has_room(band, x_range)]
    if markers:
        # Symbols hang on an axis of their own, so that they stay at the upper edge whatever the zoom.
        traces += _marker_traces(markers)
        layout["yaxis2"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    columns, rows = table_of(series, x_title, markers)
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)


def dash_of(index: int) -> str:
    """Colours and dashes go round at different places, so that the first 36 lines all look different."""
    return DASHES[(index + index // len(COLOURS)) % len(DASHES)]


def _line(one: Series, index: int) -> Figure:
    colour = COLOURS[index % len(COLOURS)]
    few = len(one.x) <= SYMBOL_POINTS
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": text_of(one.name),
        "x": [clean(value) for value in one.x],
        "y": [clean(value) for value in one.y],
        "line": {"color": colour, "width": 2 if index == 0 else 1.75, "dash": dash_of(index)},
        "marker": {"color": colour, "symbol": SYMBOLS[index % len(SYMBOLS)], "size": 6},
        "connectgaps": False,
        "hovertemplate": "%{y:.4~f}",
    }


def _envelope(one: Series, index: int) -> list[Figure]:
    """Two invisible lines with the space between them filled."""
    shared: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": [clean(value) for value in one.x],
        "line": {"width": 0, "color": COLOURS[index % len(COLOURS)]},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    low = shared | {"y": [clean(value) for value in one.low or ()]}
    high = shared | {"y": [clean(value) for value in one.high or ()]}
    return [low, high | {"fill": "tonexty", "fillcolor": f"{COLOURS[index % len(COLOURS)]}/16"}]


def _band_shape(band: Band) -> Figure:
    place = {"x0": clean(band.start), "x1": clean(band.end), "y0": 0, "y1": 1, "xref": "x", "yref": "paper"}
    return {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": "--calm/16"} | place


def _has_room(band: Band, x_range: tuple[datetime, datetime] | None) -> bool:
    """Whether the name of a band can be read: those of short stretches side by side would stand in each other."""
    if x_range is None or not isinstance(band.start, datetime) or not isinstance(band.end, datetime):
        return True
    return band.end - band.start >= LEAST_NAMED_SHARE * (x_range[1] - x_range[0])


def _band_label(band: Band) -> Figure:
    return {
        "x": clean(band.start),
        "y": 0,
        "xref": "x",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "text": text_of(band.label),
        "showarrow": False,
        "font": {"size": 11, "color": "--chart-text"},
    }


def _marker_shape(marker: Marker) -> Figure:
    at, colour = clean(marker.x), look_of(marker.kind)[2]
    line = {"color": colour, "width": 1.25, "dash": "dot"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "xref": "x", "yref": "paper", "line": line}


def _marker_traces(markers: Sequence[Marker]) -> list[Figure]:
    traces: list[Figure] = []
    for kind in dict.fromkeys(marker.kind for marker in markers):
        word, symbol, colour = look_of(kind)
        mine = [marker for marker in markers if marker.kind == kind]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "yaxis": "y2",
                "name": word,
                "x": [clean(marker.x) for marker in mine],
                "y": [0.97] * len(mine),
                "text": [text_of(marker.label) for marker in mine],
                "marker": {"symbol": symbol, "size": 10, "color": colour, "line": {"width": 1.5, "color": "--surface"}},
                "cliponaxis": False,
                "hovertemplate": "%{text}",
            }
        )
    return traces
