"""The table of runs: filtered, sorted and paged in the database; exports go through the same door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from models_registry.learning.measures import find_measure
from models_registry.models import RegisteredModel, Run, RunTag
from models_registry.selectors.metrics import Figure
from models_registry.selectors.run_columns import Column, Raw, find_columns, read_raw
from models_registry.selectors.runs import PER_PAGE, RunRow, row_of
from projects.models import Project

#: Rows of an export that are fetched at a time.
CHUNK = 500
CURRENT, ARCHIVED, ALL = "", "archived", "all"


@dataclass(frozen=True)
class RunQuery:
    """Which runs, in which order. `sort` is the key of a column, with a minus for the greatest first."""

    model: RegisteredModel | None = None
    state: str = ""
    mode: str = ""
    tag: str = ""
    search: str = ""
    shown: str = CURRENT
    sort: str = ""

    @property
    def narrowed(self) -> bool:
        """Say whether it leaves any run out that is not put away."""
        return replace(self, sort="") != RunQuery()


@dataclass(frozen=True)
class Cell:
    """The value of a run in a column, raw and for the page."""

    column: Column
    value: Raw

    @property
    def html(self) -> SafeString:
        """A metric with every digit in its title."""
        number = self.value if isinstance(self.value, int | float) else None
        return Figure(number, find_measure(self.column.key.partition(".")[2]).format(number)).html

    @property
    def parameter(self) -> SafeString:
        """A parameter as it stands in a spec; nothing where the model has none of this name."""
        if self.value is None:
            return SafeString("")
        text = str(self.value).lower() if isinstance(self.value, bool) else str(self.value)
        return format_html("<code>{}</code>", text)


@dataclass(frozen=True)
class TableRow:
    """One run in the table."""

    row: RunRow
    archived: bool
    tags: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def number(self) -> int:
        """The run's number."""
        return self.row.number

    @property
    def active(self) -> bool:
        """Say whether it is at work."""
        return self.row.active


def list_run_table(project: Project, query: RunQuery, columns: list[Column], page: str | None) -> Page[TableRow]:
    """Return a page of the table. Three queries, however many runs there are."""
    runs = _select(project, query)
    found: Page[Any] = Paginator(runs, PER_PAGE).get_page(page)
    start = found.start_index() - 1 if found.paginator.count else 0
    chosen = _sort(runs, project, query.sort)[start : start + PER_PAGE]
    found.object_list = [_row(run, project, columns) for run in _fetch(chosen)]
    return found


def export_runs(project: Project, query: RunQuery, columns: list[Column]) -> Iterator[dict[str, Any]]:
    """Give every row of the table, all pages, as what it shows by `export_titles`; two queries per 500 runs."""
    runs = _fetch(_sort(_select(project, query), project, query.sort))
    titles = export_titles(columns)
    for run in runs.iterator(chunk_size=CHUNK):
        row = _row(run, project, columns)
        values = [row.number, *(value for cell in row.cells for value in _export(cell, row.row))]
        yield dict(zip(titles, values, strict=True))


def export_titles(columns: list[Column]) -> list[str]:
    """Return the names of what `export_runs` gives: two where a column shows two things."""
    more = {"progress": ", share", "started": " by"}
    titles = [(column.title, column.title + more[column.look] if column.look in more else "") for column in columns]
    return ["Run", *(title for pair in titles for title in pair if title)]


def _export(cell: Cell, row: RunRow) -> list[Any]:
    if cell.column.look == "progress":
        return [row.progress, round(row.share, 4)]
    return [read_raw(cell.value), row.created_by] if cell.column.look == "started" else [read_raw(cell.value)]


def list_tags(project: Project) -> list[str]:
    """Return the tags that runs of a project have. One query."""
    return list(RunTag.objects.filter(run__project=project).values_list("name", flat=True).distinct().order_by("name"))


def _select(project: Project, query: RunQuery) -> QuerySet[Run]:
    runs = Run.objects.filter(project=project)
    if query.shown != ALL:
        runs = runs.filter(archived_at__isnull=query.shown != ARCHIVED)
    if query.model is not None:
        runs = runs.filter(model=query.model)
    if query.state:
        runs = runs.filter(state__in=Run.ACTIVE if query.state == "active" else [query.state])
    if query.mode:
        runs = runs.filter(mode=query.mode)
    if query.tag:
        runs = runs.filter(tags__name=query.tag)
    return search_runs(runs, query.search)


def search_runs(runs: QuerySet[Run], words: str) -> QuerySet[Run]:
    """Narrow runs to those whose note, tags or model's name hold each of some words."""
    for word in words.split()[:5]:
        tagged = RunTag.objects.filter(name__icontains=word).values("run")
        runs = runs.filter(Q(note__icontains=word) | Q(model__name__icontains=word) | Q(pk__in=tagged))
    return runs


def _sort(runs: QuerySet[Run], project: Project, sort: str) -> QuerySet[Run]:
    """Order by a column, what has no value last; then, and without a column, the newest first."""
    columns = find_columns(project, [sort.removeprefix("-")])
    if not columns:
        return runs.order_by("number" if sort == "number" else "-number")
    by = columns[0].order
    expression = F(by) if isinstance(by, str) else by
    order = expression.desc(nulls_last=True) if sort.startswith("-") else expression.asc(nulls_last=True)
    return runs.order_by(order, "-number")


def _fetch(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.select_related("model", "created_by").prefetch_related("tags").defer("spec", "digest", "model__spec")


def _row(run: Run, project: Project, columns: list[Column]) -> TableRow:
    return TableRow(
        row=row_of(run, project),
        archived=run.archived_at is not None,
        tags=tuple(tag.name for tag in run.tags.all()),
        cells=tuple(Cell(column, column.read(run)) for column in columns),
    )
