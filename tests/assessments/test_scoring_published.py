"""Published worked examples, to the digits they were printed with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assessments.scoring.benefit import saved_days, swing_weights
from assessments.scoring.choice import Problem, best_by_enumeration, best_set
from assessments.scoring.consensus import content_validity, kendall_w, krippendorff_alpha, rand_ucla
from assessments.scoring.draws import draw_panel
from assessments.scoring.flip import crossing
from assessments.scoring.search import best_sets

EXAMPLES = json.loads((Path(__file__).parent / "published_examples.json").read_text())


def test_swing_weights_and_values_of_the_office_example():
    office = EXAMPLES["goodwin_wright_office"]
    names, published = office["attributes"], office["published"]
    weights = swing_weights(dict(zip(names, office["raw_swing"], strict=True)), names)
    assert (100 * weights).round().tolist() == office["weights_percent"]
    # The book goes on with the rounded weights.
    percent = np.array(office["weights_percent"], dtype=float)
    value = {
        name: float(saved_days(np.array([1.0]), percent, np.array([row]) / 100))
        for name, row in office["values"].items()
    }
    assert {name: round(value[name], 1) for name in "ACG"} == {name: published[name] for name in "ACG"}
    assert round(published["extra_cost_C_to_G"] / (value["G"] - value["C"])) == published["dollars_per_point_C_G"]
    assert round(published["extra_cost_G_to_A"] / (value["A"] - value["G"])) == published["dollars_per_point_G_A"]


def test_flip_weight_of_the_office_example():
    office = EXAMPLES["goodwin_wright_office"]
    published, raw = office["published"], np.array(office["raw_swing"], dtype=float)
    turnover, conditions = raw[:3] / raw[:3].sum(), raw[3:] / raw[3:].sum()

    def ends(name: str) -> np.ndarray:
        row = np.array(office["values"][name], dtype=float)
        return np.array([conditions @ row[3:], turnover @ row[:3]])

    assert ends("E").round(1).tolist() == [published["E_at_turnover_0"], published["E_at_turnover_100"]]
    found = crossing(np.array([0.0, 100.0]), ends("A") - ends("E"), 0.0)
    assert found is not None
    assert (round(found[0], 1), found[1]) == (published["flip_weight_turnover"], True)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_krippendorff_alpha(scale: str):
    example = EXAMPLES["krippendorff_C"]
    ratings = np.array(example["raters_x_units"], dtype=float)
    assert round(krippendorff_alpha(ratings, scale), 3) == example["published"][scale]


def test_krippendorff_alpha_nominal_to_seven_digits():
    ratings = np.array(EXAMPLES["krippendorff_C"]["raters_x_units"], dtype=float)
    assert round(krippendorff_alpha(ratings, "nominal"), 7) == 0.7434211


def test_kendall_w_with_ties():
    example = EXAMPLES["kendall_w_anxiety"]
    found = kendall_w(np.array(example["raters"], dtype=float))
    assert round(found.w, 7) == example["published"]["W_tie_corrected"]
    assert round(found.chi2, 2) == example["published"]["chisq19"]
    assert round(found.p, 3) == example["published"]["p"]
    assert (found.raters, found.items) == (3, 20)


def test_rand_ucla_panel():
    example = EXAMPLES["rand_ucla_bmjopen2012"]
    found, published = rand_ucla(example["ratings"]), example["published"]
    assert (found.median, found.p30, found.p70) == (published["median"], published["p30"], published["p70"])
    assert found.spread == published["IPR"]
    assert abs(5 - (found.p30 + found.p70) / 2) == published["AI"]
    assert round(found.allowed, 1) == published["IPRAS"]
    assert not found.disagreement


def test_content_validity_of_six_experts():
    example = EXAMPLES["icvi_six_experts"]
    rows = [[vote < count for vote in range(6)] for count in example["relevant_votes_of_six"]]
    found, published = content_validity(rows), example["published"]
    assert {round(found.items[5], 2), round(found.items[8], 2)} == {published["items_6_and_9"]}
    assert sum(item == 1 for item in found.items) == 10
    assert round(found.average, 2) == published["average"]
    assert round(found.universal, 2) == published["universal"]


def test_rank_acceptability_has_the_closed_form():
    """Two people, of whom each wants another option in full and both are content with the third."""
    example = EXAMPLES["smaa_analytic"]
    draws = 20_000
    people = draw_panel(["first", "second"], draws, seed=1)
    weights = np.stack([people["first"], people["second"]], axis=1)
    shares = (weights @ np.array(example["options"], dtype=float).T)[:, :, None]
    ones = np.ones((draws, 3))
    # A budget of one day for options of one day each lets exactly the best one in.
    problem = Problem(np.full((draws, 1), 10.0), shares, 0 * ones, ones, (), budget=1.0)
    assert best_sets(problem).mean(axis=0) == pytest.approx(example["exact_rank1"], abs=0.01)


@pytest.mark.parametrize(
    "method", [lambda p: best_set(p), lambda p: best_by_enumeration(p)[0], lambda p: best_sets(p)[0]]
)
def test_knapsack_p01(method):
    example = EXAMPLES["knapsack_p01"]
    profits, weights = (np.array(example[name], dtype=float) for name in ("profits", "weights"))
    total = profits.sum()
    problem = Problem(
        np.array([[total]]), (profits / total)[None, :, None], np.zeros((1, 10)), weights[None], (), example["capacity"]
    )
    chosen = method(problem)
    assert profits[chosen].sum() == pytest.approx(example["published"])
    assert weights[chosen].sum() <= example["capacity"]
