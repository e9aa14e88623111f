"""Asking what is deployed for the events of a stream, some seconds before their labels come: as in real use.

The event is stored with the answer, and the stream then brings its label by the same id. Asked twice, an event gets
the answer it got first, so nothing has to be remembered between two times.
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
from projects.river_streams import read_data_set, read_synthetic
from projects.synthetic import Recipe

#: So far ahead of a stream events are asked about, and how many of them at most.
SECONDS, MOST = 10.0, 500


def streams_to_ask() -> list[int]:
    """Return the streams at work whose events are to be predicted first, in projects where something is deployed."""
    deployed = Deployment.objects.order_by().values("project").distinct()
    streams = DataImport.objects.filter(state=DataImport.State.RUNNING, project__in=deployed, options__predict=True)
    return list(streams.filter(project__archived_at=None).values_list("pk", flat=True))


def ask_ahead(*, import_id: int, now: datetime) -> int:
    """Ask about the events that a stream brings next; return how many were predicted."""
    stream = DataImport.objects.select_related("project").get(pk=import_id)
    rate = float(stream.options.get("rate") or 0)
    left = (stream.total_rows or 0) - stream.row
    count = min(math.ceil(rate * SECONDS), MOST, left)
    if not rate or count <= 0:
        return 0
    items = [replace(event, label=MISSING, label_at=None) for event in _next_events(stream, count)]
    try:
        answers = predict_many(project=stream.project, items=items, now=now)
    except UserError:
        return 0  # what is deployed cannot be asked now; the labels come all the same
    return sum(not isinstance(answer, UserError) for answer in answers)


def _next_events(stream: DataImport, count: int) -> list[Incoming]:
    # Not the number of the import: under that one a worker keeps the stream open where it brings it in.
    if stream.kind == DataImport.Kind.SYNTHETIC:
        return read_synthetic(-stream.pk, Recipe.from_options(stream.options), stream.row, count)
    return read_data_set(-stream.pk, stream.options["data_set"], stream.row, count)
