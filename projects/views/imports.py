"""Bringing data in: upload and preview of a file, bundled data sets, synthetic streams, and an import at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ops_portal.downloads import send_rows
from ops_portal.errors import UserError
from projects.access import START, VIEW, WORK, project_page
from projects.bundled import data_sets_for
from projects.csv_files.guess import Preview
from projects.forms.imports import BundledForm, CsvPlanForm, CsvReadingForm, RateForm, SyntheticForm, UploadForm
from projects.forms.refusals import show_refusal
from projects.models import DataImport, Project
from projects.selectors.data import import_row, same_file
from projects.services import imports
from projects.synthetic import streams_for
from projects.tasks import ring_import
from projects.uploads import UnreadableFileError, look_into
from projects.views.projects import PAGES, posted

STEPS = ("Choose a file", "Check its columns", "Import")
ROWS_PER_PAGE = 50


@require_http_methods(PAGES)
@project_page(START)
def import_file(request: HttpRequest, project: Project) -> HttpResponse:
    """Take a file for its preview."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_bound and form.is_valid():
        try:
            made = imports.upload_file(project=project, actor=cast(User, request.user), file=form.cleaned_data["file"])
        except UserError as error:
            show_refusal(form, error)
        else:
            return redirect("projects:import_preview", project.slug, made.pk)
    context = {"project": project, "form": form, "steps": STEPS}
    return render(request, "projects/import_file.html", context, status=422 if form.is_bound else 200)


