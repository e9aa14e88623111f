"""Whatever bytes come in, the answer is a value or a reason, never another exception."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.bodies import BodyError, number_items, read_json, read_ndjson_items
from projects.csv_files.guess import UnreadableFileError, preview
from projects.csv_files.plan import RowReader
from projects.csv_files.records import read_records
from projects.labels import LabelRule
from projects.payload import MISSING, PayloadError, read_event, read_label_item
from projects.texts import fault_of

pytestmark = pytest.mark.filterwarnings("error")
fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TASKS = st.sampled_from(["binary", "multiclass", "regression"])
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ['"', '""', '"a', "NaN", "1e999", "9" * 400, "0012", "yes", "", " ", "1,5", "2026-01-01", "\x00", "\r"]
    ),
    st.integers().map(str),
    st.floats().map(str),
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12)
BROKEN = st.sampled_from(["\ud800", "\0"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | BROKEN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | BROKEN, inner, max_size=4),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries({}, optional={"id": VALUES, "features": VALUES, "label": VALUES, "at": VALUES}) | VALUES


def read_whole(raw, task):
    """Do with a file what an upload and its import do."""
    try:
        seen = preview(io.BytesIO(raw), task=task, label_name="label")
    except UnreadableFileError as error:
        assert str(error).endswith((".", "…."))
        return
    reader = RowReader(seen.plan, task, "k")
    rule = LabelRule(task, "", [])
    records = read_records(
        io.BytesIO(raw), offset=0, line=1, encoding=seen.plan.encoding, delimiter=seen.plan.delimiter
    )
    before = (0, 0)
    for record in records:
        assert (record.next_line, record.next_offset) > before, "reading always goes on"
        assert record.line < record.next_line
        before = (record.next_line, record.next_offset)
        try:
            event = reader.read(record)
            if event.label is not MISSING:
                rule.check(event.label)
            json.dumps(event.features, allow_nan=False)
        except PayloadError as error:
            assert str(error)


@fuzz
@given(st.binary(max_size=300), TASKS)
def test_any_bytes_as_a_file(raw, task):
    read_whole(raw, task)


@fuzz
@given(ROWS, TASKS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "cp1252", "latin-1", "utf-16"]))
def test_any_cells_as_a_table(rows, task, delimiter, encoding):
    text = "\n".join(delimiter.join(row) for row in [["x", "label"], *rows])
    read_whole(text.encode(encoding, "replace"), task)


@fuzz
@given(EVENTS, TASKS)
def test_any_value_as_an_event_or_a_label(value, task):
    for read in (read_event, read_label_item):
        try:
            item = read(1, value, task)
        except PayloadError as error:
            assert fault_of(str(error)) == ""
        else:
            kept = [getattr(item, "features", {}), str(item.label)]
            text = json.dumps(kept, allow_nan=False, ensure_ascii=False)
            assert "\\u0000" not in text.replace("\\\\", "")
            text.encode()  # half a pair of surrogates cannot be written


@fuzz
@given(st.binary(max_size=200) | EVENTS.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_as_a_body(raw):
    assert all(item.line >= 1 for item in read_ndjson_items(io.BytesIO(raw)))
    try:
        list(number_items(read_json(io.BytesIO(raw))))
    except BodyError as error:
        assert fault_of(str(error)) == ""


@fuzz
@given(VALUES)
def test_json_is_read_as_python_reads_it(value):
    raw = json.dumps(value).encode()
    [item] = number_items(read_json(io.BytesIO(raw))) if not isinstance(value, list) else [None]
    if item is not None:
        assert repr(item.value) == repr(json.loads(raw))
