"""The tags and filters that pages are written with."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from lucide import IconDoesNotExist

from ops_portal.templatetags import reading, spark, states, ui


def render(source: str, **context: Any) -> str:
    return Template("{% load ui %}" + source).render(Context(context)).strip()


class TestIcons:
    def test_a_decorative_icon_is_hidden_from_assistive_technology(self) -> None:
        drawn = render('{% icon "rocket" %}')
        assert 'aria-hidden="true"' in drawn
        assert 'class="icon"' in drawn

    def test_a_labelled_icon_is_an_image_with_a_name(self) -> None:
        drawn = render('{% icon "lock" label="Private" %}')
        assert 'role="img"' in drawn
        assert 'aria-label="Private"' in drawn
        assert "aria-hidden" not in drawn

    def test_icons_carry_no_inline_style(self) -> None:
        assert "style=" not in render('{% icon "activity" "icon-lg" %}')

    def test_an_unknown_name_is_an_error_of_the_page_s_author(self) -> None:
        with pytest.raises(IconDoesNotExist):
            ui.icon("no-such-icon")


class TestStates:
    @pytest.mark.parametrize("state", sorted(states.LOOKS))
    def test_every_state_has_tone_symbol_and_word(self, state: str) -> None:
        shown = ui.state_badge(state)
        assert re.search(r"badge badge-(ok|bad|warn|live|accent|calm)", shown)
        assert "<svg" in shown
        assert states.LOOKS[state].label in shown

    def test_a_label_replaces_the_word_and_is_escaped(self) -> None:
        shown = render('{% state_badge "serving" name %}', name="<v12>")
        assert "&lt;v12&gt;" in shown
        assert "Serving" not in shown

    def test_a_state_nobody_described_is_shown_by_its_own_name(self) -> None:
        assert "Warming up" in ui.state_badge("warming_up")
        assert "Unknown" in ui.state_badge("")

    def test_only_work_in_progress_turns(self) -> None:
        assert "badge-working" in ui.state_badge("running")
        assert "badge-working" not in ui.state_badge("completed")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12345, "12,345"),
        (-1234, "-1,234"),
        (2104.4, "2,104"),
        (150.26, "150.3"),
        (3.14159, "3.14"),
        (0.12345, "0.123"),
        (7.0, "7"),
        ("12", "12"),
    ],
)
def test_number(value: object, shown: str) -> None:
    assert reading.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(999, "999"), (9999, "9,999"), (12450, "12.4k"), (250_000, "250k"), (1_250_000, "1.2M"), (3.2e9, "3.2bn")],
)
def test_compact_keeps_the_exact_number_in_the_title(value: float, shown: str) -> None:
    drawn = reading.compact(value)
    assert f">{shown}<" in drawn
    assert f'title="{reading.number(value)}"' in drawn


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.893217, "0.8932"),
        (1, "1.0000"),
        (0, "0.0000"),
        (1.23456, "1.235"),
        (12.3456, "12.35"),
        (123.456, "123.5"),
        (12345.6, "12,346"),
        (0.0000042, "4.2\N{MULTIPLICATION SIGN}10⁻⁶"),
        (-0.5, "-0.5000"),
    ],
)
def test_metric_has_four_sensible_digits(value: float, shown: str) -> None:
    assert f">{shown}<" in reading.metric(value)
    assert f'title="{float(value)!r}"' in reading.metric(value)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), "", "none", object()])
def test_a_missing_metric_is_a_dash_that_says_so(value: object) -> None:
    assert "Not measured yet" in reading.metric(value)
    assert "—" in reading.metric(value)


@pytest.mark.parametrize("name", sorted(reading.FILTERS))
def test_no_filter_fails_on_a_missing_or_strange_value(name: str) -> None:
    for value in (None, "", "strange", float("nan"), object()):
        assert "—" in str(reading.FILTERS[name](value))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.8932, "89.3%"), (1, "100%"), (0.99999, "99.9%"), (0, "0%"), (0.5, "50%"), (1.25, "125%")],
)
def test_percent_never_says_all_before_it_is_all(value: float, shown: str) -> None:
    assert reading.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 ms"),
        (0.0421, "42 ms"),
        (0.9999, "1 s"),
        (1.5, "1.5 s"),
        (12.2, "12 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (1200, "20 min"),
        (7500, "2 h 5 min"),
        (86400, "1 day"),
        (273600, "3 days 4 h"),
        (timedelta(minutes=2), "2 min"),
        (-90, "-1 min 30 s"),
    ],
)
def test_duration(value: object, shown: str) -> None:
    assert reading.duration(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (999, "999 B"), (1562, "1.6 kB"), (70_000, "70.0 kB"), (999_999, "1.0 MB"), (282_000_000, "282 MB")],
)
def test_bytes(value: int, shown: str) -> None:
    assert render("{{ size|bytes }}", size=value) == shown


class TestTimes:
    @pytest.mark.parametrize(
        ("before", "shown"),
        [
            (timedelta(seconds=3), "just now"),
            (timedelta(seconds=42), "42 s ago"),
            (timedelta(minutes=3, seconds=59), "3 min ago"),
            (timedelta(hours=5), "5 h ago"),
            (timedelta(days=1, hours=1), "1 day ago"),
            (timedelta(days=6), "6 days ago"),
            (timedelta(minutes=-5, seconds=-1), "in 5 min"),
        ],
    )
    def test_how_long_ago(self, before: timedelta, shown: str) -> None:
        drawn = reading.timeago(timezone.now() - before)
        assert f">{shown}<" in drawn
        assert "data-ago" in drawn

    def test_the_exact_time_with_its_zone_is_in_the_title(self) -> None:
        drawn = reading.timeago(datetime(2020, 3, 7, 9, 5, 1, tzinfo=UTC))
        assert 'datetime="2020-03-07T09:05:01+00:00"' in drawn
        assert 'title="7 Mar 2020, 09:05:01 UTC"' in drawn
        assert ">7 Mar 2020<" in drawn
        assert "data-ago" not in drawn

    def test_today_is_told_by_the_hour(self) -> None:
        now = timezone.localtime()
        assert f">{now:%H:%M}<" in reading.short_time(now)

    def test_a_date_or_a_naive_time_does_not_fail(self) -> None:
        assert "2020" in reading.exact_time(datetime(2020, 3, 7, 9, 5, 1))
        assert "7 Mar 2020, 00:00:00" in reading.exact_time(datetime(2020, 3, 7).date())


class TestSparkline:
    def test_says_in_words_what_it_draws(self) -> None:
        drawn = ui.sparkline([0.5, 0.7, 0.6], "Accuracy")
        assert "<title>Accuracy</title>" in drawn
        assert "From 0.5000 to 0.6000; lowest 0.5000, highest 0.7000." in drawn
        assert "style=" not in drawn

    def test_the_highest_value_is_on_top(self) -> None:
        heights = [float(pair.split()[1]) for pair in _points(ui.sparkline([1, 3, 2]))]
        assert heights[1] < heights[2] < heights[0]

    def test_gaps_break_the_line(self) -> None:
        assert ui.sparkline([1, 2, None, 3, 4]).count("sparkline-line") == 2
        assert ui.sparkline([None, 1, float("nan"), 2, 3]).count("sparkline-line") == 2

    def test_many_points_are_thinned_and_the_ends_kept(self) -> None:
        values = [float(number) for number in range(1000)]
        assert len(_points(ui.sparkline(values))) == spark.MOST
        assert spark.thin(values)[0] == 0
        assert spark.thin(values)[-1] == 999

    def test_a_level_line_lies_in_the_middle(self) -> None:
        assert {pair.split()[1] for pair in _points(ui.sparkline([2, 2, 2]))} == {"16.0"}

    @pytest.mark.parametrize("values", [None, [], [1.0], [None, 2.0]])
    def test_too_few_points_are_said_in_words(self, values: list[float | None] | None) -> None:
        assert "Not enough points" in ui.sparkline(values)

    def test_the_title_is_escaped(self) -> None:
        assert "<b>" not in ui.sparkline([1, 2], "<b>")


def _points(drawn: str) -> list[str]:
    found = re.search(r'sparkline-line" d="M([^"]+)"', drawn)
    assert found
    return found[1].split(" L")


class TestChange:
    @pytest.mark.parametrize(
        ("value", "before", "better", "said"),
        [
            (0.9, 0.8, "higher", "0.1000 better"),
            (0.7, 0.8, "higher", "0.1000 worse"),
            (0.7, 0.8, "lower", "0.1000 better"),
            (0.9, 0.8, "lower", "0.1000 worse"),
            (0.8, 0.8, "higher", "no change"),
        ],
    )
    def test_says_in_words_whether_it_is_good(self, value: float, before: float, better: str, said: str) -> None:
        assert said in ui.change(value, before, better)

    def test_nothing_to_compare_with_says_nothing(self) -> None:
        assert ui.change(None, 0.8) == ""
        assert ui.change(0.8, None) == ""


class TestNavigation:
    def test_an_entry_without_a_page_is_left_out(self) -> None:
        assert render('{% nav_link "no:such" "x" label="Runs" %}') == ""

    def test_the_page_s_address_decides_what_is_current(self) -> None:
        source = '{% nav_link "sign_in" label="Sign in" key="sign-in" %}'
        factory = RequestFactory()
        assert 'aria-current="page"' in render(source, request=factory.get("/sign-in/link/"))
        assert "aria-current" not in render(source, request=factory.get("/elsewhere/"))
        assert "aria-current" not in render(source)

    def test_the_page_itself_may_say_what_is_current(self) -> None:
        request = RequestFactory().get("/sign-in/")
        source = '{% nav_link "sign_in" label="Sign in" key="sign-in" active=active %}'
        assert "aria-current" in render(source, request=request, active="sign-in")
        assert "aria-current" not in render(source, request=request, active="other")


class TestDialog:
    def test_has_a_name_and_a_way_out(self) -> None:
        drawn = render('{% dialog "roll" title="Roll back" %}<p>{{ text }}</p>{% enddialog %}', text="<&>")
        assert 'id="roll"' in drawn
        assert 'aria-labelledby="roll-title"' in drawn
        assert "data-dialog-close" in drawn
        assert "<p>&lt;&amp;&gt;</p>" in drawn
        assert "data-dialog-opened" not in drawn

    def test_can_be_shown_at_once(self) -> None:
        assert "data-dialog-opened" in render('{% dialog "roll" title="R" opened=True %}x{% enddialog %}')


@pytest.mark.parametrize(
    ("name", "letters"), [("mara.lindqvist", "ML"), ("jo", "J"), ("Ada King Lovelace", "AL"), ("", "?"), ("_", "?")]
)
def test_initials(name: str, letters: str) -> None:
    assert ui.initials(name) == letters


def test_a_pipeline_is_drawn_whatever_its_nesting() -> None:
    outline = [
        {"union": [[{"select": "numbers", "steps": [{"name": "Scaler"}]}], {"name": "OneHot"}]},
        {"name": "Regression", "params": {"l2": 0.01}},
    ]
    drawn = render('{% include "components/_pipeline.html" with outline=outline label="one" only %}', outline=outline)
    assert [drawn.index(name) for name in ("numbers", "Scaler", "OneHot", "Regression")] == sorted(
        drawn.index(name) for name in ("numbers", "Scaler", "OneHot", "Regression")
    )
    assert drawn.count("pipeline-end") == 1
