"""What the ballot asks about a principle, level by level, with what is chosen; and where two answers differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assessments.forms.panel import EFFORTS, LEVELS, NO_VOTE, UNKNOWN, levels_of
from assessments.models import Confidence, Stance
from assessments.principles import Benefit, Catalogue, Principle
from assessments.services.panel_ratings import RatingDraft

#: Where an answer is empty.
NOTHING = "none"


@dataclass(frozen=True)
class BenefitRow:
    """One benefit a principle can bring: its field, and the chosen level as the form sends it."""

    name: str
    benefit: Benefit
    value: str


@dataclass(frozen=True)
class EffortRow:
    """One estimate of effort: its field, what is typed, and whether it was refused."""

    name: str
    label: str
    value: str
    wrong: bool


@dataclass(frozen=True)
class LevelRows:
    """What is asked about all of a principle, or about its light level alone."""

    benefits: tuple[BenefitRow, ...]
    efforts: tuple[EffortRow, ...]


@dataclass(frozen=True)
class Difference:
    """A part of an answer that is not the same in two windows."""

    what: str
    there: str
    here: str


def level_rows(
    principle: Principle, catalogue: Catalogue, shown: Mapping[str, str], errors: Mapping[str, object]
) -> tuple[LevelRows, ...]:
    """The rows about the whole principle and, where it has one, about its light level."""
    return tuple(
        LevelRows(
            tuple(
                BenefitRow(f"{prefix}benefit_{key}", catalogue.benefit(key), shown[f"{prefix}benefit_{key}"])
                for key in serves
            ),
            tuple(
                EffortRow(
                    name := f"{prefix}effort_{which}",
                    which.capitalize(),
                    shown[name],
                    name in errors or f"{prefix}effort" in errors,
                )
                for which in EFFORTS
            ),
        )
        for prefix, serves in levels_of(principle)
    )


def show_draft(draft: RatingDraft, principle: Principle) -> dict[str, str]:
    """A draft as the form's fields have it."""
    shown = {
        "vote": str(draft.vote or "") if draft.stance == Stance.RATES else str(draft.stance),
        "confidence": str(draft.confidence),
        "reason": draft.reason,
        "evidence_url": draft.evidence_url,
    }
    said = {"": (draft.benefits, draft.effort), "light_": (draft.light_benefits, draft.light_effort)}
    for prefix, serves in levels_of(principle):
        benefits, effort = said[prefix]
        for key in serves:
            level = benefits.get(key, "")
            shown[f"{prefix}benefit_{key}"] = UNKNOWN if level is None else str(level)
        for name, days in zip(EFFORTS, effort, strict=True):
            shown[f"{prefix}effort_{name}"] = "" if days is None else f"{days:g}"
    return shown


def differences(
    there: Mapping[str, str], here: Mapping[str, str], principle: Principle, catalogue: Catalogue
) -> list[Difference]:
    """Where two answers to one principle differ, in the words of the ballot."""
    asked: dict[str, tuple[str, Mapping[str, str]]] = {"vote": ("Vote", dict(NO_VOTE))}
    for prefix, serves in levels_of(principle):
        light = ", light level" if prefix else ""
        asked |= {f"{prefix}benefit_{key}": (f"{catalogue.benefit(key).name}{light}", dict(LEVELS)) for key in serves}
        asked |= {f"{prefix}effort_{name}": (f"{name.capitalize()} days{light}", {}) for name in EFFORTS}
    asked |= {"confidence": ("How sure", {str(value): str(label) for value, label in Confidence.choices})}
    asked |= {"reason": ("Reason", {}), "evidence_url": ("Evidence link", {})}
    return [
        Difference(what, *(words.get(one[name], one[name]) or NOTHING for one in (there, here)))
        for name, (what, words) in asked.items()
        if there[name] != here[name]
    ]


def point_differences(
    there: Mapping[str, int | None], here: Mapping[str, int | None], catalogue: Catalogue
) -> list[Difference]:
    """Where two sets of swing points differ."""
    pairs = [(one.name, there.get(one.key), here.get(one.key)) for one in catalogue.benefits]
    return [
        Difference(name, *(NOTHING if given is None else str(given) for given in (a, b)))
        for name, a, b in pairs
        if a != b
    ]
