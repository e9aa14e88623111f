"""How long a recommendation takes: choosing the best set in 2,000 draws of 12, 23 and 40 options, and a whole result.

Run with `python -m bench.bench_scoring`. Asked for: 12 principles in less than 1 s of processor time, also with their
light levels beside them (23 options), 40 in less than 5 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from assessments.principles import Days, load_catalogue
from assessments.scoring import profile
from assessments.scoring.choice import best_set
from assessments.scoring.draws import draw, draw_positions
from assessments.scoring.evaluate import problem_at
from assessments.scoring.panel import Answer, Option, Panel, options_from
from assessments.scoring.recommend import recommend_from_panel
from assessments.scoring.scope import FIRST, LARGE, PLANNED
from assessments.scoring.search import best_sets
from assessments.scoring.settings import Settings

EXPERTS = ("a", "b", "c", "d", "e", "f")


def answered(options: tuple[Option, ...], seed: int = 1) -> Panel:
    """Six made-up experts around the options' own figures."""
    random = np.random.default_rng(seed)
    answers = []
    for expert in EXPERTS:
        for option in options:
            ratings = {k: float(np.clip(r + random.uniform(-1, 1), 0, 4)) for k, r in (option.ratings or {}).items()}
            effort, times = option.effort or Days(1, 2, 3), random.uniform(0.7, 1.4)
            days = Days(effort.low * times, effort.likely * times, effort.high * times)
            answers.append(Answer(expert, option.slug, ratings, days))
    return Panel(options, EXPERTS, tuple(answers))


def forty() -> tuple[Option, ...]:
    """The catalogue three times over with varied figures, cut at 40: a crowd competing for the same five benefits."""
    random = np.random.default_rng(2)
    options: list[Option] = []
    for turn in range(4):
        for option in options_from(load_catalogue(), light=()):
            effort, times = option.effort or Days(1, 2, 3), random.uniform(0.3, 1.0)
            options.append(
                Option(
                    slug=f"{option.slug}-{turn}",
                    name=option.name,
                    serves=option.serves,
                    requires=tuple(f"{needed}-{turn}" for needed in option.requires),
                    ratings={k: max(0.5, r - random.uniform(0.5, 1.5)) for k, r in (option.ratings or {}).items()},
                    effort=Days(effort.low * times, effort.likely * times, effort.high * times),
                )
            )
    kept = options[:40]
    slugs = {option.slug for option in kept}
    return tuple(
        Option(o.slug, o.name, o.serves, tuple(r for r in o.requires if r in slugs), ratings=o.ratings, effort=o.effort)
        for o in kept
    )


def timed(name: str, work: Callable[[], object], *, asked: float | None = None) -> float:
    """Best of three, in seconds of wall clock and of processor."""
    walls, processors = [], []
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    note = f"  asked < {asked:g} s" if asked else ""
    print(f"{name:71s} {min(walls):7.3f} s wall {min(processors):7.3f} s cpu{note}")
    return min(walls)


def main() -> None:
    """Print one line per measurement."""
    settings = Settings()
    u = draw_positions(LARGE, settings, settings.draws)
    catalogue = load_catalogue()
    sizes = {
        12: (options_from(catalogue, light=()), 1.0),
        23: (options_from(catalogue), 1.0),
        40: (forty(), 5.0),
    }
    for size, (options, asked) in sizes.items():
        draws = draw(answered(options), settings)
        timed(
            f"{size} options: {settings.draws} readings of six experts", lambda o=options: draw(answered(o), settings)
        )
        for budget in (None, 40.0):
            changed = Settings(budget_days=budget)
            problem = problem_at(draws, u, False, changed)
            limit = "no budget" if budget is None else f"budget {budget:g} days"
            fast = timed(f"{size} options: best sets, {limit}", lambda p=problem: best_sets(p), asked=asked)
            start = time.perf_counter()
            for d in range(20):
                best_set(problem, d)
            program = (time.perf_counter() - start) / 20 * settings.draws
            print(f"{'':6s}an integer program per draw would take {program:.0f} s: {program / fast:.0f} times as long")
    timed("12 options: recommendation without details", lambda: recommend_from_panel(
        answered(sizes[12][0]), FIRST, PLANNED, settings, details=False), asked=1.0)  # fmt: skip
    for size, (options, asked) in sizes.items():
        panel = answered(options)
        named = "12 principles with light levels" if size == 23 else f"{size} options"
        timed(
            f"{named}: with flips, plans and sensitivities",
            lambda p=panel: recommend_from_panel(p, FIRST, PLANNED, settings),
            asked=asked,
        )
    timed("first recommendation from the scope", lambda: profile.recommend(FIRST, PLANNED))


if __name__ == "__main__":
    main()
