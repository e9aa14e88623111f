"""Reads the records of a CSV file from any record's first byte on; a bad line costs that line, never the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MAX_LINE = 2**20
#: A quoted value may go over several lines, but one that never ends must not swallow the file.
MAX_RECORD_LINES = 200
RAW_SHOWN = 500

_UNCLOSED = "a quotation mark is opened on this line and not closed"
_REASONS = {
    "unexpected end of data": _UNCLOSED,
    "new-line character seen in unquoted field": "a carriage return stands in the middle of the line",
    "field larger than field limit": f"a value is longer than {csv.field_size_limit():,} characters",
    "expected after": "text follows a closing quotation mark",
}


class Bytes(Protocol):
    """A file as this package reads it."""

    def seek(self, offset: int, /) -> object: ...
    def read(self, size: int, /) -> bytes: ...
    def readline(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Record:
    """A record, or a line that is none: then `error` says why and `raw` shows it."""

    line: int
    fields: list[str]
    next_line: int
    next_offset: int
    error: str = ""
    raw: str = ""

    @property
    def length(self) -> int:
        """Return how many characters its values have."""
        return sum(map(len, self.fields))


def read_records(file: Bytes, *, offset: int, line: int, encoding: str, delimiter: str) -> Iterator[Record]:
    """Yield the records from the byte `offset` on, where `line` (from 1) begins; blank lines are passed over."""
    feed = _Feed(file, offset, line, encoding)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (csv.Error, _BadLineError) as error:
            yield feed.give_up_line(_reason(error))
            reader = csv.reader(feed, delimiter=delimiter, strict=True)  # the old one is in the middle of a record
            continue
        if fields:
            yield Record(feed.first_line, fields, feed.line, feed.offset)


class _BadLineError(Exception):
    """A line that cannot be read as text."""


class _Feed:
    """Gives the lines of a file to a csv.reader, and knows where the current record began."""

    def __init__(self, file: Bytes, offset: int, line: int, encoding: str) -> None:
        self.file, self.offset, self.line, self.encoding = file, offset, line, encoding
        self.first_line = line
        self._first = b""
        self._after_first = offset
        self._lines = self._bytes = 0
        file.seek(offset)

    def __iter__(self) -> Iterator[str]:
        return self

    def begin(self) -> None:
        self.first_line, self._lines, self._bytes = self.line, 0, 0

    def __next__(self) -> str:
        raw = self.file.readline(MAX_LINE + 1)
        if not raw:
            raise StopIteration
        self.offset += len(raw)
        self.line += 1
        self._lines += 1
        self._bytes += len(raw)
        if self._lines == 1:
            self._first = raw
        if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
            self._skip_rest_of_line()
        if self._lines == 1:
            self._after_first = self.offset
        if len(raw) > MAX_LINE:
            raise _BadLineError(f"the line is longer than {MAX_LINE:,} bytes")
        if self._lines > MAX_RECORD_LINES or self._bytes > MAX_LINE:
            raise _BadLineError(_UNCLOSED)
        if b"\0" in raw:
            raise _BadLineError("the line has a NUL byte")
        try:
            return raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            place = f"byte {error.start + 1} of the line, 0x{raw[error.start]:02X}"
            raise _BadLineError(f"{place}, is no {self.encoding} character") from None

    def give_up_line(self, reason: str) -> Record:
        """Set the record's first line aside and go on with the line after it."""
        if self._lines > 1:
            # What looked like a long quoted value was one stray quotation mark: the lines behind it are records.
            reason = _UNCLOSED
            self.offset, self.line = self._after_first, self.first_line + 1
            self.file.seek(self.offset)
        raw = self._first[: 4 * RAW_SHOWN].decode(self.encoding, "replace").rstrip("\r\n").replace("\0", "\ufffd")
        return Record(self.first_line, [], self.line, self.offset, reason, raw[:RAW_SHOWN])

    def _skip_rest_of_line(self) -> None:
        while rest := self.file.readline(MAX_LINE):
            self.offset += len(rest)
            if rest.endswith(b"\n"):
                return


def _reason(error: Exception) -> str:
    said = str(error)
    if isinstance(error, csv.Error):
        return next((reason for part, reason in _REASONS.items() if part in said), said)
    return said
