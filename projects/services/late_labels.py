"""Labels that come before their event, too late, or never."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from ops_portal.errors import UserError
from projects.event_store import lock_stream
from projects.labels import LabelRule
from projects.models import EarlyLabel, Event, LabelDeadline, MissedLabel, Project
from projects.payload import MISSING, IncomingLabel, PayloadError, read_label
from projects.selectors.labels import wait_in_words
from projects.services.activity import record
from projects.services.archived import check_open
from projects.services.events import accept_labels

SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=3650)
#: Events looked at in one transaction.
ROWS = 1_000
#: A label whose event has not come by then has a wrong id.
EARLY_KEPT = timedelta(days=30)

_encode = msgspec.json.encode
_decode = msgspec.json.decode


@transaction.atomic
def set_label_deadline(*, project: Project, actor: User, wait: timedelta | None, default: object = MISSING) -> None:
    """Say what becomes of events whose label has not come after `wait`; None lets them wait for ever.

    They get the label `default`, or stay without one. Events that were settled under an earlier rule stay as they are.
    """
    check_open(project)
    text = check_rule(project=project, wait=wait, default=default)
    LabelDeadline.objects.update_or_create(project=project, defaults={"wait": wait, "default": text, "settled_upto": 0})
    said = "are unknown" if not text else f"get the label {text}"
    summary = (
        "let events wait for their label for ever"
        if wait is None
        else f"set that events without a label after {wait_in_words(wait)} {said}"
    )
    seconds = None if wait is None else wait.total_seconds()
    record(
        actor=actor,
        verb="labels.deadline",
        summary=summary,
        project=project,
        wait_seconds=seconds,
        default=text or None,
    )


def check_rule(*, project: Project, wait: timedelta | None, default: object = MISSING) -> str:
    """Return the default of a rule as JSON text, empty when it has none; refuse a rule that cannot be applied."""
    if wait is not None and not SHORTEST_WAIT <= wait <= LONGEST_WAIT:
        raise UserError("Let events wait for a minute at least and ten years at most.", fields={"wait": "range"})
    if default is MISSING:
        return ""
    try:
        rule = LabelRule(project.task, project.label_type, project.label_classes)
        return _encode(rule.check(read_label(default, project.task))).decode()
    except PayloadError as error:
        raise UserError(f"This cannot be a label here: {error.problem}.", fields={"default": error.problem}) from None


@transaction.atomic
def settle_overdue(*, project_id: int, now: datetime) -> bool:
    """Apply the project's rule to the next events in line; say whether there may be more to do at once."""
    stream = lock_stream(project_id)
    rule = LabelDeadline.objects.filter(project_id=project_id, wait__isnull=False).first()
    if stream is None or stream.archived or rule is None or rule.wait is None:
        return False
    behind = Event.objects.filter(project_id=project_id, pk__gt=rule.settled_upto).order_by("pk")
    looked_at = list(behind.values_list("pk", "key", "label", "received_at")[:ROWS])
    old = []
    for pk, key, label, received_at in looked_at:
        if received_at > now - rule.wait:
            break  # the ones behind it came later still
        old.append((pk, key, label))
    if not old:
        return False
    known = set(MissedLabel.objects.filter(event_id__in=[pk for pk, _, _ in old]).values_list("event_id", flat=True))
    overdue = [(pk, key) for pk, key, label in old if label is None and pk not in known]
    _settle(rule, overdue, now)
    LabelDeadline.objects.filter(pk=rule.pk).update(settled_upto=old[-1][0])
    return len(old) == ROWS


def _settle(rule: LabelDeadline, overdue: list[tuple[int, str]], now: datetime) -> None:
    assert rule.wait is not None
    given = f"the label {rule.default} was given by the project's rule" if rule.default else "it is unknown"
    reason = f"No label came within {wait_in_words(rule.wait)}, so {given}."
    if rule.default:
        label = _decode(rule.default)
        accept_labels(project_id=rule.project_id, labels=[IncomingLabel(0, key, label) for _, key in overdue], now=now)
    MissedLabel.objects.bulk_create(
        MissedLabel(event_id=pk, default=rule.default, reason=reason, at=now) for pk, _ in overdue
    )
    counter = "defaulted" if rule.default else "unknown"
    LabelDeadline.objects.filter(pk=rule.pk).update(**{counter: F(counter) + len(overdue)})


def projects_with_deadlines() -> list[int]:
    """Return the projects whose events may be overdue."""
    rules = LabelDeadline.objects.filter(wait__isnull=False, project__archived_at=None)
    return list(rules.values_list("project_id", flat=True))


@transaction.atomic
def join_early_labels(*, project_id: int, now: datetime) -> bool:
    """Join labels to events that came as questions to a model, past the lock of the stream; say whether more wait."""
    stream = lock_stream(project_id)
    if stream is None or stream.archived or not stream.early_labels:
        return False
    event = Event.objects.filter(project_id=project_id, key=OuterRef("key"))
    due = list(EarlyLabel.objects.filter(Exists(event), project_id=project_id).order_by("pk")[:ROWS])
    if not due:
        return False
    EarlyLabel.objects.filter(pk__in=[one.pk for one in due]).delete()
    Project.objects.filter(pk=project_id).update(early_labels=F("early_labels") - len(due))
    labels = [IncomingLabel(0, one.key, _decode(one.label), one.received_at, one.label_at) for one in due]
    accept_labels(project_id=project_id, labels=labels, now=now)
    return len(due) == ROWS


def projects_with_early_labels() -> list[int]:
    """Return the projects in which labels wait for their event."""
    return list(Project.objects.filter(early_labels__gt=0, archived_at=None).values_list("pk", flat=True))


@transaction.atomic
def discard_early_labels(
    *, project: Project, actor: User | None, before: datetime | None = None, key: str | None = None
) -> int:
    """Throw away labels whose event has not come: those received before a time, or those for one id; say how many."""
    lock_stream(project.pk)
    waiting = EarlyLabel.objects.filter(project=project)
    if before is not None:
        waiting = waiting.filter(received_at__lt=before)
    if key is not None:
        waiting = waiting.filter(key=key)
    gone, _ = waiting.delete()
    if gone:
        Project.objects.filter(pk=project.pk).update(early_labels=F("early_labels") - gone)
        what = f"{gone:,} label{'' if gone == 1 else 's'} whose event did not come"
        record(actor=actor, verb="labels.discarded", summary=f"discarded {what}", project=project, labels=gone)
    return gone


def discard_old_early_labels(*, now: datetime) -> int:
    """Throw away labels that waited for their event for too long; return how many."""
    before = now - EARLY_KEPT
    old = Project.objects.filter(Exists(EarlyLabel.objects.filter(project=OuterRef("pk"), received_at__lt=before)))
    return sum(discard_early_labels(project=project, actor=None, before=before) for project in old)
