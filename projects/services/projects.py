"""Registering, editing and archiving projects."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from ops_portal.errors import UserError
from projects.measures import metric_names
from projects.models import DataImport, Fallback, Project, Task, Team
from projects.services.activity import record

#: First parts of addresses that are pages, not projects.
RESERVED_SLUGS = frozenset({"new"})


@transaction.atomic
def create_project(
    *,
    team: Team,
    actor: User,
    name: str,
    task: str,
    label_name: str,
    primary_metric: str,
    description: str = "",
) -> Project:
    """Register a project of `team`."""
    name = name.strip()
    if task not in Task.values:
        raise UserError(f"Choose one of the tasks {', '.join(Task.values)}.", fields={"task": "unknown task"})
    _check_metric(task, primary_metric)
    _check_name(team, name)
    project = Project.objects.create(
        team=team,
        name=name,
        slug=_free_slug(name),
        description=description.strip(),
        task=task,
        label_name=label_name.strip(),
        primary_metric=primary_metric,
        created_by=actor,
    )
    record(actor=actor, verb="project.created", summary=f"registered the project {name}", project=project, task=task)
    return project


@transaction.atomic
def update_project(
    *,
    project: Project,
    actor: User,
    name: str,
    description: str,
    label_name: str,
    primary_metric: str,
    fallback: str,
    deploys_need_approval: bool | None = None,
) -> Project:
    """Change what a project is called and judged by, and what it answers without a model. Address and task stay."""
    _check_metric(project.task, primary_metric)
    given: dict[str, Any] = {
        "name": name.strip(),
        "description": description.strip(),
        "label_name": label_name.strip(),
        "primary_metric": primary_metric,
        "fallback": Fallback(fallback).value,
    }
    if deploys_need_approval is not None:
        given["deploys_need_approval"] = deploys_need_approval
    # Forms write onto their instance while they validate, so the old values come from the row.
    before = Project.objects.filter(pk=project.pk).values(*given).get()
    if given["name"].casefold() != before["name"].casefold():
        _check_name(project.team, given["name"])
    changed = {field: {"from": before[field], "to": value} for field, value in given.items() if before[field] != value}
    if changed:
        Project.objects.filter(pk=project.pk).update(**given)
        project.refresh_from_db()
        words = " and ".join(field.replace("_", " ") for field in changed)
        record(actor=actor, verb="project.edited", summary=f"changed the {words}", project=project, changes=changed)
    return project


@transaction.atomic
def archive_project(*, project: Project, actor: User) -> None:
    """Put a project away: everything stays readable, nothing new comes in, its imports pause."""
    if not Project.objects.filter(pk=project.pk, archived_at=None).update(archived_at=timezone.now()):
        raise UserError("This project is archived already.", code="conflict", status=409)
    project.imports.filter(state__in=DataImport.ACTIVE).update(state=DataImport.State.PAUSED, lease_until=None)
    record(actor=actor, verb="project.archived", summary="archived the project", project=project)


@transaction.atomic
def unarchive_project(*, project: Project, actor: User) -> None:
    """Bring a project back."""
    if not Project.objects.filter(pk=project.pk, archived_at__isnull=False).update(archived_at=None):
        raise UserError("This project is not archived.", code="conflict", status=409)
    record(actor=actor, verb="project.unarchived", summary="brought the project back from the archive", project=project)


def _check_metric(task: str, metric: str) -> None:
    if metric not in metric_names(task):
        raise UserError(
            f"{metric} does not judge this task; choose one of {', '.join(metric_names(task))}.",
            fields={"primary_metric": "not a metric of this task"},
        )


def _check_name(team: Team, name: str) -> None:
    if team.projects.filter(name__iexact=name).exists():
        message = f'{team.name} already has a project called "{name}".'
        raise UserError(message, code="conflict", fields={"name": message}, status=409)


def _free_slug(name: str) -> str:
    """Return an address made from the name that no project has."""
    base = slugify(name)[:70] or "project"
    taken = set(Project.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | RESERVED_SLUGS
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug
