"""What was asked and answered: the options on the table and what each expert said about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from assessments.principles.catalogue import Catalogue, Days
from assessments.scoring.settings import Confidence

LIGHT = ":light"


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be adopted: a principle in full, or its light level.

    Parameters
    ----------
    slug
        Slug of the principle, with ``:light`` appended for a light level.
    name
        What people read.
    serves
        Benefits it can bring; ratings of any other benefit are ignored.
    requires
        Slugs of options that must be adopted too.
    light
        Slug of the light level this option builds on. Its shares and its effort then count only beyond the light level,
        and the light level is a prerequisite.
    ratings, effort
        Used where nobody answered: the portal's own assumption. ``None`` where there is none.
    in_place
        Already there: it costs nothing, brings nothing new and fulfils prerequisites.

    """

    slug: str
    name: str
    serves: tuple[str, ...]
    requires: tuple[str, ...] = ()
    light: str | None = None
    ratings: Mapping[str, float] | None = None
    effort: Days | None = None
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One expert's answer about one option. What is ``None`` or missing is "don't know" and never counts as zero.

    Parameters
    ----------
    expert, option
        Who and about what.
    ratings
        Benefit key to 0..4: none, a little, clear, large, decisive; asked for a project whose need is full.
    effort
        Days for this project: low, likely, high.
    confidence
        Widens the range of the ratings; it never changes the expert's weight.
    holistic
        1..9: adopting it now, for this project as described, is clearly wrong (1), a toss-up (5), clearly right (9).
    applies
        ``False`` for "does not apply, because ...".

    """

    expert: str
    option: str
    ratings: Mapping[str, float | None] = field(default_factory=dict)
    effort: Days | None = None
    confidence: Confidence = "medium"
    holistic: int | None = None
    applies: bool = True

    def __post_init__(self) -> None:
        place = f"answer of {self.expert} on {self.option}"
        for key, value in self.ratings.items():
            if value is not None and not 0 <= value <= 4:
                raise ValueError(f"{place}: expected a rating from 0 to 4 for {key}, got {value:g}")
        if self.holistic is not None and self.holistic not in range(1, 10):
            raise ValueError(f"{place}: expected a vote from 1 to 9, got {self.holistic}")
        if self.confidence not in ("high", "medium", "low"):
            raise ValueError(f'{place}: unknown confidence "{self.confidence}"')


@dataclass(frozen=True, slots=True)
class Panel:
    """All options, experts and answers of one round; nothing in it depends on the order of experts or answers.

    Examples
    --------
    >>> panel = Panel(
    ...     options=(Option("versioning", "Versioning", ("K2", "K5")),),
    ...     experts=("a", "b"),
    ...     answers=(Answer("a", "versioning", {"K2": 3, "K5": None}, Days(1, 2, 3)),),
    ... )
    >>> Panel.from_json(panel.to_json()) == panel
    True

    """

    options: tuple[Option, ...]
    experts: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    swing: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        slugs = [option.slug for option in self.options]
        if len(set(slugs)) < len(slugs):
            raise ValueError("an option is listed twice")
        for option in self.options:
            for needed in (*option.requires, *([option.light] if option.light else [])):
                if needed not in slugs:
                    raise ValueError(f'{option.slug}: prerequisite "{needed}" is not among the options')
        seen = set()
        for answer in self.answers:
            if answer.option not in slugs or answer.expert not in self.experts:
                raise ValueError(f'answer of "{answer.expert}" on "{answer.option}": unknown expert or option')
            if (answer.expert, answer.option) in seen:
                raise ValueError(f"{answer.expert} answered twice on {answer.option}")
            seen.add((answer.expert, answer.option))
        if strangers := set(self.swing) - set(self.experts):
            raise ValueError(f'swing points of unknown expert "{min(strangers)}"')

    def option(self, slug: str) -> Option:
        """The option with this slug; `KeyError` if there is none."""
        for option in self.options:
            if option.slug == slug:
                return option
        raise KeyError(slug)

    def answers_on(self, slug: str) -> tuple[Answer, ...]:
        """Answers about an option, sorted by expert."""
        return tuple(sorted((a for a in self.answers if a.option == slug), key=lambda a: a.expert))

    def votes(self) -> dict[str, dict[str, int]]:
        """Holistic votes: option slug to expert to 1..9."""
        return {
            option.slug: {a.expert: a.holistic for a in self.answers_on(option.slug) if a.holistic is not None}
            for option in self.options
        }

    def to_json(self) -> dict[str, Any]:
        """The panel as plain dictionaries, lists and numbers."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Panel:
        """The inverse of `to_json`."""
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error


def options_from(
    catalogue: Catalogue, *, in_place: Collection[str] = (), light: Collection[str] | None = None
) -> tuple[Option, ...]:
    """The catalogue's principles as options.

    Parameters
    ----------
    catalogue
        The edition to offer.
    in_place
        Slugs of principles already in place, or of light levels (``monitoring:light``).
    light
        Slugs of principles whose light levels are offered as options of their own; all by default.

    Examples
    --------
    >>> from assessments.principles import load_catalogue
    >>> options = options_from(load_catalogue(), in_place=["versioning"])
    >>> options[0].in_place, [option.slug for option in options if option.slug.startswith("test")]
    (True, ['testing:light', 'testing'])

    """
    options: list[Option] = []
    for principle in catalogue.principles:
        done = principle.slug in in_place
        step = None
        if principle.light and (light is None or principle.slug in light):
            step = principle.slug + LIGHT
            options.append(
                Option(
                    slug=step,
                    name=f"{principle.name} (light)",
                    serves=principle.light.serves,
                    ratings={key: principle.light.defaults.ratings[key] for key in principle.light.serves},
                    effort=principle.light.defaults.effort,
                    in_place=done or step in in_place,
                )
            )
        options.append(
            Option(
                slug=principle.slug,
                name=principle.name,
                serves=principle.serves,
                requires=principle.requires,
                light=step,
                ratings=dict(principle.defaults.ratings),
                effort=principle.defaults.effort,
                in_place=done,
            )
        )
    return tuple(options)
