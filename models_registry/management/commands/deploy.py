"""`manage.py deploy`: let a version serve."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser

from models_registry.management.acting import ActingCommand, find_version, version_number
from models_registry.models import Deployment
from models_registry.services.deployment import deploy
from projects.access import DEPLOY
from projects.models import Project


class Command(ActingCommand):
    """Deploys a version; prints the deployment's number."""

    help = "Let a version serve from the next prediction on. Prints the deployment's number."
    right = DEPLOY

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=version_number, help="Number of the version, such as 12 or v12.")
        parser.add_argument("--mode", choices=Deployment.Mode.values, default=Deployment.Mode.PIN)
        parser.add_argument("--reason", default="", help="For whoever reads the history later.")

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        version = find_version(project, options["version"])
        made = deploy(
            project=project, version=version, actor=user, mode=options["mode"], reason=options["reason"][:500]
        )
        self.stdout.write(str(made.number))
        self.stderr.write(f"{version} of {version.model.name} serves now.")
