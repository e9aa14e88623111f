"""Files that nobody should send: broken, unpacking to too much, cancelled half-way. Memory and database stay small."""

from __future__ import annotations

import gzip
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
from django.utils import timezone

from ops_portal.errors import UserError
from projects import uploads
from projects.models import DataImport, Event
from projects.parquet_files import child, reading
from projects.services import import_steps, imports
from projects.stream import read_labelled
from tests.projects.sent_files import bring, ndjson, parquet, refused, start
from tests.projects.test_imports import finish

pytestmark = pytest.mark.django_db

State = DataImport.State
MB = 2**20
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell a process's memory")


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
