"""`manage.py start_run`: queue a run, and wait for its end where that is wanted."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser

from models_registry import doorbell
from models_registry.api.shapes import RunOut
from models_registry.management.acting import ActingCommand, add_json, find_model, find_version, version_number
from models_registry.models import Run
from models_registry.services.runs import PUBLISH_EVERY, start_run
from ops_portal.errors import UserError
from projects.access import WORK
from projects.models import Project

STEP = 0.5


class Command(ActingCommand):
    """Starts a run; prints its number."""

    help = "Start a run of a model; a worker takes it up. Prints the run's number."
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="Name of the model.")
        parser.add_argument("--mode", choices=Run.Mode.values, default=Run.Mode.REPLAY)
        parser.add_argument("--from-version", type=version_number, metavar="N", help="Go on from this version.")
        parser.add_argument("--seed", type=int, help="Drawn and recorded where none is given.")
        parser.add_argument("--publish-every", type=int, default=PUBLISH_EVERY, metavar="EVENTS")
        add_json(parser)
        parser.add_argument("--wait", type=float, metavar="SECONDS", help="Wait for the end of a replay so long.")

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        model = find_model(project, options["model"])
        if options["seed"] is not None and not 0 <= options["seed"] < 2**31:
            raise UserError("A seed is a whole number from 0 to 2,147,483,647.")
        if not 0 <= options["publish_every"] <= 100_000_000:
            raise UserError("Publish a version every 0 (never by rule) to 100,000,000 events.")
        version = None if options["from_version"] is None else find_version(project, options["from_version"])
        run = start_run(
            model=model,
            mode=options["mode"],
            actor=user,
            from_version=version,
            seed=options["seed"],
            publish_every=options["publish_every"],
            trigger="command",
        )
        doorbell.ring(run.pk)
        self.tell(options, str(run.number), RunOut(run).data)
        if options["wait"] is not None:
            self._wait(run, options["wait"])

    def _wait(self, run: Run, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not run.ended:
            if time.monotonic() > until:
                raise CommandError(f"Run {run.number} is {run.state} at position {run.position:,} after {seconds:g} s.")
            time.sleep(STEP)
            run.refresh_from_db()
        if run.state != Run.State.COMPLETED:
            raise CommandError(f"Run {run.number} is {run.state}. {run.error}".strip())
        self.stderr.write(f"Run {run.number} is completed: {run.learned:,} events learned.")
