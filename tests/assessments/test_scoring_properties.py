"""What must hold for any panel and any scope."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.principles import Days
from assessments.scoring import profile
from assessments.scoring.benefit import saved_days, swing_weights, worth
from assessments.scoring.draws import draw, draw_effort, draw_positions, generator
from assessments.scoring.need import needs, positions
from assessments.scoring.panel import Answer, Option, Panel
from assessments.scoring.plan import plan
from assessments.scoring.recommend import recommend_from_panel
from assessments.scoring.scope import FACTORS, FIRST, LARGE, PLANNED, Measurement, Scope
from assessments.scoring.settings import Settings
from tests.assessments.panels import six_experts

FEW = Settings(draws=60)
SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
KEYS = FEW.benefits


@st.composite
def scopes(draw_from: st.DrawFn) -> Scope:
    values = {}
    for factor in FACTORS:
        if factor.declared:
            value = draw_from(st.sampled_from([level.value for level in factor.levels]))
        else:
            value = factor.raw(draw_from(st.floats(0, 1)))
        values[factor.name] = draw_from(st.sampled_from([value, value, value, None]))
    if all(value is None for value in values.values()):
        values["people"] = 3
    return Scope(values, draw_from(st.booleans()))


@st.composite
def panels(draw_from: st.DrawFn) -> Panel:
    """Small panels with gaps: missing ratings, missing efforts, single-point efforts, refusals."""
    slugs = ["a", "b", "c", "d"][: draw_from(st.integers(1, 4))]
    options = tuple(
        Option(
            slug,
            slug.upper(),
            tuple(draw_from(st.sets(st.sampled_from(KEYS), min_size=1))),
            tuple(slugs[:i][-1:]) if draw_from(st.booleans()) else (),
            ratings=draw_from(st.sampled_from([None, dict.fromkeys(KEYS, 2.0)])),
            effort=draw_from(st.sampled_from([None, Days(1, 2, 3)])),
        )
        for i, slug in enumerate(slugs)
    )
    experts = tuple("xyz"[: draw_from(st.integers(0, 3))])
    answers = []
    for expert in experts:
        for slug in slugs:
            if draw_from(st.booleans()):
                ratings = {key: draw_from(st.sampled_from([None, 0, 1, 2, 3, 4])) for key in KEYS}
                low = draw_from(st.floats(0, 10))
                effort = draw_from(st.sampled_from([None, Days(low, low, low), Days(low, low, low + 5)]))
                answers.append(
                    Answer(
                        expert,
                        slug,
                        ratings,
                        effort,
                        "low",
                        None,
                        applies=draw_from(st.sampled_from([True, True, False])),
                    )
                )
    return Panel(options, experts, tuple(answers))


@settings(max_examples=60, **SLOW)
@given(scope=scopes(), f=st.integers(0, len(FACTORS) - 1), up=st.floats(0, 1))
def test_every_sets_value_is_monotone_in_every_factor(scope: Scope, f: int, up: float):
    u = positions(scope, FEW)
    if np.isnan(u[f]):
        return
    higher = u.copy()
    higher[f] = u[f] + up * (1 - u[f])
    weights = np.full(5, 0.2)
    shares = draw(six_experts(1), replace(FEW, draws=1)).shares[0]
    sets = np.random.default_rng(1).random((40, len(shares))) < 0.5
    before, after = (
        saved_days(sets.astype(float), worth(weights, needs(at, FEW), FEW), np.tile(shares, (40, 1, 1)))
        for at in (u, higher)
    )
    assert (after >= before - 1e-9).all()


@settings(max_examples=40, **SLOW)
@given(st.lists(st.floats(0.01, 100), min_size=5, max_size=5), st.floats(0.01, 1000))
def test_scale_of_swing_points_is_irrelevant(points: list[float], times: float):
    plain = swing_weights(dict(zip(KEYS, points, strict=True)), KEYS)
    scaled = swing_weights({key: value * times for key, value in zip(KEYS, points, strict=True)}, KEYS)
    assert scaled == pytest.approx(plain)
    assert plain.sum() == pytest.approx(1)


def test_scale_of_one_experts_points_changes_no_probability():
    panel = six_experts(2)
    swing = dict(panel.swing)
    swing["ann"] = {key: 7 * value for key, value in swing["ann"].items()}
    a, b = (recommend_from_panel(p, LARGE, None, FEW, details=False) for p in (panel, replace(panel, swing=swing)))
    assert [o.probability for o in a.options] == [o.probability for o in b.options]


def test_no_need_gives_the_empty_set():
    nothing = Scope.of(**{factor.name: factor.low for factor in FACTORS})
    bare = replace(FEW, need_floors=dict.fromkeys(KEYS, 0.0))
    result = recommend_from_panel(six_experts(1), nothing, None, bare, details=False)
    assert {o.probability for o in result.options} == {0.0}
    assert result.today.net_p90 == 0


@settings(max_examples=25, **SLOW)
@given(panel=panels())
def test_no_need_gives_the_empty_set_for_any_panel_with_costs(panel: Panel):
    nothing = Scope.of(**{factor.name: factor.low for factor in FACTORS})
    bare = replace(FEW, need_floors=dict.fromkeys(KEYS, 0.0))
    result = recommend_from_panel(panel, nothing, None, bare, details=False)
    # What costs nothing may be taken or left; of two equally good sets the smaller one wins.
    assert {option.probability for option in result.options} <= {0.0, None}


@settings(max_examples=25, **SLOW)
@given(panel=panels(), scope=scopes(), planned=scopes(), budget=st.one_of(st.none(), st.floats(0, 20)))
def test_same_seed_same_answer_for_any_panel_with_all_details(panel: Panel, scope: Scope, planned: Scope, budget):
    few = replace(FEW, draws=20, flip_draws=10, flip_steps=3, budget_days=budget)
    once, again = (recommend_from_panel(panel, scope, planned, few) for _ in range(2))
    assert once == again
    for step in once.plans:
        assert step.budget is None or step.effort <= step.budget + 1e-6


@settings(max_examples=25, **SLOW)
@given(panel=panels(), scope=scopes())
def test_saying_dont_know_is_the_same_as_saying_nothing(panel: Panel, scope: Scope):
    silent = tuple(
        replace(answer, ratings={key: rating for key, rating in answer.ratings.items() if rating is not None})
        for answer in panel.answers
    )
    said, unsaid = (
        recommend_from_panel(one, scope, None, FEW, details=False) for one in (panel, replace(panel, answers=silent))
    )
    assert [option.probability for option in said.options] == [option.probability for option in unsaid.options]


@settings(max_examples=25, **SLOW)
@given(panel=panels(), scope=scopes(), times=st.floats(0.01, 1000))
def test_scale_of_swing_points_changes_no_result(panel: Panel, scope: Scope, times: float):
    points = {expert: {key: 10.0 * (i + 1) for i, key in enumerate(KEYS)} for expert in panel.experts}
    scaled = {expert: {key: value * times for key, value in given.items()} for expert, given in points.items()}
    a, b = (
        recommend_from_panel(replace(panel, swing=swing), scope, None, FEW, details=False) for swing in (points, scaled)
    )
    for one, other in zip(a.options, b.options, strict=True):
        # Rounding may turn a draw in which two sets are equally good.
        assert (one.probability is None) == (other.probability is None)
        if one.probability is not None:
            assert one.probability == pytest.approx(other.probability, abs=2 / FEW.draws)


@settings(max_examples=40, **SLOW)
@given(panel=panels(), scope=scopes(), budget=st.one_of(st.none(), st.floats(0, 20)))
def test_any_panel_with_gaps_gives_a_verdict_on_every_option(panel: Panel, scope: Scope, budget: float | None):
    result = recommend_from_panel(panel, scope, None, replace(FEW, budget_days=budget), details=False)
    assert [o.slug for o in result.options] == [o.slug for o in panel.options]
    for option in result.options:
        assert (option.probability is None) == (option.verdict in ("unrated", "does not apply", "in place"))
        if option.probability is not None:
            assert 0 <= option.probability <= 1
            assert option.reasons
    for option in panel.options:
        p = result.option(option.slug).probability
        for needed in option.requires:
            q = result.option(needed).probability
            # In every draw the prerequisite is in the set too, so it can only be more probable.
            assert p is None or q is None or p <= q


@settings(max_examples=15, **SLOW)
@given(scope=scopes())
def test_profile_never_adopts_without_the_prerequisites(scope: Scope):
    found = {r.slug: r for r in profile.recommend(scope, settings=FEW)}
    for principle in profile.load_catalogue().principles:
        if found[principle.slug].verdict == "now":
            assert {found[needed].verdict for needed in principle.requires} <= {"now"}


@settings(max_examples=25, **SLOW)
@given(budget=st.floats(0, 60), seed=st.integers(1, 5))
def test_budget_holds_in_every_plan(budget: float, seed: int):
    limited, unlimited = plan(draw(six_experts(seed), FEW), positions(LARGE, FEW), False, FEW, [budget])
    assert limited.effort <= budget + 1e-6
    assert limited.net <= unlimited.net + 1e-6
    assert limited.next_gain >= -1e-6


@st.composite
def panels_with_light_levels(draw_from: st.DrawFn) -> Panel:
    """Two principles with a light level each, rated by some, by nobody, with gaps, and out of proportion too."""
    options: list[Option] = []
    for slug in ("a", "b"):
        known = draw_from(st.booleans())
        options += [
            Option(f"{slug}:light", slug, ("K1", "K4"), ratings={"K1": 1} if known else None, effort=Days(1, 1, 2)),
            Option(slug, slug, ("K1", "K3", "K4"), light=f"{slug}:light", ratings={"K3": 2.0}, effort=Days(2, 3, 5)),
        ]
    answers = []
    for expert in "xyz":
        for option in options:
            if draw_from(st.booleans()):
                ratings = {key: draw_from(st.sampled_from([None, 0, 1, 2, 3, 4])) for key in option.serves}
                low = draw_from(st.floats(0, 10))
                effort = draw_from(st.sampled_from([None, Days(low, low, low), Days(low, low + 1, low + 4)]))
                answers.append(Answer(expert, option.slug, ratings, effort, "medium"))
    return Panel(tuple(options), ("x", "y", "z"), tuple(answers))


@settings(max_examples=60, **SLOW)
@given(panel=panels_with_light_levels())
def test_a_whole_principle_neither_costs_nor_brings_less_than_its_light_level(panel: Panel):
    """Whatever was said of either: what it adds is never negative, and it adds up to the whole where that is more."""
    alone = draw(replace(panel, options=tuple(replace(option, light=None) for option in panel.options)), FEW)
    found = draw(panel, FEW)
    assert (found.efforts >= 0).all() and (found.shares >= 0).all()
    for slug in {"a", "b"} & set(found.slugs):
        whole = found.slugs.index(slug)
        if f"{slug}:light" not in found.slugs:
            assert found.efforts[:, whole] == pytest.approx(alone.efforts[:, alone.slugs.index(slug)])
            continue
        light = found.slugs.index(f"{slug}:light")
        larger = np.maximum(*(alone.efforts[:, alone.slugs.index(one)] for one in (f"{slug}:light", slug)))
        assert found.efforts[:, [light, whole]].sum(axis=1) == pytest.approx(larger)
        larger = np.maximum(*(alone.shares[:, alone.slugs.index(one)] for one in (f"{slug}:light", slug)))
        assert found.shares[:, [light, whole]].sum(axis=1) == pytest.approx(larger)
        assert (whole, light) in found.requires


@settings(max_examples=30, **SLOW)
@given(panel=panels_with_light_levels(), scope=scopes())
def test_dont_know_about_a_light_level_is_the_same_as_no_answer(panel: Panel, scope: Scope):
    """Never a zero: an expert who leaves the light level open changes nothing about it."""
    answered = {(answer.expert, answer.option) for answer in panel.answers}
    open_ones = tuple(
        Answer(expert, option.slug, dict.fromkeys(option.serves), None)
        for expert in panel.experts
        for option in panel.options
        if option.slug.endswith(":light") and (expert, option.slug) not in answered
    )
    said, unsaid = (
        recommend_from_panel(one, scope, None, FEW, details=False)
        for one in (replace(panel, answers=(*panel.answers, *open_ones)), panel)
    )
    assert [option.probability for option in said.options] == [option.probability for option in unsaid.options]
    for option in said.options:
        assert (option.probability is None) == (option.verdict == "unrated")


def test_same_seed_same_answer_and_other_seed_other_draws():
    panel = six_experts(1)
    a, b, c = (
        recommend_from_panel(panel, LARGE, PLANNED, replace(FEW, seed=seed), details=False).to_json()
        for seed in (1, 1, 2)
    )
    assert a == b
    assert a != c


def test_order_of_experts_and_answers_is_irrelevant():
    panel = six_experts(1)
    turned = replace(panel, experts=panel.experts[::-1], answers=panel.answers[::-1])
    a, b = (recommend_from_panel(p, LARGE, None, FEW, details=False) for p in (panel, turned))
    assert [o.probability for o in a.options] == [o.probability for o in b.options]


def test_a_newcomer_leaves_all_other_numbers_alone():
    panel = six_experts(1)
    more = replace(
        panel, options=(*panel.options, Option("new", "New", ("K1",), ratings={"K1": 1}, effort=Days(1, 1, 1)))
    )
    assert (draw(more, FEW).shares[:, :-1] == draw(panel, FEW).shares).all()


def test_dont_know_is_skipped_and_never_zero():
    options = (Option("x", "X", ("K1", "K2")),)
    knows = Answer("a", "x", {"K1": 3, "K2": 2}, Days(1, 2, 3))
    alone = Panel(options, ("a", "b"), (knows,))
    silent = replace(alone, answers=(knows, Answer("b", "x", {"K1": None, "K2": None}, None)))
    zero = replace(alone, answers=(knows, Answer("b", "x", {"K1": 0, "K2": 0}, Days(1, 2, 3))))
    a, b, c = (draw(panel, FEW) for panel in (alone, silent, zero))
    assert a.shares == pytest.approx(b.shares)
    assert a.efforts == pytest.approx(b.efforts)
    assert c.shares.mean() < a.shares.mean()


def test_ratings_outside_the_mask_are_ignored():
    panel = Panel((Option("x", "X", ("K1",)),), ("a",), (Answer("a", "x", {"K1": 2, "K5": 4}, Days(1, 2, 3)),))
    assert draw(panel, FEW).shares[:, 0, 1:].max() == 0


def test_single_point_and_missing_efforts():
    assert (draw_effort(Days(4, 4, 4), generator(1), 5) == 4).all()
    edge = draw_effort(Days(1, 1, 5), generator(1), 2000)
    assert edge.min() >= 1
    assert edge.mean() == pytest.approx(Days(1, 1, 5).mean, rel=0.05)
    option = Option("x", "X", ("K1",), effort=Days(2, 2, 2))
    panel = Panel((option,), ("a",), (Answer("a", "x", {"K1": 2}, None),))
    assert (draw(panel, FEW).efforts == 2).all()
    assert draw(panel, FEW).assumed == ("x",)
    nobody = Panel((replace(option, effort=None),), ("a",), (Answer("a", "x", {"K1": 2}, None),))
    result = recommend_from_panel(nobody, LARGE, None, FEW)
    assert [o.verdict for o in result.options] == ["unrated"]


def test_does_not_apply_needs_a_majority():
    option = Option("x", "X", ("K1",), effort=Days(1, 1, 1))
    yes = Answer("a", "x", {"K1": 4})
    no = [Answer(e, "x", applies=False) for e in "bc"]
    one = recommend_from_panel(Panel((option,), ("a", "b"), (yes, no[0])), LARGE, None, FEW, details=False)
    two = recommend_from_panel(Panel((option,), ("a", "b", "c"), (yes, *no)), LARGE, None, FEW, details=False)
    assert one.options[0].verdict == "now"
    assert two.options[0].verdict == "does not apply"


def test_first_version_delay_is_irrelevant_for_a_released_project():
    panel = six_experts(1)
    a, b = (
        recommend_from_panel(panel, LARGE, None, replace(FEW, first_version_delay=d), details=False) for d in (0.0, 2.0)
    )
    assert [o.probability for o in a.options] == [o.probability for o in b.options]


def test_unknown_factors_are_left_out_and_not_zero():
    known = Scope.of(deployments_per_week=7, manual_steps=15)
    assert needs(positions(known, FEW), FEW) == pytest.approx(np.ones(5))
    small = {factor.name: factor.low for factor in FACTORS} | dict(known.values)
    assert (needs(positions(Scope(small), FEW), FEW) < 0.8).all()
    with pytest.raises(ValueError, match="nothing is known about the scope"):
        needs(positions(Scope({}), FEW), FEW)


def test_measured_rates_have_an_error_and_never_overwrite_what_was_declared():
    measured = {"rollbacks_per_month": Measurement(6, 3.0)}
    scope = replace(FIRST, measured=measured)
    f = [factor.name for factor in FACTORS].index("rollbacks_per_month")
    declared = draw_positions(scope, FEW, 4000)[:, f]
    assert (declared == 0).all()
    used = draw_positions(scope, replace(FEW, telemetry_rule="measured"), 4000)[:, f]
    assert used.std() > 0.1
    blank = draw_positions(replace(scope, values={**scope.values, "rollbacks_per_month": None}), FEW, 4000)[:, f]
    assert (blank == used).all()
    # Mean of Gamma(6.5, 3) is 2.17 a month, of an anchor of 4.
    assert used.mean() == pytest.approx(6.5 / 3 / 4, abs=0.02)
