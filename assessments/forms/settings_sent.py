"""Settings sent as JSON, whole or in part: laid over those that were read, and held to the limits of the form."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from assessments.forms.assumptions import LISTS, OPEN, AssumptionsForm, find, put
from assessments.principles import Catalogue
from assessments.scoring.settings import Settings
from ops_portal.errors import UserError
from ops_portal.forms import texts_of_errors

#: Steps from the settings down to a value.
Place = tuple[Any, ...]
FACTORS: Place = ("factors",)
NAMES = frozenset(item.name for item in fields(Settings))
WRONG = "Some assumptions cannot be right."
#: Faults told at once.
MOST_FAULTS = 20


def read_settings(part: Mapping[str, Any], *, over: Settings, catalogue: Catalogue, reason: str, base: int) -> Settings:
    """Return `over` with what `part` says in its place.

    Raises
    ------
    UserError
        A value is of the wrong type, beyond its limit, or not to be changed. `fields` names each place, such as
        `settings.need_shares.K1.people`.

    """
    held = AssumptionsForm(settings=over, catalogue=catalogue, number=base)
    sent = _Sent(held)
    sent.lay(part, held.plain, ())
    if sent.faults:
        raise UserError(WRONG, fields=sent.faults)
    typed = {name: _typed(find(sent.plain, place)) for place, name in held.places.items()}
    form = AssumptionsForm(typed | {"reason": reason, "base": base}, settings=over, catalogue=catalogue, number=base)
    if form.is_valid():
        return form.settings
    places = {name: place for place, name in held.places.items()}
    for name, told in texts_of_errors(form).items():
        for message in told:
            if name in places:
                sent.refuse(places[name], message)
            else:
                sent.refuse_whole(name, message)
    raise UserError(WRONG, fields=sent.faults)


@dataclass
class _Sent:
    """What was sent, on its way into the settings that were read, with what is wrong by place."""

    held: AssumptionsForm
    faults: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = self.held.places
        self.plain: dict[str, Any] = copy.deepcopy(self.held.plain)

    def lay(self, said: Any, held: Any, place: Place) -> None:
        """Lay `said` over what stands at `place`. Objects are taken name by name, factors by their name."""
        if place in self.places:
            if fault := _fault_of(said, place[0]):
                self.refuse(place, fault)
            else:
                put(self.plain, place, said)
        elif place == FACTORS:
            self._lay_factors(said, held)
        elif isinstance(held, dict):
            self._lay_names(said, held, place)
        elif (*place, 0) in self.places:
            if isinstance(said, list) and len(said) == len(held):
                for at, one in enumerate(said):
                    self.lay(one, held[at], (*place, at))
            else:
                self.refuse(place, f"Give a list of {len(held)} numbers.")
        elif said != held:
            self.refuse(place, "This cannot be changed.")

    def _lay_names(self, said: Any, held: dict[str, Any], place: Place) -> None:
        if not isinstance(said, dict):
            self.refuse(place, "Give an object.")
            return
        for name, one in said.items():
            inner = (*place, name)
            if name in held or inner in self.places:
                self.lay(one, held.get(name), inner)
            else:
                self.refuse(inner, "There is no such assumption.")

    def _lay_factors(self, said: Any, held: list[dict[str, Any]]) -> None:
        """Factors come as a list of objects; each says by its `name` which it is."""
        at = {factor["name"]: number for number, factor in enumerate(held)}
        names = [one.get("name") if isinstance(one, dict) else None for one in said] if isinstance(said, list) else []
        known = [name for name in names if isinstance(name, str) and name in at]
        if not isinstance(said, list) or len(known) < len(names) or len(set(known)) < len(known):
            self.refuse(FACTORS, "Give a list of objects, each with the `name` of another scope factor.")
            return
        for name, one in zip(known, said, strict=True):
            self._lay_names(one, held[at[name]], (*FACTORS, at[name]))

    def refuse(self, place: Place, message: str) -> None:
        """Keep what is wrong at a place."""
        steps = list(place)
        if place[:1] == FACTORS and len(place) > 1:
            steps[1] = self.held.plain["factors"][place[1]]["name"]
        self._keep(".".join(["settings", *(str(step)[:100] for step in steps)]), message)

    def refuse_whole(self, name: str, message: str) -> None:
        """Keep what is wrong with several values together: the message begins with their common place."""
        if name in self.held.fields:
            self._keep(name, message)
            return
        head, _, text = message.partition(": ")
        factors = {factor["name"] for factor in self.held.plain["factors"]}
        if head in factors:
            self._keep(f"settings.factors.{head}", text)
        elif head.partition(".")[0] in NAMES:
            self._keep(f"settings.{head}", text)
        else:
            self._keep("settings", message)

    def _keep(self, place: str, message: str) -> None:
        if place in self.faults or len(self.faults) < MOST_FAULTS:
            self.faults.setdefault(place, []).append(message)


def _fault_of(said: Any, setting: str) -> str:
    """Say why a JSON value cannot stand where `setting` has it, or nothing."""
    if setting in LISTS:
        return "" if isinstance(said, list) and all(map(_is_number, said)) else "Give a list of numbers."
    if setting == "telemetry_rule":
        return "" if isinstance(said, str) else "Give a text."
    if said is None and setting in OPEN:
        return ""
    return "" if _is_number(said) else "Give a number."


def _is_number(said: Any) -> bool:
    return isinstance(said, (int, float)) and not isinstance(said, bool)


def _typed(value: Any) -> str:
    """The value as somebody would type it into its field."""
    if isinstance(value, list):
        return " ".join(map(repr, value))
    return "" if value is None else str(value)
