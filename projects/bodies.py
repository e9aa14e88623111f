"""Request bodies as decoded items: one JSON object, a list, or NDJSON read in pieces. Pure.

A body larger than memory should hold comes as NDJSON: it is never held whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import msgspec

from projects.texts import storable

#: A JSON body is read whole, so it is limited; NDJSON is limited by the line only.
MAX_JSON = 10 * 2**20
MAX_LINE = 2 * 2**20
PIECE = 256 * 1024
#: Bytes of lines after which a batch is full, whatever their number.
MAX_BATCH = 4 * 2**20

NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})

_decode = msgspec.json.Decoder().decode


class BodyError(ValueError):
    """A body or a line of one that cannot be read, with the reason."""


class Readable(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


class Item(NamedTuple):
    """One item of a body: where it stood (from 1), its value, or why it cannot be read, and the length of its line."""

    line: int
    value: Any
    error: str = ""
    size: int = 0


def read_json(body: Readable) -> Any:
    """Return the value of a JSON body.

    Raises
    ------
    BodyError
        The body is empty, too long or not JSON.

    """
    raw = _read_up_to(body, MAX_JSON + 1)
    if len(raw) > MAX_JSON:
        raise BodyError(f"The body is larger than {MAX_JSON >> 20} MB; send it in parts or as application/x-ndjson.")
    if not raw.strip():
        raise BodyError("The body is empty.")
    return decode(raw)


def number_items(value: Any) -> Iterator[Item]:
    """Yield the items of a decoded JSON body: those of a list, else the value itself."""
    for line, item in enumerate(value if isinstance(value, list) else [value], start=1):
        yield Item(line, item)


def read_ndjson_items(body: Readable) -> Iterator[Item]:
    """Yield the items of an NDJSON body, one per line that is not blank; a line that cannot be read has its error."""
    for line, raw in _lines(body):
        if raw is None:
            yield Item(line, None, f"the line is longer than {MAX_LINE >> 20} MB")
        elif raw.strip():
            try:
                yield Item(line, decode(raw), size=len(raw))
            except BodyError as error:
                yield Item(line, None, str(error))


def decode(raw: bytes) -> Any:
    """Return the value of a JSON text.

    NaN and infinities are let through, for the checks behind it to name the feature that has them; a name that occurs
    twice in an object is refused, because one of its two values would be lost.
    """
    try:
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _decode_slowly(raw)
    # Every text has two quotation marks: more of them than texts means a lost name, or an escaped mark.
    return value if raw.count(b'"') == 2 * _texts_in(value) else _decode_slowly(raw)


def _texts_in(value: Any) -> int:
    """Count the texts in events and labels, names included; deeper values make the count too small, never too large."""
    if type(value) is list:
        return sum(map(_texts_in, value))
    if type(value) is not dict:
        return int(type(value) is str)
    count = len(value)
    for part in value.values():
        if type(part) is str:
            count += 1
        elif type(part) is dict:
            count += len(part) + list(map(type, part.values())).count(str)
    return count


def _decode_slowly(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_without_doubles)
    except BodyError:
        raise
    except UnicodeDecodeError as error:
        raise BodyError(f"not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise BodyError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BodyError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError:
        raise BodyError("not JSON this portal can read: a number has too many digits") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise BodyError(f'the name "{storable(double[:100])}" occurs twice in one object')
    return found


def _lines(body: Readable) -> Iterator[tuple[int, bytes | None]]:
    """Number and yield the lines of `body`, None for one that is too long; at most a piece and a line are held."""
    number, rest, skipping = 1, b"", False
    while piece := body.read(PIECE):
        parts = (rest + piece).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield number, None if skipping or len(part) > MAX_LINE else part
            number, skipping = number + 1, False
        if len(rest) > MAX_LINE:
            rest, skipping = b"", True
    if rest or skipping:
        yield number, None if skipping or len(rest) > MAX_LINE else rest


def _read_up_to(body: Readable, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0 and (piece := body.read(min(size, PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield `items` in lists of up to `size`, fewer where their lines are long: a list is held in memory."""
    batch: list[Item] = []
    length = 0
    for item in items:
        batch.append(item)
        length += item.size
        if len(batch) == size or length >= MAX_BATCH:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch
