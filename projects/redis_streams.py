"""A Redis stream as a source of messages: one consumer of a consumer group."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol, cast

import redis
from redis.exceptions import ResponseError

from projects.messages import Message

#: Options of an address that nobody but the process should read.
SECRETS = frozenset({"username", "password"})


class Connection(Protocol):
    """What is asked of Redis; its own types tell apart neither sync from async nor the shapes of answers."""

    def xgroup_create(self, name: str, groupname: str, id: str, mkstream: bool) -> Any: ...
    def xreadgroup(self, groupname: str, consumername: str, streams: dict[str, str], **options: Any) -> Any: ...
    def xautoclaim(self, name: str, groupname: str, consumername: str, **options: Any) -> Any: ...
    def xack(self, name: str, groupname: str, *ids: str) -> Any: ...
    def close(self) -> None: ...


class RedisStream:
    """Reads a stream with the name of one consumer.

    What was given to this name and not acknowledged comes first: the same name started again goes on where it died.
    What another consumer holds for too long is claimed: it is taken for dead.

    Parameters
    ----------
    url
        Address of the server, such as `redis://127.0.0.1:6379/0`.
    stream, group, consumer
        Names in Redis. The group is made where there is none.
    field
        The field of an entry that holds the event or label as JSON.
    from_start
        Whether a new group begins with the oldest entry, or with the next that comes.
    claim_after
        Seconds after which an entry that another consumer holds is claimed.

    """

    def __init__(
        self,
        url: str,
        stream: str,
        *,
        group: str,
        consumer: str,
        field: str = "event",
        from_start: bool = True,
        claim_after: float = 60.0,
    ) -> None:
        self.title = stream
        self.stream, self.group, self.consumer = stream, group, consumer
        self._field = field.encode()
        self._begin = "0" if from_start else "$"
        self._claim_after = claim_after
        self._redis = cast(Connection, redis.Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5))
        #: Up to where the entries that this name held at the start were given out; None once they all were.
        self._held: str | None = "0"
        self._next_claim = 0.0
        self._make_group()

    def receive(self, limit: int, seconds: float) -> list[Message]:
        """Return what this consumer held already, else what dead ones hold, else what is new."""
        if self._held is not None:
            entries = self._read(self._held, limit)
            if entries:
                self._held = entries[-1][0].decode()
                return [self._message(entry) for entry in entries]
            self._held = None
        if time.monotonic() >= self._next_claim:
            claimed = self._claim(limit)
            if claimed:
                return [self._message(entry) for entry in claimed]
            self._next_claim = time.monotonic() + self._claim_after / 2
        return [self._message(entry) for entry in self._read(">", limit, seconds)]

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Take the entries off the group's list of open ones."""
        if messages:
            self._redis.xack(self.stream, self.group, *(message.name for message in messages))

    def again(self) -> None:
        """Give out again what was not acknowledged: a batch was given up, or the connection was lost."""
        self._held = "0"

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(self.stream, self.group, id=self._begin, mkstream=True)
        except ResponseError as known:
            if "BUSYGROUP" not in str(known):
                raise

    def _read(self, after: str, limit: int, seconds: float | None = None) -> list[Any]:
        block = None if seconds is None else max(1, round(seconds * 1000))
        try:
            found = self._redis.xreadgroup(self.group, self.consumer, {self.stream: after}, count=limit, block=block)
        except ResponseError as gone:
            if "NOGROUP" not in str(gone):
                raise
            self._make_group()  # the stream was deleted, and may be written again
            return []
        pairs = found.items() if isinstance(found, dict) else found or []
        return [entry for _, entries in pairs for entry in _flat(entries)]

    def _claim(self, limit: int) -> list[Any]:
        idle = round(self._claim_after * 1000)
        found = self._redis.xautoclaim(self.stream, self.group, self.consumer, min_idle_time=idle, count=limit)
        return [entry for entry in found[1] if entry[1] is not None]

    def _message(self, entry: tuple[bytes, dict[bytes, bytes] | None]) -> Message:
        name, fields = entry
        # An entry that was deleted while it was open has no fields: it says nothing, and is set aside.
        return Message(name.decode(), (fields or {}).get(self._field, b""))


def without_secrets(url: str) -> str:
    """Return the address of a server without user name and password."""
    scheme, _, rest = url.partition("://")
    place, mark, query = rest.partition("?")
    options = [option for option in query.split("&") if option.partition("=")[0] not in SECRETS]
    return f"{scheme}://{place.rpartition('@')[2]}{mark if any(options) else ''}{'&'.join(options)}"


def _flat(entries: Any) -> list[Any]:
    """Entries by RESP2 are pairs; by RESP3, lists of pairs."""
    return [pair for one in entries for pair in (one if one and isinstance(one[0], list | tuple) else [one])]
