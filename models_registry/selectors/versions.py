"""Versions as their pages show them: lists, one version with its lineage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404

from models_registry.models import Deployment, Verification, Version
from models_registry.selectors.environments import describe_change
from models_registry.selectors.metrics import MetricRow, note_baseline, read_metrics, read_primary
from models_registry.selectors.people import name_person
from models_registry.selectors.pipelines import Step, draw_pipeline, name_steps
from projects.models import Project

PER_PAGE = 25
#: Ancestors and descendants drawn on a version's page; what lies between is counted.
SHOWN_ANCESTORS = 4
SHOWN_CHILDREN = 6
SHOWN_VERIFICATIONS = 5


@dataclass(frozen=True)
class Serving:
    """What a project's newest deployment says."""

    version_id: int | None = None
    run_id: int | None = None
    follows: bool = False


@dataclass(frozen=True)
class VersionRow:
    """A version in a list."""

    number: int
    model_id: int
    model_name: str
    run_number: int
    position: int
    parent: int | None
    reason: str
    metric: MetricRow
    artifact_bytes: int
    serving: bool
    follows: bool
    #: Who asked for it; empty where the run published it by itself.
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class Relative:
    """A version in a lineage: where it stands and where it came from."""

    number: int
    position: int
    run_number: int
    reason: str
    created_at: datetime
    current: bool = False
    serving: bool = False
    #: Versions between this one and the one before it that are not drawn.
    skipped: int = 0


@dataclass(frozen=True)
class Lineage:
    """The chain from the first version down to this one, and the versions that went on from it."""

    ancestors: tuple[Relative, ...]
    children: tuple[Relative, ...]
    more_children: int


@dataclass(frozen=True)
class Served:
    """A deployment of a version."""

    number: int
    title: str
    mode: str
    reason: str
    by: str
    at: datetime
    rollback: bool


@dataclass(frozen=True)
class Verified:
    """What a replay of a version found, and the run that did it."""

    identical: bool
    differs_since: int | None
    #: What code and libraries changed since it was learned, where that may be why.
    change: str
    run_number: int
    by: str
    at: datetime


@dataclass(frozen=True)
class VersionPage:
    """One version with everything kept about it."""

    row: VersionRow
    metrics: tuple[MetricRow, ...]
    spec: dict[str, Any]
    words: str
    pipeline: list[Step]
    start_position: int
    learned: int
    seed: int
    artifact: str
    digest: str
    environment: dict[str, str]
    lineage: Lineage
    deployments: tuple[Served, ...]
    verifications: tuple[Verified, ...]

    @property
    def baseline_note(self) -> str:
        """Say how the model does against the baseline."""
        return note_baseline(self.metrics)


def find_serving(project: Project) -> Serving:
    """Return what serves now. One query."""
    newest = (
        Deployment.objects.filter(project=project)
        .order_by("-number")
        .values_list("version_id", "version__run_id", "mode")
        .first()
    )
    if newest is None:
        return Serving()
    return Serving(newest[0], newest[1], newest[2] == Deployment.Mode.FOLLOW)


def list_versions(
    project: Project, *, model_id: int | None = None, run_number: int | None = None, page: str | None = None
) -> Page[VersionRow]:
    """Return a page of versions, newest first. Three queries."""
    versions = Version.objects.filter(project=project)
    if model_id is not None:
        versions = versions.filter(model_id=model_id)
    if run_number is not None:
        versions = versions.filter(run__number=run_number)
    found: Page[Any] = Paginator(versions, PER_PAGE).get_page(page)
    start = found.start_index() - 1 if found.paginator.count else 0
    found.object_list = list_version_rows(project, versions[start : start + PER_PAGE])
    return found


def list_version_rows(project: Project, versions: QuerySet[Version]) -> tuple[VersionRow, ...]:
    """Return versions as rows, in the order they come. Two queries."""
    serving = find_serving(project)
    chosen = versions.select_related("model", "run", "parent", "created_by").defer(
        "spec", "environment", "model__spec", "run__spec", "run__summary", "parent__metrics", "parent__spec"
    )
    return tuple(_row(version, project, serving) for version in chosen)


