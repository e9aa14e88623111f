"""Reads an edition of the catalogue from its YAML files and says exactly where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from assessments.principles.catalogue import (
    Benefit,
    Catalogue,
    Citation,
    Days,
    Defaults,
    EvidenceCheck,
    LightLevel,
    Practice,
    Principle,
    Source,
    Stage,
    Statement,
)

DATA = Path(__file__).parent / "data"
INDEX = ("edition", "title", "principles", "benefits", "checks", "starting_profile")
SECTIONS = ("why", "limits", "worth_more", "worth_less")


class CatalogueError(ValueError):
    """The catalogue's data is wrong; the message names the file, the place and the fault."""


@dataclass(frozen=True)
class Node:
    """A value read from a file together with the place it stands at."""

    value: Any
    place: str

    def fail(self, fault: str) -> CatalogueError:
        return CatalogueError(f"{self.place}: {fault}")

    def fields(self, required: Sequence[str], optional: Sequence[str] = ()) -> Node:
        """Check that this is a mapping with the required and no unknown fields."""
        if not isinstance(self.value, dict):
            raise self.fail(f"expected fields, got {type(self.value).__name__}")
        for name in required:
            if name not in self.value:
                raise self.fail(f'field "{name}" is missing')
        for name in self.value:
            if name not in required and name not in optional:
                raise self.fail(f'unknown field "{name}"')
        return self

    def get(self, name: str, default: Any = None) -> Node:
        separator = ": " if self.place.endswith(".yaml") else "."
        return Node(self.value.get(name, default), f"{self.place}{separator}{name}")

    def items(self) -> list[Node]:
        if not isinstance(self.value, list):
            raise self.fail(f"expected a list, got {type(self.value).__name__}")
        separator = ": " if self.place.endswith(".yaml") else ""
        return [Node(value, f"{self.place}{separator}[{i}]") for i, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.fail(f"expected a text, got {self.value!r}")
        return self.value.strip()

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.fail(f"expected true or false, got {self.value!r}")
        return self.value

    def number(self, low: float, high: float) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.fail(f"expected a number, got {self.value!r}")
        if not low <= self.value <= high:
            raise self.fail(f"expected a number from {low:g} to {high:g}, got {self.value!r}")
        return float(self.value)

    def one_of(self, known: Sequence[str], what: str) -> str:
        text = self.text()
        if text not in known:
            raise self.fail(f'unknown {what} "{text}"')
        return text

    def many_of(self, known: Sequence[str], what: str) -> tuple[str, ...]:
        chosen = tuple(node.one_of(known, what) for node in self.items())
        if len(set(chosen)) < len(chosen):
            raise self.fail(f"a {what} is listed twice")
        return chosen


@cache
def load_catalogue(folder: Path = DATA) -> Catalogue:
    """Load and check an edition of the catalogue.

    Parameters
    ----------
    folder
        Folder with `index.yaml`, `sources.yaml` and one file per principle.

    Returns
    -------
    The catalogue, read once per process.

    Examples
    --------
    >>> catalogue = load_catalogue()
    >>> catalogue.edition, len(catalogue.principles)
    ('2026.11', 12)
    >>> catalogue.principle("controlled-release").requires
    ('versioning',)

    """
    document = load_document(folder)
    places = [(slug, f"{slug}.yaml") for slug in _listed(folder)]
    return _read(Node(document, "index.yaml"), Node(document["sources"], "sources.yaml"), places)


@cache
def load_document(folder: Path = DATA) -> Mapping[str, Any]:
    """Load the files of an edition as one plain document; whoever changes it makes a copy first."""
    index = _load(folder / "index.yaml").fields(INDEX)
    principles = [_load(folder / f"{slug}.yaml").value for slug in _listed(folder)]
    return {**index.value, "principles": principles, "sources": _load(folder / "sources.yaml").value}


def read_document(document: Mapping[str, Any]) -> Catalogue:
    """Read an edition from one plain document, as `load_document` gives it.

    Raises
    ------
    CatalogueError
        Something in it is wrong; the message names the place.

    """
    node = Node(document, "catalogue").fields([*INDEX, "sources"])
    places = [(item.get("slug").text(), item.get("slug").text()) for item in node.get("principles").items()]
    return _read(node, node.get("sources"), places)


def _listed(folder: Path) -> tuple[str, ...]:
    index = _load(folder / "index.yaml").fields(INDEX)
    return tuple(node.text() for node in index.get("principles").items())


def _read(index: Node, sources_node: Node, places: Sequence[tuple[str, str]]) -> Catalogue:
    sources = _unique([_source(node) for node in sources_node.items()], "tag", sources_node.place)
    references = {source.tag: source.reference for source in sources}
    benefits = _unique(
        [_benefit(node, references) for node in index.get("benefits").items()], "key", index.get("benefits").place
    )
    keys = tuple(benefit.key for benefit in benefits)
    checks = _checks(index.get("checks"))
    names = tuple(check.name for check in checks)
    slugs = tuple(slug for slug, _ in places)
    read = [
        _principle(Node(value, place), slug, slugs, keys, references, names)
        for (slug, place), value in zip(places, index.value["principles"], strict=True)
    ]
    principles = _unique(read, "slug", index.get("principles").place)
    _reject_circles(principles, index.get("principles").place)
    profile = index.get("starting_profile")
    stages = _unique([_stage(node, slugs) for node in profile.items()], "slug", profile.place)
    light = {principle.slug for principle in principles if principle.light}
    for stage in stages:
        for slug in stage.light:
            if slug not in light:
                raise profile.fail(f'"{slug}" has no light level')
    return Catalogue(
        edition=index.get("edition").text(),
        title=index.get("title").text(),
        principles=principles,
        benefits=benefits,
        sources=sources,
        checks=checks,
        starting_profile=stages,
    )


def _load(path: Path) -> Node:
    try:
        return Node(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    except FileNotFoundError:
        raise CatalogueError(f"{path.name}: file is missing") from None
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path.name}: not readable as YAML: {error}") from error


def _unique(items: Sequence[Any], attribute: str, place: str) -> tuple[Any, ...]:
    seen = set()
    for item in items:
        name = getattr(item, attribute)
        if name in seen:
            raise CatalogueError(f'{place}: "{name}" stands there twice')
        seen.add(name)
    return tuple(items)


def _source(node: Node) -> Source:
    node.fields(["tag", "reference", "readable"], ["url", "licence", "team"])
    extra = {name: node.get(name).text() for name in ("url", "licence") if name in node.value}
    return Source(
        node.get("tag").text(), node.get("reference").text(), node.get("readable").text(), **extra, team=_team(node)
    )


def _team(node: Node) -> bool:
    return node.get("team", False).flag()


def _origin(node: Node, references: Mapping[str, str]) -> tuple[tuple[Citation, ...], bool]:
    """Sources and own mark of a sentence; one with no mark at all could be taken for a finding, so it is refused."""
    citations = []
    for item in node.get("sources", []).items():
        tag, _, place = item.text().partition(" ")
        if tag not in references:
            raise item.fail(f'unknown source "{tag}"')
        citations.append(Citation(tag, place, references[tag]))
    own = node.get("own", False).flag()
    if not citations and not own and not _team(node):
        raise node.fail("needs sources, or own: true if it is the portal's own")
    return tuple(citations), own


def _statements(node: Node, references: Mapping[str, str]) -> tuple[Statement, ...]:
    statements = []
    for item in node.items():
        item.fields(["text"], ["sources", "own", "team"])
        statements.append(Statement(item.get("text").text(), *_origin(item, references), team=_team(item)))
    return tuple(statements)


def _benefit(node: Node, references: Mapping[str, str]) -> Benefit:
    node.fields(["key", "name", "swing"], ["sources", "own"])
    return Benefit(
        node.get("key").text(), node.get("name").text(), node.get("swing").text(), *_origin(node, references)
    )


def _checks(node: Node) -> tuple[EvidenceCheck, ...]:
    node.fields([], list(node.value or {}))
    return tuple(EvidenceCheck(name, node.get(name).text()) for name in node.value)


def _stage(node: Node, slugs: Sequence[str]) -> Stage:
    node.fields(["stage", "when", "full", "light", "own"])
    return Stage(
        slug=node.get("stage").text(),
        when=node.get("when").text(),
        full=node.get("full").many_of(slugs, "principle"),
        light=node.get("light").many_of(slugs, "principle"),
        own=node.get("own").flag(),
    )


def _defaults(node: Node, serves: Sequence[str]) -> Defaults:
    ratings = node.get("ratings").fields([], serves)
    effort = node.get("effort").fields(["low", "likely", "high"])
    low, likely, high = (effort.get(name).number(0, 1000) for name in ("low", "likely", "high"))
    if not low <= likely <= high:
        raise effort.fail(f"expected low <= likely <= high, got {low:g}, {likely:g}, {high:g}")
    rated = {key: ratings.get(key, 0).number(0, 4) for key in serves}
    return Defaults(MappingProxyType(rated), Days(low, likely, high), team=_team(node))


def _light(node: Node, serves: Sequence[str]) -> LightLevel:
    node.fields(["name", "text", "ratings", "effort"], ["own", "team"])
    return LightLevel(
        node.get("name").text(),
        node.get("text").text(),
        _defaults(node, serves),
        own=node.get("own", False).flag(),
        team=_team(node),
    )


def _practice(node: Node, slug: str, references: Mapping[str, str], checks: Sequence[str]) -> Practice:
    node.fields(["id", "text"], ["sources", "own", "team", "evidence"])
    name = node.get("id").text()
    if not name.startswith(f"{slug}."):
        raise node.get("id").fail(f'expected an id beginning with "{slug}.", got "{name}"')
    evidence = node.get("evidence").one_of(checks, "check") if "evidence" in node.value else None
    return Practice(name, node.get("text").text(), *_origin(node, references), team=_team(node), evidence=evidence)


def _principle(
    node: Node,
    slug: str,
    slugs: Sequence[str],
    keys: Sequence[str],
    references: Mapping[str, str],
    checks: Sequence[str],
) -> Principle:
    node.fields(
        ["slug", "name", "definition", "known_as", "serves", "requires", *SECTIONS, "practices", "defaults"],
        ["light", "team", "worded_by_team"],
    )
    if node.get("slug").text() != slug:
        raise node.get("slug").fail(f'expected "{slug}" as in the index and the file name')
    serves = node.get("serves").many_of(keys, "benefit")
    if not serves:
        raise node.get("serves").fail("expected at least one benefit")
    defaults = node.get("defaults").fields(["ratings", "effort"], ["own", "team"])
    if not defaults.get("own", False).flag() and not _team(defaults):
        raise defaults.get("own").fail("ratings and efforts are the portal's own assumption; expected true")
    known_as = node.get("known_as").fields([], list(references))
    practices = [_practice(item, slug, references, checks) for item in node.get("practices").items()]
    if not practices:
        raise node.get("practices").fail("expected at least one practice")
    why, limits, worth_more, worth_less = (_statements(node.get(section), references) for section in SECTIONS)
    return Principle(
        slug=slug,
        name=node.get("name").text(),
        definition=node.get("definition").text(),
        serves=serves,
        requires=node.get("requires").many_of([other for other in slugs if other != slug], "principle"),
        why=why,
        limits=limits,
        worth_more=worth_more,
        worth_less=worth_less,
        practices=_unique(practices, "id", node.get("practices").place),
        defaults=_defaults(defaults, serves),
        light=_light(node.get("light"), serves) if "light" in node.value else None,
        known_as=MappingProxyType({tag: known_as.get(tag).text() for tag in known_as.value}),
        team=_team(node),
        worded_by_team=node.get("worded_by_team", False).flag(),
    )


def _reject_circles(principles: Sequence[Principle], place: str) -> None:
    requires: Mapping[str, tuple[str, ...]] = {principle.slug: principle.requires for principle in principles}
    settled: set[str] = set()
    while len(settled) < len(requires):
        ready = {slug for slug, needed in requires.items() if slug not in settled and settled.issuperset(needed)}
        if not ready:
            circle = ", ".join(slug for slug in requires if slug not in settled)
            raise CatalogueError(f"{place}: prerequisites run in a circle among {circle}")
        settled |= ready
