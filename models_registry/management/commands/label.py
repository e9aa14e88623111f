"""`manage.py label`: tell what was observed for an event, or for many."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser
from django.utils import timezone

from models_registry.management.acting import ActingCommand, add_json, as_json
from ops_portal.errors import UserError
from projects.access import WORK
from projects.api import TOLD, Tally, take_items
from projects.bodies import read_ndjson_items
from projects.labels import typed_label
from projects.models import Project
from projects.payload import IncomingLabel, PayloadError, read_label_item
from projects.services.events import Receipt, accept_labels


class Command(ActingCommand):
    """Takes a label in; prints what became of it."""

    help = (
        "Tell what was observed for the event called ID; it may come before the event and waits for it then. Prints "
        "accepted, duplicate, correction or waiting. With - as ID, reads labels from standard input, one JSON object "
        "per line in the form of the API, and prints the counts as JSON; exit code 1 when lines were rejected."
    )
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="Id of the event, or - for many from standard input.")
        parser.add_argument("label", nargs="?", help="What was observed, such as true, 3 or spam.")
        parser.add_argument("--at", metavar="TIME", help="When it was observed, ISO 8601.")
        parser.add_argument("--allow-rejected", action="store_true", help="Exit with 0 though lines were rejected.")
        add_json(parser)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        if options["id"] == "-" and options["label"] is None:
            self._take_lines(project, options)
            return
        if options["label"] is None:
            raise CommandError("Say what was observed: label PROJECT ID LABEL.", returncode=2)
        label = typed_label(options["label"], project.task, project.label_type)
        try:
            item = read_label_item(1, {"id": options["id"], "label": label, "at": options["at"]}, project.task)
        except PayloadError as wrong:
            raise UserError(f"{wrong}.") from None
        tally = Tally()
        tally.add(_take(project, [item]))
        if tally.rejected:
            raise UserError(f"{tally.rejected[0]['error']}.")
        self.tell(options, _say(tally), tally.body())

    def _take_lines(self, project: Project, options: dict[str, Any]) -> None:
        items = read_ndjson_items(sys.stdin.buffer)
        tally = take_items(items, project.task, read_label_item, partial(_take, project))
        body = tally.body()
        for one in body.pop("rejected"):
            self.stderr.write(f"line {one['line']}: {one['error']}")
        if (more := tally.rejected_count - TOLD) > 0:
            self.stderr.write(f"and {more:,} lines more")
        self.stdout.write(as_json(body))
        if tally.rejected_count and not options["allow_rejected"]:
            raise CommandError(f"{tally.rejected_count:,} lines were rejected; the others are taken.")


def _take(project: Project, labels: list[IncomingLabel]) -> Receipt:
    return accept_labels(project_id=project.pk, labels=labels, now=timezone.now())


def _say(tally: Tally) -> str:
    if tally.waiting:
        return "waiting"
    return "correction" if tally.corrections else "duplicate" if tally.duplicates else "accepted"
