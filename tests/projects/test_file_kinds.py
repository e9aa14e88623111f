"""NDJSON and Parquet files come in as CSV does: looked into, confirmed, resumable, once, bad rows set aside."""

from __future__ import annotations

import datetime
import decimal
from io import BytesIO

import pyarrow as pa
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from projects.json_lines import read_json_lines
from projects.models import DataImport, Event
from projects.parquet_files import reading
from projects.services import import_steps, imports
from projects.stream import read_labelled
from tests.projects.sent_files import aside, bring, counts, ndjson, parquet, refused, start
from tests.projects.test_imports import finish

pytestmark = pytest.mark.django_db

State = DataImport.State


# --- NDJSON -------------------------------------------------------------------------------------------


def test_flat_lines_become_events_with_the_types_that_json_gave_them(project, owner):
    lines = [
        {"id": f"k{n}", "x": n / 4, "n": n, "zip": "00123", "ok": n % 2 == 0, "none": None, "label": n % 3 == 0}
        for n in range(50)
    ]
    done = bring(project, owner, ndjson(*lines))
    assert (done.kind, done.state, counts(done)) == ("ndjson", State.COMPLETED, (50, 0, 0, 0))
    rows = read_labelled(project.pk, 0, 99)
    assert rows[5] == (6, {"x": 1.25, "n": 5, "zip": "00123", "ok": False}, False)
    assert [type(value) for value in rows[4][1].values()] == [float, int, str, bool]
    assert Event.objects.filter(key="k49").exists()


def test_lines_that_are_events_need_no_columns(project, owner, client):
    lines = [{"features": {"b": 1, "a": n}, "label": n % 2 == 0, "at": "2026-01-01T00:00:00Z"} for n in range(20)]
    data_import = imports.upload_file(project=project, actor=owner, file=SimpleUploadedFile("e", ndjson(*lines)))
    client.force_login(owner)
    address = reverse("projects:import_preview", args=[project.slug, data_import.pk])
    page = client.get(address).content.decode()
    assert "nothing to choose" in page and "(label)" in page
    client.post(address)
    finish(data_import)
    assert counts(data_import) == (20, 0, 0, 0)
    assert list(read_labelled(project.pk, 0, 99)[3][1]) == ["b", "a"], "the order of the features is kept"
    again = bring(project, owner, ndjson(*lines))
    assert counts(again) == (0, 20, 0, 0), "the same file again changes nothing"


def test_lines_that_cannot_be_read_are_set_aside_with_line_and_reason(project, owner):
    raw = ndjson(
        {"x": 1, "label": True},
        b"",
        b"{oops",
        [1],
        {"x": [1], "label": True},
        {"x": 1, "y": 2, "z": 3, "label": True},
        b'{"x": 1, "x": 2}',
        b'{"x": NaN, "label": true}',
        b'{"x": "\xff"}',
        {"x": 2, "y": 2, "label": False},
    )
    done = start(project, owner, raw)
    finish(done)
    assert counts(done) == (3, 0, 0, 6)
    reasons = dict(aside(done))
    assert sorted(reasons) == [3, 4, 5, 7, 8, 9]
    assert reasons[3].startswith("not JSON")
    assert reasons[4] == "expected a JSON object on each line"
    assert reasons[5] == "x: holds a list or an object; send one value per name"
    assert reasons[7] == 'the name "x" occurs twice in one object'
    assert reasons[8].startswith("features.x: NaN")
    assert reasons[9] == "not UTF-8 at byte 8"


def test_what_no_database_can_store_costs_its_line(project, owner, client):
    good = [{"x": "a", "label": "yes"}, {"x": "b", "label": "no"}]
    bad = [{"x": "a\0b", "label": "yes"}, {"x": "\ud800", "label": "no"}, {"x": "a", "label": "\0"}, {"\0\ud800": 1}]
    data_import = imports.upload_file(
        project=project, actor=owner, file=SimpleUploadedFile("e", ndjson(*good, *bad[:3]) + b" \n" * 1000)
    )
    client.force_login(owner)
    address = reverse("projects:import_preview", args=[project.slug, data_import.pk])
    page = client.get(address)
    assert page.status_code == 200 and "has a null character" in page.content.decode()
    done = bring(project, owner, ndjson(*good * 600, *bad))
    assert counts(done) == (1200, 0, 0, 4)
    assert [reason for _, reason in aside(done)] == [
        "x: has a null character",
        "x: has a broken character (half of a surrogate pair)",
        "label: has a null character",
        "\ufffd?: a name that is not among the columns of this file",
    ]
    events = [{"features": {"x": n}, "label": False} for n in range(3)] + [
        {"features": {"x": 1}, "label": "a\0"},
        {"features": {"x": 1}, "\0": 1},
    ]
    done = bring(project, owner, ndjson(*events))
    assert counts(done) == (3, 0, 0, 2)
    assert [reason.partition(";")[0] for _, reason in aside(done)] == [
        "label: has a null character",
        "\ufffd: unknown field",
    ]


