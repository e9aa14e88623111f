"""Metric points: few, exact at their extremes, the same however they were merged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.learning.points import MAX_POINTS, Point, Thinner, merge_points, thin_points, width_at


def feed(positions: list[int], cuts: list[int], origin: int = 0) -> list[Point]:
    """Take positions chunk by chunk as a service would; the value of the one series is a function of the position."""
    thinner = Thinner(origin)
    points: list[Point] = []
    for start, stop in zip([0, *cuts], [*cuts, len(positions)], strict=True):
        if stop <= start:
            continue
        part = np.array(positions[start:stop], dtype=np.int64)
        values = np.array([part * 7919 % 1000, np.where(part < 30, np.nan, part)], dtype=float)
        finished, width = thinner.add(part, ["a", "b"], values)
        points += finished
        if width:
            points = merge_points(points, width)
    return points


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=400),
    st.lists(st.integers(0, 400), max_size=6),
    st.integers(0, 3),
    st.integers(1, 300),
)
def test_points_depend_on_positions_alone(gaps: list[int], cuts: list[int], origin: int, stretch: int) -> None:
    positions = (np.cumsum(gaps) * stretch + origin).tolist()
    cuts = sorted(min(cut, len(positions)) for cut in cuts)
    assert feed(positions, cuts, origin) == feed(positions, [], origin)


@pytest.mark.parametrize("count", [5, 999, 10_000, 10_001, 123_457])
def test_rows_are_bounded_and_extremes_exact(count: int) -> None:
    points = feed(list(range(1, count + 1)), [count // 3, count // 2])
    assert len(points) <= MAX_POINTS
    if count > 10_000:
        assert len(points) >= MAX_POINTS // 2 - 1
    for point in points:
        values = [p * 7919 % 1000 for p in range(point.first, point.position + 1)]
        assert point.values["a"] == [values[-1], min(values), max(values)]
    ends = [point.position for point in points]
    assert [point.first for point in points] == [1, *[end + 1 for end in ends[:-1]]][: len(points)]


def test_a_series_without_a_value_yet_has_none() -> None:
    first, second, third = feed(list(range(1, 31)), [])
    assert first.values["b"] == [None, None, None]
    assert third.values["b"] == [30.0, 30.0, 30.0]
    assert merge_points([first, third], 40)[0].values["b"] == [30.0, 30.0, 30.0]
    assert merge_points([second, Point(31, 40, {"c": [1.0, 1.0, 1.0]})], 40)[0].values["c"] == [1.0, 1.0, 1.0]


def test_infinity_is_no_value() -> None:
    finished, _ = Thinner().add(np.arange(1, 11), ["a"], np.array([[1.0] * 9 + [np.inf]]))
    assert finished[0].values["a"] == [None, 1.0, None]


def test_width_grows_where_the_run_started() -> None:
    assert width_at(1_000_000, origin=999_990) == 10
    assert width_at(1_010_000, origin=1_000_000) == 10
    assert width_at(1_010_001, origin=1_000_000) == 20
    assert feed(list(range(1_000_001, 1_020_001)), [], origin=1_000_000)[-1].position == 1_020_000


def test_thinning_for_a_chart_keeps_extremes() -> None:
    points = feed(list(range(1, 5_001)), [])
    thin = thin_points(points, 40)
    assert 20 <= len(thin) <= 40
    assert min(point.values["a"][1] for point in thin) == min(point.values["a"][1] for point in points)
    assert max(point.values["a"][2] for point in thin) == max(point.values["a"][2] for point in points)
    assert thin_points(points, 10_000) == points
