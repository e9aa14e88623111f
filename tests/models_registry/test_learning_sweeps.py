"""Sweeps: many valid specs from one, named by what differs."""

from typing import Any

import pytest

from models_registry.learning import spec as specs
from models_registry.learning.errors import SpecError
from models_registry.learning.sweeps import draw_specs, make_grid, read_place
from models_registry.learning.templates import find_template

LOGISTIC = find_template("logistic-regression").spec


def test_a_grid_has_every_combination_and_leaves_the_spec_alone() -> None:
    optimizer = [{"use": "optim.SGD", "params": {"lr": 0.1}}, {"use": "optim.Adam"}]
    grid = make_grid(LOGISTIC, {"steps[1].params.l2": [0, 0.1], "steps[1].params.optimizer": optimizer})
    assert list(grid) == [
        "l2=0, optimizer=SGD",
        "l2=0, optimizer=Adam",
        "l2=0.1, optimizer=SGD",
        "l2=0.1, optimizer=Adam",
    ]
    for spec in grid.values():
        specs.validate(spec, "binary")
    assert find_template("logistic-regression").spec == LOGISTIC
    assert "params" not in LOGISTIC["steps"][1]
    assert read_place(grid["l2=0.1, optimizer=SGD"], "steps[1].params.optimizer.params.lr") == 0.1
    assert read_place(LOGISTIC, "steps[1].params.l2") is None


def test_random_draws_repeat_themselves_and_stay_in_range() -> None:
    ranges = {
        "steps[1].params.l2": {"low": 0.001, "high": 1, "log": True},
        "steps[1].params.intercept_lr": {"low": 0.1, "high": 0.2},
        "steps[0].params.window_size": {"low": 2, "high": 9, "whole": True},
        "steps[0].params.with_std": {"values": [True, False]},
    }
    drawn = draw_specs(LOGISTIC, ranges, 20, seed=1)
    assert drawn == draw_specs(LOGISTIC, ranges, 20, seed=1)
    assert drawn != draw_specs(LOGISTIC, ranges, 20, seed=2)
    assert len(drawn) == 20
    for spec in drawn.values():
        specs.validate(spec, "binary")
        assert 0.001 <= spec["steps"][1]["params"]["l2"] <= 1
        assert spec["steps"][0]["params"]["window_size"] in range(2, 10)


def test_the_same_parameter_in_two_places_is_named_by_its_place() -> None:
    grid = make_grid(
        {"union": [{"use": "a"}, {"use": "b"}]}, {"union[0].params.seed": [1], "union[1].params.seed": [2]}
    )
    assert list(grid) == ["union[0].params.seed=1, union[1].params.seed=2"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_grid(LOGISTIC, {"steps[1].params.l2": list(range(51))}), "the grid comes to 51 models"),
        (lambda: make_grid(LOGISTIC, {"steps[1].params.l2": []}), "the grid comes to 0 models"),
        (lambda: make_grid(LOGISTIC, {"steps[9].params.l2": [1]}), "no such place"),
        (lambda: make_grid(LOGISTIC, {"steps[1].nothing.l2": [1]}), "no such place"),
        (lambda: make_grid(LOGISTIC, {"steps[1]": [1]}), "no such place"),
        (lambda: make_grid(LOGISTIC, {"steps[1]!!": [1]}), r"expected a place such as steps\[1\].params.l2"),
        (lambda: make_grid(LOGISTIC, {"": [1]}), "expected a place"),
        (lambda: draw_specs(LOGISTIC, {}, 0, seed=1), "0 models were asked for"),
        (lambda: draw_specs(LOGISTIC, {"steps[1].params.l2": {}}, 1, seed=1), "with low < high"),
        (
            lambda: draw_specs(LOGISTIC, {"steps[1].params.l2": {"low": 0, "high": 1, "log": True}}, 1, seed=1),
            "> 0 for",
        ),
        (lambda: draw_specs(LOGISTIC, {"steps[1].params.l2": {"values": []}}, 1, seed=1), "expected a list of values"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        call()


def test_specs_are_compared_with_their_defaults() -> None:
    other = {"steps": [{"use": "preprocessing.MinMaxScaler"}, {**LOGISTIC["steps"][1], "params": {"l2": 0.1}}]}
    assert ("steps[1].params.l2", 0.0, 0.1) in specs.find_differences(LOGISTIC, other)
    assert ("steps[0].use", "preprocessing.StandardScaler", "preprocessing.MinMaxScaler") in specs.find_differences(
        LOGISTIC, other
    )
    assert specs.find_differences(LOGISTIC, LOGISTIC) == []
    assert specs.canonical({"b": 1, "a": 2}) == specs.canonical({"a": 2, "b": 1})
