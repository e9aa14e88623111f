"""The same figures on paper: bars, dots, planes and their axes as vector drawings.

A figure is what `ops_portal.charts` makes for the browser, so that page and paper cannot show different numbers. Only
what those charts use is drawn; a trace of another kind is refused rather than left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth

from ops_portal.charts import Figure
from ops_portal.paper.fonts import in_one_font

#: The style sheet's colours in their light theme, for paper.
PAPER = {
    "--chart-1": "#0a66b0",
    "--chart-2": "#c8500a",
    "--chart-3": "#0b7f68",
    "--chart-4": "#8a4fb5",
    "--chart-5": "#8a6d00",
    "--chart-6": "#5a6578",
    "--chart-axis": "#aab2bf",
    "--chart-grid": "#e6e9ee",
    "--chart-text": "#4b5463",
    "--text": "#1c222c",
    "--surface": "#ffffff",
}
ROW = 21.0
BAR = 15.0
SIZE = 7.5
LEGEND = 16.0
PLANE = 250.0


def ink(name: str) -> Color:
    """The colour of a name such as `--chart-1` or `--chart-1/16` (16 % of it)."""
    plain, _, share = name.partition("/")
    base = HexColor(PAPER[plain])
    return Color(base.red, base.green, base.blue, alpha=float(share or 100) / 100)


@dataclass(frozen=True)
class Frame:
    """Where the axes lie on the paper, and which numbers their ends stand for."""

    left: float
    bottom: float
    width: float
    height: float
    low: float
    high: float

    def x(self, value: float) -> float:
        """Place of a number on the horizontal axis."""
        return self.left + (value - self.low) / (self.high - self.low) * self.width


def draw_figure(figure: Figure, width: float) -> Drawing:
    """Draw a figure of lying bars, of dots in rows, or of points in a plane."""
    data, layout = figure["data"], figure["layout"]
    if any(trace["type"] not in ("bar", "scatter") for trace in data):
        raise ValueError("only bars, dots and planes are drawn on paper")
    rows = any(isinstance(y, str) for trace in data for y in trace["y"])
    return _rows(data, layout, width) if rows else _plane(data, layout, width)


# --- bars and dots in rows ------------------------------------------------------------------------


def _rows(data: Sequence[Figure], layout: Figure, width: float) -> Drawing:
    names = list(dict.fromkeys(name for trace in data for name in trace["y"]))
    height = ROW * len(names)
    labels = min(190.0, max((_width(unescape(n)) for n in names), default=0.0) + 8)
    low, high = _ends(data, layout)
    frame = Frame(labels, 34, width - labels - 12, height, low, high)
    drawing = Drawing(width, height + 34 + LEGEND)
    _x_axis(drawing, frame, layout)
    for row, name in enumerate(names):
        middle = frame.bottom + height - ROW * (row + 0.5)
        drawing.add(_words(frame.left - 6, middle - 2.6, unescape(name), anchor="end"))
        for index, trace in enumerate(data):
            if name in trace["y"]:
                _row_mark(drawing, frame, trace, trace["y"].index(name), middle, index, data, layout)
    for shape in layout.get("shapes", ()):
        at = frame.x(shape["x0"])
        drawing.add(
            Line(
                at,
                frame.bottom,
                at,
                frame.bottom + height,
                strokeColor=ink("--chart-text"),
                strokeWidth=0.8,
                strokeDashArray=[3, 2],
            )
        )
    _legend(drawing, frame, data)
    return drawing


def _row_mark(
    drawing: Drawing,
    frame: Frame,
    trace: Figure,
    at: int,
    middle: float,
    index: int,
    data: Sequence[Figure],
    layout: Figure,
) -> None:
    value = trace["x"][at]
    if value is None:
        return
    colour = ink(trace["marker"]["color"])
    if trace["type"] == "scatter":
        lift = (len(data) - 1) / 2 * 4 - index * 4
        drawing.add(_symbol(frame.x(value), middle + lift, trace["marker"]["symbol"], colour))
        return
    base = trace["base"][at] if "base" in trace else 0.0
    side_by_side = layout.get("barmode") == "group"
    thick = BAR / len(data) if side_by_side else BAR
    bottom = middle + BAR / 2 - thick * (index + 1) if side_by_side else middle - BAR / 2
    start, end = sorted((frame.x(base), frame.x(base + value)))
    drawing.add(_box(start, bottom, end - start, thick, colour))
    text = trace["text"][at] if "text" in trace else ""
    if text and end - start > 8:
        drawing.add(_words((start + end) / 2, middle - 2.6, text, anchor="middle", colour="--surface"))


def _ends(data: Sequence[Figure], layout: Figure) -> tuple[float, float]:
    """Numbers at the ends of the horizontal axis: the figure's own range, else what is drawn and a little room."""
    if given := layout["xaxis"].get("range"):
        return float(given[0]), float(given[1])
    ends = [0.0] if layout["xaxis"].get("rangemode") == "tozero" and not any("base" in trace for trace in data) else []
    for trace in data:
        bases = trace.get("base") or [0.0] * len(trace["x"])
        for base, value in zip(bases, trace["x"], strict=True):
            if value is not None:
                ends += [base, base + value] if trace["type"] == "bar" else [value]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = (high - low or 1.0) * 0.04
    return (low if low == 0 else low - room), high + room


# --- points in a plane ----------------------------------------------------------------------------


