"""What came out for the light level of a principle, where experts rated it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assessments.models import Rating
from assessments.principles import Principle
from assessments.scoring.verdict import IN_WORDS, code_of
from assessments.selectors.panel_inputs import rates_light


@dataclass(frozen=True)
class LightLine:
    """What came out for the light level of a principle; `rated` says how many experts gave it figures."""

    name: str
    verdict: str
    words: str
    probability: float | None
    effort: float | None
    saves: float | None
    reasons: tuple[str, ...]
    assumed: bool
    rated: int


def read_light(principle: Principle, option: Mapping[str, Any] | None, rows: Sequence[Rating]) -> LightLine | None:
    """Put the result of a light level into words; None where it was no option."""
    if option is None or principle.light is None:
        return None
    return LightLine(
        name=principle.light.name,
        verdict=code_of(option["verdict"]),
        words=IN_WORDS[option["verdict"]],
        probability=option["probability"],
        effort=option["effort"],
        saves=(option["worth"] or {}).get("saves"),
        reasons=tuple(option["reasons"]),
        assumed=option["assumed"],
        rated=sum(rates_light(row) for row in rows),
    )
