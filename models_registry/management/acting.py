"""Commands that change a project as its pages do: somebody acts, with the rights of their role, and history says who.

Exit codes: 0 done, 1 refused (the message says why and what to do), 2 the command line itself is wrong.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import BaseCommand, CommandError, CommandParser
from django.http import Http404
from rest_framework.utils.encoders import JSONEncoder

from models_registry.models import RegisteredModel, Version
from ops_portal.errors import UserError
from projects.access import open_project
from projects.models import Project


class ActingCommand(BaseCommand):
    """A command `manage.py <name> PROJECT ... --as USER`."""

    #: What the user must be allowed to do; see `projects.access`.
    right: str
    #: Checks of the whole portal load every page of it: a start would take three times as long. `manage.py check` asks.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what every such command takes; `add_more` adds the rest."""
        parser.add_argument("project", help="The project as its address names it, such as card-fraud.")
        parser.add_argument("--as", dest="user", required=True, metavar="USER", help="User name of who acts.")
        self.add_more(parser)

    def add_more(self, parser: CommandParser) -> None:
        """Add this command's own arguments."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Check who acts on what, then act; a refusal is printed as it is."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.", returncode=2)
        try:
            project, _ = open_project(user, options["project"], self.right)
            self.act(project, user, options)
        except Http404:
            message = f"There is no project {options['project']!r}, or {user} is not in its team."
            raise CommandError(message, returncode=2) from None
        except PermissionDenied as refused:
            raise CommandError(str(refused)) from None
        except UserError as refused:
            raise CommandError(refused.message) from None

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        """Do it, and print what came of it."""
        raise NotImplementedError

    def tell(self, options: dict[str, Any], short: str, whole: Mapping[str, Any]) -> None:
        """Print the short form of what came of it, or with `--json` the whole as the API tells it."""
        self.stdout.write(as_json(whole) if options["json"] else short)


def add_json(parser: CommandParser) -> None:
    """Let a command take `--json`; see `ActingCommand.tell`."""
    parser.add_argument("--json", action="store_true", help="Print the whole as JSON, in the form of the API.")


def as_json(value: Any) -> str:
    """Write what the API would answer."""
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False)


def find_model(project: Project, name: str) -> RegisteredModel:
    """Return a model by its name."""
    model = RegisteredModel.objects.filter(project=project, name=name).first()
    if model is None:
        names = ", ".join(RegisteredModel.objects.filter(project=project).values_list("name", flat=True)[:10])
        raise UserError(f"This project has no model {name!r}. It has: {names or 'none yet'}.")
    return model


def find_version(project: Project, number: int) -> Version:
    """Return a version by the number the pages show."""
    version = Version.objects.filter(project=project, number=number).select_related("model", "run").first()
    if version is None:
        raise UserError(f"This project has no version {number}.")
    return version


def version_number(text: str) -> int:
    """Read `12` or `v12`."""
    digits = text.removeprefix("v")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no version; give its number, such as 12 or v12")
    return int(digits)
