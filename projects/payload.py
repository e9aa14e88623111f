"""What an event and a label may look like. Pure: no Django, no clock, no I/O.

Every refusal says where and what: `features.age: NaN is not a number a model can learn from`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from math import isfinite
from typing import Any, Final

from projects.texts import fault_of, storable

MAX_FEATURES = 1_000
MAX_NAME = 200
MAX_TEXT = 10_000
MAX_KEY = 200
#: Clocks differ, and a sender may mix up time zones; what is further ahead is a mistake.
CLOCK_SKEW = timedelta(hours=24)
INTEGER_BOUND = 2**63

EVENT_FIELDS = frozenset({"id", "features", "label", "at", "label_at"})
LABEL_FIELDS = frozenset({"id", "label", "at"})

Features = dict[str, Any]


class _Missing(Enum):
    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


#: There is no label yet. None would do as well, but says less.
MISSING: Final = _Missing.MISSING


class PayloadError(ValueError):
    """One thing wrong with an event or a label: where, and what."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = storable(place)  # both may repeat what was sent
        self.problem = storable(problem)
        super().__init__(f"{self.place}: {self.problem}" if place else self.problem)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event on its way in. `line` is where it stood in the body or file; without `key` it is given one.

    `at` is when it happened and `label_at` when its label was observed, as the sender says.
    """

    line: int
    key: str | None
    features: Features
    label: object = MISSING
    at: datetime | None = None
    label_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncomingLabel:
    """One label on its way to the event called `key`; `received_at` when it came earlier than now.

    `at` is when it was observed, as the sender says.
    """

    line: int
    key: str
    label: object
    received_at: datetime | None = None
    at: datetime | None = None


def read_event(line: int, given: object, task: str) -> Incoming:
    """Return the event that `given`, a decoded JSON value, describes; `task` decides what its label may be."""
    fields = _object(given, EVENT_FIELDS)
    if "features" not in fields:
        raise PayloadError("features", 'missing; send an object such as {"age": 41}')
    key = fields.get("id")
    label = fields.get("label")
    label_at = read_time(fields.get("label_at"), "label_at")
    if label_at is not None and label is None:
        raise PayloadError("label_at", "there is no label; leave its time out until it is known")
    return Incoming(
        line,
        None if key is None else read_key(key),
        read_features(fields["features"]),
        MISSING if label is None else read_label(label, task),
        read_time(fields.get("at")),
        label_at,
    )


def read_label_item(line: int, given: object, task: str) -> IncomingLabel:
    """Return the label that `given`, a decoded JSON value, describes."""
    fields = _object(given, LABEL_FIELDS)
    if fields.get("id") is None:
        raise PayloadError("id", "missing; a label names the event it belongs to")
    if fields.get("label") is None:
        raise PayloadError("label", "missing; send the value that was observed")
    label = read_label(fields["label"], task)
    return IncomingLabel(line, read_key(fields["id"]), label, at=read_time(fields.get("at")))


def read_features(given: object) -> Features:
    """Return `given` when it is a non-empty object of numbers, strings, booleans and nulls within the limits."""
    if type(given) is not dict:
        raise PayloadError("features", f"expected an object, got {_kind(given)}")
    if not given:
        raise PayloadError("features", "empty; a model needs at least one feature")
    if len(given) > MAX_FEATURES:
        raise PayloadError("features", f"{len(given):,} features; at most {MAX_FEATURES:,} are taken")
    for name, value in given.items():
        if not 0 < len(name) <= MAX_NAME:
            raise PayloadError("features", f"a name has {len(name)} characters; use 1 to {MAX_NAME}")
        kind = type(value)
        # The order is that of how often each type comes.
        if kind is float:
            if not isfinite(value):
                raise PayloadError(f"features.{name}", f"{_not_finite(value)} is not a number a model can learn from")
        elif kind is int:
            if not -INTEGER_BOUND <= value < INTEGER_BOUND:
                raise PayloadError(f"features.{name}", "a whole number beyond 64 bits; send it as a decimal or a text")
        elif kind is str:
            if len(value) > MAX_TEXT:
                raise PayloadError(f"features.{name}", f"{len(value):,} characters; at most {MAX_TEXT:,} are taken")
            if not value.isascii() or "\0" in value:
                _check_text(f"features.{name}", value)
        elif kind is not bool and value is not None:
            raise PayloadError(
                f"features.{name}",
                f"expected a number, a text, true, false or null, got {_kind(value)}; send one feature per value",
            )
        if not name.isascii() or "\0" in name:
            _check_text("features", name)
    return given


def read_key(given: object) -> str:
    """Return the id of an event: a text of 1 to 200 printable characters, or a whole number."""
    if type(given) is int:
        given = str(given) if -INTEGER_BOUND <= given < INTEGER_BOUND else ""
    if type(given) is not str:
        raise PayloadError("id", f"expected a text or a whole number, got {_kind(given)}")
    if not 0 < len(given) <= MAX_KEY:
        raise PayloadError("id", f"has {len(given):,} characters; use 1 to {MAX_KEY}")
    if not given.isprintable():
        raise PayloadError("id", "has characters that cannot be printed")
    return given


def read_label(given: object, task: str) -> object:
    """Return `given` when it can be a label of `task`: `binary`, `multiclass` or `regression`."""
    kind = type(given)
    if kind is float and not isfinite(given):  # type: ignore[arg-type]
        raise PayloadError("label", f"{_not_finite(given)} is not a number a model can learn from")
    if kind is int and not -INTEGER_BOUND <= given < INTEGER_BOUND:  # type: ignore[operator]
        raise PayloadError("label", "a whole number beyond 64 bits")
    if kind is str:
        _check_class_name(given)  # type: ignore[arg-type]
    if task == "regression":
        if kind not in {int, float}:
            raise PayloadError("label", f"expected a number, got {_kind(given)}")
    elif task == "binary":
        if not (kind in {bool, str} or (kind is int and given in {0, 1})):
            raise PayloadError("label", f"expected true, false, 0, 1 or one of two texts, got {_kind(given)}")
    elif kind not in {int, str, bool}:
        raise PayloadError("label", f"expected the name or number of a class, got {_kind(given)}")
    return given


def read_time(given: object, place: str = "at") -> datetime | None:
    """Return the time an event happened or a label was observed; without an offset it is read as UTC."""
    if given is None:
        return None
    if type(given) is not str:
        raise PayloadError(place, f"expected a time such as 2026-01-31T09:30:00Z, got {_kind(given)}")
    try:
        moment = datetime.fromisoformat(given.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PayloadError(place, f"expected a time such as 2026-01-31T09:30:00Z, got {given[:40]!r}") from None


def check_clock(at: datetime | None, now: datetime, place: str = "at") -> None:
    """Refuse the time of an event or label that lies further ahead than clocks may differ.

    Raises
    ------
    PayloadError
        With both times.

    """
    if at is not None and at - now > CLOCK_SKEW:
        raise PayloadError(
            place,
            f"{at:%Y-%m-%d %H:%M} UTC is more than {CLOCK_SKEW // timedelta(hours=1)} hours ahead of the portal's clock"
            f" ({now:%Y-%m-%d %H:%M} UTC); check the sender's clock",
        )


def label_type(label: object) -> str:
    """Name the JSON type of a label; a project keeps to one: `boolean`, `integer`, `text` or `number`."""
    return _LABEL_TYPES[type(label)]


_LABEL_TYPES = {bool: "boolean", int: "integer", str: "text", float: "number"}


def _object(given: object, allowed: frozenset[str]) -> Mapping[str, Any]:
    if type(given) is not dict:
        raise PayloadError("", f"expected an object, got {_kind(given)}")
    if not given.keys() <= allowed:
        unknown = next(name for name in given if name not in allowed)
        raise PayloadError(str(unknown)[:MAX_NAME], f"unknown field; the fields are {', '.join(sorted(allowed))}")
    return given


def _check_class_name(name: str) -> None:
    if not 0 < len(name) <= MAX_NAME:
        raise PayloadError("label", f"has {len(name):,} characters; use 1 to {MAX_NAME}")
    _check_text("label", name)


def _check_text(place: str, text: str) -> None:
    """Refuse what cannot be stored."""
    if fault := fault_of(text):
        raise PayloadError(place, fault)


def _not_finite(value: object) -> str:
    text = str(value)
    return "NaN" if text == "nan" else "infinity" if text == "inf" else "minus infinity"


def _kind(value: object) -> str:
    """Name a decoded JSON value the way its sender would."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return f'the text "{value[:40]}"' if value else "an empty text"
        case float() | int():
            return f"the number {str(value)[:40]}"
        case _:
            return type(value).__name__
