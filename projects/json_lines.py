"""NDJSON files: one JSON object per line, either an event in the API's own form or a flat row of named values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from projects.bodies import MAX_LINE, BodyError, decode
from projects.csv_files.guess import (
    SHOWN_ROWS,
    Preview,
    UnreadableFileError,
    check_names,
    describe_table,
    take_sample,
)
from projects.csv_files.plan import BOOLEAN, NUMBER, TEXT, CsvPlan
from projects.csv_files.records import RAW_SHOWN, Bytes, Record
from projects.payload import PayloadError, read_event
from projects.texts import fault_of, storable

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class JsonLine:
    """A line that is not blank: its value, or why it has none; and where the next one begins."""

    line: int
    value: Any
    next_line: int
    next_offset: int
    error: str = ""
    raw: str = ""
    #: Its bytes.
    size: int = 0


def read_json_lines(file: Bytes, *, offset: int, line: int) -> Iterator[JsonLine]:
    """Yield the lines from the byte `offset` on, where `line` (from 1) begins; at most one line is held."""
    file.seek(offset)
    while raw := file.readline(MAX_LINE + 1):
        offset += len(raw)
        too_long = len(raw) > MAX_LINE
        rest = raw
        while too_long and not rest.endswith(b"\n") and (rest := file.readline(MAX_LINE)):
            offset += len(rest)
        line += 1
        text = raw.removeprefix(BOM) if line == 2 else raw
        if not text.strip():
            continue
        shown = text[: 4 * RAW_SHOWN].decode("utf-8", "replace").strip()[:RAW_SHOWN]
        value, error = None, f"the line is longer than {MAX_LINE >> 20} MB" if too_long else ""
        if not error:
            try:
                value = decode(text)
            except BodyError as wrong:
                error = str(wrong)
        if not error and type(value) is not dict:
            error = "expected a JSON object on each line"
        yield JsonLine(line - 1, value, line, offset, error, shown, len(raw))


def is_event(value: Mapping[str, Any]) -> bool:
    """Say whether a line is an event in the API's own form."""
    return type(value.get("features")) is dict


def as_record(one: JsonLine, names: list[str]) -> Record:
    """Return a flat line as the record of a table whose columns are `names`; what does not fit has an error."""
    if one.error:
        return Record(one.line, [], one.next_line, one.next_offset, one.error, one.raw)
    known = set(names)
    for name, value in one.value.items():
        if name not in known:
            error = f"{storable(name[:100])}: a name that is not among the columns of this file"
        elif type(value) in {dict, list}:
            error = f"{name[:100]}: holds a list or an object; send one value per name"
        elif isinstance(value, str) and (fault := fault_of(value)):
            error = f"{name[:100]}: {fault}"
        else:
            continue
        return Record(one.line, [], one.next_line, one.next_offset, error, one.raw)
    fields = [_text(one.value.get(name)) for name in names]
    return Record(one.line, fields, one.next_line, one.next_offset, raw=one.raw)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def preview_json_lines(file: Bytes, *, task: str, label_name: str, label_type: str = "") -> Preview:
    """Read the first lines and say what they seem to be.

    Raises
    ------
    UnreadableFileError
        No line of them can be read, with what to do about it.

    """
    sample = take_sample(read_json_lines(file, offset=0, line=1), lambda one: one.size)
    good = [one for one in sample if not one.error]
    if not good:
        why = f" Line {sample[0].line}: {sample[0].error}." if sample else ""
        raise UnreadableFileError(f"No line of this file is a JSON object.{why} NDJSON has one object per line.")
    if is_event(good[0].value):
        return _preview_events(sample, task=task, label_name=label_name)
    names = list(dict.fromkeys(name for one in good for name in one.value))
    check_names(names)
    records = [as_record(one, names) for one in sample]
    plan = CsvPlan("utf-8", "", [(name, TEXT) for name in names], label_type, missing=())
    rows, bad = [one for one in records if not one.error], [one for one in records if one.error]
    if not rows:
        raise UnreadableFileError(f"No line of this file is a flat JSON object. Line {bad[0].line}: {bad[0].error}.")
    types = {name: _kind_of([one.value[name] for one in good if one.value.get(name) is not None]) for name in names}
    return describe_table(plan, rows, bad, [], task=task, label_name=label_name, types=types)


def _preview_events(sample: list[JsonLine], *, task: str, label_name: str) -> Preview:
    """Show events as the rows of a table: nothing about their columns is to be said."""
    good, bad = [], []
    for one in sample:
        try:
            if one.error:
                raise PayloadError("", one.error)
            good.append((one, read_event(one.line, one.value, task)))
        except PayloadError as wrong:
            bad.append(Record(one.line, [], one.next_line, one.next_offset, str(wrong), one.raw))
    if not good:
        raise UnreadableFileError(f"No line of this file is an event. Line {bad[0].line}: {bad[0].error}.")
    names = list(dict.fromkeys(name for _, event in good for name in event.features))[:SHOWN_COLUMNS]
    rows = []
    for one, event in good:
        given = {LABEL_SHOWN: one.value.get("label"), **{name: event.features.get(name) for name in names}}
        rows.append(Record(one.line, [_text(value) for value in given.values()], one.next_line, one.next_offset))
    plan = CsvPlan("utf-8", "", [(name, TEXT) for name in (LABEL_SHOWN, *names)], "text", missing=())
    table = describe_table(plan, rows, bad, [], task=task, label_name=LABEL_SHOWN)
    empty = CsvPlan("utf-8", "", [], "text", missing=())
    return Preview(empty, table.columns, rows[:SHOWN_ROWS], len(sample), bad, [])


#: Columns of events that the preview shows.
SHOWN_COLUMNS = 12
LABEL_SHOWN = "(label)"


def _kind_of(values: list[Any]) -> str:
    kinds = {type(value) for value in values} - {list, dict}  # such lines are set aside
    if kinds <= {bool}:
        return BOOLEAN
    return NUMBER if kinds <= {int, float} else TEXT
