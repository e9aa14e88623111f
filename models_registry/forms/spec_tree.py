"""A spec as a form shows it: a tree of parts, each with a control for every parameter, made from the catalogue.

Nothing here asks whether the spec is valid: whatever JSON holds gets its place on the page, and what is wrong with it
stands next to the control it concerns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from models_registry.forms.spec_values import choices_of, kinds_of, write_value
from models_registry.learning.catalogue import REGRESSION, Parameter, read_catalogue
from models_registry.learning.errors import Fault
from models_registry.learning.places import read_place, write_place
from models_registry.learning.spec import MAX_DEPTH, MAX_PARTS, SELECT_TYPES
from models_registry.learning.values import expected
from models_registry.selectors.pipelines import describe_value

COMPONENT, STEPS, UNION, UNKNOWN = "component", "steps", "union", "unknown"
TITLES = {STEPS: "Steps, one after the other", UNION: "Side by side, joined", UNKNOWN: "Not a part of a model"}
#: Parts that are no class of the catalogue, as choices name them.
SHAPES = {"select": "Chosen columns", STEPS: TITLES[STEPS], UNION: TITLES[UNION]}

Options = list[tuple[str, list[tuple[str, str]]]]


def name_id(place: str) -> str:
    """Return the `id` of what stands at a place of the spec."""
    return "at-" + re.sub(r"[^\w]+", "-", place).strip("-") if place else "at-all"


@dataclass(frozen=True)
class Slot:
    """What may stand at a place: a part that plays one of these roles, for this task."""

    roles: tuple[str, ...]
    task: str

    def offers(self) -> Options:
        """Return what can be chosen here, by group: classes of the catalogue, and parts that hold others."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for entry in read_catalogue().select(*self.roles, task=self.task):
            groups.setdefault(entry.group, []).append((entry.path, entry.title))
        shapes = [(shape, SHAPES[shape]) for shape in self.shapes()]
        return [*groups.items(), *([("Several parts", shapes)] if shapes else [])]

    def shapes(self) -> tuple[str, ...]:
        """Return the parts without a class of their own that may stand here."""
        if "transformer" in self.roles:
            return tuple(SHAPES)
        return (STEPS,) if {"classifier", "regressor"} & set(self.roles) else ()


