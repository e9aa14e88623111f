"""The HTTP API that takes events and labels in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone

from ops_portal.errors import UserError, error_body
from projects import api_schema
from projects.api_bodies import read_body
from projects.api_lean import LeanCaller, shared_lean_call
from projects.bodies import BodyError, Item, in_batches
from projects.models import Scope
from projects.payload import Incoming, IncomingLabel, PayloadError, read_event, read_label_item
from projects.services.events import Part, Receipt, Rejection, accept_together

#: Items per transaction: large enough to be fast, small enough to let others in between.
BATCH = 1_000
#: Batches with more items than this have a transaction of their own: others should not wait for it.
ALONE = 100
#: So many rejections are told one by one; the rest is counted.
TOLD = 1_000

Taken = TypeVar("Taken", Incoming, IncomingLabel)
Reader = Callable[[int, object, str], Taken]
NOTHING_TAKEN = Receipt(0, 0, [], 0)


@dataclass
class Tally:
    """What became of a body, batch by batch."""

    accepted: int = 0
    duplicates: int = 0
    corrections: int = 0
    waiting: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    rejected_count: int = 0
    #: The body ended before it was complete.
    cut_off: bool = False

    def reject(self, line: int, error: str) -> None:
        self.rejected_count += 1
        if len(self.rejected) < TOLD:
            self.rejected.append({"line": line, "error": error})

    def add(self, receipt: Receipt, refused: Sequence[Rejection] = ()) -> None:
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        self.corrections += receipt.corrections
        self.waiting += receipt.waiting
        # In the order of lines: only the first ones are told.
        for rejection in sorted([*refused, *receipt.rejected], key=lambda one: one.line):
            self.reject(rejection.line, rejection.error)

    @property
    def nothing_taken(self) -> bool:
        """Say whether every item was rejected."""
        return bool(self.rejected_count) and not self.accepted + self.duplicates + self.corrections + self.waiting

    def body(self) -> dict[str, Any]:
        """Return what is answered."""
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "corrections": self.corrections,
            "waiting": self.waiting,
            "rejected": self.rejected,
            "rejected_count": self.rejected_count,
        }

    def response(self) -> JsonResponse:
        """Answer 200 when anything was taken, 422 when everything was rejected, 400 when the body was cut off."""
        body = self.body()
        if self.cut_off:
            message = "The body ended before it was complete. What is counted here was taken; send the rest again."
            return JsonResponse(error_body("invalid_body", message) | body, status=400)
        if self.nothing_taken:
            message = f"Nothing was taken: {self.rejected[0]['error']}"
            return JsonResponse(error_body("rejected", message) | body, status=422)
        return JsonResponse(body)


@dataclass(slots=True)
class _Sent:
    """A batch of a body; what could be read of it is the same in every try to take it."""

    batch: list[Item]
    refused: list[Rejection] = field(default_factory=list)
    part: Part | None = None

    def read(self, read: Reader[Any], task: str) -> Part:
        if self.part is None:
            good, self.refused = _sort_out(self.batch, read, task)
            self.part = Part(good, timezone.now())
        return self.part


def _taking(read: Reader[Taken]) -> Callable[[Sequence[tuple[LeanCaller, _Sent]]], list[Receipt | Exception]]:
    """Make what takes the batches of calls that came together: those of one project in one transaction."""

    def take(calls: Sequence[tuple[LeanCaller, _Sent]]) -> list[Receipt | Exception]:
        parts = [sent.read(read, caller.task) for caller, sent in calls]
        outcomes: list[Receipt | Exception] = [NOTHING_TAKEN] * len(calls)
        for project_id in dict.fromkeys(caller.project_id for caller, _ in calls):
            numbers = [n for n, (caller, _) in enumerate(calls) if caller.project_id == project_id and parts[n].items]
            if numbers:
                taken = accept_together(project_id=project_id, parts=[parts[number] for number in numbers])
                for number, receipt in zip(numbers, taken, strict=True):
                    outcomes[number] = receipt
        return outcomes

    return take


def _alone(sent: _Sent) -> bool:
    return len(sent.batch) > ALONE


@shared_lean_call(Scope.INGEST, api_schema.Events, _taking(read_event), alone=_alone)
def events(request: HttpRequest, ask: Callable[[_Sent], Receipt]) -> JsonResponse:
    """Take events, with or without their labels."""
    return _take_body(request, ask)


@shared_lean_call(Scope.INGEST, api_schema.Labels, _taking(read_label_item), alone=_alone)
def labels(request: HttpRequest, ask: Callable[[_Sent], Receipt]) -> JsonResponse:
    """Take labels for events that came before."""
    return _take_body(request, ask)


def _take_body(request: HttpRequest, ask: Callable[[_Sent], Receipt]) -> JsonResponse:
    tally = Tally()
    try:
        batches = in_batches(read_body(request).items, BATCH)
        # An empty list has no batch, and whoever sends it must be known all the same.
        for batch in chain([next(batches, [])], batches):
            sent = _Sent(batch)
            tally.add(ask(sent), sent.refused)
    except BodyError as error:
        raise UserError(str(error), code="invalid_body") from None
    except UnreadablePostError:
        tally.cut_off = True
    return tally.response()


def take_items(
    items: Iterable[Item],
    task: str,
    read: Reader[Taken],
    take: Callable[[list[Taken]], Receipt],
) -> Tally:
    """Take items in, batch by batch: the good ones, whatever is wrong with those beside them."""
    tally = Tally()
    for batch in in_batches(items, BATCH):
        good, refused = _sort_out(batch, read, task)
        tally.add(take(good) if good else NOTHING_TAKEN, refused)
    return tally


def _sort_out(batch: Sequence[Item], read: Reader[Taken], task: str) -> tuple[list[Taken], list[Rejection]]:
    """Return what could be read of a batch, and why the rest could not."""
    good: list[Taken] = []
    refused: list[Rejection] = []
    for item in batch:
        try:
            if item.error:
                raise PayloadError("", item.error)
            good.append(read(item.line, item.value, task))
        except PayloadError as error:
            refused.append(Rejection(item.line, str(error)))
    return good, refused
