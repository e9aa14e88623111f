"""The fast search, the integer program and plain enumeration agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.scoring import search
from assessments.scoring.choice import TIE_DAYS, Problem, best_by_enumeration, best_set, net_days, prerequisites
from assessments.scoring.search import best_sets


def problem(seed: int, size: int, draws: int, budget: float | None, pairs: int) -> Problem:
    """A random problem in which several options compete for each benefit."""
    random = np.random.default_rng(seed)
    served = random.random((size, 5)) < 0.5
    shares = served * random.choice([0.05, 0.1, 0.2, 0.4], (size, 5)) * random.uniform(0.6, 1.3, (draws, size, 5))
    efforts = random.uniform(1, 16, size) * random.uniform(0.7, 1.4, (draws, size))
    worths = 300 * random.dirichlet(np.full(5, 8.0), draws) * random.uniform(0.05, 1, 5)
    requires = tuple(
        {(int(i), int(random.integers(0, i))) for i in random.integers(1, size, pairs)} if size > 1 else ()
    )
    return Problem(worths, shares, efforts * 1.2, efforts, requires, budget)


def value(one: Problem, chosen: np.ndarray) -> np.ndarray:
    return net_days(one, chosen) - TIE_DAYS * chosen.sum(axis=-1)


def respects(one: Problem, chosen: np.ndarray) -> bool:
    kept = all((~chosen[:, i] | chosen[:, j]).all() for i, j in one.requires)
    return kept and (one.budget is None or bool(((chosen * one.efforts).sum(axis=1) <= one.budget + 1e-6).all()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(1, 9),
    budget=st.one_of(st.none(), st.floats(0, 60)),
    pairs=st.integers(0, 6),
)
def test_search_equals_enumeration(seed: int, size: int, budget: float | None, pairs: int):
    one = problem(seed, size, 20, budget, pairs)
    fast, sure = best_sets(one), best_by_enumeration(one)
    assert respects(one, fast)
    assert value(one, fast) == pytest.approx(value(one, sure), abs=1e-6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), budget=st.one_of(st.none(), st.floats(0, 60)))
def test_integer_program_equals_enumeration(seed: int, budget: float | None):
    one = problem(seed, 8, 3, budget, 4)
    sure = best_by_enumeration(one)
    for d in range(3):
        single = one.rows(np.array([d]))
        found = best_set(one, d)[None]
        assert respects(single, found)
        assert value(single, found) == pytest.approx(value(single, sure[d : d + 1]), abs=1e-5)


@pytest.mark.parametrize("budget", [None, 60.0])
def test_search_equals_the_integer_program_at_forty_options(budget: float | None):
    one = problem(3, 40, 60, budget, 20)
    fast = best_sets(one)
    assert respects(one, fast)
    for d in range(4):
        single = one.rows(np.array([d]))
        assert value(single, fast[d : d + 1]) == pytest.approx(value(single, best_set(one, d)[None]), abs=1e-4)


def test_too_many_open_sets_go_to_the_integer_program(monkeypatch: pytest.MonkeyPatch):
    one = problem(5, 12, 8, 30.0, 5)
    sure = best_by_enumeration(one)
    calls = []

    def counted(which: Problem, draw: int = 0) -> np.ndarray:
        calls.append(draw)
        return best_set(which, draw)

    monkeypatch.setattr(search, "best_set", counted)
    monkeypatch.setattr(search, "MOST_SETS", 20)
    assert value(one, best_sets(one)) == pytest.approx(value(one, sure), abs=1e-6)
    assert calls
    monkeypatch.setattr(search, "MOST_OPTIONS", 4)
    assert value(one, best_sets(one)) == pytest.approx(value(one, sure), abs=1e-6)


@pytest.mark.parametrize("budget", [None, 30.0])
@pytest.mark.parametrize("few", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("sample", [1, 1000])
def test_how_long_bounds_are_tightened_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch, budget: float | None, few: float, sample: int
):
    one = problem(7, 10, 60, budget, 6)
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "SAMPLE", sample)
    assert best_sets(one).tolist() == best_by_enumeration(one).tolist()


def test_nothing_to_choose_from():
    empty = Problem(np.ones((3, 5)), np.zeros((3, 0, 5)), np.zeros((3, 0)), np.zeros((3, 0)))
    assert best_sets(empty).shape == (3, 0)


def test_enumeration_is_for_small_problems():
    with pytest.raises(ValueError, match="at most 16 options, got 17"):
        best_by_enumeration(problem(1, 17, 1, None, 0))


def test_prerequisites_reach_through():
    assert prerequisites(3, [(0, 1), (1, 2)]).tolist() == [
        [True, True, True],
        [False, True, True],
        [False, False, True],
    ]
