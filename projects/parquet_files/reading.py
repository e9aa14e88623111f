"""Rows of a Parquet file as records of a table, read on from any row."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec

from projects.csv_files.guess import Preview, UnreadableFileError, check_names, describe_table, take_sample
from projects.csv_files.plan import BOOLEAN, NUMBER, TEXT, CsvPlan
from projects.csv_files.records import Record

_ROOT = Path(__file__).parents[2]
_decode = msgspec.msgpack.Decoder().decode
#: Readers that wait for the next step of their import; without one, reading begins at the row group again.
_KEPT = 2
#: Seconds after which one that waits is let go of: its import may be paused, over, or in another worker's hands.
IDLE = 5.0
#: A file may hold one copy of a text and say that a million rows have it. So its rows, as the database will hold them
#: with the names of their columns, may have this many times the bytes of the file, and as many characters as any may.
MOST_TIMES = 100
MOST_FREE = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Description:
    """What the file says about itself."""

    rows: int
    columns: list[tuple[str, str]]
    left_out: list[str]


class Reader:
    """A process that reads a file from a row on; `text` counts the characters of the rows, those before included."""

    def __init__(self, path: str, start: int, text: int = 0) -> None:
        self.row = start
        self.text = text
        self._size = Path(path).stat().st_size
        self._most = max(MOST_FREE, MOST_TIMES * self._size)
        self._idle: threading.Timer | None = None
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
            self._names = sum(len(name) for name, _ in self.file.columns)
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
            fields = self._rest.pop()
            self.row += 1
            self.text += self._names + sum(map(len, fields))
            if self.text > self._most:
                raise UnreadableFileError(
                    f"Up to row {self.row:,} this file unpacks to more than {self._most >> 20:,} MB,"
                    f" {self._most // self._size:,} times its size. Split it into files of fewer rows."
                )
            yield Record(self.row, fields, self.row + 1, self.text)

    def wait(self, close: Callable[[], None]) -> None:
        """Call `close` when the reader is not used for some seconds."""
        self._idle = threading.Timer(IDLE, close)
        self._idle.daemon = True
        self._idle.start()

    def go_on(self) -> None:
        """Do not call it: the reader is used again."""
        if self._idle is not None:
            self._idle.cancel()

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
_lock = threading.Lock()


@contextlib.contextmanager
def reading_on(path: str, start: int, text: int) -> Iterator[Reader]:
    """Give a reader at row `start`, before which rows have so much text: the last step's of this process, or new."""
    reader = _take_out(path)
    if reader is not None and reader.row != start:
        reader.close()
        reader = None
    reader = reader or Reader(path, start, text)
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
    with _lock:
        many = [_open.pop(oldest) for oldest in list(_open)[: len(_open) - _KEPT + 1]]
        _open[path] = reader
        reader.wait(partial(close_reader, path))
    for one in many:
        one.go_on()
        one.close()


def _take_out(path: str) -> Reader | None:
    with _lock:
        reader = _open.pop(path, None)
        if reader is not None:
            reader.go_on()
    return reader


def close_reader(path: str) -> None:
    """Let go of the reader of a file, if one waits."""
    reader = _take_out(path)
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
        rows = take_sample(reader, lambda record: record.length)
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
