"""`manage.py predict`: ask what is deployed, for one event or for many."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser
from django.utils import timezone

from models_registry.api.predict import describe_answer, describe_refusal, read_item
from models_registry.api.predict_schema import MOST
from models_registry.management.acting import ActingCommand, add_json, as_json
from models_registry.services.prediction import Answer, predict, predict_many
from ops_portal.errors import UserError
from projects.access import WORK
from projects.bodies import BodyError, Item, decode, in_batches, read_ndjson_items
from projects.models import Project
from projects.payload import Incoming, PayloadError, read_event


class Command(ActingCommand):
    """Predicts; prints the answer."""

    help = (
        "Ask what is deployed. Features and answer are stored, so that the label can follow by the event's id. Prints "
        "the prediction as JSON. With - instead of features, reads events from standard input, one JSON object per "
        "line in the form of the API, and prints an answer as JSON for each; exit code 1 when one has none."
    )
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("features", help='A JSON object such as {"amount": 12.5}, or - for many events.')
        parser.add_argument("--id", help="Id of the event; made up if left out.")
        parser.add_argument("--at", metavar="TIME", help="When it happened, ISO 8601.")
        add_json(parser)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        if options["features"] == "-":
            self._answer_lines(project)
            return
        try:
            event = {"features": decode(options["features"].encode()), "id": options["id"], "at": options["at"]}
            item = read_event(1, event, project.task)
        except (BodyError, PayloadError) as wrong:
            raise UserError(f"{wrong}.") from None
        answer = predict(project=project, item=item, now=timezone.now())
        self.tell(options, as_json(answer.prediction), _whole(answer))
        self.stderr.write(f"Event {answer.id}: {_say_who(answer)}")

    def _answer_lines(self, project: Project) -> None:
        asked = failed = 0
        for batch in in_batches(read_ndjson_items(sys.stdin.buffer), MOST):
            for line, told in _answer(project, batch):
                asked += 1
                failed += "error" in told
                self.stdout.write(as_json({"line": line} | told))
        if not asked:
            raise UserError("There is nothing to read.")
        if failed:
            raise CommandError(f"{failed:,} of {asked:,} lines have no answer.")


def _answer(project: Project, batch: list[Item]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what is answered to each line, in order."""
    events: list[Incoming | UserError] = [read_item(item, project.task) for item in batch]
    good = [event for event in events if isinstance(event, Incoming)]
    answers = iter(predict_many(project=project, items=good, now=timezone.now()) if good else [])
    for item, event in zip(batch, events, strict=True):
        answer = next(answers) if isinstance(event, Incoming) else event
        yield item.line, describe_refusal(answer) if isinstance(answer, UserError) else _whole(answer)


def _whole(answer: Answer) -> dict[str, Any]:
    whole: dict[str, Any] = msgspec.to_builtins(describe_answer(answer))
    return whole


def _say_who(answer: Answer) -> str:
    if answer.fallback is not None:
        return f"no model answered, so the project's fallback did. {answer.fallback.message}"
    return f"v{answer.version} answered, by deployment {answer.deployment}."