def test_columns_whose_names_cannot_be_stored_are_refused(project, owner):
    assert '"a\ufffdb" has a null character' in refused(project, owner, parquet({"a\0b": [1], "c": [2]}))
    assert '"?" has a broken character' in refused(project, owner, ndjson({"\ud800": 1, "x": 2}))


def test_a_name_that_comes_after_the_preview_costs_its_line(project, owner, monkeypatch):
    monkeypatch.setattr("projects.csv_files.guess.SAMPLE_ROWS", 5)
    lines = [{"x": n, "label": n % 2 == 0} for n in range(9)] + [{"x": 1, "new": 2}]
    done = bring(project, owner, ndjson(*lines))
    assert aside(done) == [(10, "new: a name that is not among the columns of this file")]


def test_a_long_line_costs_itself_only(monkeypatch):
    monkeypatch.setattr("projects.json_lines.MAX_LINE", 30)
    raw = ndjson({"x": 1}, {"x": "a" * 200}, {"x": 2})
    found = list(read_json_lines(BytesIO(raw), offset=0, line=1))
    assert [(one.line, bool(one.error), one.next_offset) for one in found] == [
        (1, False, 9),
        (2, True, 219),
        (3, False, len(raw)),
    ]
    assert list(read_json_lines(BytesIO(raw), offset=219, line=3)) == found[2:]


# --- Parquet ------------------------------------------------------------------------------------------


def test_a_parquet_file_comes_in_with_its_types(project, owner):
    day = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    table = {
        "id": [f"p{n}" for n in range(30)],
        "when": [day + datetime.timedelta(hours=n) for n in range(30)],
        "x": pa.array([n / 4 for n in range(30)], pa.float32()),
        "n": pa.array(range(30), pa.uint8()),
        "price": [decimal.Decimal("1.50")] * 30,
        "city": pa.array(["00123", None] * 15).dictionary_encode(),
        "tags": [[1, 2]] * 30,
        "label": [n % 3 == 0 for n in range(30)],
    }
    done = start(project, owner, parquet(table))
    assert (done.kind, done.total_rows) == ("parquet", 30)
    assert [use for _, use in done.options["columns"]] == ["id", "time", "number", "number", "number", "text", "label"]
    finish(done)
    assert (done.state, counts(done)) == (State.COMPLETED, (30, 0, 0, 0))
    assert read_labelled(project.pk, 0, 2) == [
        (1, {"x": 0.0, "n": 0, "price": 1.5, "city": "00123"}, True),
        (2, {"x": 0.25, "n": 1, "price": 1.5}, False),
    ]
    assert Event.objects.get(key="p3").event_at == day + datetime.timedelta(hours=3)


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip"])
def test_a_parquet_file_is_read_on_from_any_row_in_any_process(project, owner, monkeypatch, compression):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 70)
    done = start(
        project,
        owner,
        parquet(
            {"x": list(range(1000)), "label": [n % 2 == 0 for n in range(1000)]},
            row_group_size=150,
            compression=compression,
        ),
    )
    steps = 0
    while import_steps.advance_import(import_id=done.pk, now=timezone.now()) is not None:
        steps += 1
        if steps % 3 == 0:  # the process that was at it is gone
            reading.close_reader(done.file.path)
    done.refresh_from_db()
    assert (done.row, counts(done)) == (1000, (1000, 0, 0, 0))
    assert [features["x"] for _, features, _ in read_labelled(project.pk, 0, 2000)] == list(range(1000))
    assert not reading._open, "its reader is not kept"


def test_values_that_are_no_numbers_are_set_aside_with_their_row(project, owner):
    table = {"x": [1.0, float("nan"), None, float("inf"), 2.0], "y": [1] * 5, "label": [True, False, True, False, True]}
    done = bring(project, owner, parquet(table))
    assert counts(done) == (3, 0, 0, 2)
    assert [(line, reason.split(":")[0]) for line, reason in aside(done)] == [(2, "features.x"), (4, "features.x")]


def test_the_same_parquet_file_changes_nothing(project, owner):
    raw = parquet({"x": [1, 2, 3], "label": [True, False, True]})
    bring(project, owner, raw)
    assert counts(bring(project, owner, raw)) == (0, 3, 0, 0)


def test_the_preview_says_that_a_file_came_before_and_what_is_left_out(project, owner, client):
    raw = parquet({"x": [1, 2], "deep": [{"a": 1}, {"a": 2}], "label": [True, False]})
    first = bring(project, owner, raw)
    client.force_login(owner)
    client.post(reverse("projects:import_file", args=[project.slug]), {"file": SimpleUploadedFile("t.parquet", raw)})
    again = DataImport.objects.order_by("-pk").first()
    page = client.get(reverse("projects:import_preview", args=[project.slug, again.pk])).content.decode()
    assert "This very file was imported before" in page and f"/imports/{first.pk}/" in page
    assert "bytes: deep." in page and "2 rows" in page
    assert "Decimal mark" not in page and "The columns or letters look wrong" not in page
