"""One bounded step of an import, as the worker does it.

The row says where reading goes on. A step reads outside the transaction and then, inside one, moves the row on from
where it read (no row moved: another worker was faster, so it stops quietly), takes the events in and counts them.
Killed anywhere, an import goes on from its last committed step.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q

from ops_portal.errors import UserError
from projects.csv_files.plan import CsvPlan
from projects.models import DataImport
from projects.payload import Incoming
from projects.river_streams import close_data_set, close_synthetic, read_data_set, read_synthetic
from projects.services.activity import record
from projects.services.events import Rejection, accept
from projects.services.set_aside import set_aside
from projects.synthetic import Recipe
from projects.texts import storable
from projects.uploads import UnreadableFileError, close_file, read_rows

log = logging.getLogger(__name__)

State = DataImport.State

CHUNK_ROWS = 2_000
CHUNK_SECONDS = 1.0
#: Bytes of rows after which a chunk is full, whatever their number: it is held in memory.
CHUNK_BYTES = 4 * 2**20
#: A step whose worker is silent for this long is taken up by another.
LEASE = timedelta(seconds=30)
#: An upload that is not confirmed is thrown away after this.
PREVIEW_KEPT = timedelta(days=2)


@dataclass
class Chunk:
    """What one step read, and where reading goes on."""

    row: int
    offset: int
    items: list[Incoming] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    raw: dict[int, str] = field(default_factory=dict)
    at_end: bool = False


def advance_import(*, import_id: int, now: datetime) -> float | None:
    """Do one step of an import; return after how many seconds the next one is due, None when there is none."""
    data_import = (
        DataImport.objects.select_related("project__team")
        .exclude(kind__in=DataImport.CONSUMED)
        .filter(pk=import_id, state__in=DataImport.ACTIVE)
        .first()
    )
    if data_import is None or (data_import.lease_until and data_import.lease_until > now + timedelta(seconds=0.1)):
        return None  # over, paused, or not due: whoever rang twice is told once
    started = time.monotonic()
    try:
        chunk = _read(data_import)
        moved, wait = _take(data_import, chunk, now, started)
    except (UserError, UnreadableFileError, FileNotFoundError) as error:
        _fail(data_import, "The uploaded file is gone." if isinstance(error, FileNotFoundError) else str(error), now)
        return None
    except (OperationalError, InterfaceError):
        raise  # the database was busy or away: the sweeper rings again
    except Exception as error:
        log.exception("Import %s stopped at row %s", import_id, data_import.row)
        _fail(data_import, f"An internal error stopped it ({type(error).__name__}); the log says more.", now)
        return None
    return wait if moved and not chunk.at_end else None


def let_go(*, import_id: int) -> None:
    """Leave the next step to the worker that is rung first, not only once this process is taken for dead."""
    DataImport.objects.filter(pk=import_id, state__in=DataImport.ACTIVE).update(lease_until=None)


def waiting_imports(*, now: datetime) -> list[int]:
    """Return the imports that a worker should be at and none is: never rung, or their worker is gone."""
    overdue = Q(lease_until=None) | Q(lease_until__lt=now - LEASE)
    waiting = DataImport.objects.filter(overdue, state__in=DataImport.ACTIVE).exclude(kind__in=DataImport.CONSUMED)
    return list(waiting.values_list("pk", flat=True))


@transaction.atomic
def discard_old_previews(*, now: datetime) -> int:
    """Throw away uploads that nobody confirmed; return how many there were."""
    old = list(DataImport.objects.filter(state=State.PREVIEW, created_at__lt=now - PREVIEW_KEPT)[:100])
    for data_import in old:
        data_import.delete()
        transaction.on_commit(partial(data_import.file.delete, save=False))
    return len(old)


def _read(data_import: DataImport) -> Chunk:
    if data_import.kind in {DataImport.Kind.BUNDLED, DataImport.Kind.SYNTHETIC}:
        return _read_stream(data_import)
    return _read_file(data_import)


def _read_stream(data_import: DataImport) -> Chunk:
    rate = float(data_import.options["rate"])
    total = data_import.total_rows or 0
    at_once = int(data_import.options.get("at_once", 0)) - data_import.row
    due = at_once if at_once > 0 else max(1, round(rate * CHUNK_SECONDS)) if rate else CHUNK_ROWS
    count = min(due, CHUNK_ROWS, total - data_import.row)
    pk, options, start = data_import.pk, data_import.options, data_import.row
    made_up = data_import.kind == DataImport.Kind.SYNTHETIC
    if made_up:
        items = read_synthetic(pk, Recipe.from_options(options), start, count)
    else:
        items = read_data_set(pk, options["data_set"], start, count)
    row = start + len(items)
    at_end = row >= total or not items
    if at_end and made_up:
        close_synthetic(pk)
    elif at_end:
        close_data_set(pk)
    return Chunk(row, 0, items, at_end=at_end)


def _read_file(data_import: DataImport) -> Chunk:
    plan = CsvPlan.from_options(data_import.options)
    task, prefix = data_import.project.task, data_import.options.get("key_prefix", f"import{data_import.pk}-")
    row, offset = data_import.row, data_import.offset
    chunk = Chunk(row, offset)
    stop_at = time.monotonic() + CHUNK_SECONDS
    path = data_import.file.path
    with data_import.file.open("rb") as file:
        rows = read_rows(data_import.kind, file, path, plan, task, prefix, row=row, offset=offset)
        try:
            for number, one in enumerate(rows, start=1):
                chunk.row, chunk.offset = one.next_row, one.next_offset
                if one.event is None:
                    chunk.rejected.append(Rejection(one.line, one.error))
                else:
                    chunk.items.append(one.event)
                chunk.raw[one.line] = one.raw
                if number >= CHUNK_ROWS or chunk.offset - offset >= CHUNK_BYTES or time.monotonic() > stop_at:
                    return chunk
        except UnreadableFileError:
            if not chunk.raw:
                raise
            return chunk  # what was read comes in; the next step finds the fault first
    close_file(data_import.kind, path)
    chunk.at_end = True
    return chunk


@transaction.atomic
def _take(data_import: DataImport, chunk: Chunk, now: datetime, started: float) -> tuple[bool, float]:
    """Move the row on, take the events in and count them; say whether this worker was the one to do it."""
    wait = 0.0
    rate = float(data_import.options.get("rate") or 0)
    if rate and chunk.items and chunk.row > int(data_import.options.get("at_once", 0)):
        wait = max(0.0, len(chunk.items) / rate - (time.monotonic() - started))
    mine = DataImport.objects.filter(
        pk=data_import.pk, row=data_import.row, offset=data_import.offset, state__in=DataImport.ACTIVE
    )
    moved = mine.update(
        row=chunk.row,
        offset=chunk.offset,
        state=State.COMPLETED if chunk.at_end else State.RUNNING,
        lease_until=None if chunk.at_end else now + timedelta(seconds=wait),
        finished_at=now if chunk.at_end else None,
    )
    if not moved:
        return False, 0.0
    receipt = accept(project_id=data_import.project_id, items=chunk.items, now=now)
    rejected = sorted([*chunk.rejected, *receipt.rejected], key=lambda rejection: rejection.line)
    set_aside(data_import=data_import, rejected=rejected, raw=chunk.raw)
    counts: dict[str, Any] = {
        "accepted": F("accepted") + receipt.accepted,
        "duplicates": F("duplicates") + receipt.duplicates,
        "corrections": F("corrections") + receipt.corrections,
        "rejected": F("rejected") + len(rejected),
    }
    DataImport.objects.filter(pk=data_import.pk).update(**counts)
    if chunk.at_end:
        _finish(data_import)
    return True, wait


def _finish(data_import: DataImport) -> None:
    data_import.refresh_from_db()
    done = f"finished the import of {data_import.name}: {data_import.accepted:,} events"
    aside = f", {data_import.rejected:,} rows set aside" if data_import.rejected else ""
    project = data_import.project
    record(actor=None, verb="import.completed", summary=done + aside, project=project, data_import=data_import.pk)
    if data_import.file:
        transaction.on_commit(lambda: data_import.file.delete(save=False))


@transaction.atomic
def _fail(data_import: DataImport, reason: str, now: datetime) -> None:
    changed = DataImport.objects.filter(pk=data_import.pk, state__in=DataImport.ACTIVE).update(
        state=State.FAILED, error=storable(reason), finished_at=now, lease_until=None
    )
    if changed:
        project = data_import.project
        summary = f"could not finish the import of {data_import.name}: {reason}"
        record(actor=None, verb="import.failed", summary=summary, project=project, data_import=data_import.pk)
