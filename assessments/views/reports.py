"""The result of a closed round to take away: printed, as PDF, CSV and JSON, all from one reading of the records."""

from __future__ import annotations

import csv

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from assessments.selectors.document import FullReport, read_full_report
from assessments.selectors.export import export_document, export_rows
from assessments.views.results import closed_or_404
from ops_portal.paper import make_pdf
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
def report_data(request: HttpRequest, project: Project, number: int, form: str) -> HttpResponse:
    """The report as CSV or JSON."""
    full = read_full_report(closed_or_404(project, number))
    if form == "json":
        response: HttpResponse = JsonResponse(
            export_document(full.report, full.document), json_dumps_params={"indent": 2}
        )
    else:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        rows = export_rows(full.report)
        writer = csv.DictWriter(response, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({key: safe_cell(value) for key, value in row.items()} for row in rows)
    response["Content-Disposition"] = f'attachment; filename="{_file_name(full)}.{form}"'
    return response


def pdf_answer(full: FullReport) -> HttpResponse:
    """A report as a PDF file, also where it is shown by link."""
    made = f"made {timezone.localtime():%Y-%m-%d %H:%M %Z}"
    response = HttpResponse(make_pdf(full.document, made=made), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{_file_name(full)}.pdf"'
    return response


def safe_cell(value: object) -> object:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _file_name(full: FullReport) -> str:
    one = full.report.round
    return f"{one.assessment.project.slug}-assessment-{one.assessment.number}-round-{one.number}"
