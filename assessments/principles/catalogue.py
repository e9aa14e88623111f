"""What the catalogue of principles consists of: frozen dataclasses, free of Django and of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """A source and how much of it could be read when the catalogue was written; `team` marks one a team added."""

    tag: str
    reference: str
    readable: str
    url: str = ""
    licence: str = ""
    team: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """One pointer into a source: ``SEML 22`` is tag ``SEML``, place ``22``; `reference` says what the source is."""

    tag: str
    place: str = ""
    reference: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.tag} {self.place}".strip()


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with its sources.

    `own` marks the portal's own synthesis, `team` a team's own words; no source states either as such.
    """

    text: str
    sources: tuple[Citation, ...] = ()
    own: bool = False
    team: bool = False


@dataclass(frozen=True, slots=True)
class Practice:
    """A checklist item; `evidence` names the check that can answer it from the portal's own records."""

    id: str
    text: str
    sources: tuple[Citation, ...] = ()
    own: bool = False
    team: bool = False
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """Effort in person-days, low <= likely <= high."""

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.likely <= self.high < float("inf"):
            raise ValueError(f"expected 0 <= low <= likely <= high, got {self.low}, {self.likely}, {self.high}")

    @property
    def mean(self) -> float:
        """Mean of the PERT distribution, (low + 4 likely + high) / 6."""
        return (self.low + 4 * self.likely + self.high) / 6


@dataclass(frozen=True, slots=True)
class Defaults:
    """Ratings 0..4 per benefit at full need, and effort, until a panel has spoken.

    They are the portal's own assumption, or a team's where `team` says so.
    """

    ratings: Mapping[str, float]
    effort: Days
    team: bool = False


@dataclass(frozen=True, slots=True)
class LightLevel:
    """The one or two days' version of a principle; the whole principle is then an increment on top of it."""

    name: str
    text: str
    defaults: Defaults
    own: bool = True
    team: bool = False

    @property
    def serves(self) -> tuple[str, ...]:
        """Keys of the benefits the light level can bring."""
        return tuple(key for key, rating in self.defaults.ratings.items() if rating > 0)


@dataclass(frozen=True, slots=True)
class Benefit:
    """Something adopting principles brings, with the swing from nothing to everything that a weight refers to."""

    key: str
    name: str
    swing: str
    sources: tuple[Citation, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceCheck:
    """A question the portal answers from its own records."""

    name: str
    looks_at: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What the portal proposes at a stage of a project's life before anybody has voted."""

    slug: str
    when: str
    full: tuple[str, ...]
    light: tuple[str, ...]
    own: bool = True


@dataclass(frozen=True, slots=True)
class Principle:
    """One MLOps principle for online machine learning.

    `team` marks one a team added, `worded_by_team` one whose name or definition a team changed.
    """

    slug: str
    name: str
    definition: str
    serves: tuple[str, ...]
    requires: tuple[str, ...]
    why: tuple[Statement, ...]
    limits: tuple[Statement, ...]
    worth_more: tuple[Statement, ...]
    worth_less: tuple[Statement, ...]
    practices: tuple[Practice, ...]
    defaults: Defaults
    light: LightLevel | None
    known_as: Mapping[str, str]
    team: bool = False
    worded_by_team: bool = False


# Compared by identity: an edition never changes, and so it can be the key of what was worked out from it.
@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """One edition of the catalogue."""

    edition: str
    title: str
    principles: tuple[Principle, ...]
    benefits: tuple[Benefit, ...]
    sources: tuple[Source, ...]
    checks: tuple[EvidenceCheck, ...]
    starting_profile: tuple[Stage, ...]

    @property
    def slugs(self) -> tuple[str, ...]:
        """Slugs of the principles, in the catalogue's order."""
        return tuple(principle.slug for principle in self.principles)

    @property
    def benefit_keys(self) -> tuple[str, ...]:
        """Keys of the benefits, in the catalogue's order."""
        return tuple(benefit.key for benefit in self.benefits)

    def principle(self, slug: str) -> Principle:
        """The principle with this slug; `KeyError` if there is none."""
        return _find(self.principles, "slug", slug)

    def benefit(self, key: str) -> Benefit:
        """The benefit with this key; `KeyError` if there is none."""
        return _find(self.benefits, "key", key)

    def source(self, tag: str) -> Source:
        """The source with this tag; `KeyError` if there is none."""
        return _find(self.sources, "tag", tag)

    def stage(self, slug: str) -> Stage:
        """The stage with this slug; `KeyError` if there is none."""
        return _find(self.starting_profile, "slug", slug)

    def practice(self, practice_id: str) -> Practice:
        """The practice with this id; `KeyError` if there is none."""
        return _find(self.principle(practice_id.partition(".")[0]).practices, "id", practice_id)

    def practices_by_check(self) -> dict[str, tuple[Practice, ...]]:
        """Which practices each check answers."""
        answered: dict[str, tuple[Practice, ...]] = {check.name: () for check in self.checks}
        for principle in self.principles:
            for practice in principle.practices:
                if practice.evidence:
                    answered[practice.evidence] += (practice,)
        return answered


def _find(items: tuple[T, ...], attribute: str, value: str) -> T:
    for item in items:
        if getattr(item, attribute) == value:
            return item
    raise KeyError(value)
