"""Charts as plain Plotly figures with one theme, each with its title, a sentence, and its numbers for a table.

Colours are names of the style sheet's custom properties (`--chart-1`, with `/16` for 16 % of it); `js/charts.js` puts
in the value of the theme in use, so a figure need not know whether the page is light or dark. Series also differ in
dash and symbol, because colour alone is not a sign. Nothing here imports plotly.
"""

from ops_portal.charts.bars import bar_chart
from ops_portal.charts.dots import dot_chart
from ops_portal.charts.figure import Band, Chart, Figure, Marker, Series
from ops_portal.charts.heat import matrix_chart
from ops_portal.charts.lines import line_chart
from ops_portal.charts.parallel import Axis, parallel_chart
from ops_portal.charts.plane import Point, plane_chart
from ops_portal.charts.table import TABLE_ROWS

__all__ = [
    "TABLE_ROWS",
    "Axis",
    "Band",
    "Chart",
    "Figure",
    "Marker",
    "Point",
    "Series",
    "bar_chart",
    "dot_chart",
    "line_chart",
    "matrix_chart",
    "parallel_chart",
    "plane_chart",
]
