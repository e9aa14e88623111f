"""Messages of a stream outside the portal: what a source of them does, and what a message may say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

from projects.bodies import BodyError, decode
from projects.payload import (
    MAX_KEY,
    Incoming,
    IncomingLabel,
    PayloadError,
    read_event,
    read_label_item,
)

MAX_MESSAGE = 2**20


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its name in its stream, which is the same each time it is delivered, and its body."""

    name: str
    body: bytes


class Source(Protocol):
    """A stream that one consumer of a group reads, such as a Redis stream or a topic of a log.

    A message that was given out and not acknowledged is given out again, to this consumer or to another of its group.
    """

    #: Names the stream, for people and for the ids of events that have none.
    title: str

    def receive(self, limit: int, seconds: float) -> list[Message]:
        """Return up to `limit` messages; none when none came within some `seconds`."""
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Say that these are done for good; called once they are committed."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def read_message(line: int, message: Message, source: str, task: str) -> Incoming | IncomingLabel:
    """Return the event or label that a message holds, in the API's own form: with `features` it is an event.

    An event without an id is called by its stream and message, so that a second delivery is recognised.

    Raises
    ------
    PayloadError
        With what is wrong.

    """
    if len(message.body) > MAX_MESSAGE:
        raise PayloadError("", f"has {len(message.body):,} bytes; at most {MAX_MESSAGE:,} are taken")
    try:
        value = decode(message.body)
    except BodyError as wrong:
        raise PayloadError("", str(wrong)) from None
    if type(value) is dict and "label" in value and "features" not in value:
        return read_label_item(line, value, task)
    event = read_event(line, value, task)
    return event if event.key is not None else replace(event, key=_key_of(source, message.name))


def _key_of(source: str, name: str) -> str:
    key = f"{source}-{name}"
    if len(key) <= MAX_KEY and key.isprintable():
        return key
    return f"{sha256(source.encode()).hexdigest()[:16]}-{name}"[:MAX_KEY]
