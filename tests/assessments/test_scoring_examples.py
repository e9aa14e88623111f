"""Small projects are told to adopt little and large ones most, and the variants that failed stay failed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assessments.principles import Days, load_catalogue
from assessments.scoring import profile
from assessments.scoring.benefit import shares_of
from assessments.scoring.choice import Problem
from assessments.scoring.draws import draw, draw_panel
from assessments.scoring.evaluate import average, problem_at
from assessments.scoring.need import needs, positions
from assessments.scoring.panel import Answer, Option, Panel
from assessments.scoring.recommend import recommend_from_panel
from assessments.scoring.scope import FIRST, LARGE, PLANNED, Scope
from assessments.scoring.search import best_sets
from assessments.scoring.settings import Settings
from tests.assessments.panels import six_experts

QUICK = Settings(draws=200)

# One person, one model, never deployed.
LONE = Scope.of(
    first_version=True,
    deployments_per_week=1 / 26,
    manual_steps=3,
    rollbacks_per_month=0,
    hours_to_restore=24,
    criticality=1,
    models_in_production=1,
    drift_alarms_per_month=0,
    people=1,
    regulated=0,
)


def adopted(panel: Panel, scope: Scope, settings: Settings = QUICK) -> tuple[str, ...]:
    return recommend_from_panel(panel, scope, None, settings, details=False).adopt_now()


def size_at_mean(panel: Panel, scope: Scope, settings: Settings) -> int:
    draws = average(draw(panel, settings))
    problem = problem_at(draws, positions(scope, settings)[None], scope.first_version, settings)
    return int(best_sets(problem).sum())


@pytest.mark.parametrize(
    ("scope", "published"),
    [
        (LARGE, [0.88, 0.73, 0.90, 0.77, 0.76]),
        (PLANNED, [0.66, 0.48, 0.60, 0.45, 0.39]),
        (FIRST, [0.29, 0.27, 0.15, 0.15, 0.23]),
    ],
)
def test_needs_of_the_example_scopes(scope: Scope, published: list[float]):
    assert needs(positions(scope, Settings()), Settings()) == pytest.approx(published, abs=0.0101)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_large_application_adopts_most_and_a_first_version_only_versioning(seed: int):
    assert len(adopted(six_experts(seed), LARGE)) >= 9
    assert adopted(six_experts(seed), FIRST) == ("versioning",)


def test_first_recommendation_needs_no_panel():
    large = {r.slug: r for r in profile.recommend(LARGE)}
    first = {r.slug: r for r in profile.recommend(FIRST, PLANNED)}
    assert list(first) == list(load_catalogue().slugs)
    assert [slug for slug, r in first.items() if r.verdict == "now"] == ["versioning"]
    assert sum(r.verdict == "now" for r in large.values()) >= 9
    assert first["controlled-release"].verdict == "later"
    assert "Under the planned scope it belongs in the best set." in first["controlled-release"].reasons
    assert all(r.assumed and r.reasons for r in first.values())
    assert first["ci-cd"].factors[:2] == ("manual_steps", "people")
    assert large["ci-cd"].factors == ("deployments_per_week", "manual_steps")


def test_first_version_is_offered_light_levels():
    advice = {r.slug: r.light for r in profile.recommend(FIRST) if r.light}
    assert {"controlled-release", "testing"} <= {slug for slug, light in advice.items() if light.verdict == "now"}
    assert all(advice[slug].verdict != "now" for slug in ("ci-cd", "orchestration", "governance"))


def test_strict_regulation_is_a_duty():
    scope = replace(PLANNED, values={**PLANNED.values, "regulated": 1})
    found = {r.slug: r for r in profile.recommend(scope)}
    assert {found[slug].verdict for slug in ("governance", "metadata", "reproducibility", "versioning")} == {"now"}
    assert "Strict regulation asks for it, whatever it saves." in found["governance"].reasons


def test_what_is_in_place_is_not_recommended_again():
    found = {r.slug: r for r in profile.recommend(LARGE, in_place=["versioning", "testing"])}
    assert found["versioning"].verdict == found["testing"].verdict == "in place"
    assert found["testing"].light is None
    assert found["ci-cd"].verdict == "now"


def test_adoption_grows_with_what_the_benefits_are_worth():
    panel = six_experts(1)
    large = [len(adopted(panel, LARGE, replace(QUICK, full_benefit_days=days))) for days in (100, 200, 300, 600)]
    assert large == sorted(large)
    assert large[0] <= 2
    assert large[3] == 12
    for days in (200, 300, 450, 600):
        for delay in (0.5, 1, 2):
            changed = replace(QUICK, full_benefit_days=days, first_version_delay=delay)
            assert len(adopted(panel, FIRST, changed)) <= 2


def test_halved_shares_adopt_few():
    assert len(adopted(six_experts(1), LARGE, replace(QUICK, share_map=(0, 0.025, 0.05, 0.1, 0.2)))) <= 5


def test_overlap_by_products_would_use_a_benefit_up():
    """With 1 - prod(1 - r/4) instead of min(1, sum) a few strong principles leave nothing for the rest."""
    settings = replace(QUICK, full_benefit_days=600)
    panel = six_experts(1)
    assert size_at_mean(panel, LARGE, settings) >= 11
    options = panel.options
    mean = np.array(
        [[np.mean([a.ratings.get(k, 0) for a in panel.answers_on(o.slug)]) for k in settings.benefits] for o in options]
    )
    draws = average(draw(panel, settings))
    problem = problem_at(draws, positions(LARGE, settings)[None], False, settings)
    sets = (np.arange(2 ** len(options))[:, None] >> np.arange(len(options)) & 1).astype(float)
    for i, j in problem.requires:
        sets = sets[(sets[:, i] <= sets[:, j])]
    missing = np.exp(sets @ np.log(np.maximum(1 - mean / 4, 1e-12)))
    best = sets[np.argmax((1 - missing) @ problem.worths[0] - sets @ problem.costs[0])]
    assert best.sum() <= 8


def test_pooling_after_the_share_map_would_let_enthusiasts_rule():
    """A panel split between 0 and 4 must not look better than one that agrees on 2."""

    def panel(ratings: tuple[int, ...]) -> Panel:
        experts = tuple(f"e{i}" for i in range(len(ratings)))
        answers = tuple(Answer(e, "x", {"K1": r}, Days(4, 5, 6), "high") for e, r in zip(experts, ratings, strict=True))
        return Panel((Option("x", "X", ("K1",)),), experts, answers)

    settings = Settings(draws=2000)
    split, agreed = panel((0, 0, 0, 4, 4, 4)), panel((2, 2, 2, 2, 2, 2))
    mean = {name: float(draw(p, settings).shares[:, 0, 0].mean()) for name, p in (("split", split), ("agreed", agreed))}
    people = draw_panel(split.experts, settings.draws, settings.seed)
    mapped_first = sum(
        (people[e] * shares_of(np.array(r), settings) for e, r in zip(split.experts, (0, 0, 0, 4, 4, 4), strict=True)),
        np.zeros(settings.draws),
    )
    assert mapped_first.mean() > 1.8 * mean["agreed"]
    assert mean["split"] < 1.35 * mean["agreed"]


def test_without_a_floor_a_lone_project_would_need_nothing():
    settings = replace(QUICK, draws=400)
    bare = replace(settings, need_floors=dict.fromkeys(settings.benefits, 0.0))
    panel = six_experts(1, effort_times=0.4)

    def p(which: Settings) -> float:
        return recommend_from_panel(panel, LONE, None, which, details=False).option("versioning").probability

    assert adopted(panel, LONE, settings) == ("versioning",)
    assert p(settings) > 0.97
    assert p(bare) < 0.92
    full_size = six_experts(1)
    assert adopted(full_size, LONE, bare) == ()


def test_light_levels_suit_first_versions():
    settings = replace(QUICK, first_version_delay=0.5, draws=400)
    result = recommend_from_panel(six_experts(1, light=True), FIRST, None, settings, details=False)
    assert set(result.adopt_now()) == {
        "versioning",
        "controlled-release:light",
        "testing:light",
        "monitoring:light",
    }
    whole = [o.probability for o in result.options if not o.slug.endswith(":light") and o.slug != "versioning"]
    assert max(whole) < 0.5


def test_a_whole_principle_counts_only_beyond_its_light_level():
    with_light, without = six_experts(1, light=True), six_experts(1)
    a, b = draw(with_light, QUICK), draw(without, QUICK)
    both = slice(None), [a.slugs.index("monitoring:light"), a.slugs.index("monitoring")]
    assert a.efforts[both].sum(axis=1) == pytest.approx(b.efforts[:, b.slugs.index("monitoring")])
    k4 = a.shares[both][:, :, 3].sum(axis=1)
    assert (k4 >= b.shares[:, b.slugs.index("monitoring"), 3] - 1e-12).all()


def test_choice_uses_the_worth_not_the_rank():
    """Two equally good options of which the budget admits one: the cheaper is taken."""
    problem = Problem(
        np.array([[100.0]]), np.array([[[0.3], [0.3]]]), np.array([[9.0, 8.0]]), np.array([[9.0, 8.0]]), (), 10.0
    )
    assert best_sets(problem).tolist() == [[False, True]]
