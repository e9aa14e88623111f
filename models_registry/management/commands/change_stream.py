"""`manage.py change_stream`: pace, pause, resume or cancel a stream or an import."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser

from models_registry.management.acting import ActingCommand
from ops_portal.errors import UserError
from projects.access import WORK
from projects.models import Project
from projects.services.imports import cancel_import, change_rate, pause_import, resume_import
from projects.tasks import ring_import

CHANGES = {"pause": pause_import, "resume": resume_import, "cancel": cancel_import}


class Command(ActingCommand):
    """Changes a stream or an import; prints how it stands."""

    help = "Change how fast a stream flows, or pause, resume or cancel it or a file's import. Prints how it stands."
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="What start_stream printed; it is in the import's address too.")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--rate", type=float, help="Events per second; 0, as fast as possible.")
        for name in CHANGES:
            what.add_argument(f"--{name}", dest="change", action="store_const", const=name)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        found = project.imports.select_related("project__team").filter(pk=options["number"]).first()
        if found is None:
            raise UserError(f"This project has no import {options['number']}.")
        if options["rate"] is not None:
            change_rate(data_import=found, actor=user, rate=options["rate"])
        else:
            CHANGES[options["change"]](data_import=found, actor=user)
        found.refresh_from_db()
        if found.state in found.ACTIVE:
            ring_import(found.pk)
        total = "" if found.total_rows is None else f" of {found.total_rows:,}"
        self.stdout.write(f"{found.get_state_display()}: {found.row:,}{total}")
