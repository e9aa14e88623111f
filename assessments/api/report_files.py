"""`assessment/<n>/rounds/<m>/report.pdf` and `export.csv`: the report of a closed round as the files of its page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from assessments.selectors.document import FullReport, read_full_report
from assessments.selectors.export import export_rows
from assessments.selectors.rounds import closed_rounds
from models_registry.api.call import ProjectCall
from ops_portal.downloads import send_rows

PDF, CSV = (200, "application/pdf"), (200, "text/csv")


class OneType(BaseContentNegotiation):
    """A file has the type it has, whatever is asked for; errors are JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class ReportFile(ProjectCall):
    """A file with the report of a closed round."""

    content_negotiation_class = OneType

    def full(self, request: Request, slug: str, assessment: int, number: int) -> FullReport:
        """Return the report of a closed round."""
        rounds = closed_rounds(self.reading(request, slug))
        return read_full_report(get_object_or_404(rounds, assessment__number=assessment, number=number))


class ReportPdf(ReportFile):
    """The report as a PDF."""

    @extend_schema(
        operation_id="assessment_result_pdf",
        summary="Read the result of a round as a PDF",
        tags=["assessments"],
        responses={PDF: OpenApiTypes.BINARY},
        examples=[OpenApiExample("Its first bytes", "%PDF-1.4", media_type="application/pdf", response_only=True)],
    )
    def get(self, request: Request, slug: str, assessment: int, number: int) -> HttpResponse:
        """Read the report of a closed round as it is printed."""
        full = self.full(request, slug, assessment, number)
        headers = {"Content-Disposition": f'inline; filename="{full.name}.pdf"'}
        return HttpResponse(full.to_pdf(), content_type="application/pdf", headers=headers)


class ReportCsv(ReportFile):
    """The report as CSV."""

    @extend_schema(
        operation_id="assessment_result_csv",
        summary="Read the result of a round as CSV",
        tags=["assessments"],
        responses={CSV: OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "The beginning of its first lines",
                "principle,name,verdict\r\nversioning,Versioning,Adopt now\r\n",
                media_type="text/csv",
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, slug: str, assessment: int, number: int) -> HttpResponseBase:
        """Read a line per principle, with titles: the `principles` of the result."""
        full = self.full(request, slug, assessment, number)
        rows = export_rows(full.report)
        return send_rows(rows, list(rows[0]), name=full.name, form="csv")
