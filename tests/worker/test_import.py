"""An import done by real Celery worker processes, one of which is killed in the middle."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from projects.models import DataImport
from projects.services import import_steps, imports
from projects.stream import read_labelled
from projects.tasks import ring_import, ring_waiting_imports
from projects.uploads import look_into
from tests.factories import make_project, make_team, make_user
from tests.worker.conftest import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

ROWS = 12_000


def as_csv() -> bytes:
    return b"x,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) if i % 1000 != 1 else b"oops\n" for i in range(ROWS))


def as_ndjson() -> bytes:
    lines = (b'{"x": %d, "label": %d}\n' % (i, i % 2) if i % 1000 != 1 else b"oops\n" for i in range(ROWS))
    return b"".join(lines)


def as_parquet() -> bytes:
    x = [float(i) if i % 1000 != 1 else float("nan") for i in range(ROWS)]
    sink = BytesIO()
    pq.write_table(pa.table({"x": x, "label": [i % 2 for i in range(ROWS)]}), sink, row_group_size=2_500)
    return sink.getvalue()


@pytest.mark.parametrize(("make", "first_bad"), [(as_csv, 3), (as_ndjson, 2), (as_parquet, 2)])
def test_a_killed_worker_loses_and_repeats_nothing(start_worker, monkeypatch, make, first_bad):
    owner = make_user()
    project = make_project(make_team(owner=owner))
    data_import = imports.upload_file(project=project, actor=owner, file=SimpleUploadedFile("rows", make()))
    with data_import.file.open("rb") as file:
        seen, rows = look_into(data_import.kind, file, data_import.file.path, project)

    def row():
        data_import.refresh_from_db()
        return data_import.row

    first = start_worker()
    imports.confirm_file(data_import=data_import, actor=owner, plan=seen.plan, rows=rows)
    ring_import(data_import.pk)
    wait_until(lambda: row() > 0)
    first.kill()
    row()
    assert data_import.state == DataImport.State.RUNNING

    # The sweeper, not the broker's redelivery, brings it back.
    monkeypatch.setattr(import_steps, "LEASE", timedelta(0))
    ring_waiting_imports()
    start_worker()
    wait_until(lambda: row() and data_import.state == DataImport.State.COMPLETED)
    good = [i for i in range(ROWS) if i % 1000 != 1]
    assert (data_import.accepted, data_import.duplicates, data_import.rejected) == (len(good), 0, ROWS - len(good))
    assert [features["x"] for _, features, _ in read_labelled(project.pk, 0, ROWS)] == good
    assert list(data_import.rejected_rows.values_list("line", flat=True)[:2]) == [first_bad, first_bad + 1000]
