"""What can be chosen from the catalogue for a place in a spec, searched by words."""

from __future__ import annotations

from dataclasses import dataclass

from models_registry.forms.spec_tree import SHAPES, Slot
from models_registry.learning.catalogue import Entry, read_catalogue

SHAPE_HELP = {
    "select": "Steps that see only some of the columns: those of some types, or those named.",
    "steps": "Several parts that are used like one.",
    "union": "Transformers that each see the same columns; their outputs are joined.",
}


@dataclass(frozen=True)
class Offer:
    """One thing to choose."""

    choice: str
    title: str
    path: str
    summary: str


@dataclass(frozen=True)
class OfferGroup:
    """Things of one kind."""

    title: str
    offers: tuple[Offer, ...]


def find_offers(slot: Slot, words: str = "") -> list[OfferGroup]:
    """Return what fits a place and every word, by group."""
    wanted = words.lower().split()
    groups: dict[str, list[Offer]] = {}
    for entry in read_catalogue().select(*slot.roles, task=slot.task):
        if matches(entry, wanted):
            groups.setdefault(entry.group, []).append(Offer(entry.path, entry.title, entry.path, entry.summary))
    shapes = [Offer(shape, SHAPES[shape], "", SHAPE_HELP[shape]) for shape in slot.shapes()]
    found = [shape for shape in shapes if all(word in f"{shape.title} {shape.summary}".lower() for word in wanted)]
    if found:
        groups["Several parts"] = found
    return [OfferGroup(title, tuple(offers)) for title, offers in groups.items()]


def matches(entry: Entry, wanted: list[str]) -> bool:
    """Whether an entry has every word in its names, its group or its summary."""
    text = f"{entry.title} {entry.path} {entry.group} {entry.summary}".lower()
    return all(word in text for word in wanted)
