"""Retention: of many versions some keep their files. The rows, and with them history and lineage, all stay.

Kept are the files of versions that are or were deployed, that are tagged, that a run at work starts from, the newest of
each run, and a number evenly spaced along the run. Any other state is a replay away (`restoring`).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from models_registry import artifacts
from models_registry.models import Run, Version
from models_registry.services.chunks import artifact_in_use
from projects.models import Project
from projects.services.activity import record


def retain() -> int:
    """Go through every run with more versions than are kept; return how many files were removed."""
    crowded = (
        Version.objects.filter(artifact_removed_at=None)
        .values("run_id")
        .annotate(versions=Count("pk"))
        .filter(versions__gt=settings.VERSIONS_KEPT_PER_RUN)
        .values_list("run_id", flat=True)
    )
    return sum(retain_run(run_id=run_id) for run_id in list(crowded))


def retain_run(*, run_id: int) -> int:
    """Apply the rule to one run; return how many files were removed."""
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).select_related("project__team").get(pk=run_id)
        removed = _removable(run)
        Version.objects.filter(pk__in=[version.pk for version in removed]).update(artifact_removed_at=timezone.now())
        if removed:
            _record(run.project, run, removed)
    for version in removed:
        # Another version or the run's checkpoint may be the same bytes.
        if not artifact_in_use(version.artifact):
            artifacts.discard(version.artifact)
    return len(removed)


def _removable(run: Run) -> list[Version]:
    versions = list(run.versions.filter(artifact_removed_at=None).order_by("position"))
    spaced = set(evenly_spaced([version.position for version in versions], settings.VERSIONS_KEPT_PER_RUN))
    wanted = (
        Q(deployments__isnull=False)
        | Q(canary_of__isnull=False)
        | Q(proposals__isnull=False)
        | Q(shadow_changes__isnull=False)
        | Q(runs_from__state__in=(*Run.ACTIVE, Run.State.PAUSED))
    )
    marked = set(run.versions.filter(wanted).values_list("pk", flat=True))
    return [
        version
        for version in versions
        if version.position not in spaced and not version.tag and version.pk not in marked
    ]


def evenly_spaced(positions: Sequence[int], keep: int) -> list[int]:
    """Return `keep` of the rising `positions`, the first and the last among them, as evenly spaced as they allow.

    The neighbour whose removal leaves the smallest gap goes first, so that what was kept once tends to be kept again.

    Examples
    --------
    >>> evenly_spaced([10, 20, 30, 40, 50, 60, 70], 4)
    [10, 30, 50, 70]

    """
    kept = list(positions)
    while len(kept) > max(keep, 2):
        gaps = [(kept[i + 1] - kept[i - 1], i) for i in range(1, len(kept) - 1)]
        del kept[min(gaps)[1]]
    return kept


def _record(project: Project, run: Run, removed: Sequence[Version]) -> None:
    size = sum(version.artifact_bytes for version in removed) / 2**20
    names = ", ".join(str(version) for version in removed[:8]) + (" …" if len(removed) > 8 else "")
    record(
        actor=None,
        verb="versions.retained",
        summary=f"removed the files of {len(removed)} versions of run {run.number} ({size:.1f} MB): {names}",
        project=project,
        run=run.pk,
        versions=[version.number for version in removed],
    )
