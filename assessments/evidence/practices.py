"""Which finding answers which practice of the catalogue."""

from __future__ import annotations

from assessments.evidence.finding import CHECKS, Finding
from assessments.evidence.records import Records
from assessments.principles import Catalogue, Practice


def finding_for(practice: Practice, records: Records) -> Finding | None:
    """Return what the records say about `practice`, or None when they say nothing."""
    check = CHECKS.get(practice.evidence or "")
    return check.ask(records) if check else None


def findings_for(catalogue: Catalogue, records: Records) -> dict[str, Finding]:
    """Return what the records say, by practice id; practices they say nothing about are left out."""
    found = {
        practice.id: finding_for(practice, records)
        for principle in catalogue.principles
        for practice in principle.practices
    }
    return {practice: finding for practice, finding in found.items() if finding}
