"""Agreement is judged on the experts' own votes, with few of them and with gaps."""

from __future__ import annotations

import numpy as np
import pytest

from assessments.scoring.consensus import content_validity, kendall_w, krippendorff_alpha, rand_ucla, round_state
from assessments.scoring.recommend import recommend_from_panel
from assessments.scoring.scope import LARGE
from assessments.scoring.settings import Settings
from tests.assessments.panels import six_experts


@pytest.mark.parametrize(
    ("votes", "outcome", "disagreement", "counts"),
    [
        ([8, 8, 9, 7, 8, 9], "for", False, (0, 0, 6)),
        ([1, 2, 2, 3, 1, 2], "against", False, (6, 0, 0)),
        ([5, 5, 6, 4, 5, 5], "uncertain", False, (0, 6, 0)),
        ([1, 1, 2, 8, 9, 9], "uncertain", True, (3, 0, 3)),
        ([7], "for", False, (0, 0, 1)),
    ],
)
def test_outcome_of_a_vote(votes, outcome, disagreement, counts):
    found = rand_ucla(votes)
    assert (found.outcome, found.disagreement, found.counts) == (outcome, disagreement, counts)


def test_split_panel_is_flagged_by_a_range_beyond_the_allowed():
    found = rand_ucla([2, 2, 2, 8, 8, 8])
    assert (found.spread, round(found.allowed, 2)) == (6.0, 2.35)
    assert found.disagreement


def test_nobody_voted():
    found = rand_ucla([])
    assert found.outcome == "no votes"
    assert found.median is None


def test_concordance_needs_two_raters_and_an_order():
    assert kendall_w(np.array([[1.0, 2.0, 3.0]])) is None
    assert kendall_w(np.full((3, 4), 5.0)) is None
    assert kendall_w(np.array([[1.0, 2, 3], [3, 2, 1]])).w == 0
    # The third item was not rated by all and is left out.
    assert kendall_w(np.array([[1.0, 2, np.nan], [1, 2, 3]])).items == 2


def test_alpha_is_low_when_everybody_says_nearly_the_same():
    same = np.full((4, 6), 8.0)
    assert krippendorff_alpha(same) is None
    one_off = same.copy()
    one_off[0, 0] = 7
    assert krippendorff_alpha(one_off) < 0.1


def test_alpha_without_pairs():
    assert krippendorff_alpha(np.array([[1.0, np.nan], [np.nan, 2.0]])) is None
    assert krippendorff_alpha(np.full((2, 2), np.nan)) is None


def test_missing_answers_are_left_out_of_content_validity():
    found = content_validity([[True, None, True], [None, None, None]])
    assert found.items == (1.0, None)
    assert found.average == 1.0
    assert content_validity([]).average is None


def test_rounds_stop_at_consensus_stability_or_the_last_one():
    split = {"x": {"a": 8, "b": 2, "c": 8, "d": 2}}
    agreed = {"x": {"a": 8, "b": 8, "c": 8, "d": 2}}
    assert round_state(split, None, 1).reason == "open"
    assert round_state(agreed, split, 2).agreed == ("x",)
    assert round_state(agreed, split, 2).reason == "consensus"
    assert round_state(agreed, split, 2).moved == {"x": 1}
    assert round_state(split, split, 2).reason == "stable"
    moved = {"x": {"a": 5, "b": 2, "c": 8, "d": 2}}
    assert round_state(moved, split, 2).reason == "open"
    assert round_state(moved, split, 3).reason == "last round"


def test_votes_never_move_the_model():
    from dataclasses import replace

    panel = six_experts(1)
    against = replace(panel, answers=tuple(replace(answer, holistic=1) for answer in panel.answers))
    settings = Settings(draws=50)
    a, b = (recommend_from_panel(p, LARGE, None, settings, details=False) for p in (panel, against))
    assert [o.probability for o in a.options] == [o.probability for o in b.options]
    assert {o.agreement.outcome for o in b.options} == {"against"}
    assert b.option("versioning").verdict == "now"
