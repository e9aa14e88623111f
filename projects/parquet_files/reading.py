"""Rows of a Parquet file as records of a table, read on from any row."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec

from projects.csv_files.guess import SAMPLE_ROWS, Preview, UnreadableFileError, check_names, describe_table
from projects.csv_files.plan import BOOLEAN, NUMBER, TEXT, CsvPlan
from projects.csv_files.records import Record

_ROOT = Path(__file__).parents[2]
_decode = msgspec.msgpack.Decoder().decode
#: Readers that wait for the next step of their import; without one, reading begins at the row group again.
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Description:
    """What the file says about itself."""

    rows: int
    columns: list[tuple[str, str]]
    left_out: list[str]


class Reader:
    """A process that reads a file from a row on."""

    def __init__(self, path: str, start: int) -> None:
        self.row = start
        self._process = subprocess.Popen(  # noqa: S603 - our own module; the path is one of our storage
            [sys.executable, "-m", "projects.parquet_files.child", path, str(start)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
        )
        assert self._process.stdout is not None
        self._pipe: IO[bytes] = self._process.stdout
        self._rest: list[list[str]] = []
        try:
            given = self._frame()
            if given is None:
                raise UnreadableFileError("This file cannot be read: its reader stopped. It may be damaged.")
            self.file = Description(given["rows"], [(name, kind) for name, kind in given["columns"]], given["left_out"])
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Record]:
        while True:
            if not self._rest:
                rows = self._frame()
                if rows is None:
                    if self.row < self.file.rows:
                        raise UnreadableFileError(
                            f"This file cannot be read after row {self.row:,}: its reader stopped. It may be damaged."
                        )
                    return
                self._rest = rows[::-1]
            self.row += 1
            yield Record(self.row, self._rest.pop(), self.row + 1, 0)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def _frame(self) -> Any:
        head = self._pipe.read(4)
        if len(head) < 4:
            return None
        frame = self._pipe.read(int.from_bytes(head, "big"))
        try:
            value = _decode(frame)
        except msgspec.DecodeError:
            return None
        if isinstance(value, dict) and "error" in value:
            raise UnreadableFileError(value["error"])
        return value


_open: dict[str, Reader] = {}


@contextlib.contextmanager
def reading_on(path: str, start: int) -> Iterator[Reader]:
    """Give a reader at row `start`: the one that came as far in the last step of this process, or a new one."""
    reader = _open.pop(path, None)
    if reader is not None and reader.row != start:
        reader.close()
        reader = None
    reader = reader or Reader(path, start)
    try:
        yield reader
    except GeneratorExit:  # whoever reads had enough for now
        _keep(path, reader)
        raise
    except BaseException:
        reader.close()
        raise
    _keep(path, reader)


def _keep(path: str, reader: Reader) -> None:
    while len(_open) >= _KEPT:
        _open.pop(next(iter(_open))).close()
    _open[path] = reader


def close_reader(path: str) -> None:
    """Let go of the reader of a file that is done."""
    reader = _open.pop(path, None)
    if reader is not None:
        reader.close()


def preview_parquet(path: str, *, task: str, label_name: str, label_type: str = "") -> tuple[Preview, int]:
    """Read the first rows and say what the columns seem to be; return it with the number of rows.

    Raises
    ------
    UnreadableFileError
        With what to do about it.

    """
    reader = Reader(path, 0)
    try:
        found = reader.file
        if not found.columns:
            raise UnreadableFileError("No column of this file holds numbers, texts, times or true and false.")
        rows = list(islice(reader, SAMPLE_ROWS))
    finally:
        reader.close()
    if not rows:
        raise UnreadableFileError("This file has no rows.")
    names = [name for name, _ in found.columns]
    check_names(names)
    plan = CsvPlan("utf-8", "", [(name, TEXT) for name in names], label_type, missing=())
    uses = {"number": NUMBER, "boolean": BOOLEAN}
    types = {name: uses.get(kind, TEXT) for name, kind in found.columns}
    warnings = []
    if found.left_out:
        some = ", ".join(found.left_out[:5]) + (" …" if len(found.left_out) > 5 else "")
        warnings.append(f"Left out, because they hold lists, structures or bytes: {some}.")
    seen = describe_table(plan, rows, [], warnings, task=task, label_name=label_name, types=types)
    return seen, found.rows
