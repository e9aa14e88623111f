"""Takes a new edition into a team's own one: what the team left alone follows, what it changed stays unless asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from assessments.principles.compare import SECTION_TITLES
from assessments.principles.reader import SECTIONS
from assessments.principles.sentences import counterparts, identify

Document = Mapping[str, Any]

#: Parts of a principle that are taken or kept as a whole.
PARTS = ("name", "definition", "serves", "requires", "known_as", "defaults", "light")
TITLES = {
    "name": "Name",
    "definition": "Definition",
    "serves": "Benefits it serves",
    "requires": "Prerequisites",
    "known_as": "Names elsewhere",
    "defaults": "Assumed figures",
    "light": "Light level",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something the team and the new edition both changed; None is "not there"."""

    key: str
    principle: str
    what: str
    ours: Any
    theirs: Any

    @property
    def ours_in_words(self) -> str:
        """The team's side as a page shows it."""
        return _in_words(self.ours)

    @property
    def theirs_in_words(self) -> str:
        """The new edition's side as a page shows it."""
        return _in_words(self.theirs)


def _in_words(value: Any) -> str:
    if value is None:
        return "Not there"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "None"
    if not isinstance(value, dict):
        return str(value)
    if "definition" in value:
        return f"{value['name']}: {value['definition']}"
    words = [str(value[name]) for name in ("name", "text") if name in value]
    if "effort" in value:
        effort = value["effort"]
        words.append(f"{effort['low']:g}, {effort['likely']:g}, {effort['high']:g} days")
        words.append(", ".join(f"{key} {rating:g}" for key, rating in value["ratings"].items()))
    words += value.get("sources", [])
    return "; ".join(words) or ", ".join(f"{key} {one}" for key, one in value.items())


@dataclass
class Merge:
    """A document with the new edition taken in, and what was changed on both sides."""

    document: dict[str, Any]
    conflicts: list[Conflict] = field(default_factory=list)


def merge_editions(base: Document, ours: Document, theirs: Document, take: Collection[str] = ()) -> Merge:
    """Merge the new edition `theirs` into `ours`, which both come from `base`.

    Parameters
    ----------
    base
        The edition the team's own one was made from.
    ours
        The team's own edition.
    theirs
        The newer edition `base` has grown into.
    take
        Keys of the conflicts in which the new edition's part is taken instead of the team's.

    Returns
    -------
    The merged document; benefits, checks and starting profile are those of the new edition.

    """
    merge = Merge(document=dict(theirs))
    old, own, new = (_by(document["principles"], "slug") for document in (base, ours, theirs))
    merged = []
    for slug in dict.fromkeys((*own, *new)):
        before, mine, fresh = old.get(slug), own.get(slug), new.get(slug)
        if before is not None and mine is not None and fresh is not None:
            merged.append(_principle(merge, before, mine, fresh, take))
            continue
        chosen = _choose(merge, slug, "Principle", slug, (before, mine, fresh), take)
        if chosen is not None:
            merged.append(chosen)
    merge.document["principles"] = merged
    # A source the new edition dropped may still be cited by what the team kept.
    tags = {source["tag"] for source in theirs["sources"]}
    merge.document["sources"] = [*theirs["sources"], *(one for one in ours["sources"] if one["tag"] not in tags)]
    prune(merge.document)
    return merge


def prune(document: dict[str, Any]) -> None:
    """Take out what points to principles, light levels or sources that are no longer there."""
    principles = document["principles"]
    slugs = {one["slug"] for one in principles}
    light = {one["slug"] for one in principles if "light" in one}
    tags = {source["tag"] for source in document["sources"]}
    document["principles"] = [
        {
            **one,
            "requires": [slug for slug in one["requires"] if slug in slugs],
            "known_as": {tag: name for tag, name in one["known_as"].items() if tag in tags},
        }
        for one in principles
    ]
    document["starting_profile"] = [
        {
            **stage,
            "full": [slug for slug in stage["full"] if slug in slugs],
            "light": [slug for slug in stage["light"] if slug in light],
        }
        for stage in document["starting_profile"]
    ]


