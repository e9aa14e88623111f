"""Metric curves through the HTTP API: few points, true extremes, exact ranges."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models_registry.models import MetricPoint
from tests.api.calls import Calls, refused
from tests.models_registry.learned import TREE, make_model, make_run
from tests.models_registry.serving_records import add_model, add_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project):
    return Calls(project, "read")


def curve(response, view="rolling"):
    assert response.status_code == 200, response.content
    return next(one["points"] for one in response.json()["series"] if one["view"] == view)


@pytest.fixture
def saw(project):
    """A run whose stored points go up and down, the highest and lowest in the middle of nowhere."""
    run = add_run(add_model(project), position=1004)
    MetricPoint.objects.bulk_create(
        MetricPoint(
            run=run,
            first=place * 10 + 1,
            position=place * 10 + 10,
            values={"rolling.ROCAUC": [0.5, 0.01 if place == 33 else 0.4, 0.99 if place == 71 else 0.6]},
        )
        for place in range(100)
    )
    return run


@pytest.mark.parametrize("points", [2, 3, 10, 99, 101, 2000])
def test_at_most_so_many_points_with_the_true_extremes(api, saw, points):
    found = curve(api.get("runs/1/metrics/", {"points": points}))
    assert len(found) <= points
    assert (min(each["low"] for each in found), max(each["high"] for each in found)) == (0.01, 0.99)
    assert (found[0]["first"], found[-1]["position"], found[-1]["last"]) == (1, 1004, 0.8)
    assert all(one["position"] < two["first"] for one, two in pairwise(found)), "they do not overlap"


def test_a_narrow_range_is_exact(api, saw):
    found = curve(api.get("runs/1/metrics/", {"points": 5, "from": 325, "to": 345}))
    assert [(each["first"], each["position"], each["low"]) for each in found] == [
        (321, 330, 0.4),
        (331, 340, 0.01),
        (341, 350, 0.4),
    ]
    [tail] = curve(api.get("runs/1/metrics/", {"from": 1002}))
    assert (tail["first"], tail["position"], tail["last"]) == (1001, 1004, 0.8)
    assert api.get("runs/1/metrics/", {"from": 2000}).json()["series"] == []


def test_curves_of_a_run_that_really_learned(api, project):
    make_run(make_model(project, spec=TREE), events=95, seed=1)
    body = api.get("runs/1/metrics/", {"name": "Accuracy"}).json()
    assert (body["run"], body["position"], body["metric"]) == (1, 95, "Accuracy")
    assert {"Accuracy", "F1", "ROCAUC", "LogLoss"} == set(body["metrics"])
    assert [one["view"] for one in body["series"]] == ["overall", "rolling", "fading", "baseline", "baseline_rolling"]
    overall = body["series"][0]["points"]
    assert overall[-1]["position"] == 95
    assert overall[-1]["last"] == api.get("runs/1/").json()["metrics"]["overall.Accuracy"]


def test_wrong_questions(api, saw):
    assert "it has ROCAUC" in refused(api.get("runs/1/metrics/", {"name": "Beauty"}), 400)["message"]
    for query in (
        {"points": 1},
        {"points": "many"},
        {"points": 10**9},
        {"from": 0},
        {"from": 5, "to": 3},
        {"to": 2**64},
        {"name": "a\x00"},
    ):
        refused(api.get("runs/1/metrics/", query), 400)
    refused(api.get("runs/7/metrics/"), 404)


def test_a_run_that_has_learned_nothing_has_no_curves(api, project):
    add_run(add_model(project), position=0, summary={}, checkpoint="")
    body = api.get("runs/1/metrics/").json()
    assert (body["metric"], body["metrics"], body["series"]) == ("ROCAUC", [], [])
