"""`manage.py rollback`: restore a version."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser

from models_registry import doorbell
from models_registry.api.shapes import DeploymentOut
from models_registry.management.acting import ActingCommand, add_json, find_version, version_number
from models_registry.models import Deployment
from models_registry.services.deployment import roll_back
from projects.access import DEPLOY
from projects.models import Project


class Command(ActingCommand):
    """Rolls back; prints the deployment's number."""

    help = "Restore a version, by default the one served before. Prints the deployment's number."
    right = DEPLOY

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=version_number, metavar="VERSION", help="The version to restore.")
        parser.add_argument(
            "--since",
            choices=Deployment.Since.values,
            required=True,
            help="What becomes of what was learned since: drop it, replay it, or keep it as challenger.",
        )
        parser.add_argument("--reason", required=True, help="For whoever reads the history later.")
        add_json(parser)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        to = None if options["to"] is None else find_version(project, options["to"])
        done = roll_back(project=project, actor=user, since=options["since"], reason=options["reason"][:500], to=to)
        if done.replay:
            doorbell.ring(done.replay.pk)
            self.stderr.write(f"Run {done.replay.number} replays what was learned since.")
        self.tell(options, str(done.deployment.number), DeploymentOut(done.deployment).data)
        self.stderr.write(f"{done.deployment.version} serves now.")