def _principle(merge: Merge, before: Document, mine: Document, fresh: Document, take: Collection[str]) -> Document:
    slug, name = mine["slug"], mine["name"]
    merged = dict(mine)
    for part in PARTS:
        three = (before.get(part), mine.get(part), fresh.get(part))
        chosen = _choose(merge, f"{slug}/{part}", TITLES[part], name, three, take)
        if chosen is None:
            merged.pop(part, None)
        else:
            merged[part] = chosen
    if (merged["name"], merged["definition"]) == (fresh["name"], fresh["definition"]):
        merged.pop("worded_by_team", None)
    for section in SECTIONS:
        lists = before[section], mine[section], fresh[section]
        merged[section] = _sentences(merge, section, mine, lists, take)
    three_ways = [_by(one["practices"], "id") for one in (before, mine, fresh)]
    practices = []
    for practice in dict.fromkeys((*three_ways[1], *three_ways[2])):
        three = (three_ways[0].get(practice), three_ways[1].get(practice), three_ways[2].get(practice))
        chosen = _choose(merge, f"{slug}/{practice}", "Practice", name, three, take)
        if chosen is not None:
            practices.append(chosen)
    # A principle without any practice could not be answered; the new edition's then stay.
    merged["practices"] = practices or list(fresh["practices"])
    return _consistent(merged)


def _choose(
    merge: Merge, key: str, what: str, principle: str, three: tuple[Any, Any, Any], take: Collection[str]
) -> Any:
    before, mine, fresh = three
    if mine in (before, fresh):
        return fresh
    if fresh == before:
        return mine
    merge.conflicts.append(Conflict(key, principle, what, mine, fresh))
    return fresh if key in take else mine


def _sentences(
    merge: Merge,
    section: str,
    principle: Document,
    three: tuple[list[Any], list[Any], list[Any]],
    take: Collection[str],
) -> list[Any]:
    """Merge the sentences of a section one by one in the team's order, then what the new edition added."""
    before, mine, fresh = three
    to_mine, to_fresh = counterparts(before, mine), counterparts(before, fresh)
    origin = {place: i for i, place in to_mine.items()}
    own = [j for j in range(len(mine)) if j not in origin]
    new = [j for j in range(len(fresh)) if j not in to_fresh.values()]
    added = counterparts([mine[j] for j in own], [fresh[j] for j in new])
    to_new = {own[a]: new[b] for a, b in added.items()}
    triples = []
    for j, one in enumerate(mine):
        old, place = (before[origin[j]], to_fresh.get(origin[j])) if j in origin else (None, to_new.get(j))
        triples.append((old, one, _at(fresh, place)))
    triples += [(one, None, _at(fresh, to_fresh.get(i))) for i, one in enumerate(before) if i not in to_mine]
    merged = [_sentence(merge, section, principle, triple, take) for triple in triples]
    merged += [fresh[j] for j in new if j not in to_new.values()]
    # Each side may have come to the same words by another way; the first stays.
    return list({identify(one): one for one in reversed(merged) if one is not None}.values())[::-1]


def _sentence(
    merge: Merge, section: str, principle: Document, three: tuple[Any, Any, Any], take: Collection[str]
) -> Any:
    old, own, their = three
    # Both came to the same sentence: it is no longer the team's alone.
    if own and their and their != old and _same(own, their):
        own = their
    key = f"{principle['slug']}/{section}/{identify(old or own)}"
    return _choose(merge, key, SECTION_TITLES[section], principle["name"], (old, own, their), take)


def _same(one: Document, other: Document) -> bool:
    return identify(one) == identify(other) and one.get("sources", []) == other.get("sources", [])


def _at(sentences: list[Any], place: int | None) -> Any:
    return None if place is None else sentences[place]


def _consistent(principle: dict[str, Any]) -> dict[str, Any]:
    """Leave out ratings of benefits the principle no longer serves: parts may come from different editions."""
    serves = principle["serves"]
    for part in ("defaults", "light"):
        if part in principle:
            ratings = {key: value for key, value in principle[part]["ratings"].items() if key in serves}
            principle[part] = {**principle[part], "ratings": ratings}
    return principle


def _by(items: list[Any], name: str) -> dict[str, Any]:
    return {item[name]: item for item in items}
