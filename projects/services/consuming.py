"""Taking messages of a stream outside the portal in: committed first, acknowledged afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from projects.messages import Message, read_message
from projects.models import DataImport, Project
from projects.payload import Incoming, IncomingLabel, PayloadError
from projects.services.activity import record
from projects.services.archived import check_open
from projects.services.events import Rejection, accept_mixed
from projects.services.set_aside import set_aside

State = DataImport.State


@transaction.atomic
def open_stream(
    *,
    project: Project,
    actor: User,
    kind: str,
    name: str,
    address: str,
    now: datetime,
    arguments: Sequence[str] = (),
) -> DataImport:
    """Return the record of a stream that flows into the project: the one at work under this address, or a new one.

    All consumers of one group share it; pausing or cancelling it on its page reaches them all. `arguments` are those
    of `manage.py consume`, kept for whoever has to start it again: no secrets in them.
    """
    check_open(project)
    at_work = project.imports.filter(kind=kind, options__address=address).exclude(state__in=DataImport.ENDED)
    # Not under the lock on the project: whoever takes messages in locks the stream first and the project after it.
    if known := at_work.first():
        known.options |= {"arguments": list(arguments)}
        known.seen_at = now
        known.save(update_fields=["options", "seen_at"])
        return known
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()
    if opened := at_work.first():  # by another consumer, a moment ago
        return opened
    made = DataImport.objects.create(
        project=project,
        kind=kind,
        name=name[:200],
        options={"address": address, "arguments": list(arguments)},
        state=State.RUNNING,
        seen_at=now,
        created_by=actor,
    )
    summary = f"connected {made.get_kind_display()} {name}"
    record(actor=actor, verb="import.started", summary=summary, project=project, data_import=made.pk)
    return made


def say_alive(*, stream: DataImport, now: datetime) -> None:
    """Note that a consumer process is there; without it for `CONSUMER_SILENCE_SECONDS` the page says that none is."""
    DataImport.objects.filter(pk=stream.pk).update(seen_at=now)


@transaction.atomic
def take_messages(*, stream: DataImport, messages: Sequence[Message], source: str, now: datetime) -> bool:
    """Take messages in, in one transaction; say whether the stream still flows: if not, nothing was taken.

    A message that cannot be read is set aside with its reason and counts as done, so that it stops nobody.
    """
    flowing = DataImport.objects.select_for_update().filter(pk=stream.pk, state__in=DataImport.ACTIVE).first()
    if flowing is None:
        return False
    task = stream.project.task
    items: list[Incoming | IncomingLabel] = []
    rejected: list[Rejection] = []
    for line, message in enumerate(messages, start=flowing.row + 1):
        try:
            items.append(read_message(line, message, source, task))
        except PayloadError as wrong:
            rejected.append(Rejection(line, f"{message.name}: {wrong}"))
    receipt = accept_mixed(project_id=stream.project_id, items=items, now=now)
    rejected += receipt.rejected
    raw = {one.line: messages[one.line - flowing.row - 1].body[:2000].decode("utf-8", "replace") for one in rejected}
    set_aside(data_import=flowing, rejected=rejected, raw=raw)
    DataImport.objects.filter(pk=stream.pk).update(
        state=State.RUNNING,
        seen_at=now,
        row=F("row") + len(messages),
        accepted=F("accepted") + receipt.accepted + receipt.waiting,
        duplicates=F("duplicates") + receipt.duplicates,
        corrections=F("corrections") + receipt.corrections,
        rejected=F("rejected") + len(rejected),
    )
    return True
