"""What differs between two editions of the catalogue, in words a page can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from assessments.principles.catalogue import Catalogue, Defaults, Practice, Principle, Source, Statement

SECTION_TITLES = {
    "why": "What it brings",
    "limits": "What it costs, where it stops",
    "worth_more": "Worth more when",
    "worth_less": "Worth less when",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `before` is empty for what was added, `after` for what was taken out."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PrincipleChange:
    """A principle that was added, retired or changed, with what differs in it."""

    slug: str
    name: str
    kind: Literal["added", "retired", "changed"]
    changes: tuple[Change, ...] = ()


def compare_editions(before: Catalogue, after: Catalogue) -> tuple[PrincipleChange, ...]:
    """List what differs from `before` to `after`: changed and added principles in the new order, then retired ones.

    Examples
    --------
    >>> from assessments.principles import load_catalogue
    >>> compare_editions(load_catalogue(), load_catalogue())
    ()

    """
    old = {principle.slug: principle for principle in before.principles}
    found = []
    for principle in after.principles:
        if principle.slug not in old:
            found.append(PrincipleChange(principle.slug, principle.name, "added", _contents(principle, after)))
        elif changes := _changes(old[principle.slug], principle, before, after):
            found.append(PrincipleChange(principle.slug, principle.name, "changed", changes))
    found += [
        PrincipleChange(principle.slug, principle.name, "retired")
        for principle in before.principles
        if principle.slug not in after.slugs
    ]
    return tuple(found)


def _contents(principle: Principle, catalogue: Catalogue) -> tuple[Change, ...]:
    """All of an added principle."""
    pairs = [("Definition", principle.definition), ("Serves", _serves(principle, catalogue))]
    pairs += [("Practice", sentence(practice)) for practice in principle.practices]
    return tuple(Change(what, "", text) for what, text in pairs)


def _changes(old: Principle, new: Principle, before: Catalogue, after: Catalogue) -> tuple[Change, ...]:
    pairs = [
        ("Name", old.name, new.name),
        ("Definition", old.definition, new.definition),
        ("Serves", _serves(old, before), _serves(new, after)),
        ("Needs first", _requires(old, before), _requires(new, after)),
        ("Assumed figures", figures(old.defaults), figures(new.defaults)),
        ("Light level", _light(old), _light(new)),
    ]
    changes = [Change(*pair) for pair in pairs if pair[1] != pair[2]]
    for section, title in SECTION_TITLES.items():
        changes += _listed(title, getattr(old, section), getattr(new, section), lambda one: one.text)
    return (*changes, *_listed("Practice", old.practices, new.practices, lambda one: one.id))


Sentence = TypeVar("Sentence", Statement, Practice)


def _listed(
    what: str, before: Iterable[Sentence], after: Iterable[Sentence], key: Callable[[Sentence], str]
) -> list[Change]:
    old = {key(one): sentence(one) for one in before}
    new = {key(one): sentence(one) for one in after}
    changed = [Change(what, old.get(name, ""), text) for name, text in new.items() if old.get(name) != text]
    return changed + [Change(what, text, "") for name, text in old.items() if name not in new]


def sentence(one: Statement | Practice) -> str:
    """A sentence with its sources and its mark, as one line."""
    marks = [str(source) for source in one.sources]
    marks += ["portal's own"] if one.own else []
    marks += ["team's own"] if one.team else []
    return f"{one.text} [{'; '.join(marks)}]"


def figures(one: Defaults) -> str:
    """Assumed effort and ratings as one line."""
    ratings = ", ".join(f"{key} {rating:g}" for key, rating in one.ratings.items() if rating)
    return f"{one.effort.low:g}, {one.effort.likely:g}, {one.effort.high:g} days; ratings {ratings or 'none'}"


def _light(principle: Principle) -> str:
    light = principle.light
    return f"{light.name}: {light.text} {figures(light.defaults)}" if light else ""


def _serves(principle: Principle, catalogue: Catalogue) -> str:
    return ", ".join(catalogue.benefit(key).name for key in principle.serves)


def _requires(principle: Principle, catalogue: Catalogue) -> str:
    return ", ".join(catalogue.principle(slug).name for slug in principle.requires)


def new_sources(before: Catalogue, after: Catalogue) -> tuple[Source, ...]:
    """Sources that `before` does not know."""
    known: Mapping[str, Source] = {source.tag: source for source in before.sources}
    return tuple(source for source in after.sources if source.tag not in known)
