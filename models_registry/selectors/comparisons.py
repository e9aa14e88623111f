"""Comparisons as their pages show them: the list, and the runs of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.http import Http404

from models_registry.learning.measures import OVERALL, find_measure, key_of
from models_registry.models import Comparison, Run
from models_registry.selectors.metrics import primary_name
from models_registry.selectors.people import name_person
from projects.models import Project

PER_PAGE = 25


@dataclass(frozen=True)
class ComparisonRow:
    """A comparison in the list."""

    number: int
    name: str
    kind: str
    candidates: int
    at_work: int
    #: The best candidate so far and its figure; empty while nothing is measured.
    best: str
    figure: str
    metric: str
    created_by: str
    created_at: datetime


def list_comparisons(project: Project, page: str | None = None) -> Page[ComparisonRow]:
    """Return a page of comparisons, newest first, each with its best candidate. Three queries."""
    found: Page[Any] = Paginator(
        Comparison.objects.filter(project=project)
        .select_related("created_by")
        .annotate(
            candidates=Count("runs", distinct=True),
            at_work=Count("runs", filter=Q(runs__state__in=Run.ACTIVE), distinct=True),
        )
        .order_by("-number"),
        PER_PAGE,
    ).get_page(page)
    rows = list(found.object_list)
    runs: dict[int | None, list[Run]] = {}
    for run in (
        Run.objects.filter(comparison__in=rows).select_related("model").only("comparison", "summary", "model__name")
    ):
        runs.setdefault(run.comparison_id, []).append(run)
    found.object_list = [_row(row, runs.get(row.pk, []), project) for row in rows]
    return found


def _row(row: Any, runs: list[Run], project: Project) -> ComparisonRow:
    measure = find_measure(primary_name(runs[0].summary if runs else {}, project))
    key = key_of(OVERALL, measure.name)
    known = [run for run in runs if run.summary.get(key) is not None]
    best = (max if measure.greater_is_better else min)(known, key=lambda run: run.summary[key], default=None)
    return ComparisonRow(
        number=row.number,
        name=row.name,
        kind=row.kind,
        candidates=row.candidates,
        at_work=row.at_work,
        best=best.model.name if best else "",
        figure=measure.format(best.summary[key]) if best else "",
        metric=measure.title,
        created_by=name_person(row.created_by),
        created_at=row.created_at,
    )


def find_comparison(project: Project, number: int) -> Comparison:
    """Return a comparison of the project by its number, or raise `Http404`. One query."""
    found = Comparison.objects.filter(project=project, number=number).select_related("created_by").first()
    if found is None:
        raise Http404
    return found


def candidates_of(comparison: Comparison) -> list[Run]:
    """Return the runs of a comparison in the order they were given. One query."""
    return list(Run.objects.filter(comparison=comparison).select_related("model", "created_by").order_by("pk"))


def pick_runs(project: Project, numbers: list[int]) -> list[Run]:
    """Return the runs of these numbers that there are, in the order asked for. One query."""
    found = {
        run.number: run
        for run in Run.objects.filter(project=project, number__in=numbers).select_related("model", "created_by")
    }
    return [found[number] for number in dict.fromkeys(numbers) if number in found]
