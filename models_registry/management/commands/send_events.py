"""`manage.py send_events`: take events in from a CSV, NDJSON or Parquet file, or from a pipe."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser
from django.utils import timezone

from models_registry.management.acting import ActingCommand
from ops_portal.errors import UserError
from projects.access import WORK
from projects.models import Project
from projects.payload import Incoming
from projects.services.events import accept
from projects.uploads import (
    CSV,
    NDJSON,
    PARQUET,
    Row,
    UnreadableFileError,
    close_file,
    digest_of,
    first_offset,
    kind_of,
    look_into,
    read_rows,
)

BATCH = 1_000
#: Rejected lines that are told one by one; the others are counted.
TOLD = 20


class Command(ActingCommand):
    """Takes events in; prints the counts as JSON."""

    help = (
        "Take events in from a CSV file with a header, from NDJSON (per line an object with features, and id, label, "
        "at if known, or a flat one), or from Parquet. Events without an id are named by the file's content and their "
        "line: the same file sent again changes nothing. Prints the counts as JSON; exit code 1 when lines were "
        "rejected."
    )
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="Path of the file; - reads standard input.")
        parser.add_argument(
            "--format", choices=[CSV, NDJSON, PARQUET], help="Guessed from the first bytes if left out."
        )
        parser.add_argument("--allow-rejected", action="store_true", help="Exit with 0 though lines were rejected.")

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        # A copy: what comes by a pipe is read twice, once to name it.
        with tempfile.NamedTemporaryFile() as file:
            _copy(options["file"], file)
            counts = self._send(project, file, options["format"])
        self.stdout.write(json.dumps(counts))
        if counts["rejected"] and not options["allow_rejected"]:
            raise CommandError(f"{counts['rejected']:,} lines were rejected; the others are taken.")

    def _send(self, project: Project, file: Any, kind: str | None) -> dict[str, int]:
        counts = {"accepted": 0, "duplicates": 0, "corrections": 0, "rejected": 0}
        batch: list[Incoming] = []
        for row in _read(project, file, file.name, kind):
            if row.event is None:
                self._reject(counts, row.line, row.error)
                continue
            batch.append(row.event)
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


def _read(project: Project, file: Any, path: str, kind: str | None) -> Iterator[Row]:
    if not file.read(4096).strip():
        raise UserError("There is nothing to read.")
    try:
        kind = kind or kind_of(file)
        plan = look_into(kind, file, path, project)[0].plan
        prefix = f"{digest_of(file)}-"
        yield from read_rows(kind, file, path, plan, project.task, prefix, row=0, offset=first_offset(kind, file))
    except UnreadableFileError as wrong:
        raise UserError(str(wrong)) from None
    finally:
        close_file(PARQUET, path)
