"""Models as their pages show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404

from models_registry.learning.templates import find_template, list_templates
from models_registry.models import Deployment, RegisteredModel, Run, Version
from models_registry.selectors.metrics import MetricRow, read_primary
from models_registry.selectors.people import name_person
from models_registry.selectors.pipelines import Component, Step, draw_pipeline, list_components, name_steps
from models_registry.selectors.runs import RunRow, list_run_rows
from models_registry.selectors.versions import VersionRow, list_version_rows
from projects.models import Project

PER_PAGE = 25
#: Runs and versions shown on a model's own page; their lists have them all.
SHOWN_ROWS = 8


@dataclass(frozen=True)
class TemplateCard:
    """A template to start from: what it is called, what it is good for, and its steps."""

    slug: str
    title: str
    help: str
    words: str


@dataclass(frozen=True)
class Start:
    """What a new model starts from: an empty page, a template, or an older model."""

    title: str
    name: str = ""
    note: str = ""
    spec: dict[str, Any] = field(default_factory=dict)
    model_id: int | None = None


@dataclass(frozen=True)
class ModelRow:
    """A model in the list."""

    pk: int
    name: str
    words: str
    runs: int
    at_work: int
    newest_version: int | None
    position: int | None
    metric: MetricRow
    best: bool
    #: The version of this model that serves now, as `v12`; empty when none does.
    serving: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class ModelPage:
    """A model with its drawing, its parameters, its newest runs and versions."""

    pk: int
    name: str
    note: str
    words: str
    spec: dict[str, Any]
    pipeline: list[Step]
    components: tuple[Component, ...]
    created_by: str
    created_at: datetime
    archived: bool
    runs: tuple[RunRow, ...]
    run_count: int
    versions: tuple[VersionRow, ...]
    version_count: int


def list_template_cards(task: str) -> list[TemplateCard]:
    """Return the templates that fit a task. No query."""
    return [
        TemplateCard(template.slug, template.title, template.help, name_steps(template.spec))
        for template in list_templates(task)
    ]


def find_start(project: Project, *, template: str | None, model_id: str | None) -> Start | None:
    """Return what a new model starts from, or None when that is still to be chosen. At most two queries."""
    if model_id:
        found = RegisteredModel.objects.filter(project=project, pk=model_id).first() if model_id.isdecimal() else None
        if found is None:
            raise Http404
        return Start(found.name, _next_name(project, found.name), f"From {found.name}.", found.spec, found.pk)
    if template == "blank":
        return Start("an empty page")
    if not template:
        return None
    try:
        chosen = find_template(template)
    except LookupError:
        return None
    if project.task not in chosen.tasks:
        return None
    return Start(chosen.title, _next_name(project, chosen.title), spec=chosen.spec)


def _next_name(project: Project, name: str) -> str:
    """Return `name`, or `name 2`, `name 3` ... where it is taken."""
    stem = name.rstrip("0123456789 ")[:70] or name[:70]
    taken = set(RegisteredModel.objects.filter(project=project, name__startswith=stem).values_list("name", flat=True))
    if name not in taken:
        return name
    return next(free for number in range(2, len(taken) + 3) if (free := f"{stem} {number}") not in taken)


def list_models(project: Project, page: str | None = None) -> Page[ModelRow]:
    """Return a page of models, newest first, each with its newest version. Four queries."""
    newest = Version.objects.filter(model=OuterRef("pk")).order_by("-number")
    models = (
        RegisteredModel.objects.filter(project=project, archived_at=None)
        .select_related("created_by")
        .annotate(
            run_count=Count("runs", distinct=True),
            at_work=Count("runs", filter=Q(runs__state__in=Run.ACTIVE), distinct=True),
            newest_pk=Subquery(newest.values("pk")[:1]),
        )
        .order_by("-pk")
    )
    found: Page[Any] = Paginator(models, PER_PAGE).get_page(page)
    rows = list(found.object_list)
    versions = Version.objects.in_bulk([row.newest_pk for row in rows if row.newest_pk])
    metrics = [read_primary(versions[row.newest_pk].metrics if row.newest_pk else {}, project) for row in rows]
    deployed = Deployment.objects.filter(project=project).order_by("-number")
    serving = deployed.values_list("version__model_id", "version__number").first() or (0, 0)
    best = _best(metrics)
    found.object_list = [
        ModelRow(
            pk=row.pk,
            name=row.name,
            words=name_steps(row.spec),
            runs=row.run_count,
            at_work=row.at_work,
            newest_version=versions[row.newest_pk].number if row.newest_pk else None,
            position=versions[row.newest_pk].position if row.newest_pk else None,
            metric=metric,
            best=metric is best,
            serving=f"v{serving[1]}" if serving[0] == row.pk else "",
            created_by=name_person(row.created_by),
            created_at=row.created_at,
        )
        for row, metric in zip(rows, metrics, strict=True)
    ]
    return found


def _best(metrics: list[MetricRow]) -> MetricRow | None:
    """Return the best overall value among several; None where there is nothing to choose between."""
    known = [metric for metric in metrics if metric.overall.value is not None]
    if len(known) < 2:
        return None
    best = known[0]
    for metric in known[1:]:
        if metric.measure.is_better(metric.overall.value or 0.0, best.overall.value or 0.0):
            best = metric
    return best


def open_model(project: Project, model_id: int) -> ModelPage:
    """Return one model of a project, or raise `Http404`. Six queries."""
    found = RegisteredModel.objects.filter(project=project, pk=model_id).select_related("created_by").first()
    if found is None:
        raise Http404
    runs = Run.objects.filter(model=found)
    versions = Version.objects.filter(model=found)
    return ModelPage(
        pk=found.pk,
        name=found.name,
        note=found.note,
        words=name_steps(found.spec),
        spec=found.spec,
        pipeline=draw_pipeline(found.spec),
        components=list_components(found.spec),
        created_by=name_person(found.created_by),
        created_at=found.created_at,
        archived=found.archived_at is not None,
        runs=list_run_rows(project, runs[:SHOWN_ROWS]),
        run_count=runs.count(),
        versions=list_version_rows(project, versions[:SHOWN_ROWS]),
        version_count=versions.count(),
    )
