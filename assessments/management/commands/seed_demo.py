"""`manage.py seed_demo`: a team with three real streams, its models learning; only on a portal without teams."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandParser

from assessments.services.demo import seed
from projects.models import Team


class Command(BaseCommand):
    """Adds the demo team once."""

    help = "Add the demo team with three real streams, unless the portal has a team already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", default="owner", help="User name of the team's owner (default: owner).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed the demo, saying so because it takes some seconds."""
        if Team.objects.exists():
            return
        self.stdout.write("Adding the demo team: three real streams and their models. This happens once.")
        seed(owner=options["owner"])
