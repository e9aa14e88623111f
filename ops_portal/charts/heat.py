"""Numbers in a grid, shaded by size."""

from __future__ import annotations

from collections.abc import Sequence

from ops_portal.charts.figure import Chart, Figure, text_of
from ops_portal.charts.layout import layout_of
from ops_portal.charts.table import cell


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
    names = [text_of(label) for label in labels]
    shown: Figure = {"type": "heatmap", "x": names, "y": names, "z": [list(row) for row in counts]}
    shown |= {
        "colorscale": [[0, "--surface"], [1, "--chart-1"]],
        "showscale": False,
        "texttemplate": "%{z:,}",
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": f"{y_title} %{{y}}, {x_title.lower()} %{{x}}: %{{z:,}}<extra></extra>",
    }
    layout = layout_of(x_title, y_title)
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"type": "category", "showline": False, "ticks": ""}
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False}
    columns = (f"{y_title} / {x_title.lower()}", *labels)
    rows = tuple((str(label), *(cell(count) for count in row)) for label, row in zip(labels, counts, strict=True))
    return Chart({"data": [shown], "layout": layout}, title, summary, columns, rows)