def find_version(project: Project, number: int) -> Version:
    """Return a version of the project by its number, or raise `Http404`. One query."""
    found = (
        Version.objects.filter(project=project, number=number)
        .select_related("model", "run", "parent", "created_by", "project__team")
        .first()
    )
    if found is None:
        raise Http404
    return found


def open_version(project: Project, number: int) -> VersionPage:
    """Return one version of a project, or raise `Http404`. Five queries."""
    version = find_version(project, number)
    serving = find_serving(project)
    return VersionPage(
        row=_row(version, project, serving),
        metrics=read_metrics(version.metrics, project),
        spec=version.spec,
        words=name_steps(version.spec),
        pipeline=draw_pipeline(version.spec),
        start_position=version.run.start_position,
        learned=version.position,
        seed=version.run.seed,
        artifact=version.artifact,
        digest=version.digest,
        environment=version.environment,
        lineage=_lineage(version, serving),
        deployments=_deployments(version),
        verifications=_verifications(version),
    )


def _row(version: Version, project: Project, serving: Serving) -> VersionRow:
    serves = serving.version_id == version.pk
    return VersionRow(
        number=version.number,
        model_id=version.model_id,
        model_name=version.model.name,
        run_number=version.run.number,
        position=version.position,
        parent=version.parent.number if version.parent else None,
        reason=version.get_reason_display(),
        metric=read_primary(version.metrics, project),
        artifact_bytes=version.artifact_bytes,
        serving=serves,
        follows=serves and serving.follows,
        created_by=name_person(version.created_by) if version.created_by else "",
        created_at=version.created_at,
    )


def _lineage(version: Version, serving: Serving) -> Lineage:
    """Walk up from `version` in memory: parents are versions of the same model, read in one query."""
    family = {
        row.pk: row
        for row in Version.objects.filter(model_id=version.model_id)
        .select_related("run")
        .only("number", "position", "reason", "created_at", "parent_id", "run__number")
    }
    chain = [family[version.pk]]
    while parent := family.get(chain[-1].parent_id or 0):
        chain.append(parent)
    chain.reverse()
    skipped = max(0, len(chain) - SHOWN_ANCESTORS)
    shown = [chain[0], *chain[-(SHOWN_ANCESTORS - 1) :]] if skipped else chain
    children = sorted((row for row in family.values() if row.parent_id == version.pk), key=lambda row: row.number)
    ancestors = [
        _relative(row, serving, current=row.pk == version.pk, skipped=skipped if index == 1 and skipped else 0)
        for index, row in enumerate(shown)
    ]
    return Lineage(
        tuple(ancestors),
        tuple(_relative(row, serving) for row in children[:SHOWN_CHILDREN]),
        max(0, len(children) - SHOWN_CHILDREN),
    )


def _relative(row: Version, serving: Serving, *, current: bool = False, skipped: int = 0) -> Relative:
    return Relative(
        number=row.number,
        position=row.position,
        run_number=row.run.number,
        reason=row.get_reason_display(),
        created_at=row.created_at,
        current=current,
        serving=row.pk == serving.version_id,
        skipped=skipped,
    )


def _deployments(version: Version) -> tuple[Served, ...]:
    rows = (
        Deployment.objects.filter(version=version).select_related("created_by", "previous__version").order_by("-number")
    )
    return tuple(
        Served(
            number=row.number,
            title=_title(row),
            mode=row.get_mode_display().split(":")[0].lower(),
            reason=row.reason,
            by=name_person(row.created_by),
            at=row.created_at,
            rollback=row.kind == Deployment.Kind.ROLLBACK,
        )
        for row in rows
    )


def _verifications(version: Version) -> tuple[Verified, ...]:
    rows = Verification.objects.filter(version=version).select_related("run__created_by")[:SHOWN_VERIFICATIONS]
    return tuple(
        Verified(
            identical=row.identical,
            differs_since=row.differs_since,
            change="" if row.identical else describe_change(version.environment, row.run.environment),
            run_number=row.run.number,
            by=name_person(row.run.created_by),
            at=row.created_at,
        )
        for row in rows
    )


def _title(row: Deployment) -> str:
    if row.kind == Deployment.Kind.ROLLBACK:
        return f"Restored by a rollback from {row.previous.version}" if row.previous else "Restored by a rollback"
    return f"Deployed after {row.previous.version}" if row.previous else "Deployed first"
