"""The result of a closed round to take away: printed, as PDF, CSV and JSON, all from one reading of the records."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from assessments.selectors.document import FullReport, read_full_report
from assessments.selectors.export import export_document, export_rows
from assessments.views.results import closed_or_404
from ops_portal.downloads import send_rows
from projects.access import VIEW, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def report(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Show the whole report on one page, made to be printed."""
    full = read_full_report(closed_or_404(project, number))
    context = {
        "project": project,
        "nav_active": "assessment",
        "about": project,
        "report": full.report,
        "document": full.document,
        "pdf_url": reverse("assessments:result_pdf", args=[project.slug, number]),
    }
    return render(request, "assessments/report.html", context)


@require_safe
@project_page(VIEW)
def report_pdf(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """The report as a PDF."""
    return pdf_answer(read_full_report(closed_or_404(project, number)))


@require_safe
@project_page(VIEW)
def report_data(request: HttpRequest, project: Project, number: int, form: str) -> HttpResponseBase:
    """The report as CSV or JSON."""
    full = read_full_report(closed_or_404(project, number))
    if form == "csv":
        rows = export_rows(full.report)
        return send_rows(rows, list(rows[0]), name=full.name, form=form)
    headers = {"Content-Disposition": f'attachment; filename="{full.name}.json"'}
    return JsonResponse(export_document(full.report, full.document), json_dumps_params={"indent": 2}, headers=headers)


def pdf_answer(full: FullReport) -> HttpResponse:
    """A report as a PDF file, also where it is shown by link."""
    headers = {"Content-Disposition": f'inline; filename="{full.name}.pdf"'}
    return HttpResponse(full.to_pdf(), content_type="application/pdf", headers=headers)
