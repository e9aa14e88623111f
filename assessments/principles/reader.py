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
    index = _load(folder / "index.yaml").fields(
        ["edition", "title", "principles", "benefits", "checks", "starting_profile"]
    )
    sources = _unique([_source(node) for node in _load(folder / "sources.yaml").items()], "tag", "sources.yaml")
    tags = tuple(source.tag for source in sources)
    benefits = _unique([_benefit(node, tags) for node in index.get("benefits").items()], "key", "index.yaml: benefits")
    keys = tuple(benefit.key for benefit in benefits)
    checks = _checks(index.get("checks"))
    slugs = tuple(node.text() for node in index.get("principles").items())
    principles = tuple(
        _principle(_load(folder / f"{slug}.yaml"), slug, slugs, keys, tags, tuple(check.name for check in checks))
        for slug in slugs
    )
    _unique(principles, "slug", "index.yaml: principles")
    _reject_circles(principles)
    stages = _unique(
        [_stage(node, slugs) for node in index.get("starting_profile").items()], "slug", "index.yaml: starting_profile"
    )
    light = {principle.slug for principle in principles if principle.light}
    for stage in stages:
        for slug in stage.light:
            if slug not in light:
                raise CatalogueError(f'index.yaml: starting_profile: "{slug}" has no light level')
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
    node.fields(["tag", "reference", "readable"], ["url", "licence"])
    extra = {name: node.get(name).text() for name in ("url", "licence") if name in node.value}
    return Source(node.get("tag").text(), node.get("reference").text(), node.get("readable").text(), **extra)


def _origin(node: Node, tags: Sequence[str]) -> tuple[tuple[Citation, ...], bool]:
    """Sources and own mark of a sentence; one without either could be taken for a finding, so it is refused."""
    citations = []
    for item in node.get("sources", []).items():
        tag, _, place = item.text().partition(" ")
        if tag not in tags:
            raise item.fail(f'unknown source "{tag}"')
        citations.append(Citation(tag, place))
    own = node.get("own", False).flag()
    if not citations and not own:
        raise node.fail("needs sources, or own: true if it is the portal's own")
    return tuple(citations), own


def _statements(node: Node, tags: Sequence[str]) -> tuple[Statement, ...]:
    statements = []
    for item in node.items():
        item.fields(["text"], ["sources", "own"])
        statements.append(Statement(item.get("text").text(), *_origin(item, tags)))
    if not statements:
        raise node.fail("expected at least one sentence")
    return tuple(statements)


def _benefit(node: Node, tags: Sequence[str]) -> Benefit:
    node.fields(["key", "name", "swing"], ["sources", "own"])
    return Benefit(node.get("key").text(), node.get("name").text(), node.get("swing").text(), *_origin(node, tags))


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
    return Defaults(MappingProxyType(rated), Days(low, likely, high))


def _light(node: Node, serves: Sequence[str]) -> LightLevel:
    node.fields(["name", "text", "own", "ratings", "effort"])
    return LightLevel(
        node.get("name").text(), node.get("text").text(), _defaults(node, serves), own=node.get("own").flag()
    )


def _practice(node: Node, slug: str, tags: Sequence[str], checks: Sequence[str]) -> Practice:
    node.fields(["id", "text"], ["sources", "own", "evidence"])
    name = node.get("id").text()
    if not name.startswith(f"{slug}."):
        raise node.get("id").fail(f'expected an id beginning with "{slug}.", got "{name}"')
    evidence = node.get("evidence").one_of(checks, "check") if "evidence" in node.value else None
    return Practice(name, node.get("text").text(), *_origin(node, tags), evidence=evidence)


def _principle(
    node: Node, slug: str, slugs: Sequence[str], keys: Sequence[str], tags: Sequence[str], checks: Sequence[str]
) -> Principle:
    sections = ["why", "limits", "worth_more", "worth_less"]
    node.fields(
        ["slug", "name", "definition", "known_as", "serves", "requires", *sections, "practices", "defaults"], ["light"]
    )
    if node.get("slug").text() != slug:
        raise node.get("slug").fail(f'expected "{slug}" as in the index and the file name')
    serves = node.get("serves").many_of(keys, "benefit")
    if not serves:
        raise node.get("serves").fail("expected at least one benefit")
    defaults = node.get("defaults").fields(["own", "ratings", "effort"])
    if not defaults.get("own").flag():
        raise defaults.get("own").fail("ratings and efforts are the portal's own assumption; expected true")
    known_as = node.get("known_as").fields([], tags)
    practices = [_practice(item, slug, tags, checks) for item in node.get("practices").items()]
    if not practices:
        raise node.get("practices").fail("expected at least one practice")
    return Principle(
        slug=slug,
        name=node.get("name").text(),
        definition=node.get("definition").text(),
        serves=serves,
        requires=node.get("requires").many_of([other for other in slugs if other != slug], "principle"),
        **{section: _statements(node.get(section), tags) for section in sections},
        practices=_unique(practices, "id", f"{node.place}: practices"),
        defaults=_defaults(defaults, serves),
        light=_light(node.get("light"), serves) if "light" in node.value else None,
        known_as=MappingProxyType({tag: known_as.get(tag).text() for tag in known_as.value}),
    )


def _reject_circles(principles: Sequence[Principle]) -> None:
    requires: Mapping[str, tuple[str, ...]] = {principle.slug: principle.requires for principle in principles}
    settled: set[str] = set()
    while len(settled) < len(requires):
        ready = {slug for slug, needed in requires.items() if slug not in settled and settled.issuperset(needed)}
        if not ready:
            circle = ", ".join(slug for slug in requires if slug not in settled)
            raise CatalogueError(f"index.yaml: principles: prerequisites run in a circle among {circle}")
        settled |= ready
