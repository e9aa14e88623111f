"""CSV files of any quality: a bad line costs that line, and reading can go on from any record."""

from __future__ import annotations

import io
import time

import pytest

from projects.csv_files import records
from projects.csv_files.guess import UnreadableFileError, preview
from projects.csv_files.plan import CsvPlan, RowReader
from projects.csv_files.records import read_records
from projects.payload import MISSING, PayloadError


def read(raw: bytes, *, offset=0, line=1, encoding="utf-8", delimiter=","):
    return list(read_records(io.BytesIO(raw), offset=offset, line=line, encoding=encoding, delimiter=delimiter))


def shape(found):
    return [(record.line, record.error or record.fields) for record in found]


def test_records_have_their_line_and_go_over_quoted_line_ends():
    raw = b'a,b\r\n1,"two\r\nlines, ""quoted"""\r\n\r\n3,4'
    assert shape(read(raw)) == [(1, ["a", "b"]), (2, ["1", 'two\r\nlines, "quoted"']), (5, ["3", "4"])]


HOSTILE = [
    (b"1,\x002\n", "the line has a NUL byte"),
    (b'1,"never closed\n', "a quotation mark is opened on this line and not closed"),
    (b'1,"closed" and on\n', "text follows a closing quotation mark"),
    (b"1," + b"x" * 2**20 + b"\n", "the line is longer than 1,048,576 bytes"),
    (b"1," + b"x" * 3 * 2**20 + b"\n", "the line is longer than 1,048,576 bytes"),
    (b"1," + b"x" * 140_000 + b"\n", "a value is longer than 131,072 characters"),
    (b"1,\xff\n", "byte 3 of the line, 0xFF, is no utf-8 character"),
    (b"1,a\rb\n", "a carriage return stands in the middle of the line"),
]


@pytest.mark.parametrize(("bad", "reason"), HOSTILE, ids=[reason for _, reason in HOSTILE])
@pytest.mark.parametrize("after", [b"5,6\n7,8\n", b"5,6\n7,8", b""])
def test_a_bad_line_costs_that_line_only(bad, reason, after):
    found = read(b"3,4\n" + bad + after)
    rest = [(3, ["5", "6"]), (4, ["7", "8"])] if after else []
    assert shape(found) == [(1, ["3", "4"]), (2, reason), *rest]
    assert len(found[1].raw) <= 500
    assert "\0" not in found[1].raw


def test_an_unclosed_quotation_mark_before_a_long_file():
    raw = b'1,"open\n' + b"".join(b"%d,x\n" % i for i in range(1000))
    found = read(raw)
    assert len(found) == 1001
    assert found[0].error.startswith("a quotation mark")
    assert found[-1].fields == ["999", "x"]


def test_reading_goes_on_from_any_record():
    raw = b"\xef\xbb\xbfh,i\n" + b"".join(b'%d,"a\nb"\n\xff,\n%d,"x\n' % (i, i) for i in range(50)) + b"end,\n"
    whole = read(raw, offset=3)
    parts, offset, line = [], 3, 1
    while batch := read(raw, offset=offset, line=line)[:7]:
        parts += batch
        offset, line = batch[-1].next_offset, batch[-1].next_line
    assert parts == whole
    assert offset == len(raw)


def test_many_unclosed_marks_do_not_cost_the_square(monkeypatch):
    started = time.perf_counter()
    found = read(b'1,"x\n2,y\n' * 3000)
    assert len(found) == 6000
    assert time.perf_counter() - started < 5


def plan(*columns, **options):
    return CsvPlan("utf-8", ",", [tuple(column.split(":")) for column in columns], **options)


def rows(plan, raw, task="binary"):
    reader = RowReader(plan, task, "row-")
    found = []
    for record in read(raw):
        try:
            found.append(reader.read(record))
        except PayloadError as error:
            found.append(str(error))
    return found


def test_a_row_becomes_an_event():
    columns = ("no:id", "when:time", "x:number", "name:text", "new:boolean", "note:skip", "y:label")
    first, second = rows(
        plan(*columns, label_type="boolean"),
        b"a1,2026-01-01T10:00:00+02:00, 1.50 ,00123,Yes,hm,no\na2,,7,,0,hm,\n",
    )
    assert (first.key, first.features, first.label) == ("a1", {"x": 1.5, "name": "00123", "new": True}, False)
    assert first.at.isoformat() == "2026-01-01T08:00:00+00:00"
    assert (second.key, second.features, second.label, second.at) == ("a2", {"x": 7, "new": False}, MISSING, None)
    assert type(second.features["x"]) is int


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1", "has 1 values where the header has 3 columns"),
        (b"1,2,3,4", "has 4 values where the header has 3 columns"),
        (b"abc,t,1", 'x: "abc" is not a number'),
        (b"1_000,t,1", 'x: "1_000" is not a number'),
        (b"nan,t,1", "features.x: NaN is not a number a model can learn from"),
        (b"-inf,t,1", "features.x: minus infinity is not a number"),
        (b"1e999,t,1", "features.x: infinity is not a number"),
        (b"9" * 5000 + b",t,1", "is not a number"),
        (b"9" * 30 + b",t,1", "features.x: a whole number beyond 64 bits"),
        (b"1,perhaps,1", 'b: "perhaps" is not true or false'),
        (b"1,t,maybe", 'label: "maybe" is not true or false'),
        (b"NA,,1", "every feature is missing"),
    ],
)
def test_a_row_that_does_not_fit_says_why(row, reason):
    [found] = rows(plan("x:number", "b:boolean", "y:label", label_type="boolean"), row)
    assert reason in found


