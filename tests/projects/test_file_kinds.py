"""NDJSON and Parquet files come in as CSV does: looked into, confirmed, resumable, once, bad rows set aside."""

from __future__ import annotations

import datetime
import decimal
import gzip
import json
import os
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from ops_portal.errors import UserError
from projects import uploads
from projects.json_lines import read_json_lines
from projects.models import DataImport, Event
from projects.parquet_files import child, reading
from projects.services import import_steps, imports
from projects.stream import read_labelled
from tests.projects.test_imports import finish

pytestmark = pytest.mark.django_db

State = DataImport.State
MB = 2**20
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell a process's memory")


def parquet(table: pa.Table | dict, **options) -> bytes:
    sink = BytesIO()
    pq.write_table(pa.table(table), sink, **options)
    return sink.getvalue()


def ndjson(*lines: object) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)


def start(project, owner, raw, name="rows"):
    data_import = imports.upload_file(project=project, actor=owner, file=SimpleUploadedFile(name, raw))
    with data_import.file.open("rb") as file:
        seen, rows = uploads.look_into(data_import.kind, file, data_import.file.path, project)
    imports.confirm_file(data_import=data_import, actor=owner, plan=seen.plan, rows=rows)
    data_import.refresh_from_db()
    return data_import


def bring(project, owner, raw):
    data_import = start(project, owner, raw)
    finish(data_import)
    return data_import


def counts(one):
    return one.accepted, one.duplicates, one.corrections, one.rejected


def aside(one):
    return [(row.line, row.reason) for row in one.rejected_rows.all()]


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


# --- files that nobody should send --------------------------------------------------------------------


def refused(project, owner, raw):
    data_import = imports.upload_file(project=project, actor=owner, file=SimpleUploadedFile("f", raw))
    with data_import.file.open("rb") as file, pytest.raises(uploads.UnreadableFileError) as error:
        uploads.look_into(data_import.kind, file, data_import.file.path, project)
    return str(error.value)


def zipped() -> bytes:
    sink = BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", b"0" * 2**22)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (zipped(), "a ZIP archive"),
        (gzip.compress(b"x,label\n1,yes\n", mtime=0), "a gzip archive"),
        (b"PAR1", "no Parquet file that can be read"),
        (b"PAR1" + os.urandom(5000) + b"PAR1", "no Parquet file that can be read"),
        (parquet({"x": [1]})[:-20], "no Parquet file that can be read"),
        (parquet({"x": pa.array([], pa.int64())}), "no rows"),
        (parquet({"deep": [[1], [2]]}), "No column of this file"),
        (b"{oops\n", "No line of this file is a JSON object. Line 1: not JSON"),
        (b'{"features": {"x": [1]}}\n', "No line of this file is an event"),
    ],
)
def test_what_is_no_file_of_these_kinds_is_refused_with_a_sentence(project, owner, raw, says):
    assert says in refused(project, owner, raw)


def test_a_json_list_is_refused_at_once(project, owner):
    with pytest.raises(UserError, match="one object per line"):
        imports.upload_file(project=project, actor=owner, file=SimpleUploadedFile("f", b' [{"x": 1}]'))
    assert not DataImport.objects.exists()


def test_a_bomb_takes_no_more_memory_than_its_reader_may_have(tmp_path):
    # 100 kB or so that unpack to 768 MB, whatever the file says about itself.
    column = pa.array(["a" * 2**27] * 6, pa.large_string())
    (tmp_path / "bomb").write_bytes(
        parquet({"x": column}, compression="zstd", use_dictionary=False, data_page_size=2**31 - 1)
    )
    assert (tmp_path / "bomb").stat().st_size < 2**20
    code = "from projects.parquet_files import child; child.MEMORY = 600 * 2**20; child.main({!r}, 0)"
    done = subprocess.run(
        [sys.executable, "-c", code.format(str(tmp_path / "bomb"))],
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
    )
    assert b"takes more than 600 MB of memory" in done.stdout


def test_a_row_group_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(child, "MAX_GROUP", 5_000)
    raw = parquet({"x": list(range(1000))}, compression="zstd")
    with pytest.raises(child.RefusedError, match=r"Row group 1 unpacks to .* smaller row groups"):
        child._check(pq.ParquetFile(BytesIO(raw)).metadata)


