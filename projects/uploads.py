"""Uploaded files: which kind one is, what its first rows show, and its rows as events. One place knows the kinds."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Protocol

from projects.csv_files.guess import Preview, UnreadableFileError, header_offset, preview
from projects.csv_files.plan import CsvPlan, RowReader
from projects.csv_files.records import RAW_SHOWN, Bytes, Record, read_records
from projects.json_lines import JsonLine, as_record, preview_json_lines, read_json_lines
from projects.parquet_files.reading import close_reader, preview_parquet, reading_on
from projects.payload import Incoming, PayloadError, read_event

CSV, NDJSON, PARQUET = "csv", "ndjson", "parquet"
PIECE = 2**20

__all__ = [
    "CSV",
    "NDJSON",
    "PARQUET",
    "Row",
    "UnreadableFileError",
    "close_file",
    "digest_of",
    "first_offset",
    "kind_of",
    "look_into",
    "read_rows",
]


class Target(Protocol):
    """What reading a file has to know of the project it is for."""

    @property
    def task(self) -> str: ...
    @property
    def label_name(self) -> str: ...
    @property
    def label_type(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file as an event, or why it is none; and where reading goes on behind it."""

    line: int
    event: Incoming | None
    error: str
    raw: str
    next_row: int
    next_offset: int


def kind_of(file: Bytes) -> str:
    """Return what kind of file this is, by its first bytes.

    Raises
    ------
    UnreadableFileError
        It is a JSON list, which cannot be read in pieces.

    """
    file.seek(0)
    head = file.read(4096)
    if head.startswith(b"PAR1"):
        return PARQUET
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return NDJSON
    if text.startswith(b"[{") or text.rstrip(b" \t\r\n") == b"[":
        raise UnreadableFileError("This is a JSON list. Write it as NDJSON: one object per line, without the brackets.")
    return CSV


def digest_of(file: Bytes) -> str:
    """Name a file by its content: rows without an id are called by it, so that the same file comes in once."""
    file.seek(0)
    digest = sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()[:16]


def look_into(
    kind: str, file: Bytes, path: str, project: Target, *, encoding: str | None = None, delimiter: str | None = None
) -> tuple[Preview, int | None]:
    """Return what the first rows of a file show, and how many rows it has where it says so.

    Raises
    ------
    UnreadableFileError
        It cannot be read, with what to do about it.

    """
    known = {"task": project.task, "label_name": project.label_name, "label_type": project.label_type}
    if kind == PARQUET:
        return preview_parquet(path, **known)
    if kind == NDJSON:
        return preview_json_lines(file, **known), None
    return preview(file, **known, encoding=encoding, delimiter=delimiter), None


def first_offset(kind: str, file: Bytes) -> int:
    """Return the byte at which reading begins."""
    return header_offset(file) if kind == CSV else 0


def read_rows(
    kind: str, file: Bytes, path: str, plan: CsvPlan, task: str, key_prefix: str, *, row: int, offset: int
) -> Iterator[Row]:
    """Yield the rows behind the first `row` ones, which end at `offset`: a byte, or a count of characters in Parquet.

    Raises
    ------
    UnreadableFileError
        The file is damaged.

    """
    if kind == NDJSON and plan.events:
        for one in read_json_lines(file, offset=offset, line=row + 1):
            yield _as_event(one, task, key_prefix)
        return
    reader = RowReader(plan, task, key_prefix)
    reading: Any = reading_on(path, row, offset) if kind == PARQUET else nullcontext(None)
    with reading as parquet, closing(_records(kind, file, plan, row, offset)) as others:
        for record in parquet or others:
            try:
                event, error = reader.read(record), ""
            except PayloadError as wrong:
                event, error = None, str(wrong)
            # Rows of a Parquet file are numbered; their place is how many characters they have up to there.
            done = record.line if kind == PARQUET else record.next_line - 1
            yield Row(record.line, event, error, _shown(record, plan), done, record.next_offset)


def close_file(kind: str, path: str) -> None:
    """Let go of what is kept open for a file that is done."""
    if kind == PARQUET:
        close_reader(path)


def _records(kind: str, file: Bytes, plan: CsvPlan, row: int, offset: int) -> Generator[Record, None, None]:
    if kind == NDJSON:
        names = [name for name, _ in plan.columns]
        for one in read_json_lines(file, offset=offset, line=row + 1):
            yield as_record(one, names)
    elif kind == CSV:
        records = read_records(file, offset=offset, line=row + 1, encoding=plan.encoding, delimiter=plan.delimiter)
        if row == 0:
            next(records, None)  # the header is a record like any other
        yield from records


def _as_event(one: JsonLine, task: str, key_prefix: str) -> Row:
    event, error = None, one.error
    if not error:
        try:
            event = read_event(one.line, one.value, task)
        except PayloadError as wrong:
            error = str(wrong)
    if event is not None and event.key is None:
        event = replace(event, key=f"{key_prefix}{one.line}")
    return Row(one.line, event, error, one.raw, one.next_line - 1, one.next_offset)


def _shown(record: Record, plan: CsvPlan) -> str:
    return record.raw or (plan.delimiter or ", ").join(record.fields)[:RAW_SHOWN]
