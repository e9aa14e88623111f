"""`manage.py runs`: the runs of a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser

from models_registry.api.shapes import RunOut, list_runs
from models_registry.management.acting import ActingCommand, add_json, as_json, find_model
from models_registry.models import Run
from models_registry.selectors.runs import RunRow, row_of
from ops_portal.errors import UserError
from projects.access import VIEW
from projects.models import Project

SHOWN = 20
MOST = 10_000


class Command(ActingCommand):
    """Lists runs, newest first: a line each, or with `--json` an object each."""

    help = "List the runs of a project, newest first: number, state, events learned, primary metric, model."
    right = VIEW

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("--state", choices=Run.State.values)
        parser.add_argument("--model", metavar="NAME", help="Only runs of this model.")
        parser.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=f"At most so many; {SHOWN}.")
        add_json(parser)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        if not 1 <= options["limit"] <= MOST:
            raise UserError(f"List 1 to {MOST:,} runs.")
        runs = list_runs(project)
        if options["state"]:
            runs = runs.filter(state=options["state"])
        if options["model"] is not None:
            runs = runs.filter(model=find_model(project, options["model"]))
        found = list(runs.order_by("-number")[: options["limit"]])
        if options["json"]:
            for run in found:
                self.stdout.write(as_json(RunOut(run).data))
        elif found:
            self.stdout.write("\n".join(align([_cells(row_of(run, project)) for run in found])))
        else:
            self.stderr.write("No such run.")


def _cells(row: RunRow) -> list[str]:
    metric = row.metric
    return [
        str(row.number),
        row.state,
        row.mode,
        f"{row.learned:,}",
        f"{metric.measure.title} {metric.overall}",
        row.model_name,
    ]


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows under each other, each column as wide as its longest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