def test_labels_are_read_as_their_type_and_as_the_task_takes_them():
    assert [
        e if isinstance(e, str) else e.label
        for e in rows(plan("x:number", "y:label", label_type="integer"), b"1,1\n1,1.0\n1,2\n1,1.5")
    ] == [
        1,
        1,
        "label: expected true, false, 0, 1 or one of two texts, got the number 2",
        'label: "1.5" is not a whole number',
    ]
    numbers = rows(plan("x:number", "y:label", label_type="number", decimal=","), b"1,2.5", "regression")
    assert "decimal comma" in numbers[0]


def test_a_file_is_guessed():
    raw = "id;when;price;city;zip;member;grade\n" + "".join(
        f"{i};2026-01-{i:02};{i},5;Łódź;0{i};{'yes' if i % 2 else 'no'};{'AB'[i % 2]}\n" for i in range(1, 20)
    )
    seen = preview(io.BytesIO(raw.encode()), task="binary", label_name="Grade")
    assert seen.plan.columns == [
        ("id", "id"),
        ("when", "time"),
        ("price", "number"),
        ("city", "text"),
        ("zip", "text"),
        ("member", "boolean"),
        ("grade", "label"),
    ]
    assert (seen.plan.delimiter, seen.plan.decimal, seen.plan.encoding, seen.plan.label_type) == (
        ";",
        ",",
        "utf-8",
        "text",
    )
    assert (seen.warnings, seen.bad, len(seen.rows)) == ([], [], 8)
    assert CsvPlan.from_options(seen.plan.as_options()) == seen.plan


@pytest.mark.parametrize(
    ("task", "values", "expected"),
    [
        ("binary", ["0", "1"], "integer"),
        ("binary", ["TRUE", "FALSE"], "boolean"),
        ("binary", ["ham", "spam"], "text"),
        ("multiclass", ["1", "2", "3", "4"], "integer"),
        ("multiclass", ["1", "2", "3", "x"], "text"),
        ("regression", ["1.5", "2"], "number"),
    ],
)
def test_the_type_of_the_label_is_guessed(task, values, expected):
    raw = "x,label\n" + "".join(f"1,{value}\n" for value in values)
    assert preview(io.BytesIO(raw.encode()), task=task, label_name="label").plan.label_type == expected


def test_a_mostly_numeric_column_is_one_with_its_misfits_counted():
    raw = "x,y\n" + "".join(f"{i},1\n" for i in range(30)) + "oops,1\n1,2,3\n"
    seen = preview(io.BytesIO(raw.encode()), task="binary", label_name="y")
    assert (seen.columns[0].use, seen.columns[0].unfit, len(seen.bad)) == ("number", 1, 1)


def test_a_file_that_is_not_utf8_is_read_another_way_and_says_so():
    raw = "name,label\nJosé,1\n".encode("cp1252") * 3
    seen = preview(io.BytesIO(raw), task="binary", label_name="label")
    assert seen.plan.encoding == "cp1252"
    assert "Line 2 is not UTF-8. The file is read as Western European" in seen.warnings[0]
    assert seen.rows[0].fields == ["José", "1"]


def test_a_single_broken_line_does_not_change_the_encoding_of_the_file():
    raw = "name,label\n" + "José,1\n" * 20
    seen = preview(io.BytesIO(raw.encode() + b"Jos\xe9,1\n"), task="binary", label_name="label")
    assert seen.plan.encoding == "utf-8"
    assert "Line 22 is not UTF-8. The others are" in seen.warnings[0]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\x1f\x8brest", "gzip"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16"),
        (b"a,b\r1,2\r3,4\r", "old Macs"),
        (b"only\none\ncolumn\n", "one column only"),
        (b"a,a\n1,2\n", 'Two columns are called "a"'),
        (b'"a,b\n1,2\n', "header (line 1) cannot be read"),
        (b"a,b\n", "No row below the header"),
        (b"a,b\n1\n2\n3\n", "No row below the header"),
        (b",".join(b"c%d" % i for i in range(991)) + b"\n1\n", "991 columns"),
        (b"a," + b"n" * 201 + b"\n1,2\n", "longer than 200 characters"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(raw, reason):
    with pytest.raises(UnreadableFileError) as caught:
        preview(io.BytesIO(raw), task="binary", label_name="label")
    assert reason in str(caught.value)


def test_a_header_of_numbers_is_suspicious():
    seen = preview(io.BytesIO(b"1.5,2\n3,4\n"), task="binary", label_name="label")
    assert "looks like values" in seen.warnings[0]


def test_a_record_is_bounded():
    assert records.MAX_LINE <= 2**20
