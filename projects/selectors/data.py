"""What the data pages show."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Case, CharField, Count, F, Q, Value, When
from django.utils import timezone

from projects.models import DataImport, Event, LabelCorrection, Project

State = DataImport.State
STREAM_KINDS = {DataImport.Kind.BUNDLED.label, DataImport.Kind.SYNTHETIC.label}
CONSUMED_KINDS = {kind.label for kind in DataImport.CONSUMED}
#: The state of a stream that nothing takes in: it waits for a process to be started.
NO_PROCESS = "no_process"
#: Features shown as columns of their own; the rest is on the event's page.
COLUMNS = 5
NEWEST = 12
IMPORTS = 8


@dataclass(frozen=True)
class ImportRow:
    """An import as lists show it."""

    pk: int
    name: str
    kind: str
    state: str
    done: int
    total: int | None
    accepted: int
    duplicates: int
    corrections: int
    rejected: int
    rate: float
    error: str
    by: str
    created_at: datetime
    finished_at: datetime | None
    #: When a consumer was last seen, and how `manage.py consume` is started again: all but the project and the user.
    seen_at: datetime | None
    again: str

    @property
    def active(self) -> bool:
        """Say whether a worker may be at it."""
        return self.state in DataImport.ACTIVE

    @property
    def consumed(self) -> bool:
        """Say whether a consumer process takes it in, without an end to be seen."""
        return self.kind in CONSUMED_KINDS

    @property
    def silent(self) -> bool:
        """Say whether it needs a consumer and none was seen for so long that none can be there."""
        if not self.consumed or self.state in DataImport.ENDED:
            return False
        return self.seen_at is None or self.seen_at < _silence_begins()

    @property
    def shown_state(self) -> str:
        """Its state as it is shown: of a stream, whether a process takes it in."""
        if not self.consumed or not self.active:
            return self.state
        return NO_PROCESS if self.silent else State.RUNNING

    @property
    def paced(self) -> bool:
        """Say whether it is a stream whose rate can be changed now."""
        return self.kind in STREAM_KINDS and self.state not in DataImport.ENDED

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def rows(self) -> int:
        """Rows looked at so far, whatever became of them."""
        return self.accepted + self.duplicates + self.corrections + self.rejected

    @property
    def brought(self) -> bool:
        """Say whether it is over and there is something to learn from."""
        return self.state == State.COMPLETED and self.accepted + self.duplicates > 0

    @property
    def doing(self) -> str:
        """What goes on, beside the progress bar."""
        if self.consumed:
            return f"{self.rows:,} entries done; manage.py consume takes them in"
        return f"{self.rows:,} rows done" if self.state != State.QUEUED or self.rows else "Waiting for a worker"

    @property
    def summary(self) -> str:
        """What a finished import brought."""
        aside = f" {self.rejected:,} were set aside." if self.rejected else ""
        return f"{self.accepted:,} of {self.rows:,} rows were taken in.{aside}"


@dataclass(frozen=True)
class EventRow:
    """An event as lists show it: the first features by column, the number of the others."""

    pk: int
    key: str
    values: list[Any]
    more: int
    label: Any
    position: int | None
    event_at: datetime | None
    received_at: datetime


@dataclass(frozen=True)
class DataOverview:
    """The data page."""

    events: int
    labelled: int
    waiting: int
    early: int
    share: float | None
    imports: list[ImportRow]
    columns: list[str]
    newest: list[EventRow]

    @property
    def busy(self) -> bool:
        """Say whether the page should ask again soon."""
        return any(row.active for row in self.imports)


@dataclass(frozen=True)
class EventDetail:
    """One event with everything known about it."""

    pk: int
    key: str
    features: dict[str, Any]
    label: Any
    position: int | None
    event_at: datetime | None
    received_at: datetime
    labelled_at: datetime | None
    #: When the label was observed, as its sender says.
    label_at: datetime | None
    #: Each with when it came and when it was observed.
    corrections: list[tuple[Any, datetime, datetime | None]]
    #: Why it has no label, or a default one.
    missed: str

    @property
    def ahead(self) -> bool:
        """Say whether it happened, by the sender's clock, after it was received."""
        return self.event_at is not None and self.event_at > self.received_at

    @property
    def label_ahead(self) -> bool:
        """Say whether its label was observed, by the sender's clock, after it was received."""
        return self.label_at is not None and self.labelled_at is not None and self.label_at > self.labelled_at


