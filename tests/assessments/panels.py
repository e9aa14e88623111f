"""Made-up panels for tests: six experts scattered around the catalogue's own figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assessments.principles import Days, load_catalogue
from assessments.scoring.panel import Answer, Option, Panel, options_from

EXPERTS = ("ann", "bea", "cem", "dan", "eva", "fay")
CONFIDENCES = ("high", "medium", "low")


def six_experts(seed: int = 1, *, light: bool = False, effort_times: float = 1.0) -> Panel:
    """Six experts who differ by up to a point per rating and a third in effort."""
    random = np.random.default_rng(seed)
    options = options_from(load_catalogue(), light=None if light else ())
    answers, swing = [], {}
    for expert in EXPERTS:
        swing[expert] = {key: float(random.integers(60, 101)) for key in ("K1", "K2", "K3", "K4", "K5")}
        for option in options:
            if option.slug.endswith(":light"):
                continue
            ratings = {
                key: float(np.clip(round(rating + random.uniform(-0.8, 0.8)), 0, 4))
                for key, rating in (option.ratings or {}).items()
            }
            times = random.uniform(0.75, 1.35) * effort_times
            effort = option.effort or Days(1, 2, 3)
            answers.append(
                Answer(
                    expert,
                    option.slug,
                    ratings,
                    Days(effort.low * times, effort.likely * times, effort.high * times),
                    CONFIDENCES[random.integers(3)],
                    int(random.integers(1, 10)),
                )
            )
    if effort_times != 1:
        options = tuple(scaled(option, effort_times) for option in options)
    return Panel(options, EXPERTS, tuple(answers), swing)


def scaled(option: Option, times: float) -> Option:
    effort = option.effort or Days(1, 2, 3)
    return replace(option, effort=Days(effort.low * times, effort.likely * times, effort.high * times))
