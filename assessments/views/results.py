"""The result of a closed round: page, what-if, CSV and JSON, and the same page for whoever has a share link."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from assessments.forms.decisions import ShareForm, WhatIfForm
from assessments.models import Round, ShareLink
from assessments.selectors import charts
from assessments.selectors.checklist import current_assessment
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.report import Report, export_document, export_rows, quick_result, read_report
from assessments.selectors.what_if import compare_what_if, vary
from assessments.services.panel_rounds import digest_of, seal_of
from assessments.services.sharing import share, unshare
from projects.access import VIEW, WORK, project_page
from projects.models import Project

PAGE = "assessments/result.html"


@require_safe
@project_page(VIEW)
def result(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Show what a closed round has to say."""
    found = _closed(project, number)
    report = read_report(found)
    earlier = _rounds(project).filter(assessment=found.assessment_id, number__lt=number).order_by("number")
    links = ShareLink.objects.filter(assessment=found.assessment_id)
    context = _context(report, [read_report(one) for one in earlier]) | {
        "project": project,
        "nav_active": "assessment",
        "links": [link for link in links if link.works],
        "share_form": ShareForm(),
        "what_if_form": WhatIfForm(
            initial={
                "budget": report.settings.budget_days,
                "worth": report.settings.full_benefit_days,
                "plan": 0,
            }
        ),
        "seal_holds": seal_of(found) == found.seal,
    }
    # Asked again by htmx until the worker is done; the page stands on its own without it.
    fragment = "#detail" if request.htmx and "detail" in request.GET else ""  # type: ignore[attr-defined]
    return render(request, PAGE + fragment, context)


@require_safe
@project_page(VIEW)
def what_if(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Work out the result with another budget, worth or scope; nothing is kept."""
    found = _closed(project, number)
    form = WhatIfForm(request.GET)
    context: dict[str, object] = {"project": project, "form": form, "round": found}
    if form.is_valid():
        inputs = read_inputs(found)
        varied = vary(inputs, form.cleaned_data)
        context["changes"] = compare_what_if(quick_result(inputs), quick_result(varied))
        context["varied"] = varied
    return render(request, f"{PAGE}#what_if", context)


@require_safe
@project_page(VIEW)
def result_export(request: HttpRequest, project: Project, number: int, form: str) -> HttpResponse:
    """The report as CSV or JSON; both come from what the page shows."""
    report = read_report(_closed(project, number))
    name = f"{project.slug}-assessment-{report.round.assessment.number}-round-{number}"
    if form == "json":
        response: HttpResponse = JsonResponse(export_document(report), json_dumps_params={"indent": 2})
    else:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        rows = export_rows(report)
        writer = csv.DictWriter(response, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({key: _safe_cell(value) for key, value in row.items()} for row in rows)
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


@require_POST
@project_page(WORK)
def share_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Make a read-only link and show it once."""
    form = ShareForm(request.POST)
    assessment = current_assessment(project)
    if assessment is None:
        raise Http404
    if not form.is_valid():
        messages.error(request, "Say whom the link is for, and for how many days (1 to 365).")
        return redirect("assessments:experts", project.slug)
    made = share(assessment=assessment, actor=request.user, **form.cleaned_data)  # type: ignore[arg-type]
    address = request.build_absolute_uri(reverse("assessments:shared", args=[project.slug, made.token]))
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
    last = _rounds(project).filter(assessment=found.assessment_id).order_by("-number").first()
    return redirect("assessments:result", project.slug, last.number if last else 1)


@require_safe
@never_cache
def shared(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The newest closed round for whoever has the link: to read, not to change."""
    link = (
        ShareLink.objects.filter(token_digest=digest_of(token), assessment__project__slug=slug)
        .select_related("assessment__project")
        .first()
    )
    if link is None or not link.works:
        raise Http404
    rounds = list(_rounds(link.assessment.project).filter(assessment=link.assessment_id).order_by("number"))
    if not rounds:
        raise Http404
    report = read_report(rounds[-1])
    context = _context(report, [read_report(one) for one in rounds[:-1]]) | {
        "about": link.assessment.project,
        "seal_holds": seal_of(rounds[-1]) == rounds[-1].seal,
        "shared": True,
    }
    return render(request, PAGE, context)


def _context(report: Report, earlier: list[Report]) -> dict[str, object]:
    return {
        "report": report,
        "about": report.round.assessment.project,
        "membership": charts.membership_chart(report),
        "votes": charts.votes_chart(report),
        "effort": charts.effort_chart(report),
        "tornado": charts.tornado_chart(report) if report.swings else None,
        "history": charts.rounds_chart([*earlier, report]) if earlier else None,
    }


def _rounds(project: Project) -> QuerySet[Round]:
    """The closed rounds of a project."""
    return Round.objects.filter(assessment__project=project, state=Round.State.CLOSED).select_related(
        "assessment__project", "scope_current", "scope_planned"
    )


def _closed(project: Project, number: int) -> Round:
    """The closed round of the newest assessment; an open one has no result to show, not even a number."""
    assessment = current_assessment(project)
    found = _rounds(project).filter(assessment=assessment, number=number).first() if assessment else None
    if found is None:
        raise Http404
    return found


def _safe_cell(value: object) -> object:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
