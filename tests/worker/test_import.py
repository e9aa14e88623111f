"""An import done by real Celery worker processes, one of which is killed in the middle."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from projects.csv_files.guess import preview
from projects.models import DataImport
from projects.services import import_steps, imports
from projects.stream import read_labelled
from projects.tasks import ring_import, ring_waiting_imports
from tests.factories import make_project, make_team, make_user
from tests.worker.conftest import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

ROWS = 30_000


def test_a_killed_worker_loses_and_repeats_nothing(start_worker, monkeypatch):
    owner = make_user()
    project = make_project(make_team(owner=owner))
    raw = b"x,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) if i % 1000 else b"oops\n" for i in range(ROWS))
    data_import = imports.upload_csv(project=project, actor=owner, file=SimpleUploadedFile("rows.csv", raw))
    with data_import.file.open("rb") as file:
        seen = preview(file, task=project.task, label_name="label")

    def row():
        data_import.refresh_from_db()
        return data_import.row

    first = start_worker()
    imports.confirm_csv(data_import=data_import, actor=owner, plan=seen.plan)
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
    good = [i for i in range(ROWS) if i % 1000]
    assert (data_import.accepted, data_import.duplicates, data_import.rejected) == (len(good), 0, ROWS - len(good))
    assert [features["x"] for _, features, _ in read_labelled(project.pk, 0, ROWS)] == good
    assert list(data_import.rejected_rows.values_list("line", flat=True)[:2]) == [2, 1002]
