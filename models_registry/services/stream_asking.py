"""Asking what is deployed for the events of a stream, some seconds before their labels come: as in real use.

The event is stored with the answer, and the stream then brings its label by the same id. Asked twice, an event gets
the answer it got first, so processes need not tell each other how far they asked.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from models_registry.models import Deployment
from models_registry.services.prediction import predict_many
from ops_portal.errors import UserError
from projects.models import DataImport
from projects.payload import MISSING, Incoming
from projects.river_streams import close_data_set, close_synthetic, read_data_set, read_synthetic
from projects.synthetic import Recipe

#: So many seconds ahead of a stream events are asked about.
SECONDS = 10.0
#: How far this process has asked about each stream, by the import and when it was made, and how many are kept.
_asked: dict[tuple[int, datetime], int] = {}
_KEPT = 64


def streams_to_ask() -> list[int]:
    """Return the streams at work whose events are to be predicted first, in projects where something is deployed."""
    deployed = Deployment.objects.order_by().values("project").distinct()
    streams = DataImport.objects.filter(state=DataImport.State.RUNNING, project__in=deployed, options__predict=True)
    return list(streams.filter(project__archived_at=None).values_list("pk", flat=True))


def ask_ahead(*, import_id: int, now: datetime) -> int:
    """Ask about the events that a stream brings next; return how many were predicted."""
    stream = DataImport.objects.select_related("project").filter(pk=import_id).first()
    if stream is None:
        return 0
    known = stream.pk, stream.created_at
    total = stream.total_rows or 0
    start = max(stream.row, _asked.get(known, 0))
    upto = min(stream.row + math.ceil(float(stream.options.get("rate") or 0) * SECONDS), total)
    if start >= upto:
        return 0
    events = _read(stream, start, upto - start, at_end=upto == total)
    items = [replace(event, label=MISSING, label_at=None) for event in events]
    try:
        answers = predict_many(project=stream.project, items=items, now=now)
    except UserError:
        return 0  # what is deployed cannot be asked now; the labels come all the same
    while len(_asked) >= _KEPT:
        _asked.pop(next(iter(_asked)))
    _asked[known] = upto
    return sum(not isinstance(answer, UserError) for answer in answers)


def _read(stream: DataImport, start: int, count: int, *, at_end: bool) -> list[Incoming]:
    # Not the number of the import: under that one a worker keeps the stream open where it brings it in.
    place = -stream.pk
    if stream.kind == DataImport.Kind.SYNTHETIC:
        found = read_synthetic(place, Recipe.from_options(stream.options), start, count)
    else:
        found = read_data_set(place, stream.options["data_set"], start, count)
    if at_end:
        close_synthetic(place) if stream.kind == DataImport.Kind.SYNTHETIC else close_data_set(place)
    return found