def test_too_many_rows_and_too_large_groups_are_refused(project, owner):
    rows = 20_000_001
    column = pa.array([True]).take(pa.array([0] * 1000, pa.int8()))
    many = pa.chunked_array([column] * (rows // 1000 + 1))
    assert "at most 20,000,000" in refused(project, owner, parquet({"x": many}))


def test_a_file_that_breaks_in_the_middle_fails_with_its_row_and_keeps_what_came(project, owner, monkeypatch):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 1000)
    table = {"x": list(range(3000)), "label": [n % 2 == 0 for n in range(3000)]}
    raw = bytearray(parquet(table, row_group_size=1000, compression="zstd", use_dictionary=False))
    meta = pq.ParquetFile(BytesIO(bytes(raw))).metadata
    at = meta.row_group(1).column(0).data_page_offset
    raw[at + 40 : at + 400] = b"\xff" * 360
    done = start(project, owner, bytes(raw))
    finish(done)
    assert (done.state, done.accepted) == (State.FAILED, 1000)
    assert "can be read" in done.error or "cannot be read" in done.error


def bomb(rows=3_000, columns=30):
    """A file of some kilobytes that holds one long text once and says that every row has it in every column."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int8()), ["x" * 10_000])
    table = {f"c{n}": column for n in range(columns)} | {"label": [True] * rows}
    raw = parquet(table, compression="zstd")
    assert len(raw) < 30_000
    return raw


def memory(key, process="self"):
    """A line of what Linux says about a process's memory, in bytes; 0 when it is over."""
    said = Path(f"/proc/{process}/status").read_text().partition(f"{key}:")[2]
    return int(said.split()[0]) * 1024 if said else 0


def stored():
    """The bytes of the events in the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('projects_event')")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return cursor.fetchone()[0]


@linux
def test_one_text_in_every_row_fills_neither_memory_nor_database(project, owner, monkeypatch):
    monkeypatch.setattr(reading, "MOST_FREE", 48 * MB)
    before, were = memory("VmRSS"), stored()
    Path("/proc/self/clear_refs").write_text("5")  # the most it held is counted from here
    done = start(project, owner, bomb())
    previewed = memory("VmHWM") - before
    finish(done)
    grown = memory("VmHWM") - before
    assert done.state == State.FAILED and "this file unpacks to more than 48 MB" in done.error
    assert done.accepted == Event.objects.count() == done.row < 200, "what came in before stays"
    assert previewed < 60 * MB and grown < 60 * MB, f"grew by {previewed / MB:.0f} and {grown / MB:.0f} MB"
    assert stored() - were < 60 * MB, f"{(stored() - were) / MB:.0f} MB of the database"
    reader = read_whole(done, bomb())
    assert reader < 250 * MB, f"its reader took {reader / MB:.0f} MB"


def read_whole(data_import, raw):
    """Read a file with a process of its own to the end; return the most memory that process held."""
    path = Path(data_import.file.path)
    path.write_bytes(raw)
    command = [sys.executable, "-m", "projects.parquet_files.child", str(path), "0"]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE) as process:
        peak = 0
        while process.stdout.read(MB):
            peak = max(peak, memory("VmHWM", process.pid))
    return peak


@linux
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_the_preview_of_long_rows_holds_few_of_them(project, owner, kind):
    line = {"x": "y" * 900_000, "label": True}
    raw = ndjson(*[line] * 150) if kind == "ndjson" else b"x,label\n" + (b"y" * 120_000 + b",yes\n") * 1100
    before = memory("VmRSS")
    data_import = imports.upload_file(project=project, actor=owner, file=SimpleUploadedFile("rows", raw))
    Path("/proc/self/clear_refs").write_text("5")
    with data_import.file.open("rb") as file:
        seen, _ = uploads.look_into(data_import.kind, file, data_import.file.path, project)
    assert seen.sampled < 50 and memory("VmHWM") - before < 60 * MB


def test_a_file_that_is_far_smaller_than_its_rows_is_taken_up_to_a_bound(project, owner):
    raw = parquet({"x": [1] * 40_000, "label": [True] * 40_000}, compression="zstd")
    assert len(raw) * reading.MOST_TIMES < 40_000 * len("x1labeltrue")
    assert bring(project, owner, raw).accepted == 40_000


# --- readers ------------------------------------------------------------------------------------------


def ended(process):
    for _ in range(100):
        if process.poll() is not None:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("change", [imports.cancel_import, imports.pause_import])
def test_a_reader_that_nobody_needs_ends_by_itself(project, owner, monkeypatch, change):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 100)
    monkeypatch.setattr(reading, "IDLE", 0.3)
    done = start(project, owner, parquet({"x": list(range(50_000)), "label": [True] * 50_000}))
    path = done.file.path
    for _ in range(3):
        import_steps.advance_import(import_id=done.pk, now=timezone.now())
    process = reading._open[path]._process
    change(data_import=done, actor=owner)
    import_steps.advance_import(import_id=done.pk, now=timezone.now())
    assert ended(process) and path not in reading._open


def test_an_import_goes_on_after_its_reader_was_idle(project, owner, monkeypatch):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 100)
    monkeypatch.setattr(reading, "IDLE", 0.1)
    done = start(project, owner, parquet({"x": list(range(300)), "label": [True] * 300}))
    import_steps.advance_import(import_id=done.pk, now=timezone.now())
    assert ended(reading._open[done.file.path]._process)
    finish(done)
    assert [features["x"] for _, features, _ in read_labelled(project.pk, 0, 999)] == list(range(300))
