"""Dots in rows, with whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ops_portal.charts.figure import COLOURS, SYMBOLS, Chart, Figure, Series, clean, text_of
from ops_portal.charts.layout import layout_of
from ops_portal.charts.table import table_of


def dot_chart(
    *,
    series: Sequence[Series],
    title: str,
    summary: str,
    x_title: str,
    y_title: str = "",
    x_range: tuple[float, float] | None = None,
    table_format: str = "",
) -> Chart:
    """Dots in rows, with a whisker from `low` to `high`: ratings, estimates with their uncertainty."""
    traces: list[Figure] = []
    for index, one in enumerate(series):
        values = [clean(value) for value in one.y]
        trace = {
            "type": "scatter",
            "mode": "markers",
            "name": text_of(one.name),
            "x": values,
            "y": [text_of(name) for name in one.x],
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
    layout = layout_of(x_title, y_title)
    layout |= {"hovermode": "closest", "showlegend": len(series) > 1}
    layout["yaxis"] |= {"autorange": "reversed", "type": "category"}
    layout["xaxis"] |= {"showgrid": True} | ({"range": list(x_range)} if x_range else {})
    columns, rows = table_of(series, y_title, form=table_format)
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)


def _gaps(lower: Sequence[Any], upper: Sequence[Any]) -> list[float]:
    pairs = zip(lower, upper, strict=True)
    return [0.0 if low is None or high is None else max(0.0, high - low) for low, high in pairs]
