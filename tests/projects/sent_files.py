"""Making files of each kind, bringing them in, and reading off what became of them."""

from __future__ import annotations

import json
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from projects import uploads
from projects.services import imports
from tests.projects.test_imports import finish


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


def refused(project, owner, raw):
    data_import = imports.upload_file(project=project, actor=owner, file=SimpleUploadedFile("f", raw))
    with data_import.file.open("rb") as file, pytest.raises(uploads.UnreadableFileError) as error:
        uploads.look_into(data_import.kind, file, data_import.file.path, project)
    return str(error.value)