@require_http_methods(PAGES)
@project_page(START)
def import_preview(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    """Show what the columns of an uploaded file seem to be, and start the import once they are confirmed."""
    data_import = get_object_or_404(project.imports.select_related("project__team"), pk=pk)
    if data_import.state != DataImport.State.PREVIEW:
        return redirect("projects:import", project.slug, pk)
    is_csv = data_import.kind == DataImport.Kind.CSV
    reading = CsvReadingForm(request.GET if is_csv and request.GET.get("delimiter") else None)
    context = {"project": project, "data_import": data_import, "steps": STEPS}
    try:
        seen, rows = _preview(data_import, reading)
    except UnreadableFileError as error:
        context |= {"problem": str(error), "reading": reading if is_csv else None}
        return render(request, "projects/import_preview.html", context, status=422)
    form = CsvPlanForm(posted(request), preview=seen, project=project)
    if form.is_bound and form.is_valid():
        imports.confirm_file(data_import=data_import, actor=cast(User, request.user), plan=form.plan(), rows=rows)
        ring_import(data_import.pk)
        return redirect("projects:import", project.slug, pk)
    context |= {
        "seen": seen,
        "rows": rows,
        "form": form,
        "again": same_file(data_import),
        "reading": CsvReadingForm(initial=CsvReadingForm.initial_of(seen.plan)) if is_csv else None,
        "label_hint": f'No column is called "{project.label_name}". Mark the one that is, or events wait for labels.',
    }
    return render(request, "projects/import_preview.html", context, status=422 if form.is_bound else 200)


def _preview(data_import: DataImport, reading: CsvReadingForm) -> tuple[Preview, int | None]:
    """Read the first rows as the form says, or as they seem to be."""
    chosen = reading.cleaned_data if reading.is_bound and reading.is_valid() else {}
    with data_import.file.open("rb") as file:
        return look_into(
            data_import.kind,
            file,
            data_import.file.path,
            data_import.project,
            encoding=chosen.get("encoding"),
            delimiter=chosen.get("delimiter"),
        )


@require_http_methods(PAGES)
@project_page(START)
def import_bundled(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose a bundled data set, how much of it, and how fast."""
    data_sets = data_sets_for(project.task)
    form = BundledForm(posted(request), data_sets=data_sets, initial={"data_set": data_sets[0].name})
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            made = imports.start_bundled(
                project=project,
                actor=cast(User, request.user),
                name=given["data_set"],
                events=given["events"],
                rate=given["rate"] or 0,
                predict=given["predict"],
            )
        except UserError as error:
            show_refusal(form, error)
        else:
            ring_import(made.pk)
            return redirect("projects:import", project.slug, made.pk)
    context = {"project": project, "form": form, "data_sets": data_sets, "chosen": form["data_set"].value()}
    return render(request, "projects/import_bundled.html", context, status=422 if form.is_bound else 200)


@require_http_methods(PAGES)
@project_page(START)
def import_synthetic(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose a synthetic stream, its drift, its length and its rate."""
    streams = streams_for(project.task)
    form = SyntheticForm(posted(request), streams=streams, initial={"stream": streams[0].name})
    if form.is_bound and form.is_valid():
        try:
            made = imports.start_synthetic(
                project=project,
                actor=cast(User, request.user),
                recipe=form.recipe(),
                events=form.cleaned_data["events"],
                rate=form.cleaned_data["rate"] or 0,
                predict=form.cleaned_data["predict"],
            )
        except UserError as error:
            show_refusal(form, error)
        else:
            ring_import(made.pk)
            return redirect("projects:import", project.slug, made.pk)
    context = {"project": project, "form": form, "streams": streams, "chosen": form["stream"].value()}
    return render(request, "projects/import_synthetic.html", context, status=422 if form.is_bound else 200)


@require_POST
@project_page(WORK)
def import_rate(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    """Let a stream flow faster or slower."""
    data_import = get_object_or_404(project.imports.select_related("project__team"), pk=pk)
    form = RateForm(request.POST)
    if form.is_valid():
        rate = form.cleaned_data["rate"]
        imports.change_rate(data_import=data_import, actor=cast(User, request.user), rate=rate)
        ring_import(data_import.pk)
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("projects:import", project.slug, pk)


@require_safe
@project_page(VIEW)
def import_detail(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    """Show one import: how far it is, what came in, and the rows that were set aside."""
    data_import = get_object_or_404(project.imports.select_related("created_by"), pk=pk)
    if data_import.state == DataImport.State.PREVIEW:
        return redirect("projects:import_preview", project.slug, pk)
    rows = Paginator(data_import.rejected_rows.all(), ROWS_PER_PAGE)
    context = {"project": project, "row": import_row(data_import), "page": rows.get_page(request.GET.get("page"))}
    template = "projects/import.html#live" if request.GET.get("part") == "live" else "projects/import.html"
    return render(request, template, context)


@require_http_methods(PAGES)
@project_page(WORK)
def import_cancel(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    """Ask whether to end an import, and do it."""
    data_import = get_object_or_404(project.imports, pk=pk)
    if request.method == "POST":
        imports.cancel_import(data_import=data_import, actor=cast(User, request.user))
        messages.success(request, "The import is cancelled. The events that came in stay.")
        return redirect("projects:import", project.slug, pk)
    return render(request, "projects/import_cancel.html", {"project": project, "row": import_row(data_import)})


def _changed_by(change: Callable[..., None], *, rings: bool, to: str) -> Callable[..., HttpResponseBase]:
    """Make the POST view that does `change` to an import."""

    @require_POST
    @project_page(WORK)
    def view(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
        data_import = get_object_or_404(project.imports.select_related("project__team"), pk=pk)
        change(data_import=data_import, actor=cast(User, request.user))
        if rings:
            ring_import(data_import.pk)
        return redirect(to, project.slug, *([pk] if to == "projects:import" else []))

    return view


import_pause = _changed_by(imports.pause_import, rings=False, to="projects:import")
import_resume = _changed_by(imports.resume_import, rings=True, to="projects:import")
import_discard = _changed_by(imports.discard_file, rings=False, to="projects:data")


@require_safe
@project_page(VIEW)
def import_rejected(request: HttpRequest, project: Project, pk: int) -> StreamingHttpResponse:
    """Send the rows that were set aside as a CSV file: line, reason, and the row as it was."""
    data_import = get_object_or_404(project.imports, pk=pk)
    rows = data_import.rejected_rows.values_list("line", "reason", "raw").iterator()
    told = ({"line": line, "reason": reason, "row": raw} for line, reason, raw in rows)
    return send_rows(told, ("line", "reason", "row"), name=f"{project.slug}-import-{pk}-set-aside", form="csv")
