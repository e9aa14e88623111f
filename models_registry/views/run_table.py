"""The table of runs: filters, sorting, chosen columns, what is done to ticked runs, exports, tags and notes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_registry.forms.run_table import RunFilter
from models_registry.models import RegisteredModel
from models_registry.selectors.run_columns import MOST_COLUMNS, chosen_keys, find_columns, offer_columns
from models_registry.selectors.run_table import ARCHIVED, export_runs, list_run_table, list_tags
from models_registry.selectors.runs import find_run
from models_registry.services.tracking import archive_runs, choose_columns, describe_run, tag_runs, unarchive_runs
from ops_portal.errors import UserError, error_response
from ops_portal.http import safe_next
from projects.access import VIEW, WORK, project_page, refuse
from projects.models import Project


@require_safe
@project_page(VIEW)
def run_list(request: HttpRequest, project: Project) -> HttpResponse:
    """List the runs of a project in the columns that this person chose."""
    form = _filter(request, project)
    query = form.chosen()
    columns = find_columns(project, chosen_keys(_user(request), project))
    page = list_run_table(project, query, columns, request.GET.get("page"))
    context = {
        "project": project,
        "page": page,
        "form": form,
        "columns": columns,
        "sort": query.sort,
        "filtered": query.narrowed,
        "put_away": query.shown == ARCHIVED,
        "at_work": any(row.active for row in page.object_list),
    }
    return render(request, "models_registry/run_list.html", context)


@require_safe
@project_page(VIEW)
def run_export(request: HttpRequest, project: Project, form: str) -> StreamingHttpResponse:
    """Send what the table shows, all pages of it, as CSV or JSON."""
    query = _filter(request, project).chosen()
    columns = find_columns(project, chosen_keys(_user(request), project))
    rows = export_runs(project, query, columns)
    titles = ["Run", *(column.title for column in columns)]
    lines, kind = (_as_csv(rows, titles), "text/csv") if form == "csv" else (_as_json(rows), "application/json")
    headers = {"Content-Disposition": f'attachment; filename="{project.slug}-runs.{form}"'}
    return StreamingHttpResponse(lines, content_type=f"{kind}; charset=utf-8", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(VIEW)
def run_columns(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose the columns of the table, for this person and this project."""
    keys = chosen_keys(_user(request), project)
    refused = ""
    if request.method == "POST":
        keys = [] if "usual" in request.POST else request.POST.getlist("column")
        try:
            choose_columns(project=project, user=_user(request), keys=keys)
        except UserError as wrong:
            refused = wrong.message
        else:
            return redirect("models_registry:run_list", project.slug)
    context = {"project": project, "groups": offer_columns(project), "keys": keys, "refused": refused}
    context["most"] = MOST_COLUMNS
    return render(request, "models_registry/run_columns.html", context, status=422 if refused else 200)


@require_POST
@project_page(VIEW)
def run_ticked(request: HttpRequest, project: Project) -> HttpResponse:
    """Compare, tag, archive or bring back the ticked runs; anybody may compare."""
    numbers = [int(text) for text in request.POST.getlist("r") if text.isdecimal() and len(text) < 10]
    what = request.POST.get("do", "")
    if what == "compare":
        query = urlencode([("r", number) for number in numbers])
        return redirect(f"{reverse('models_registry:run_compare', args=[project.slug])}?{query}")
    if not request.access.can_work:  # type: ignore[attr-defined]
        raise refuse(WORK)
    _mark(request, project, what, numbers)
    return redirect(safe_next(request, reverse("models_registry:run_list", args=[project.slug])))


def _mark(request: HttpRequest, project: Project, what: str, numbers: list[int]) -> None:
    actor = _user(request)
    if what == "tag":
        count = tag_runs(project=project, numbers=numbers, tags=request.POST.get("tags", "").split(","), actor=actor)
        messages.success(request, f"Tagged {count} run{'' if count == 1 else 's'}.")
    elif what == "unarchive":
        back = unarchive_runs(project=project, numbers=numbers, actor=actor)
        messages.success(request, f"{len(back)} run{' is' if len(back) == 1 else 's are'} back in the table.")
    elif what == "archive":
        gone = archive_runs(project=project, numbers=numbers, actor=actor)
        messages.success(request, _archived(request, project, gone))


@require_POST
@project_page(WORK)
def run_describe(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Keep the tags and the note of one run."""
    run = find_run(project, number)
    by_htmx = getattr(request, "htmx", False)
    tags = request.POST.get("tags", "").split(",")
    try:
        describe_run(run=run, actor=_user(request), tags=tags, note=request.POST.get("note", ""))
    except UserError as wrong:
        if not by_htmx:
            raise
        return error_response(wrong)  # said in a toast; what was written stays in its field
    if by_htmx:
        return HttpResponse(status=204)
    messages.success(request, f"Kept the tags and the note of run {number}.")
    return redirect("models_registry:run", project.slug, number)


def _archived(request: HttpRequest, project: Project, numbers: list[int]) -> str:
    """Say what was put away, with a button that takes it back."""
    context = {"project": project, "numbers": numbers, "back": safe_next(request, "")}
    html = render_to_string("models_registry/run_archived.html", context, request=request)
    return mark_safe(html)  # noqa: S308 - an autoescaped template


def _filter(request: HttpRequest, project: Project) -> RunFilter:
    models = RegisteredModel.objects.filter(project=project, archived_at=None)
    return RunFilter(request.GET, models=models, tags=list_tags(project))


def _as_csv(rows: Iterator[dict[str, Any]], titles: list[str]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(titles)
    for row in rows:
        yield writer.writerow([_harmless(row[title]) for title in titles])


def _as_json(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    before = "["
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "]\n" if before != "[" else "[]\n"


class _Line:
    """Gives what csv.writer writes back to the one who wrote it."""

    def write(self, text: str) -> str:
        return text


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
