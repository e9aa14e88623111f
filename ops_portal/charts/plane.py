"""Two figures against each other: numbered points, the ellipse of their doubt, and the line where both are equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ops_portal.charts.figure import Chart, Figure, text_of
from ops_portal.charts.layout import layout_of
from ops_portal.charts.table import cell

#: Nine of ten pairs of a normal distribution lie within so many standard deviations of their middle (chi-square, 2).
NINE_OF_TEN = math.sqrt(-2 * math.log(0.1))
ELLIPSE_POINTS = 48


@dataclass(frozen=True)
class Point:
    """A point with its doubt: standard deviations along both axes and their correlation. `full` fills its symbol."""

    name: str
    x: float
    y: float
    x_sd: float = 0.0
    y_sd: float = 0.0
    correlation: float = 0.0
    full: bool = True

    def ellipse(self) -> tuple[list[float], list[float]]:
        """Outline of the ellipse that holds nine of ten readings."""
        angles = [2 * math.pi * step / ELLIPSE_POINTS for step in range(ELLIPSE_POINTS + 1)]
        across = math.sqrt(max(0.0, 1 - self.correlation**2))
        xs = [self.x + NINE_OF_TEN * self.x_sd * math.cos(a) for a in angles]
        ys = [
            self.y + NINE_OF_TEN * self.y_sd * (self.correlation * math.cos(a) + across * math.sin(a)) for a in angles
        ]
        return xs, ys


def plane_chart(
    *,
    points: Sequence[Point],
    full_word: str,
    hollow_word: str,
    diagonal: str,
    title: str,
    summary: str,
    x_title: str,
    y_title: str,
) -> Chart:
    """Numbered points in a plane; the table names the numbers. `diagonal` says what the line of equal values means."""
    edge = max([1.0, *(max(*point.ellipse()[0], *point.ellipse()[1]) for point in points)])
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": text_of(diagonal),
            "x": [0, edge],
            "y": [0, edge],
            "line": {"color": "--chart-axis", "width": 1.5, "dash": "dash"},
            "hoverinfo": "skip",
        }
    ]
    traces += [_outline(point) for point in points if point.x_sd > 0 or point.y_sd > 0]
    traces += [_marks(points, True, full_word), _marks(points, False, hollow_word)]
    layout = layout_of(x_title, y_title)
    layout |= {"hovermode": "closest", "showlegend": True}
    layout["xaxis"] |= {"showgrid": True, "rangemode": "tozero"}
    layout["yaxis"] |= {"rangemode": "tozero"}
    columns = ("Point", x_title, y_title, "Difference")
    rows = tuple(
        (f"{number} {point.name}", *(cell(value, ".1f") for value in (point.x, point.y, point.y - point.x)))
        for number, point in enumerate(points, start=1)
    )
    return Chart({"data": traces, "layout": layout}, title, summary, columns, rows)


def _outline(point: Point) -> Figure:
    xs, ys = point.ellipse()
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [round(x, 2) for x in xs],
        "y": [round(max(0.0, y), 2) for y in ys],
        "fill": "toself",
        "fillcolor": "--chart-1/10" if point.full else "--chart-2/10",
        "line": {"color": "--chart-1/40" if point.full else "--chart-2/40", "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _marks(points: Sequence[Point], full: bool, word: str) -> Figure:
    mine = [(number, point) for number, point in enumerate(points, start=1) if point.full is full]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": text_of(word),
        "x": [round(point.x, 2) for _, point in mine],
        "y": [round(point.y, 2) for _, point in mine],
        "text": [str(number) for number, _ in mine],
        "customdata": [text_of(point.name) for _, point in mine],
        "textposition": "top right",
        "textfont": {"color": "--text", "size": 12},
        "marker": {
            "color": "--chart-1" if full else "--chart-2",
            "symbol": "circle" if full else "diamond-open",
            "size": 9,
            "line": {"width": 1.5, "color": "--chart-1" if full else "--chart-2"},
        },
        "hovertemplate": "%{text} %{customdata}: %{y:.1f} against %{x:.1f}<extra></extra>",
    }