def _plane(data: Sequence[Figure], layout: Figure, width: float) -> Drawing:
    xs = [value for trace in data for value in trace["x"]]
    ys = [value for trace in data for value in trace["y"]]
    top = max([*ys, 1.0]) * 1.04
    frame = Frame(42, 34, width - 54, PLANE, 0.0, max([*xs, 1.0]) * 1.04)
    drawing = Drawing(width, PLANE + 34 + LEGEND)
    _x_axis(drawing, frame, layout)
    for value in _ticks(0.0, top):
        height = frame.bottom + value / top * PLANE
        drawing.add(Line(frame.left, height, frame.left + frame.width, height, strokeColor=ink("--chart-grid")))
        drawing.add(_words(frame.left - 5, height - 2.6, f"{value:g}", anchor="end", colour="--chart-text"))
    drawing.add(_words(frame.left, frame.bottom + PLANE + 4, layout["yaxis"]["title"]["text"], colour="--chart-text"))
    for trace in data:
        spots = [(frame.x(x), frame.bottom + y / top * PLANE) for x, y in zip(trace["x"], trace["y"], strict=True)]
        if trace.get("fill") == "toself":
            flat = [part for spot in spots for part in spot]
            line = trace["line"]["color"]
            drawing.add(Polygon(flat, fillColor=ink(trace["fillcolor"]), strokeColor=ink(line), strokeWidth=0.5))
        elif trace["mode"] == "lines":
            (x0, y0), (x1, y1) = spots[0], spots[-1]
            colour = ink(trace["line"]["color"])
            drawing.add(Line(x0, y0, x1, y1, strokeWidth=1, strokeColor=colour, strokeDashArray=[3, 2]))
        else:
            for (x, y), text in zip(spots, trace["text"], strict=True):
                drawing.add(_symbol(x, y, trace["marker"]["symbol"], ink(trace["marker"]["color"])))
                drawing.add(_words(x + 5, y + 3, text))
    _legend(drawing, frame, [trace for trace in data if trace.get("showlegend", True)], left=frame.left + 130)
    return drawing


# --- pieces ---------------------------------------------------------------------------------------


def _x_axis(drawing: Drawing, frame: Frame, layout: Figure) -> None:
    axis = layout["xaxis"]
    bottom, right = frame.bottom, frame.left + frame.width
    for value in _ticks(frame.low, frame.high):
        at = frame.x(value)
        drawing.add(Line(at, bottom, at, bottom + frame.height, strokeColor=ink("--chart-grid"), strokeWidth=0.6))
        if axis.get("showticklabels", True):
            text = f"{value:.0%}" if axis.get("tickformat") == ".0%" else f"{value:g}"
            drawing.add(_words(at, bottom - 11, text, anchor="middle", colour="--chart-text"))
    drawing.add(Line(frame.left, bottom, right, bottom, strokeColor=ink("--chart-axis"), strokeWidth=0.8))
    drawing.add(
        _words((frame.left + right) / 2, bottom - 24, axis["title"]["text"], anchor="middle", colour="--chart-text")
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two ends, five to ten of them."""
    span = high - low
    step = 10.0 ** len(str(int(span))) if span >= 1 else 1.0
    while span / step < 5:
        step = step / 2 if f"{step:e}"[0] in "15" else step / 2.5 if f"{step:e}"[0] == "2" else step / 2
    first = -(-low // step)
    return [round((first + i) * step, 6) for i in range(int((high - first * step) // step) + 1)]


def _legend(drawing: Drawing, frame: Frame, data: Sequence[Figure], left: float | None = None) -> None:
    at, height = frame.left if left is None else left, frame.bottom + frame.height + 6
    if len(data) < 2:
        return
    for trace in data:
        colour = ink(trace["marker"]["color"] if "marker" in trace else trace["line"]["color"])
        if trace["type"] == "bar":
            drawing.add(_box(at, height - 1, 7, 7, colour))
        elif "marker" in trace:
            drawing.add(_symbol(at + 3.5, height + 2.5, trace["marker"]["symbol"], colour))
        else:
            drawing.add(Line(at, height + 2.5, at + 8, height + 2.5, strokeColor=colour, strokeDashArray=[3, 2]))
        text = unescape(trace["name"])
        drawing.add(_words(at + 11, height, text))
        at += 11 + _width(text) + 14


def _box(x: float, y: float, width: float, height: float, colour: Color) -> Rect:
    look: dict[str, Any] = {"fillColor": colour, "strokeColor": ink("--surface"), "strokeWidth": 0.4}
    return Rect(x, y, width, height, **look)


def _symbol(x: float, y: float, name: str, colour: Color) -> Any:
    """A circle, a square or a diamond; hollow where the name says so."""
    fill = None if name.endswith("-open") else colour
    look: dict[str, Any] = {"fillColor": fill, "strokeColor": colour, "strokeWidth": 1.1}
    plain = name.removesuffix("-open")
    if plain == "circle":
        return Circle(x, y, 3, **look)
    if plain == "square":
        return Rect(x - 2.8, y - 2.8, 5.6, 5.6, **look)
    return Polygon([x, y + 3.8, x + 3.8, y, x, y - 3.8, x - 3.8, y], **look)


def _words(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "--text") -> String:
    font, shown = in_one_font(unescape(text))
    look: dict[str, Any] = {
        "fontName": font,
        "fontSize": SIZE,
        "fillColor": ink(colour),
        "textAnchor": anchor,
    }
    return String(x, y, shown, **look)


def _width(text: str) -> float:
    font, shown = in_one_font(text)
    return float(stringWidth(shown, font, SIZE))
