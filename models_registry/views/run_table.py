"""The table of runs: filters, sorting, chosen columns, what is done to ticked runs, exports."""

from __future__ import annotations

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
from models_registry.selectors.run_table import ARCHIVED, export_runs, export_titles, list_run_table, list_tags
from models_registry.services.tracking import archive_runs, choose_columns, tag_runs, unarchive_runs
from ops_portal.downloads import send_rows
from ops_portal.errors import UserError
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
    return send_rows(rows, export_titles(columns), name=f"{project.slug}-runs", form=form)


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


def _archived(request: HttpRequest, project: Project, numbers: list[int]) -> str:
    """Say what was put away, with a button that takes it back."""
    context = {"project": project, "numbers": numbers, "back": safe_next(request, "")}
    html = render_to_string("models_registry/run_archived.html", context, request=request)
    return mark_safe(html)  # noqa: S308 - an autoescaped template


def _filter(request: HttpRequest, project: Project) -> RunFilter:
    models = RegisteredModel.objects.filter(project=project, archived_at=None)
    return RunFilter(request.GET, models=models, tags=list_tags(project))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
