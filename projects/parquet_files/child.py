"""Reads a Parquet file and writes its rows as texts: `python -m projects.parquet_files.child PATH START`.

It runs as a process of its own: the file comes from outside, and a page of it may say that it unpacks to gigabytes.
Frames on standard output are a length and a MessagePack value: first a description of the file, then lists of rows.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

#: What reading may take. A row group is streamed, so this bounds a page of each column, not the file.
MEMORY = 1536 * 2**20
MAX_ROWS = 20_000_000
MAX_GROUP = 2**30
BATCH = 1_000
#: Values that are unpacked at once: each may be a long text of which the file has one copy.
CELLS = 4_000
#: Characters of a frame after which the next one begins, and of a text: longer ones are refused anyway.
FRAME = 2**22
LONGEST_TEXT = 10_001

_encode = msgspec.msgpack.Encoder().encode


class RefusedError(Exception):
    """A file that is not read, with the reason as a sentence."""


def main(path: str, start: int) -> None:
    """Write the description and the rows from number `start` (0 is the first) on."""
    with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    try:
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)
        _check(file.metadata)
        columns = [(field.name, kind) for field in file.schema_arrow if (kind := kind_of(field.type))]
        left_out = [field.name for field in file.schema_arrow if not kind_of(field.type)]
        _write({"rows": file.metadata.num_rows, "columns": columns, "left_out": left_out})
        frame: list[list[str]] = []
        size = 0
        for row in _rows(file, [name for name, _ in columns], start):
            frame.append(row)
            size += sum(map(len, row))
            if size > FRAME or len(frame) == BATCH:
                _write(frame)
                frame, size = [], 0
        if frame:
            _write(frame)
    except RefusedError as refused:
        _write({"error": str(refused)})
    except (MemoryError, pa.ArrowMemoryError):
        _write({"error": f"Reading this file takes more than {MEMORY >> 20} MB of memory. Write smaller row groups."})
    except (pa.ArrowException, OSError, ValueError) as wrong:
        _write({"error": f"This is no Parquet file that can be read: {str(wrong)[:300]}."})


def _check(metadata: Any) -> None:
    if metadata.num_rows > MAX_ROWS:
        raise RefusedError(f"This file has {metadata.num_rows:,} rows; at most {MAX_ROWS:,} are taken at once.")
    for number in range(metadata.num_row_groups):
        size = metadata.row_group(number).total_byte_size
        if size > MAX_GROUP:
            raise RefusedError(
                f"Row group {number + 1} unpacks to {size / 2**20:,.0f} MB; at most {MAX_GROUP >> 20:,} MB are taken."
                " Write the file with smaller row groups."
            )


def _rows(file: Any, names: list[str], start: int) -> Iterator[list[str]]:
    """Yield the rows from `start` on, beginning at the row group that has it."""
    groups = list(range(file.metadata.num_row_groups))
    while groups and start >= (size := file.metadata.row_group(groups[0]).num_rows):
        start -= size
        del groups[0]
    if not groups or not names:
        return
    count = max(1, min(BATCH, CELLS // len(names)))
    for batch in file.iter_batches(batch_size=count, row_groups=groups, columns=names, use_threads=False):
        skipped = min(start, batch.num_rows)
        start -= skipped
        if skipped < batch.num_rows:
            part = batch.slice(skipped)
            texts = [as_texts(part.column(name)) for name in names]
            yield from map(list, zip(*texts, strict=True))


def kind_of(given: Any) -> str:
    """Name what a column holds: number, boolean, time or text; nothing for lists, structures and bytes."""
    kinds = pa.types
    if kinds.is_dictionary(given):
        return kind_of(given.value_type)
    if kinds.is_boolean(given):
        return "boolean"
    if kinds.is_integer(given) or kinds.is_floating(given) or kinds.is_decimal(given):
        return "number"
    if kinds.is_timestamp(given) or kinds.is_date(given):
        return "time"
    if kinds.is_string(given) or kinds.is_large_string(given) or kinds.is_null(given):
        return "text"
    return ""


def as_texts(column: Any) -> list[str]:
    """Return the values as the texts a CSV file would have; a missing one is empty."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    writers: dict[str, Callable[[Any], str]] = {"boolean": _boolean, "time": _iso, "text": _cut}
    write = writers.get(kind_of(column.type), str)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return ["" if value is None else write(value) for value in _values(column)]


def _values(column: Any) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):  # a time that Python has no value for
        values = [_value(one) for one in column]
    return values


def _value(one: Any) -> Any:
    try:
        return one.as_py()
    except (ValueError, OverflowError):
        return f"a time out of range ({one.value})"


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _iso(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


def _cut(value: str) -> str:
    return value[:LONGEST_TEXT]


def _write(value: Any) -> None:
    frame = _encode(value)
    sys.stdout.buffer.write(len(frame).to_bytes(4, "big") + frame)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
