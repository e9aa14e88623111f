"""Keeping how a run's predictions turned out: the newest million of them, in segments of the stream."""

from __future__ import annotations

from collections.abc import Sequence

from models_registry.learning.outcomes import MOST_SEGMENTS, Outcomes, fill_segment, split_segments
from models_registry.models import OutcomeSegment, Run


def keep_outcomes(*, run: Run, outcomes: Sequence[Outcomes]) -> None:
    """Add outcomes to those of a run, in the caller's transaction; segments beyond the newest ones go."""
    parts = split_segments(outcomes)
    if not parts:
        return
    # Only the first of them can have been begun by the chunk before.
    first, task = min(parts), run.project.task
    begun = OutcomeSegment.objects.filter(run=run, number=first).first()
    OutcomeSegment.objects.bulk_create(
        OutcomeSegment(run=run, number=number, data=fill_segment(task, number, b"", part))
        for number, part in parts.items()
        if begun is None or number != first
    )
    if begun is not None:
        begun.data = fill_segment(task, first, bytes(begun.data), parts[first])
        begun.save(update_fields=["data"])
    if max(parts) > first:
        OutcomeSegment.objects.filter(run=run, number__lte=max(parts) - MOST_SEGMENTS).delete()
