"""Imports: bounded steps that lose nothing, whoever stops, repeats or overtakes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import TestCase
from django.utils import timezone

from ops_portal.errors import UserError
from projects.csv_files.guess import preview
from projects.models import Activity, DataImport, Event, Task
from projects.river_streams import close_data_set, read_data_set
from projects.services import import_steps, imports
from projects.services.projects import archive_project
from projects.stream import read_labelled
from projects.tasks import ring_waiting_imports, run_import
from tests.factories import make_project, make_team, make_user

State = DataImport.State


def upload(project, actor, raw, name="rows.csv"):
    return imports.upload_file(project=project, actor=actor, file=SimpleUploadedFile(name, raw))


def start_csv(project, actor, raw):
    data_import = upload(project, actor, raw)
    with data_import.file.open("rb") as file:
        seen = preview(file, task=project.task, label_name=project.label_name, label_type=project.label_type)
    imports.confirm_file(data_import=data_import, actor=actor, plan=seen.plan)
    return data_import


def finish(data_import, limit=200):
    """Do the steps a worker would do, and return their number."""
    for step in range(limit):
        with TestCase.captureOnCommitCallbacks(execute=True):
            wait = import_steps.advance_import(import_id=data_import.pk, now=timezone.now())
        if wait is None:
            data_import.refresh_from_db()
            return step + 1
    raise AssertionError("the import does not end")


def table(n, start=0):
    rows = "".join(
        f"{i},{i / 7:.3f},{'rosé' if i % 3 else 'blue'},{'yes' if i % 2 else 'no'}\n" for i in range(start, n)
    )
    return ("id,x,colour,label\n" + rows).encode()


@pytest.mark.django_db
def test_a_csv_comes_in_whole_and_in_order(project, owner, monkeypatch):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 100)
    data_import = start_csv(project, owner, b"\n\n" + table(250))
    assert finish(data_import) == 3
    assert (data_import.state, data_import.accepted, data_import.rejected) == (State.COMPLETED, 250, 0)
    rows = read_labelled(project.pk, 0, 1000)
    assert [features["x"] for _, features, _ in rows] == [float(f"{i / 7:.3f}") for i in range(250)]
    assert rows[1][1:] == ({"x": 0.143, "colour": "rosé"}, True)
    assert Event.objects.filter(key="249").exists()
    assert not data_import.file.storage.exists(data_import.file.name)


@pytest.mark.django_db
def test_bad_rows_are_set_aside_with_line_and_reason_and_good_ones_kept(project, owner):
    raw = (
        table(45)
        + b'95,"open,red,no\n96,1.5,red,perhaps\n97,nan,red,no\n\xff\n98,\x00,red,no\n99,1\n'
        + b"100,1,red,no\n101,0,red,yes\n"
    )
    data_import = start_csv(project, owner, raw)
    finish(data_import)
    assert (data_import.accepted, data_import.duplicates, data_import.corrections, data_import.rejected) == (
        47,
        0,
        0,
        6,
    )
    assert [(row.line, row.reason.split(":")[0]) for row in data_import.rejected_rows.all()] == [
        (47, "a quotation mark is opened on this line and not closed"),
        (48, "label"),
        (49, "features.x"),
        (50, "byte 1 of the line, 0xFF, is no utf-8 character"),
        (51, "the line has a NUL byte"),
        (52, "has 2 values where the header has 4 columns"),
    ]
    assert data_import.rejected_rows.get(line=48).raw == "96,1.5,red,perhaps"
    done = Activity.objects.get(verb="import.completed")
    assert done.actor_name == "portal"
    assert "6 rows set aside" in done.summary


@pytest.mark.django_db
def test_a_file_without_ids_comes_in_once_however_often_a_step_is_repeated(project, owner, monkeypatch):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 10)
    data_import = start_csv(project, owner, b"x,label\n" + b"1.5,yes\n2.5,no\n" * 20)
    finish(data_import)
    assert Event.objects.count() == 40
    DataImport.objects.filter(pk=data_import.pk).update(state=State.RUNNING, row=11, offset=8 + 10 * 8 - 5)
    # The file is gone after a finished import, so this one ends with a reason instead of a traceback.
    assert finish(data_import) == 1
    assert (data_import.state, data_import.error) == (State.FAILED, "The uploaded file is gone.")
    assert Event.objects.count() == 40


@pytest.mark.django_db
def test_a_step_that_was_overtaken_stops_quietly(project, owner, monkeypatch):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 100)
    data_import = start_csv(project, owner, table(250))
    slow = DataImport.objects.select_related("project__team").get(pk=data_import.pk)
    chunk = import_steps._read(slow)
    assert import_steps.advance_import(import_id=data_import.pk, now=timezone.now()) is not None
    assert import_steps._take(slow, chunk, timezone.now(), 0.0) == (False, 0.0)
    finish(data_import)
    assert (data_import.accepted, data_import.duplicates) == (250, 0)


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_one_import_lose_and_repeat_nothing(monkeypatch):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 50)
    owner = make_user()
    project = make_project(make_team(owner=owner))
    data_import = start_csv(project, owner, b"x,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(1000)))

    def work(_):
        try:
            return finish(data_import)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    while import_steps.advance_import(import_id=data_import.pk, now=timezone.now()) is not None:
        pass
    data_import.refresh_from_db()
    assert (data_import.state, data_import.accepted, data_import.duplicates) == (State.COMPLETED, 1000, 0)
    assert [features["x"] for _, features, _ in read_labelled(project.pk, 0, 2000)] == list(range(1000))


@pytest.mark.django_db
def test_pause_resume_and_cancel(project, owner, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 100)
    data_import = start_csv(project, owner, table(250))
    import_steps.advance_import(import_id=data_import.pk, now=timezone.now())
    imports.pause_import(data_import=data_import, actor=owner)
    assert import_steps.advance_import(import_id=data_import.pk, now=timezone.now()) is None
    assert Event.objects.count() == 100
    with pytest.raises(UserError, match="paused and cannot be paused"):
        imports.pause_import(data_import=data_import, actor=owner)
    imports.resume_import(data_import=data_import, actor=owner)
    import_steps.advance_import(import_id=data_import.pk, now=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        imports.cancel_import(data_import=data_import, actor=owner)
    assert finish(data_import) == 1
    assert (data_import.state, Event.objects.count()) == (State.CANCELLED, 200)
    assert not data_import.file.storage.exists(data_import.file.name)
    verbs = list(Activity.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["import.started", "import.paused", "import.resumed", "import.cancelled"]


@pytest.mark.django_db
def test_only_so_many_rejected_rows_are_kept_but_all_are_counted(project, owner, monkeypatch):
    monkeypatch.setattr("projects.services.set_aside.KEPT", 15)
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 10)
    data_import = start_csv(project, owner, b"x,label\n1,yes\n" + b"1,2,3\n" * 40)
    finish(data_import)
    assert (data_import.rejected, data_import.rejected_rows.count()) == (40, 15)


@pytest.mark.django_db
def test_a_large_file_is_refused_before_anything_is_kept(project, owner, monkeypatch):
    monkeypatch.setattr(imports, "MAX_FILE", 2**20)
    with pytest.raises(UserError, match="at most 1 MB"):
        upload(project, owner, b"x" * (2**20 + 1))
    assert not DataImport.objects.exists()


@pytest.mark.django_db
def test_a_file_is_confirmed_or_discarded_once(project, owner, django_capture_on_commit_callbacks):
    data_import = upload(project, owner, table(5))
    with django_capture_on_commit_callbacks(execute=True):
        imports.discard_file(data_import=data_import, actor=owner)
    assert not data_import.file.storage.exists(data_import.file.name or "gone")
    started = start_csv(project, owner, table(5))
    with pytest.raises(UserError, match="confirmed or discarded already"):
        imports.confirm_file(data_import=started, actor=owner, plan=import_steps.CsvPlan("utf-8", ",", []))
    with pytest.raises(UserError, match="has started"):
        imports.discard_file(data_import=started, actor=owner)


@pytest.mark.django_db
def test_uploads_nobody_confirmed_go_away(project, owner, django_capture_on_commit_callbacks):
    kept, old = upload(project, owner, table(5)), upload(project, owner, table(5))
    DataImport.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))
    with django_capture_on_commit_callbacks(execute=True):
        ring_waiting_imports()
    assert list(DataImport.objects.all()) == [kept]
    assert not old.file.storage.exists(str(old.file))
    assert kept.file.storage.exists(kept.file.name)


@pytest.mark.django_db
def test_a_bundled_data_set_comes_in_once(team, owner):
    project = make_project(team, task=Task.REGRESSION)
    data_import = imports.start_bundled(project=project, actor=owner, name="TrumpApproval", events=120)
    finish(data_import)
    assert (data_import.state, data_import.accepted, data_import.total_rows) == (State.COMPLETED, 120, 120)
    expected = [(i.features, i.label) for i in read_data_set(0, "TrumpApproval", 0, 120)]
    close_data_set(0)
    assert [(x, y) for _, x, y in read_labelled(project.pk, 0, 200)] == expected
    again = imports.start_bundled(project=project, actor=owner, name="TrumpApproval")
    finish(again)
    assert (again.accepted, again.duplicates) == (881, 120)


@pytest.mark.django_db
def test_a_rate_spreads_a_data_set_over_time(team, owner):
    project = make_project(team, task=Task.REGRESSION)
    data_import = imports.start_bundled(project=project, actor=owner, name="ChickWeights", events=10, rate=4)
    now = timezone.now()
    wait = import_steps.advance_import(import_id=data_import.pk, now=now)
    assert 0.5 < wait <= 1
    assert Event.objects.count() == 4
    assert import_steps.advance_import(import_id=data_import.pk, now=now) is None, "rung twice: not due yet"
    import_steps.advance_import(import_id=data_import.pk, now=now + timedelta(seconds=1))
    assert import_steps.advance_import(import_id=data_import.pk, now=now + timedelta(seconds=2)) is None
    data_import.refresh_from_db()
    assert (data_import.state, data_import.accepted) == (State.COMPLETED, 10)


@pytest.mark.django_db
def test_a_task_rings_for_the_next_step_and_the_sweeper_for_forgotten_ones(
    project, owner, rung, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(import_steps, "CHUNK_ROWS", 100)
    data_import = start_csv(project, owner, table(150))

    def rings(task, *args):
        rung.clear()
        with django_capture_on_commit_callbacks(execute=True):
            task(*args)
        return [args for name, args, _ in rung if name == "projects.tasks.run_import"]

    assert rings(ring_waiting_imports) == [(data_import.pk,)], "it was never rung"
    assert rings(run_import, data_import.pk) == [(data_import.pk,)]
    assert rings(ring_waiting_imports) == [], "somebody was just at it"
    DataImport.objects.update(lease_until=timezone.now() - timedelta(minutes=2))
    assert rings(ring_waiting_imports) == [(data_import.pk,)], "its worker is gone"
    assert rings(run_import, data_import.pk) == []
    assert rings(ring_waiting_imports) == []


@pytest.mark.django_db
def test_an_unexpected_error_ends_the_import_with_a_reason(project, owner, monkeypatch):
    data_import = start_csv(project, owner, table(5))
    monkeypatch.setattr(import_steps, "read_rows", lambda *args, **kwargs: 1 / 0)
    finish(data_import)
    assert data_import.state == State.FAILED
    assert "ZeroDivisionError" in data_import.error
    assert Activity.objects.filter(verb="import.failed").exists()


@pytest.mark.django_db
def test_archiving_pauses_imports_and_refuses_new_ones(project, owner):
    data_import = start_csv(project, owner, table(5))
    archive_project(project=project, actor=owner)
    data_import.refresh_from_db()
    project.refresh_from_db()
    assert data_import.state == State.PAUSED
    with pytest.raises(UserError, match="archived"):
        upload(project, owner, table(5))
    with pytest.raises(UserError, match="archived"):
        imports.start_bundled(project=project, actor=owner, name="Phishing")
    data_import.project.refresh_from_db()
    with pytest.raises(UserError, match="archived"):
        imports.resume_import(data_import=data_import, actor=owner)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "Nothing"}, "one of the data sets"),
        ({"name": "TrumpApproval"}, "is a stream for regression, and this project is one of binary classification"),
        ({"name": "Phishing", "rate": -1}, "rate between"),
        ({"name": "Phishing", "rate": float("nan")}, "rate between"),
    ],
)
def test_a_data_set_that_does_not_fit_is_refused(project, owner, arguments, reason):
    with pytest.raises(UserError, match=reason):
        imports.start_bundled(project=project, actor=owner, **arguments)