@dataclass
class Control:
    """One parameter as the page asks for it."""

    place: str
    param: Parameter
    given: bool
    text: str
    default: str
    inner: list[Node] = field(default_factory=list)
    slot: Slot | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The `id` of the control."""
        return name_id(self.place)

    @property
    def anchor(self) -> str:
        """The `id` of what can be edited here."""
        return self.id if self.typed or self.many else f"{self.id}-part"

    @property
    def kinds(self) -> set[str]:
        """The kinds of value it takes."""
        return kinds_of(self.param)

    @property
    def many(self) -> bool:
        """Whether it holds a list of parts."""
        return self.slot is not None and "use" not in self.kinds

    @property
    def typed(self) -> bool:
        """Whether a value is typed or chosen here, and no part stands here."""
        return not self.inner and (self.slot is None or bool(self.kinds - {"use", "list"}))

    @property
    def choices(self) -> list[str]:
        """The values to choose among, where there are no others."""
        only = self.kinds <= {"choice", "boolean"}
        return [write_value(choice) for choice in choices_of(self.param)] if only else []

    @property
    def suggestions(self) -> list[str]:
        """Values that may be typed, where others may too."""
        return [] if self.choices else [write_value(choice) for choice in choices_of(self.param)]

    @property
    def is_number(self) -> bool:
        """Whether only numbers are typed here."""
        return self.kinds - {"use"} <= {"number", "integer"}

    @property
    def names_columns(self) -> bool:
        """Whether it names columns of the events."""
        return self.param.name in ("on", "by", "keys", "nominal_attributes")

    @property
    def chosen(self) -> str:
        """The part that stands here, as its choice names it."""
        return self.inner[0].choice if self.inner and not self.many else ""

    @property
    def takes(self) -> str:
        """What it takes, in words."""
        return expected(self.param)

    @property
    def open(self) -> bool:
        """Whether it is shown at once, not only among all parameters."""
        return self.given or self.param.required or bool(self.errors)


@dataclass(frozen=True)
class Columns:
    """Which columns the steps of a part see: those of some types, or those named."""

    place: str
    by: str
    types: tuple[str, ...]
    names: str
    errors: list[str]

    @property
    def id(self) -> str:
        """The `id` its controls begin with."""
        return name_id(self.place)

    @property
    def anchor(self) -> str:
        """The `id` of what can be edited here."""
        return f"{self.id}-by"

    @property
    def boxes(self) -> list[tuple[str, bool]]:
        """The types, and whether each is ticked."""
        return [(kind, kind in self.types) for kind in SELECT_TYPES]


@dataclass
class Node:
    """One part of the spec."""

    kind: str
    place: str
    slot: Slot
    title: str
    path: str = ""
    summary: str = ""
    raw: str = ""
    controls: list[Control] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    columns: Columns | None = None
    #: Keys that the part should not have, with what they hold.
    strays: list[tuple[str, str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: Whether it stands in a list, and may move in it.
    listed: bool = False
    can_rise: bool = False
    can_fall: bool = False

    @property
    def id(self) -> str:
        """The `id` of the part."""
        return f"part-{name_id(self.place)}"

    @property
    def anchor(self) -> str:
        """The `id` of what can be edited here."""
        return self.id

    @property
    def choice(self) -> str:
        """What it is, as a choice names it."""
        return "select" if self.columns else self.path or self.kind

    @property
    def list_place(self) -> str:
        """The place of the list of its items."""
        return f"{self.place}.{self.kind}" if self.place else self.kind

    @property
    def predicts(self) -> bool:
        """Whether it is a model and no transformer, as far as that can be told."""
        if self.kind == COMPONENT:
            return not read_catalogue().entries[self.path].plays(("transformer",))
        return self.kind == STEPS and bool(self.items) and self.items[-1].predicts

    @property
    def hidden(self) -> int:
        """How many parameters are shown only among all."""
        return sum(not control.open for control in self.controls)


class SpecTree:
    """The parts of a spec, its controls by place, and what is wrong with each."""

    def __init__(self, spec: Any, task: str, faults: Iterable[Fault] = (), *, role: tuple[str, ...] = ()) -> None:
        self.controls: dict[str, Control] = {}
        self.columns: dict[str, Columns] = {}
        self.nodes: dict[str, Node] = {}
        self._parts = 0
        roles = role or ("regressor" if task == REGRESSION else "classifier",)
        self.root = self._node(spec, "", Slot(roles, task), 0)
        for fault in faults:
            self._attach(fault)

    def lists(self) -> Iterator[tuple[str, list[Node], Slot]]:
        """Yield the place, the items and the slot of every list of parts."""
        for node in self.nodes.values():
            if node.kind in (STEPS, UNION):
                yield node.list_place, node.items, node.slot if node.kind == STEPS else _transformer(node.slot)
        for control in self.controls.values():
            if control.many and control.slot:
                yield control.place, control.inner, control.slot

    @property
    def holders(self) -> Iterator[Control | Columns | Node]:
        """Everything that says what is wrong with it."""
        yield from self.controls.values()
        yield from self.columns.values()
        yield from self.nodes.values()

    def find_holder(self, place: str) -> tuple[Control | Columns | Node, str]:
        """Return what on the page is nearest to a place, and the rest of the way to it."""
        keys = read_place(place)
        for length in range(len(keys), 0, -1):
            way = write_place(keys[:length])
            if holder := self.controls.get(way) or self.columns.get(way) or self.nodes.get(way):
                return holder, write_place(keys[length:])
        return self.root, place

    def _attach(self, fault: Fault) -> None:
        holder, rest = self.find_holder(fault.place)
        holder.errors.append(fault.message if rest in ("", "use") else f"{rest}: {fault.message}")

    def _node(self, part: Any, place: str, slot: Slot, depth: int) -> Node:
        self._parts += 1
        kinds = [kind for kind in ("use", STEPS, UNION) if isinstance(part, dict) and kind in part]
        fits = len(kinds) == 1 and depth <= MAX_DEPTH + 1 and self._parts <= MAX_PARTS
        if fits and kinds[0] == "use" and isinstance(part["use"], str) and part["use"] in read_catalogue().entries:
            node = self._component(part, place, slot, depth)
        elif fits and kinds[0] != "use" and isinstance(part[kinds[0]], list):
            node = self._holder(part, kinds[0], place, slot, depth)
        else:
            node = Node(UNKNOWN, place, slot, TITLES[UNKNOWN], raw=_shorten(write_value(part)))
        self.nodes[place] = node
        return node

    def _component(self, part: dict[str, Any], place: str, slot: Slot, depth: int) -> Node:
        entry = read_catalogue().entries[part["use"]]
        given = part.get("params", {})
        params = given if isinstance(given, dict) else {}
        says_more = entry.summary.rstrip(".").lower() != entry.title.lower()
        node = Node(COMPONENT, place, slot, entry.title, entry.path, entry.summary if says_more else "")
        base = _join(place, "params")
        node.controls = [self._control(param, params, _join(base, param.name), slot, depth) for param in entry.params]
        known = {param.name for param in entry.params}
        node.strays = _strays(part, place, ("use", "params") if isinstance(given, dict) else ("use",))
        node.strays += _strays(params, base, known)
        return node

    def _control(self, param: Parameter, params: dict[str, Any], place: str, slot: Slot, depth: int) -> Control:
        value = params.get(param.name)
        default = "" if param.required else describe_value(param.default)
        control = Control(place, param, param.name in params, "", default)
        for accepts in param.accepts:
            one = accepts["of"] if accepts["type"] == "list" else accepts
            if one["type"] == "use":
                control.slot = _inner_slot(one, slot.task)
        inner: list[tuple[str, Any]] = []
        if control.slot and isinstance(value, dict):
            inner = [(place, value)]
        elif control.many and isinstance(value, list):
            inner = [(f"{place}[{i}]", item) for i, item in enumerate(value)]
        if control.slot:
            control.inner = [self._node(item, at, control.slot, depth + 1) for at, item in inner]
        if control.many:
            _say_who_moves(control.inner)
        elif not inner:
            control.text = write_value(value) if control.given else ""
        self.controls[place] = control
        return control

    def _holder(self, part: dict[str, Any], kind: str, place: str, slot: Slot, depth: int) -> Node:
        node = Node(kind, place, slot, TITLES[kind])
        last = len(part[kind]) - 1
        for i, item in enumerate(part[kind]):
            inner = slot if kind == STEPS and i == last else _transformer(slot)
            node.items.append(self._node(item, f"{node.list_place}[{i}]", inner, depth + 1))
        _say_who_moves(node.items)
        known = (kind, "select") if kind == STEPS else (kind,)
        node.strays = _strays(part, place, known)
        if "select" in part and kind == STEPS:
            node.columns = _columns(part["select"], _join(place, "select"))
            node.title = SHAPES["select"]
            self.columns[node.columns.place] = node.columns
        return node


def _say_who_moves(items: list[Node]) -> None:
    """A transformer stays before what predicts, so only its like changes places with it."""
    for i, node in enumerate(items):
        node.listed = True
        node.can_rise = i > 0 and items[i - 1].predicts == node.predicts
        node.can_fall = i + 1 < len(items) and items[i + 1].predicts == node.predicts


def _transformer(slot: Slot) -> Slot:
    return Slot(("transformer",), slot.task)


def _inner_slot(accepts: dict[str, Any], task: str) -> Slot:
    roles = tuple(accepts["roles"])
    wanted = accepts.get("task", "same")
    inner = task if wanted == "same" else wanted
    if {"classifier", "regressor"} <= set(roles):
        roles = ("regressor",) if inner == REGRESSION else ("classifier",)
    return Slot(roles, inner)


def _columns(select: Any, place: str) -> Columns:
    found = select if isinstance(select, dict) else {}
    by = "names" if "names" in found else "types"
    types, names = found.get("types", ()), found.get("names", "")
    kinds = tuple(kind for kind in types if isinstance(kind, str)) if isinstance(types, list) else ()
    return Columns(place, by, kinds, write_value(names) if names else "", [])


def _strays(found: dict[str, Any], place: str, known: Iterable[str]) -> list[tuple[str, str, str]]:
    return [
        (str(key), _join(place, str(key)), _shorten(write_value(value)))
        for key, value in found.items()
        if key not in known
    ]


def _join(place: str, key: str) -> str:
    return write_place((*read_place(place), key)) if place else key


def _shorten(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"
