"""Figures: what the browser draws, and the words and numbers beside it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string

from ops_portal.charts import (
    TABLE_ROWS,
    Band,
    Chart,
    Marker,
    Series,
    bar_chart,
    dot_chart,
    line_chart,
    matrix_chart,
)

WORDS: dict[str, Any] = {"title": "Accuracy", "summary": "It rose.", "x_title": "Position", "y_title": "Accuracy"}


def test_a_line_chart_keeps_every_point_and_says_them_in_a_table() -> None:
    chart = line_chart(series=[Series("Rolling", [1, 2, 3], [0.5, 0.75, 1.0])], **WORDS)
    assert chart.figure["data"][0]["y"] == [0.5, 0.75, 1.0]
    assert chart.columns == ("Position", "Rolling")
    assert chart.rows == (("1", "0.5000"), ("2", "0.7500"), ("3", "1.0000"))


def test_series_differ_in_more_than_colour() -> None:
    lines = [Series(name, [1, 2], [0.1, 0.2]) for name in "abcdef"]
    traces = line_chart(series=lines, **WORDS).figure["data"]
    assert len({trace["line"]["dash"] for trace in traces}) == 6
    assert len({trace["marker"]["symbol"] for trace in traces}) == 6


def test_lines_with_different_positions_share_one_table_in_order() -> None:
    chart = line_chart(series=[Series("a", [1, 3], [0.1, 0.3]), Series("b", [2, 3], [0.2, 0.4])], **WORDS)
    assert chart.rows == (("1", "0.1000", "—"), ("2", "—", "0.2000"), ("3", "0.3000", "0.4000"))


def test_events_are_drawn_told_apart_and_listed() -> None:
    marks = [Marker(2, "drift", "Error rose"), Marker(3, "version", "v4"), Marker(5, "rollback", "v3 again")]
    chart = line_chart(series=[Series("a", [1, 2, 3], [1.0, 2.0, 3.0])], markers=marks, **WORDS)
    symbols = [trace["marker"]["symbol"] for trace in chart.figure["data"][1:]]
    assert len(set(symbols)) == 3
    assert len(chart.figure["layout"]["shapes"]) == 3
    assert chart.columns[-1] == "Event"
    assert [row[-1] for row in chart.rows] == ["—", "Drift: Error rose", "Version: v4", "Rollback: v3 again"]


def test_a_band_is_shaded_and_named() -> None:
    layout = line_chart(series=[Series("a", [1, 9], [1, 2])], bands=[Band("Held back", 3, 5)], **WORDS).figure["layout"]
    assert (layout["shapes"][0]["x0"], layout["shapes"][0]["x1"]) == (3, 5)
    assert layout["annotations"][0]["text"] == "Held back"


def test_an_envelope_shows_extremes_and_lists_them() -> None:
    chart = line_chart(series=[Series("a", [1, 2], [0.5, 0.6], low=[0.1, 0.2], high=[0.8, 0.9])], **WORDS)
    assert [trace.get("fill") for trace in chart.figure["data"]] == [None, "tonexty", None]
    assert chart.columns == ("Position", "a", "a, low", "a, high")
    assert chart.rows[0] == ("1", "0.5000", "0.1000", "0.8000")


def test_long_tables_are_thinned_and_keep_ends_and_events() -> None:
    chart = line_chart(
        series=[Series("a", list(range(5000)), [0.5] * 5000)], markers=[Marker(1234, "drift", "Here")], **WORDS
    )
    assert len(chart.figure["data"][0]["x"]) == 5000
    assert len(chart.rows) == TABLE_ROWS + 1
    assert (chart.rows[0][0], chart.rows[-1][0]) == ("0", "4,999")
    assert ("1,234", "0.5000", "Drift: Here") in chart.rows


def test_what_json_cannot_carry_becomes_a_gap() -> None:
    chart = line_chart(series=[Series("a", [1, 2, 3], [math.nan, math.inf, None])], **WORDS)
    assert json.loads(json.dumps(chart.figure, allow_nan=False))["data"][0]["y"] == [None, None, None]
    assert [row[1] for row in chart.rows] == ["—", "—", "—"]


def test_times_are_drawn_as_times() -> None:
    chart = line_chart(series=[Series("a", [datetime(2026, 3, 7, 9, 5, tzinfo=UTC)], [1.0])], **WORDS)
    assert chart.figure["data"][0]["x"] == ["2026-03-07T09:05:00+00:00"]
    assert chart.rows[0][0] == "2026-03-07 09:05:00"


def test_names_cannot_smuggle_markup_into_the_drawing() -> None:
    evil = '<a href="https://example.org">x</a>'
    chart = line_chart(
        series=[Series(evil, [1], [1])], markers=[Marker(1, "drift", evil)], bands=[Band(evil, 1, 2)], **WORDS
    )
    assert "<a" not in json.dumps(chart.figure)


def test_horizontal_bars_swap_axes_but_not_the_table() -> None:
    series = [Series("Share", ["rollback", "monitoring"], [0.9, 0.7])]
    chart = bar_chart(series=series, horizontal=True, title="t", summary="s.", x_title="Share", y_title="Principle")
    assert chart.figure["data"][0]["x"] == [0.9, 0.7]
    assert chart.figure["data"][0]["y"] == ["rollback", "monitoring"]
    assert chart.columns == ("Principle", "Share")
    assert chart.rows == (("rollback", "0.9000"), ("monitoring", "0.7000"))


def test_dots_have_whiskers_that_never_point_backwards() -> None:
    series = [Series("Panel", ["a", "b"], [5, 7], low=[3, None], high=[6, 7])]
    trace = dot_chart(series=series, title="t", summary="s.", x_title="Rating").figure["data"][0]
    assert trace["error_x"]["array"] == [1, 0.0]
    assert trace["error_x"]["arrayminus"] == [2, 0.0]


def test_a_confusion_matrix_lists_true_labels_row_by_row() -> None:
    chart = matrix_chart(labels=["spam", "ham"], counts=[[1200, 3], [4, 5]], title="t", summary="s.")
    assert chart.columns == ("True / predicted", "spam", "ham")
    assert chart.rows == (("spam", "1,200", "3"), ("ham", "4", "5"))


def test_colours_are_names_of_the_style_sheet() -> None:
    figure = json.dumps(line_chart(series=[Series("a", [1], [1])], markers=[Marker(1, "drift", "d")], **WORDS).figure)
    assert "#" not in figure
    assert "--chart-1" in figure


class TestComponent:
    def render(self, chart: Chart) -> str:
        return render_to_string("components/_chart.html", {"chart": chart, "id": "accuracy"})

    def test_has_caption_data_and_numbers(self) -> None:
        drawn = self.render(line_chart(series=[Series("a", [1, 2], [0.5, 0.6])], **WORDS))
        assert "<figure" in drawn
        assert "<figcaption" in drawn
        assert "It rose." in drawn
        assert 'id="accuracy-data" type="application/json"' in drawn
        assert "0.5000" in drawn
        assert 'hx-preserve="true"' in drawn
        assert "style=" not in drawn

    @pytest.mark.parametrize("series", [[], [Series("a", [], [])]])
    def test_nothing_to_draw_is_said_in_words(self, series: list[Series]) -> None:
        drawn = self.render(line_chart(series=series, **WORDS))
        assert "Nothing to draw yet" in drawn
        assert "chart-plot" not in drawn


def test_a_time_axis_reaches_from_its_first_to_its_last_time_and_names_the_bands_that_have_room() -> None:
    start, end = datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
    short, turn = start + timedelta(minutes=10), start + timedelta(hours=12)
    bands = [Band("v1", start, short), Band("v2", short, turn), Band("v3", turn, end)]
    line = Series("Served", [start, turn], [0.5, 0.6])
    layout = line_chart(series=[line], bands=bands, x_range=(start, end), **WORDS).figure["layout"]
    assert layout["xaxis"]["range"] == ["2026-03-07T00:00:00+00:00", "2026-03-08T00:00:00+00:00"]
    assert [note["text"] for note in layout["annotations"]] == ["v2", "v3"]
