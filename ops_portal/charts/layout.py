"""The look all charts share: axes, margins, fonts and legend, as names of the style sheet's properties."""

from __future__ import annotations

from ops_portal.charts.figure import CLEAR, Figure, text_of


def layout_of(
    x_title: str,
    y_title: str,
    *,
    y_range: tuple[float, float] | None = None,
    x_format: str = "",
    y_format: str = "",
) -> Figure:
    """Axes, margins, fonts and legend as every chart has them."""
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
        "margin": {"l": 52, "r": 20, "t": 12, "b": 44},
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
            "title": {"text": text_of(x_title), "standoff": 8, "font": {"size": 12}},
            "showgrid": False,
            "showline": True,
            "ticks": "outside",
        }
        | ({"tickformat": x_format} if x_format else {}),
        "yaxis": axis
        | {"title": {"text": text_of(y_title), "standoff": 8, "font": {"size": 12}}}
        | ({"range": list(y_range)} if y_range else {})
        | ({"tickformat": y_format} if y_format else {}),
    }
