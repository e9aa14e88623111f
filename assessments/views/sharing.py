"""Links that show a result, read-only, to people without an account."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from assessments.forms.decisions import ShareForm
from assessments.models import ShareLink
from assessments.selectors.checklist import current_assessment
from assessments.selectors.document import FullReport, read_full_report
from assessments.selectors.rounds import closed_rounds
from assessments.services.panel_rounds import digest_of
from assessments.services.sharing import share, unshare
from assessments.views.reports import pdf_answer
from assessments.views.results import result_context
from projects.access import WORK, project_page
from projects.models import Project


@require_POST
@project_page(WORK)
def share_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Make a read-only link and show it once."""
    form = ShareForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say whom the link is for, and for how many days (1 to 365).")
        return redirect("assessments:experts", project.slug)
    made = share(assessment=current_assessment(project), actor=request.user, **form.cleaned_data)  # type: ignore[arg-type]
    address = request.build_absolute_uri(made.path)
    return render(
        request,
        "assessments/shared_link.html",
        {"project": project, "nav_active": "assessment", "link": made.link, "address": address},
    )


@require_POST
@project_page(WORK)
def share_end(request: HttpRequest, project: Project, link: int) -> HttpResponse:
    """Switch a link off."""
    found = get_object_or_404(
        ShareLink.objects.select_related("assessment__project"), pk=link, assessment__project=project
    )
    unshare(link=found, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, f"The link {found.name} no longer works.")
    last = closed_rounds(project).filter(assessment=found.assessment_id).order_by("-number").first()
    return redirect("assessments:result", project.slug, last.number if last else 1)


@require_safe
@never_cache
def shared(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The newest closed round for whoever has the link: to read, not to change."""
    full = _shared_report(slug, token)
    pdf_url = reverse("assessments:shared_pdf", args=[slug, token])
    context = result_context(full) | {"shared": True, "pdf_url": pdf_url}
    return render(request, "assessments/result.html", context)


@require_safe
@never_cache
def shared_pdf(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The same report as a PDF."""
    return pdf_answer(_shared_report(slug, token))


def _shared_report(slug: str, token: str) -> FullReport:
    link = (
        ShareLink.objects.filter(token_digest=digest_of(token), assessment__project__slug=slug)
        .select_related("assessment__project")
        .first()
    )
    if link is None or not link.works:
        raise Http404
    newest = closed_rounds(link.assessment.project).filter(assessment=link.assessment_id).order_by("-number").first()
    if newest is None:
        raise Http404
    return read_full_report(newest)
