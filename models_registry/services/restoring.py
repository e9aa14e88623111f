"""Going back to any point: replay, deterministically, from the nearest kept version."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry import artifacts
from models_registry.models import Run, Version
from models_registry.services.runs import start_run
from ops_portal.errors import UserError


@transaction.atomic
def restore(*, run: Run, position: int, actor: AbstractBaseUser) -> Run | Version:
    """Have back the model that `run` held after the event at `position`.

    Where a version of that very position is kept it is returned; otherwise the run that replays it, in the worker, from
    the nearest earlier version, and publishes what it arrives at.

    Raises
    ------
    UserError
        The run was never at that position.

    """
    if not run.start_position < position <= run.position:
        raise UserError(
            f"Run {run.number} learned positions {run.start_position + 1:,} to {run.position:,}; choose one of those.",
            code="out_of_range",
            fields={"position": "Outside of what the run learned."},
        )
    nearest = nearest_kept(run, position)
    if nearest is not None and nearest.run_id == run.pk and nearest.position == position:
        return nearest
    return start_run(
        model=run.model,
        mode=Run.Mode.REPLAY,
        actor=actor,
        seed=run.seed,
        from_version=nearest,
        target_position=position,
        purpose=Run.Purpose.RESTORE,
        trigger=f"restore of run {run.number}",
        options={**run.options, "publish_every": 0},
    )


@transaction.atomic
def verify(*, version: Version, actor: AbstractBaseUser | None) -> Run:
    """Start a run that replays `version` from the version before it and reports whether the same model comes out."""
    if not version.digest:
        raise UserError(f"{version} is still being sealed; try again in a moment.", code="not_sealed", status=409)
    return start_run(
        model=version.model,
        mode=Run.Mode.REPLAY,
        actor=actor,
        seed=version.run.seed,
        from_version=nearest_kept(version.run, version.position - 1),
        target_position=version.position,
        purpose=Run.Purpose.VERIFY,
        verifies=version,
        trigger=f"verification of {version}",
        options={**version.run.options, "publish_every": 0},
    )


def nearest_kept(run: Run, position: int) -> Version | None:
    """The version of the run's lineage nearest before or at `position` whose artifact is kept; None: from nothing."""
    lineage: Run | None = run
    while lineage is not None:
        for version in lineage.versions.filter(position__lte=position).order_by("-position"):
            if _is_kept(version):
                return version
        origin: Version | None = lineage.from_version
        if origin is None:
            return None
        if origin.position <= position and _is_kept(origin):
            return origin
        lineage = origin.run
    return None


def _is_kept(version: Version) -> bool:
    """Say whether a version's file is there: retention may have removed it, or somebody past the portal."""
    return version.artifact_removed_at is None and artifacts.storage().exists(artifacts.path_of(version.artifact))
