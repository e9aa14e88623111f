"""Metric points in the database: few rows however long the run, extremes exact, and a chart reads few."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models_registry.learning.points import MAX_POINTS, Thinner
from models_registry.models import MetricPoint, Run
from models_registry.selectors.metrics import read_chart
from models_registry.services.points import keep_points
from models_registry.services.runs import start_run
from tests.factories import make_events, make_project
from tests.models_registry.learned import make_model

pytestmark = pytest.mark.django_db

SERIES = ["overall.Accuracy", "rolling.Accuracy"]
TEN_MILLION = 10_000_000
CHUNK = 40_000


@pytest.fixture
def run() -> Run:
    project = make_project(task="binary")
    make_events(project, 1)
    return start_run(model=make_model(project), mode="replay", actor=None)


def curves(positions: np.ndarray) -> np.ndarray:
    """Two curves that never repeat, with a peak and a low at single events."""
    slow = 0.8 + 0.1 * np.sin(positions / 70_000.0)
    fast = 0.5 + 0.3 * np.cos(positions / 311.0)
    fast[positions == 7_654_321] = 0.999
    fast[positions == 1_234_567] = 0.001
    return np.array([slow, fast])


def test_ten_million_events_make_a_thousand_rows_with_exact_extremes(run: Run) -> None:
    thinner = Thinner()
    most = 0
    for start in range(0, TEN_MILLION, CHUNK):
        positions = np.arange(start + 1, start + CHUNK + 1, dtype=np.int64)
        points, width = thinner.add(positions, SERIES, curves(positions))
        keep_points(run_id=run.pk, points=points, width=width)
        most = max(most, MetricPoint.objects.filter(run=run).count())
    assert MAX_POINTS // 2 <= most <= MAX_POINTS + 1

    rows = list(MetricPoint.objects.filter(run=run).order_by("position"))
    assert [row.first for row in rows[1:]] == [row.position + 1 for row in rows[:-1]], "without gap or overlap"
    assert rows[0].first == 1 and rows[-1].position > TEN_MILLION - 2 * thinner.width
    for row in (rows[0], rows[len(rows) // 3], rows[-1]):
        values = curves(np.arange(row.first, row.position + 1))
        for name, found in zip(SERIES, values, strict=True):
            assert row.values[name] == [found[-1], found.min(), found.max()]
    assert max(row.values["rolling.Accuracy"][2] for row in rows) == 0.999
    assert min(row.values["rolling.Accuracy"][1] for row in rows) == 0.001

    Run.objects.filter(pk=run.pk).update(position=TEN_MILLION)
    run.refresh_from_db()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        read_chart(run, "Accuracy")
    assert sum(count_rows(query["sql"]) for query in asked.captured_queries) <= 2_000


def count_rows(sql: str) -> int:
    """Ask a question again and count the rows of its answer."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return len(cursor.fetchall())


def test_points_written_in_any_cut_are_the_same_rows(run: Run) -> None:
    other = start_run(model=run.model, mode="replay", actor=None)
    for which, cuts in ((run, [100, 9_990, 10_001, 45_000]), (other, [45_000])):
        thinner, start = Thinner(), 0
        for stop in cuts:
            positions = np.arange(start + 1, stop + 1, dtype=np.int64)
            points, width = thinner.add(positions, SERIES, curves(positions))
            keep_points(run_id=which.pk, points=points, width=width)
            start = stop
    rows = [
        list(MetricPoint.objects.filter(run=which).order_by("position").values_list("first", "position", "values"))
        for which in (run, other)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) > 500


def test_a_value_that_is_none_stays_none(run: Run) -> None:
    positions = np.arange(1, 11, dtype=np.int64)
    points, _ = Thinner().add(positions, ["overall.F1"], np.full((1, 10), np.nan))
    keep_points(run_id=run.pk, points=points)
    assert MetricPoint.objects.get(run=run).values == {"overall.F1": [None, None, None]}
