"""A model while it is being described: its JSON, the form that shows the same, and what a button asked for."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.http import QueryDict

from models_registry.forms import spec_edits as edits
from models_registry.forms.offers import OfferGroup, find_offers
from models_registry.forms.spec_tree import STEPS, Node, Slot, SpecTree, name_id
from models_registry.forms.specs import SpecReading, load_json, read_spec, show_spec
from models_registry.learning.errors import Fault, SpecError
from models_registry.learning.places import drop_at, read_place
from models_registry.learning.spec import MAX_BYTES
from models_registry.learning.values import find_unkeepable

_BLANK: dict[str, Any] = {STEPS: []}


@dataclass(frozen=True)
class Pick:
    """A part that is being chosen from the catalogue: to be added to a list, or to stand in the place of another."""

    place: str
    adds: bool
    slot: Slot
    #: What is searched for.
    words: str = ""

    @property
    def id(self) -> str:
        """The `id` that its controls begin with."""
        return name_id(self.place)

    @property
    def verb(self) -> str:
        """What a button that chooses asks for."""
        return "add" if self.adds else "exchange"

    @property
    def reopens(self) -> str:
        """What a button that opens it asks for."""
        return f"{'pick' if self.adds else 'change'}:{self.place}"

    @property
    def offers(self) -> list[OfferGroup]:
        """What can be chosen."""
        return find_offers(self.slot, self.words)


@dataclass(frozen=True)
class Draft:
    """The state of the page.

    `spec` is what the fields show: what the JSON says, or said before it became unreadable (`stale`).
    """

    task: str
    text: str
    reading: SpecReading
    spec: Any
    stale: bool = False
    pick: Pick | None = None
    #: The place that the keyboard should go to.
    focus: str = ""

    @cached_property
    def tree(self) -> SpecTree:
        """The parts and their controls, each with what is wrong with it."""
        return SpecTree(self.spec, self.task, () if self.stale or self.blank else self.reading.faults)

    @property
    def faults(self) -> list[tuple[Fault, str]]:
        """What is wrong, each with the `id` of what can be edited there."""
        return [(fault, self.tree.find_holder(fault.place)[0].anchor) for fault in self.reading.faults]

    def keeps_controls_of(self, base: str) -> bool:
        """Whether the fields of a page drawn for `base` are those of this draft."""
        return not self.stale and set(SpecTree(_read_base(base), self.task).controls) == set(self.tree.controls)

    @property
    def blank(self) -> bool:
        """Whether nothing is described yet."""
        return not self.text.strip() or (self.spec == _BLANK and not self.stale)

    @property
    def base(self) -> str:
        """What the fields show, for the next request to know what was changed in them."""
        return json.dumps(self.spec, ensure_ascii=False, separators=(",", ":"))


def start_draft(spec: dict[str, Any], task: str) -> Draft:
    """Return the draft of a spec to start from; an empty one is an empty page."""
    return _read(show_spec(spec) if spec else "", task)


def read_draft(posted: QueryDict, task: str) -> Draft:
    """Return the draft that a page sent: its JSON with what was changed in its fields."""
    text = posted.get("spec", "")
    draft = _read(text, task)
    shown = _read_base(posted.get("base", ""))
    if draft.stale:
        return draft if shown is None else replace(draft, spec=shown)
    if shown is None:
        return draft
    changed = edits.apply_fields(draft.spec, SpecTree(shown, task), posted)
    return draft if changed == draft.spec else _write(changed, task)


def act(draft: Draft, wanted: str, posted: QueryDict) -> Draft:
    """Return the draft after a button was pressed; a button for what is not there any more changes nothing."""
    if wanted == "apply" and (picking := posted.get("picking")):
        # A search that was sent with Enter, or without scripts.
        found = act(draft, picking, posted)
        return replace(found, pick=found.pick and replace(found.pick, words=posted.get("q", "")[:100]))
    if wanted == "revert" and (shown := _read_base(posted.get("base", ""))) is not None:
        return _write(shown, draft.task)
    verb, _, rest = wanted.partition(":")
    if draft.stale or verb not in _VERBS:
        return draft
    try:
        return _VERBS[verb](draft, rest)
    except (LookupError, TypeError, ValueError, AttributeError):
        return draft


def _open_picker(draft: Draft, place: str) -> Draft:
    tree = draft.tree
    for at, items, slot in tree.lists():
        if at == place:
            ready = bool(items) and items[-1].predicts
            # Before a model go transformers only; without one, both may come next.
            steps = "transformer" not in slot.roles and place.endswith(STEPS)
            roles = ("transformer",) if steps and ready else (*slot.roles, "transformer") if steps else slot.roles
            return replace(draft, pick=Pick(place, True, Slot(roles, slot.task)))
    return draft


def _open_exchange(draft: Draft, place: str) -> Draft:
    node = draft.tree.nodes[place]
    return replace(draft, pick=Pick(place, False, node.slot))


def _add(draft: Draft, rest: str) -> Draft:
    place, _, choice = rest.partition(":")
    spec = copy.deepcopy(draft.spec)
    at = edits.add_part(spec, draft.tree, place, choice)
    return replace(_write(spec, draft.task), focus=at)


def _exchange(draft: Draft, rest: str) -> Draft:
    place, _, choice = rest.partition(":")
    spec = copy.deepcopy(draft.spec)
    edits.exchange_part(spec, draft.tree.nodes[place], choice)
    return replace(_write(spec, draft.task), focus=place)


def _rise(draft: Draft, place: str) -> Draft:
    return _move(draft, place, -1)


def _fall(draft: Draft, place: str) -> Draft:
    return _move(draft, place, 1)


def _move(draft: Draft, place: str, by: int) -> Draft:
    spec = copy.deepcopy(draft.spec)
    at = edits.move_part(spec, place, by)
    return replace(_write(spec, draft.task), focus=at)


def _drop(draft: Draft, place: str) -> Draft:
    spec = copy.deepcopy(draft.spec)
    keys = read_place(place)
    drop_at(spec, keys)
    return replace(_write(spec, draft.task), focus=_neighbour(draft.tree.nodes.get(place), place))


def _neighbour(node: Node | None, place: str) -> str:
    """Where the keyboard goes when a part is taken away: to the list it stood in."""
    return place.rpartition("[")[0] if node is not None and node.listed else place


def _wrap(draft: Draft, _: str) -> Draft:
    return _open_picker(_write(edits.wrap_in_steps(draft.spec), draft.task), STEPS)


_VERBS = {
    "pick": _open_picker,
    "change": _open_exchange,
    "add": _add,
    "exchange": _exchange,
    "up": _rise,
    "down": _fall,
    "drop": _drop,
    "wrap": _wrap,
}


def _read(text: str, task: str) -> Draft:
    reading = read_spec(text, task)
    if reading.value is None and text.strip():
        return Draft(task, text, reading, copy.deepcopy(_BLANK), stale=True)
    return Draft(task, text, reading, copy.deepcopy(_BLANK) if reading.value is None else reading.value)


def _write(spec: Any, task: str) -> Draft:
    return _read(show_spec(spec), task)


def _read_base(text: str) -> Any:
    """Return what the fields showed, or None where the page did not say."""
    if len(text) > MAX_BYTES:
        return None
    try:
        shown = load_json(text)
    except (SpecError, ValueError, RecursionError):
        return None
    return None if any(find_unkeepable(shown)) else shown
