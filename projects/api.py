"""The HTTP API that takes events and labels in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone

from ops_portal.errors import UserError, error_body
from projects import api_schema
from projects.api_bodies import read_body
from projects.api_lean import LeanCaller, lean_call
from projects.bodies import BodyError, Item, in_batches
from projects.models import Scope
from projects.payload import Incoming, IncomingLabel, PayloadError, read_event, read_label_item
from projects.services.events import Receipt, accept, accept_labels

#: Items per transaction: large enough to be fast, small enough to let others in between.
BATCH = 1_000
#: So many rejections are told one by one; the rest is counted.
TOLD = 1_000

Taken = TypeVar("Taken", Incoming, IncomingLabel)


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

    def add(self, receipt: Receipt) -> None:
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        self.corrections += receipt.corrections
        self.waiting += receipt.waiting
        for rejection in receipt.rejected:
            self.reject(rejection.line, rejection.error)

    @property
    def nothing_taken(self) -> bool:
        """Say whether every item was rejected."""
        return bool(self.rejected_count) and not self.accepted + self.duplicates + self.corrections + self.waiting

    def body(self) -> dict[str, Any]:
        """Return what is answered, the rejections in the order of their lines."""
        self.rejected.sort(key=lambda rejection: rejection["line"])
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


@lean_call(Scope.INGEST, api_schema.Events)
def events(request: HttpRequest, caller: LeanCaller) -> JsonResponse:
    """Take events, with or without their labels."""

    def take(items: list[Incoming]) -> Receipt:
        return accept(project_id=caller.project_id, items=items, now=timezone.now())

    return _take_body(request, caller.task, read_event, take)


@lean_call(Scope.INGEST, api_schema.Labels)
def labels(request: HttpRequest, caller: LeanCaller) -> JsonResponse:
    """Take labels for events that came before."""

    def take(items: list[IncomingLabel]) -> Receipt:
        return accept_labels(project_id=caller.project_id, labels=items, now=timezone.now())

    return _take_body(request, caller.task, read_label_item, take)


def _take_body(
    request: HttpRequest,
    task: str,
    read: Callable[[int, object, str], Taken],
    take: Callable[[list[Taken]], Receipt],
) -> JsonResponse:
    try:
        return take_items(read_body(request).items, task, read, take).response()
    except BodyError as error:
        raise UserError(str(error), code="invalid_body") from None


def take_items(
    items: Iterable[Item],
    task: str,
    read: Callable[[int, object, str], Taken],
    take: Callable[[list[Taken]], Receipt],
) -> Tally:
    """Take items in, batch by batch: the good ones, whatever is wrong with those beside them."""
    tally = Tally()
    try:
        for batch in in_batches(items, BATCH):
            good: list[Taken] = []
            for item in batch:
                try:
                    if item.error:
                        raise PayloadError("", item.error)
                    good.append(read(item.line, item.value, task))
                except PayloadError as error:
                    tally.reject(item.line, str(error))
            if good:
                tally.add(take(good))
    except UnreadablePostError:
        tally.cut_off = True
    return tally
