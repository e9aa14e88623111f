"""`manage.py send_events`: take events in from a CSV or NDJSON file, or from a pipe."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import file_digest
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser
from django.utils import timezone

from models_registry.management.acting import ActingCommand
from ops_portal.errors import UserError
from projects.access import WORK
from projects.bodies import in_batches, read_ndjson_items
from projects.csv_files.guess import NotCsvError, header_offset, preview
from projects.csv_files.plan import RowReader
from projects.csv_files.records import read_records
from projects.models import Project
from projects.payload import Incoming, PayloadError, read_event
from projects.services.events import accept

BATCH = 1_000
#: Rejected lines that are told one by one; the others are counted.
TOLD = 20

#: A line of a file: where it stood, its event, or why there is none.
Line = tuple[int, Incoming | None, str]


class Command(ActingCommand):
    """Takes events in; prints the counts as JSON."""

    help = (
        "Take events in from a CSV file with a header, or from NDJSON (an object with features, and id, label, at if "
        "known, per line). Events without an id are named by the file's content and their line: the same file sent "
        "again changes nothing. Prints the counts as JSON; exit code 1 when lines were rejected."
    )
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="Path of the file; - reads standard input.")
        parser.add_argument("--format", choices=["csv", "ndjson"], help="Guessed from the first character if left out.")
        parser.add_argument("--allow-rejected", action="store_true", help="Exit with 0 though lines were rejected.")

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        # Spooled: what comes by a pipe is read twice, once to name it.
        with tempfile.SpooledTemporaryFile(max_size=2**24) as file:
            _copy(options["file"], file)
            counts = self._send(project, file, options["format"])
        self.stdout.write(json.dumps(counts))
        if counts["rejected"] and not options["allow_rejected"]:
            raise CommandError(f"{counts['rejected']:,} lines were rejected; the others are taken.")

    def _send(self, project: Project, file: Any, kind: str | None) -> dict[str, int]:
        counts = {"accepted": 0, "duplicates": 0, "corrections": 0, "rejected": 0}
        batch: list[Incoming] = []
        for number, event, fault in _read(project, file, kind):
            if event is None:
                self._reject(counts, number, fault)
                continue
            batch.append(event)
            if len(batch) == BATCH:
                self._take(project, batch, counts)
                batch = []
        if batch:
            self._take(project, batch, counts)
        return counts

    def _take(self, project: Project, batch: list[Incoming], counts: dict[str, int]) -> None:
        receipt = accept(project_id=project.pk, items=batch, now=timezone.now())
        counts["accepted"] += receipt.accepted
        counts["duplicates"] += receipt.duplicates
        counts["corrections"] += receipt.corrections
        for rejection in receipt.rejected:
            self._reject(counts, rejection.line, rejection.error)

    def _reject(self, counts: dict[str, int], line: int, fault: str) -> None:
        counts["rejected"] += 1
        if counts["rejected"] <= TOLD:
            self.stderr.write(f"line {line}: {fault}")


def _copy(path: str, target: IO[bytes]) -> None:
    try:
        if path == "-":
            shutil.copyfileobj(sys.stdin.buffer, target)
        else:
            with open(path, "rb") as source:  # noqa: PTH123 - the path is the user's own
                shutil.copyfileobj(source, target)
    except OSError as wrong:
        raise CommandError(f"{path}: {wrong.strerror}", returncode=2) from None
    target.seek(0)


def _read(project: Project, file: Any, kind: str | None) -> Iterator[Line]:
    name = file_digest(file, "sha256").hexdigest()[:16]
    file.seek(0)
    start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    if not start:
        raise UserError("There is nothing to read.")
    is_json = start.startswith(b"{") if kind is None else kind == "ndjson"
    return _read_ndjson(project, file, name) if is_json else _read_csv(project, file, name)


def _read_ndjson(project: Project, file: Any, name: str) -> Iterator[Line]:
    for batch in in_batches(read_ndjson_items(file), BATCH):
        for item in batch:
            try:
                if item.error:
                    raise PayloadError("", item.error)
                event = read_event(item.line, item.value, project.task)
            except PayloadError as wrong:
                yield item.line, None, str(wrong)
            else:
                yield item.line, event if event.key else replace(event, key=f"{name}-{item.line}"), ""


def _read_csv(project: Project, file: Any, name: str) -> Iterator[Line]:
    try:
        plan = preview(file, task=project.task, label_name=project.label_name, label_type=project.label_type).plan
    except NotCsvError as wrong:
        raise UserError(str(wrong)) from None
    reader = RowReader(plan, project.task, f"{name}-")
    records = read_records(file, offset=header_offset(file), line=1, encoding=plan.encoding, delimiter=plan.delimiter)
    next(records, None)  # the header
    for record in records:
        try:
            yield record.line, reader.read(record), ""
        except PayloadError as wrong:
            yield record.line, None, str(wrong)
