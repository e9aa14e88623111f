"""`manage.py abort_canary`: take the canary back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser

from models_registry.api.shapes import DeploymentOut
from models_registry.management.acting import ActingCommand, add_json
from models_registry.services.canary import abort_canary
from projects.access import DEPLOY
from projects.models import Project


class Command(ActingCommand):
    """Aborts the canary; prints the deployment's number."""

    help = "Take the canary back: what serves answers everything again. Prints the deployment's number."
    right = DEPLOY

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", default="", help="For whoever reads the history later.")
        add_json(parser)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        made = abort_canary(project=project, actor=user, reason=options["reason"][:500])
        self.tell(options, str(made.number), DeploymentOut(made).data)
        self.stderr.write(f"{made.version} answers everything again.")
