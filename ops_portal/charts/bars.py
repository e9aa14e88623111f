"""Bars by category, upright or lying."""

from __future__ import annotations

from collections.abc import Sequence

from ops_portal.charts.figure import COLOURS, Chart, Figure, Series, clean, text_of
from ops_portal.charts.layout import layout_of
from ops_portal.charts.table import table_of


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
    table_format: str = "",
) -> Chart:
    """Bars by category: `x` of a series holds the categories, `y` their values, also when they lie `horizontal`."""
    traces: list[Figure] = []
    for index, one in enumerate(series):
        names, values = [text_of(name) for name in one.x], [clean(value) for value in one.y]
        traces.append(
            {
                "type": "bar",
                "name": text_of(one.name),
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
    layout = layout_of(x_title, y_title, x_format=x_format, y_format=y_format)
    layout |= {"barmode": "stack" if stacked else "group", "bargap": 0.32, "hovermode": "closest"}
    if horizontal:
        # The first category on top, as a list is read
        layout["yaxis"] |= {"autorange": "reversed", "showgrid": False}
        layout["xaxis"] |= {"showgrid": True, "rangemode": "tozero"}
    else:
        layout["yaxis"]["rangemode"] = "tozero"
    layout["showlegend"] = len(series) > 1
    columns, rows = table_of(series, y_title if horizontal else x_title, form=table_format)
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)
