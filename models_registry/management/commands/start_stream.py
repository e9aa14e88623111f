"""`manage.py start_stream`: let a bundled data set or a synthetic stream flow into a project."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser

from models_registry.management.acting import ActingCommand
from projects.access import WORK
from projects.bundled import DATA_SETS
from projects.models import Project
from projects.services.imports import start_bundled, start_synthetic
from projects.synthetic import ABRUPT, GRADUAL, NO_DRIFT, STREAMS, Recipe
from projects.tasks import ring_import

EVENTS = 10_000


class Command(ActingCommand):
    """Starts a stream; prints its number."""

    help = (
        "Let a stream flow into a project; a worker does it. Prints its number, which change_stream takes. "
        f"Synthetic: {', '.join(stream.name for stream in STREAMS)}. "
        f"Bundled: {', '.join(data_set.name for data_set in DATA_SETS)}."
    )
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("stream", help="Name of the stream or data set.")
        parser.add_argument("--rate", type=float, default=0.0, help="Events per second; 0, as fast as possible.")
        parser.add_argument("--predict", action="store_true", help="Ask what is deployed before each label comes.")
        parser.add_argument("--events", type=int, help="How many; 10,000 of a synthetic stream, all of a data set.")
        parser.add_argument("--seed", type=int, default=42)
        parser.add_argument("--drift", choices=[NO_DRIFT, ABRUPT, GRADUAL], default=NO_DRIFT)
        parser.add_argument("--drift-at", type=int, metavar="EVENT", help="Half of the events if left out.")
        parser.add_argument("--drift-width", type=int, metavar="EVENTS", help="A fifth of the events if left out.")

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        name, events = options["stream"], options["events"]
        flow = {"rate": options["rate"], "predict": options["predict"]}
        if any(data_set.name == name for data_set in DATA_SETS):
            made = start_bundled(project=project, actor=user, name=name, events=events, **flow)
        else:
            events = EVENTS if events is None else events
            recipe = _recipe(name, events, options)
            made = start_synthetic(project=project, actor=user, recipe=recipe, events=events, **flow)
        ring_import(made.pk)
        self.stdout.write(str(made.pk))
        self.stderr.write(f"{made.name}: queued.")


def _recipe(name: str, events: int, options: dict[str, Any]) -> Recipe:
    drift, at, width = options["drift"], options["drift_at"], options["drift_width"]
    return Recipe(
        name,
        options["seed"],
        drift,
        0 if drift == NO_DRIFT else max(1, events // 2) if at is None else at,
        0 if drift != GRADUAL else max(1, events // 5) if width is None else width,
    )
