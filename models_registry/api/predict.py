"""`POST predict/`: events in, the deployed model's answers out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from models_registry.api.predict_schema import MOST, Predict
from models_registry.services.live import BESIDE_TOKEN, Serving, read_serving, serving
from models_registry.services.prediction import Answer, Ask, Loaded, Outcome, answer_together, with_model
from ops_portal.errors import UserError, error_body
from projects.api_bodies import read_body
from projects.api_lean import LeanCaller, shared_lean_call
from projects.bodies import MAX_JSON, BodyError, Item
from projects.models import Scope
from projects.payload import MISSING, Incoming, PayloadError, read_event

_encode = msgspec.json.Encoder().encode

#: Calls with more events than this have a transaction of their own: others should not wait for it.
ALONE = 20


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a call asks: its events as decoded, and the models loaded for them that were not in memory."""

    items: Sequence[Item]
    loaded: Loaded


def _answer(calls: Sequence[tuple[LeanCaller, _Asked]]) -> list[Outcome | Exception]:
    """Answer calls that came together."""
    now = timezone.now()
    read = [[read_item(item, caller.task) for item in asked.items] for caller, asked in calls]
    asks = []
    live: Serving | UserError | None
    for (caller, asked), events in zip(calls, read, strict=True):
        try:
            live = serving(caller.project_id) if caller.beside is None else read_serving(caller.beside)
        except UserError as archived:
            live = archived
        good = [event for event in events if isinstance(event, Incoming)]
        asks.append(Ask(caller.project_id, caller.task, caller.fallback, good, now, live, asked.loaded))
    return [_merge(events, outcome) for events, outcome in zip(read, answer_together(asks), strict=True)]


def read_item(item: Item, task: str) -> Incoming | UserError:
    """Return the event of an item of a body, or why it is none."""
    if item.error:
        return UserError(item.error, code="invalid")
    try:
        event = read_event(item.line, item.value, task)
        if event.label is not MISSING:
            raise PayloadError(
                "label", "a prediction comes before its label; send it to labels/, or all of it to events/"
            )
        return event
    except PayloadError as wrong:
        return UserError(str(wrong), code="invalid", fields={wrong.place: wrong.problem} if wrong.place else None)


def _merge(events: Sequence[Incoming | UserError], outcome: Outcome | Exception) -> Outcome | Exception:
    """Put the refusals of a call's events between the answers to the others."""
    if isinstance(outcome, Exception):
        first = events[0]
        return first if len(events) == 1 and isinstance(first, UserError) else outcome
    answers = iter(outcome)
    return [event if isinstance(event, UserError) else next(answers) for event in events]


@shared_lean_call(Scope.PREDICT, Predict, _answer, beside=BESIDE_TOKEN, alone=lambda asked: len(asked.items) > ALONE)
def predict_call(request: HttpRequest, ask: Callable[[_Asked], Outcome]) -> HttpResponse:
    """Answer with what is deployed at this moment."""
    try:
        body = read_body(request)
        items = _hold(body.items)
    except BodyError as wrong:
        raise UserError(str(wrong), code="invalid") from wrong
    if not items:
        raise UserError("Send an event: an object with `features`, or a list of such objects.", code="invalid")
    answers = with_model(lambda loaded: ask(_Asked(items, loaded)))
    if body.many:
        return _many(items, answers)
    answer = answers[0]
    if isinstance(answer, UserError):
        raise answer
    return HttpResponse(_encode(describe_answer(answer)), content_type="application/json")


def _hold(items: Iterable[Item]) -> list[Item]:
    """Return the items of a body: all are answered at once, so they are limited whatever the body's type."""
    held: list[Item] = []
    size = 0
    for item in items:
        held.append(item)
        size += item.size
        if len(held) > MOST:
            raise UserError(f"Send at most {MOST:,} events per call.", code="too_many")
        if size > MAX_JSON:
            raise BodyError(f"The body is larger than {MAX_JSON >> 20} MB; send it in parts.")
    return held


def _many(items: Sequence[Item], answers: Outcome) -> HttpResponse:
    """Answer 200 when anything was predicted, 422 when nothing was."""
    told = [
        {"line": item.line} | describe_refusal(answer) if isinstance(answer, UserError) else describe_answer(answer)
        for item, answer in zip(items, answers, strict=True)
    ]
    failed = [answer for answer in answers if isinstance(answer, UserError)]
    body: dict[str, Any] = {"predictions": told, "failed": len(failed)}
    if len(failed) < len(answers):
        return HttpResponse(_encode(body), content_type="application/json")
    body |= error_body("rejected", f"Nothing was predicted: {failed[0].message}")
    return HttpResponse(_encode(body), content_type="application/json", status=422)


def describe_answer(answer: Answer) -> dict[str, Any]:
    """The answer as JSON; `probabilities` only where the model gives any, `fallback` only where none answered."""
    body: dict[str, Any] = {"id": answer.id, "prediction": answer.prediction}
    if answer.probabilities is not None:
        body["probabilities"] = answer.probabilities
    body["version"] = answer.version
    body["deployment"] = answer.deployment
    if answer.fallback is not None:
        body["fallback"] = answer.fallback
    return body


def describe_refusal(refused: UserError) -> dict[str, Any]:
    """The reason why an event of several has no answer, as JSON."""
    return error_body(refused.code, refused.message, refused.fields)
