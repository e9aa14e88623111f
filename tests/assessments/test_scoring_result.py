"""What a result says: verdicts, reasons, flips, plans, sensitivities, and why two results differ."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from assessments.principles import Days
from assessments.scoring.changes import Inputs, explain_changes, work_out_shares
from assessments.scoring.draws import draw
from assessments.scoring.evaluate import problem_at, selected
from assessments.scoring.flip import closed_form_flip, path_flips, single_flips, sweeps
from assessments.scoring.need import positions
from assessments.scoring.panel import Answer, Option, Panel, options_from
from assessments.scoring.plan import plan
from assessments.scoring.recommend import Result, assumptions_digest, recommend_from_panel
from assessments.scoring.scope import EXAMPLES, FACTORS, FIRST, LARGE, PLANNED, Measurement, Scope
from assessments.scoring.search import best_sets
from assessments.scoring.sensitivity import tornado
from assessments.scoring.settings import Settings
from tests.assessments.panels import six_experts

FEW = Settings(draws=150, flip_draws=60, flip_steps=5)
SURE = replace(FEW, draws=1, flip_draws=1, flip_steps=3, noise_half_widths={"high": 0, "medium": 0, "low": 0})


@pytest.fixture(scope="module")
def first() -> Result:
    return recommend_from_panel(six_experts(1), FIRST, PLANNED, FEW)


def test_result_is_plain_json_with_all_it_rests_on(first: Result):
    text = json.dumps(first.to_json(), allow_nan=False)
    again = json.loads(text)
    assert Settings.from_json(again["settings"]) == first.settings
    assert Scope.from_json(again["scope"]) == first.scope
    assert again["assumptions"] == assumptions_digest(six_experts(1), FEW)
    assert len(again["options"]) == 12


def test_verdicts_follow_from_the_probabilities(first: Result):
    for option in first.options:
        if option.probability >= 0.7:
            assert option.verdict == "now"
        elif option.probability > 0.3 or option.planned_probability >= 0.7:
            assert option.verdict == "later"
        else:
            assert option.verdict == "not yet"
        assert option.answers == 6
        assert not option.assumed


def test_reasons_weigh_days_against_cost_and_name_the_factors(first: Result):
    reason = first.option("versioning").reasons[0]
    assert reason.startswith("Saves about ")
    assert "over 12 months (" in reason
    worth = first.option("versioning").worth
    assert worth.saves == pytest.approx(sum(worth.by_benefit.values()))
    assert worth.net > 0
    held_down = first.option("ci-cd")
    assert held_down.worth.net < 0
    assert "What holds the need down: 2 deployments a year" in " ".join(held_down.reasons)


def test_net_worth_of_the_best_set_is_never_negative_and_larger_for_the_plan(first: Result):
    assert 0 <= first.today.net_p10 <= first.today.net_p50 <= first.today.net_p90
    assert first.planned.net_p50 > first.today.net_p50
    assert first.planned.size > first.today.size


def test_plans_grow_with_the_budget_and_keep_the_order_of_prerequisites():
    panel = six_experts(1)
    plans = plan(draw(panel, FEW), positions(LARGE, FEW), False, FEW)
    assert [p.budget for p in plans] == [10, 25, 50, 80, None]
    assert [p.net for p in plans] == sorted(p.net for p in plans)
    requires = {option.slug: option.requires for option in panel.options}
    for found in plans:
        for i, slug in enumerate(found.steps):
            assert set(requires[slug]) <= set(found.steps[:i])
    tight = plans[0]
    assert "versioning" in tight.steps
    assert tight.next_gain > 0
    assert set(tight.next_adds) - set(tight.steps)


def test_tornado_moves_one_thing_at_a_time_and_tells_how_the_set_changes():
    found = tornado(draw(six_experts(1), FEW), positions(LARGE, FEW), False, FEW)
    widths = [swing.width for swing in found.swings]
    assert widths == sorted(widths, reverse=True)
    by_name = {swing.name: swing for swing in found.swings}
    assert set(by_name) == {"full_benefit_days", "overrun", "upkeep", *FEW.benefits, *(f.name for f in FACTORS)}
    worth = by_name["full_benefit_days"]
    assert worth.net_low < found.net < worth.net_high
    assert worth.size_low < worth.size_high
    assert worth.only_high
    assert by_name["overrun"].net_low > found.net > by_name["overrun"].net_high


def test_closed_form_flip_agrees_with_the_sweep():
    """One option, no doubts: p jumps from 0 to 1 exactly where the closed form says."""
    option = Option("x", "X", ("K2",), ratings={"K2": 4}, effort=Days(10, 10, 10))
    draws = draw(Panel((option,)), SURE)
    u = positions(PLANNED, SURE)
    f = [factor.name for factor in FACTORS].index("rollbacks_per_month")
    flip = closed_form_flip(np.array([0, 4, 0, 0, 0]), np.full(5, 0.2), 10, u, f, False, SURE)
    assert 0 < flip < 1
    for side, expected in ((-1e-6, 0.0), (1e-6, 1.0)):
        moved = u.copy()
        moved[f] = flip + side
        assert best_sets(problem_at(draws, moved[None], False, SURE)).mean() == expected


def test_closed_form_says_when_a_factor_does_not_matter():
    f = [factor.name for factor in FACTORS].index("regulated")
    u = positions(PLANNED, SURE)
    assert np.isnan(closed_form_flip(np.array([0, 4, 0, 0, 0]), np.full(5, 0.2), 7, u, f, False, SURE))


def test_nearest_single_flip_is_found_and_none_where_there_is_none():
    settings = replace(FEW, flip_steps=9)
    draws = draw(six_experts(1), settings, 60)
    large = single_flips(draws, positions(LARGE, settings), False, settings)
    out = large["ci-cd"][0]
    assert out.factor == "deployments_per_week"
    assert not out.enters
    assert out.value < 1
    assert out.words.startswith("No longer worth it from ")
    planned = single_flips(draws, positions(PLANNED, settings), False, settings)
    assert planned["ci-cd"][0].enters
    assert planned["monitoring"][0].factor == "drift_alarms_per_month"
    assert (
        planned["metadata"][0].words
        == "No longer worth it from one person changing the system or fewer, all else unchanged."
    )
    first = single_flips(draws, positions(FIRST, settings), True, settings)
    assert set(first.values()) == {()}
    where, scales = positions(PLANNED, settings), {factor.name: f for f, factor in enumerate(FACTORS)}
    for slug, flips in planned.items():
        far = [abs(flip.position - where[scales[flip.factor]]) for flip in flips]
        assert far == sorted(far)
        assert len({flip.factor for flip in flips}) == len(flips)
        for flip in flips:
            # A little beyond the point, with this factor moved alone, the option is on the other side.
            f, there = scales[flip.factor], where.copy()
            there[f] = np.clip(flip.position + 0.15 * np.sign(flip.position - where[f]), 0, 1)
            moved = best_sets(problem_at(draws, np.tile(there, (60, 1)), False, settings)).mean(axis=0)
            assert (moved[draws.slugs.index(slug)] >= 0.5) == flip.enters


def test_flip_of_a_declared_factor_is_one_of_its_levels():
    criticality = FACTORS[4]
    assert criticality.reached(0.3, rising=True) == 3
    assert criticality.reached(0.3, rising=False) == 2
    assert FACTORS[8].reached(0.7, rising=True) == 1


def test_path_to_the_plan_names_the_first_point(first: Result):
    flips = {option.slug: option.path_flip for option in first.options}
    assert flips["versioning"] is None
    assert flips["controlled-release"].enters
    assert 0 <= flips["controlled-release"].part < 0.5
    assert "on the way to the plan" in flips["testing"].words
    assert flips["testing"].scope.values["models_in_production"] > 1


def test_a_plan_that_shares_no_known_factor_with_today_has_no_path():
    draws = draw(six_experts(1), SURE)
    here, there = (positions(scope, SURE) for scope in (Scope.of(people=3), Scope.of(manual_steps=2)))
    assert set(path_flips(draws, here, there, False, False, SURE).values()) == {None}


@pytest.mark.parametrize("budget", [None, 25.0])
def test_following_a_way_gives_what_solving_every_point_gives(budget: float | None):
    """Only stretches whose ends differ are looked into; nothing in between may be missed by that."""
    settings = replace(FEW, budget_days=budget)
    draws = draw(six_experts(2), settings, 40)
    begins = np.array([positions(FIRST, settings), positions(PLANNED, settings)])
    ends = np.array([positions(LARGE, settings), positions(LARGE, settings)])
    points = np.array([np.linspace(0, 1, 14), np.linspace(0, 1, 14) ** 2])
    for way, sweep in enumerate(sweeps(draws, begins, ends, points, False, settings)):
        for part, found in zip(points[way], sweep.probabilities, strict=True):
            u = begins[way] + part * (ends[way] - begins[way])
            every = np.tile(u, (40, 1))
            chosen = best_sets(problem_at(selected(draws, np.arange(40)), every, False, settings))
            assert found == pytest.approx(chosen.mean(axis=0))


def test_release_alone_can_tip_the_balance():
    option = Option("x", "X", ("K2",), ratings={"K2": 4}, effort=Days(4, 4, 4))
    draws = draw(Panel((option,)), SURE)
    u = positions(FIRST, SURE)
    found = path_flips(draws, u, positions(PLANNED, SURE), True, False, SURE)["x"]
    assert (found.part, found.enters) == (0, True)
    assert found.words == "Worth it as soon as the first version is released."


def test_changes_add_up_and_blame_the_right_thing():
    panel = six_experts(1)
    votes = tuple(replace(a, holistic=min(9, a.holistic + 1)) if a.option == "testing" else a for a in panel.answers)
    cheaper = tuple(replace(a, effort=Days(1, 1, 1)) if a.option == "monitoring" else a for a in votes)
    before = Inputs(panel, FIRST, PLANNED, FEW)
    after = Inputs(replace(panel, answers=cheaper), PLANNED, None, replace(FEW, full_benefit_days=200))
    changes = {change.slug: change for change in explain_changes(before, after)}
    for change in changes.values():
        total = change.by_answers + change.by_scope + change.by_assumptions
        assert total == pytest.approx(change.after - change.before, abs=1e-12)
    assert changes["monitoring"].by_answers > 0.9
    assert changes["controlled-release"].by_scope > 0.5
    assert changes["controlled-release"].by_answers == 0
    assert changes["testing"].by_assumptions < 0
    assert changes["testing"].votes.up == changes["testing"].votes.changed > 0
    assert changes["testing"].votes.both == 6


def test_kept_results_are_not_worked_out_again_and_give_the_same_to_the_last_digit():
    panel = six_experts(1, light=True)
    cheaper = tuple(replace(a, effort=Days(1, 1, 1)) if a.option == "monitoring" else a for a in panel.answers)
    before = Inputs(panel, FIRST, PLANNED, FEW)
    answers = replace(before, panel=replace(panel, answers=cheaper))
    scope = replace(before, scope=LARGE, planned=None)
    assumptions = replace(before, settings=replace(FEW, full_benefit_days=200))
    everything = Inputs(answers.panel, LARGE, None, assumptions.settings)
    worked_out: list[Inputs] = []

    def shares_of(inputs):
        worked_out.append(inputs)
        return work_out_shares(inputs)

    kept = {}
    for after, steps in (
        (answers, 0),
        (scope, 0),
        (assumptions, 0),
        (everything, 2),
        (replace(answers, scope=LARGE), 1),
    ):
        for one in (before, after):
            if id(one) not in kept:
                result = recommend_from_panel(one.panel, one.scope, one.planned, one.settings)
                kept[id(one)] = json.loads(json.dumps(result.to_json()))
        worked_out.clear()
        found = explain_changes(before, after, (kept[id(before)], kept[id(after)]), shares_of)
        assert len(worked_out) == steps
        assert found == explain_changes(before, after)
        for step in worked_out:
            whole = recommend_from_panel(step.panel, step.scope, step.planned, step.settings, details=False)
            chosen = {one.slug: one.probability for one in whole.options if one.probability is not None}
            assert work_out_shares(step) == chosen


def test_no_change_is_no_change():
    same = Inputs(six_experts(1), FIRST, None, FEW)
    for change in explain_changes(same, same):
        assert (change.by_answers, change.by_scope, change.by_assumptions) == (0, 0, 0)
        assert change.votes.changed == 0


def test_changes_say_when_an_option_could_not_be_chosen():
    catalogue_panel = Panel((Option("x", "X", ("K1",), ratings={"K1": 2}, effort=Days(1, 1, 1)),))
    done = Panel((replace(catalogue_panel.options[0], in_place=True),))
    (change,) = explain_changes(Inputs(catalogue_panel, LARGE, None, FEW), Inputs(done, LARGE, None, FEW))
    assert change.note == "It could be chosen in one of the two results only."
    assert change.verdict_after == "in place"


def test_redefined_factors_cannot_be_compared():
    panel = six_experts(1)
    other = replace(FEW, factors=(*FACTORS[:-1], replace(FACTORS[-1], low=-1)))
    with pytest.raises(ValueError, match="cannot be compared step by step"):
        explain_changes(Inputs(panel, FIRST, None, FEW), Inputs(panel, FIRST, None, other))


def test_assumed_options_are_marked():
    from assessments.principles import load_catalogue

    result = recommend_from_panel(Panel(options_from(load_catalogue())), LARGE, None, FEW, details=False)
    assert all(option.assumed for option in result.options)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"adopt_now": 0.2}, "adopt_now: expected 0 <= not_yet <= adopt_now <= 1, got 0.3 and 0.2"),
        ({"share_map": (0, 0.2, 0.1, 0.3, 0.4)}, "share_map: expected five rising shares"),
        ({"share_map": (0, 0.2, 0.3, 0.4, 1.4)}, "share_map: expected shares up to 1, got 1.4"),
        ({"draws": 0}, "draws: expected a number >= 1, got 0"),
        ({"upkeep": float("nan")}, "upkeep: expected a number >= 0, got nan"),
        ({"budget_days": -1}, "budget_days: expected a number >= 0 or none, got -1"),
        ({"need_shares": {"K1": {"people": 0.5}}}, "need_shares.K1: expected shares >= 0 that add up to 1"),
        ({"need_shares": {"K1": {"weather": 1}}}, 'need_shares.K1: unknown scope factor "weather"'),
        ({"need_floors": {}}, "need_floors.K1: expected a number from 0 to 1"),
        ({"noise_half_widths": {"high": 1}}, "noise_half_widths: expected 0 to 4 for medium confidence"),
        ({"consensus_threshold": 75}, "consensus_threshold: expected a number from 0 to 1, got 75"),
    ],
)
def test_wrong_settings_are_refused(changed: dict[str, object], message: str):
    with pytest.raises(ValueError) as caught:
        Settings(**changed)
    assert str(caught.value).startswith(message)


def test_settings_travel_through_json_and_their_digest_tells_them_apart():
    settings = Settings(budget_days=40, plan_budgets=(5, 10), seed=7)
    again = Settings.from_json(json.loads(json.dumps(settings.to_json(), allow_nan=False)))
    assert again == settings
    assert again.digest() == settings.digest() == Settings(budget_days=40.0, plan_budgets=(5.0, 10.0), seed=7).digest()
    assert len({Settings(seed=s).digest() for s in range(3)}) == 3
    with pytest.raises(ValueError, match='unknown setting "colour"'):
        Settings.from_json({"colour": "red"})
    with pytest.raises(ValueError, match="Expected `int`"):
        Settings.from_json({"draws": "many"})


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        (Scope.of(weather=1), 'unknown scope factor "weather"'),
        (Scope.of(people=-1), "people: expected 0 or more, got -1"),
        (Scope.of(regulated=2), "regulated: expected 0 to 1, got 2"),
        (Scope.of(people=float("inf")), "people: expected a number, got inf"),
        (Scope({}, measured={"people": Measurement(1, 1)}), '"people" is not a factor that is counted over time'),
    ],
)
def test_wrong_scopes_are_refused(scope: Scope, message: str):
    with pytest.raises(ValueError) as caught:
        scope.check(FACTORS)
    assert str(caught.value) == message


def test_scopes_travel_through_json():
    scope = replace(LARGE, measured={"rollbacks_per_month": Measurement(3, 2.0)}, first_version=True)
    assert Scope.from_json(json.loads(json.dumps(scope.to_json()))) == scope
    assert all(Scope.from_json(example.to_json()) == example for example in EXAMPLES.values())


@pytest.mark.parametrize("value", [0, 0.038, 0.25, 1, 3, 7.5, 100])
def test_every_factor_can_be_said_in_words(value: float):
    for factor in FACTORS:
        if factor.minimum <= value <= factor.maximum:
            words = factor.say(value)
            assert words
            assert "{" not in words
            assert not words.startswith("0 ")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Answer("a", "x", {"K1": 5}), "answer of a on x: expected a rating from 0 to 4 for K1, got 5"),
        (lambda: Answer("a", "x", holistic=0), "answer of a on x: expected a vote from 1 to 9, got 0"),
        (lambda: Answer("a", "x", confidence="sure"), 'answer of a on x: unknown confidence "sure"'),
        (lambda: Days(3, 2, 4), "expected 0 <= low <= likely <= high, got 3, 2, 4"),
        (lambda: Panel((Option("x", "X", ("K1",), ("y",)),)), 'x: prerequisite "y" is not among the options'),
        (lambda: Panel((), ("a",), (Answer("a", "x"),)), 'answer of "a" on "x": unknown expert or option'),
        (lambda: Panel((), (), (), {"b": {}}), 'swing points of unknown expert "b"'),
    ],
)
def test_wrong_answers_are_refused(build, message: str):
    with pytest.raises(ValueError) as caught:
        build()
    assert str(caught.value) == message


def test_panels_travel_through_json():
    panel = six_experts(1, light=True)
    again = Panel.from_json(json.loads(json.dumps(panel.to_json())))
    a, b = (recommend_from_panel(p, LARGE, None, FEW, details=False) for p in (panel, again))
    assert a.to_json() == b.to_json()