def data_overview(project: Project) -> DataOverview:
    """Return the data page of `project`; two queries besides the project's own."""
    # Labels are numbered without gaps, so the newest position is their number: nothing has to be counted.
    labelled, events = project.last_position, project.event_count
    imports = project.imports.select_related("created_by")[:IMPORTS]
    columns, newest = _newest_events(project)
    return DataOverview(
        events=events,
        labelled=labelled,
        waiting=events - labelled,
        early=project.early_labels,
        share=labelled / events if events else None,
        imports=[import_row(data_import) for data_import in imports],
        columns=columns,
        newest=newest,
    )


def count_imports() -> dict[str, int]:
    """Count all imports by the state that is shown; one query."""
    active = Q(kind__in=DataImport.CONSUMED, state__in=DataImport.ACTIVE)
    shown = Case(
        When(active & Q(seen_at__gte=_silence_begins()), then=Value(State.RUNNING.value)),
        When(active, then=Value(NO_PROCESS)),
        default=F("state"),
        output_field=CharField(),
    )
    return dict(DataImport.objects.order_by().values_list(shown).annotate(n=Count("pk")))


def _silence_begins() -> datetime:
    """A consumer that was last seen before this is not there any more."""
    return timezone.now() - timedelta(seconds=settings.CONSUMER_SILENCE_SECONDS)


def import_row(data_import: DataImport) -> ImportRow:
    """Return `data_import` as lists show it."""
    options = data_import.options
    by_bytes = data_import.kind in {DataImport.Kind.CSV, DataImport.Kind.NDJSON}
    by = data_import.created_by
    return ImportRow(
        pk=data_import.pk,
        name=data_import.name,
        kind=data_import.get_kind_display(),
        state=data_import.state,
        done=data_import.offset if by_bytes else data_import.row,
        total=options.get("size") if by_bytes else data_import.total_rows,
        accepted=data_import.accepted,
        duplicates=data_import.duplicates,
        corrections=data_import.corrections,
        rejected=data_import.rejected,
        rate=float(options.get("rate") or 0),
        error=data_import.error,
        by=(by.get_full_name() or by.get_username()) if by else "",
        created_at=data_import.created_at,
        finished_at=data_import.finished_at,
        seen_at=data_import.seen_at,
        again=shlex.join(options.get("arguments") or []),
    )


def same_file(data_import: DataImport) -> DataImport | None:
    """Return the newest import of the same content that was confirmed before; one query."""
    others = DataImport.objects.filter(
        project_id=data_import.project_id, options__digest=data_import.options.get("digest", "")
    )
    return others.exclude(state=State.PREVIEW).exclude(pk=data_import.pk).first()


def event_detail(project: Project, pk: int) -> EventDetail | None:
    """Return one event, None when there is no such event in `project`; two queries."""
    event = project.events.select_related("missed_label").filter(pk=pk).first()
    if event is None:
        return None
    corrections = LabelCorrection.objects.filter(event=event).values_list("label", "received_at", "label_at")
    return EventDetail(
        pk=event.pk,
        key=event.key,
        features=msgspec.json.decode(event.features),
        label=_decoded(event.label),
        position=event.position,
        event_at=event.event_at,
        received_at=event.received_at,
        labelled_at=event.labelled_at,
        label_at=event.label_at,
        corrections=[(_decoded(label), at, observed) for label, at, observed in corrections],
        missed=event.missed_label.reason if hasattr(event, "missed_label") else "",
    )


def _newest_events(project: Project) -> tuple[list[str], list[EventRow]]:
    events = list(project.events.order_by("-pk")[:NEWEST])
    features = [msgspec.json.decode(event.features) for event in events]
    columns = list(dict.fromkeys(name for one in features for name in one))[:COLUMNS]
    return columns, [_event_row(event, one, columns) for event, one in zip(events, features, strict=True)]


def _event_row(event: Event, features: dict[str, Any], columns: list[str]) -> EventRow:
    shown = [features.get(name) for name in columns]
    more = sum(name not in columns for name in features)
    return EventRow(
        pk=event.pk,
        key=event.key,
        values=shown,
        more=more,
        label=_decoded(event.label),
        position=event.position,
        event_at=event.event_at,
        received_at=event.received_at,
    )


def _decoded(label: str | None) -> Any:
    return None if label is None else msgspec.json.decode(label)
