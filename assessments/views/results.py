"""The result of a closed round, and what it would be with other assumptions."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from assessments.forms.decisions import ShareForm
from assessments.forms.what_if import WhatIfForm
from assessments.models import Round, ShareLink
from assessments.selectors.assumptions import describe_settings
from assessments.selectors.document import FullReport, read_full_report
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.rounds import find_closed_round
from assessments.selectors.what_if import read_what_if
from assessments.services.panel_rounds import seal_of
from projects.access import VIEW, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def result(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Show what a closed round has to say."""
    found = closed_or_404(project, number)
    full = read_full_report(found)
    context = result_context(full) | {
        "project": project,
        "nav_active": "assessment",
        "links": [link for link in ShareLink.objects.filter(assessment=found.assessment_id) if link.works],
        "share_form": ShareForm(),
        "what_if_form": WhatIfForm(inputs=read_inputs(found)),
    }
    # Asked again by htmx until the worker is done; the page stands on its own without it.
    waiting = request.htmx and "detail" in request.GET  # type: ignore[attr-defined]
    if waiting and full.report.complete:
        return HttpResponseClientRefresh()  # every figure becomes that of all readings, not only those below
    return render(request, f"assessments/{'_result_detail' if waiting else 'result'}.html", context)


@require_safe
@project_page(VIEW)
def what_if(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Work out the result with another budget, worth or scope; nothing is kept."""
    found = closed_or_404(project, number)
    inputs = read_inputs(found)
    form = WhatIfForm(request.GET or None, inputs=inputs)
    context = {
        "project": project,
        "nav_active": "assessment",
        "round": found,
        "what_if_form": form,
        "changes": read_what_if(found, inputs, form.turned) if form.is_valid() else None,
    }
    fragment = request.htmx and request.GET  # type: ignore[attr-defined]
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, f"assessments/{'_result_what_if' if fragment else 'what_if'}.html", context, status=status)


def result_context(full: FullReport) -> dict[str, object]:
    """What the result page needs, also where it is shown by link."""
    report, document = full.report, full.document
    drawn = {part.key: part.chart for part in document.parts if part.chart}
    return {
        "report": report,
        "about": report.round.assessment.project,
        "membership": drawn["membership"],
        "votes": drawn["votes"],
        "effort": drawn["effort"],
        "tornado": drawn.get("tornado"),
        "history": drawn.get("rounds"),
        "heat": document.part("heat"),
        "assumptions": describe_settings(report.settings, report.catalogue),
        "seal_holds": seal_of(report.round) == report.round.seal,
    }


def closed_or_404(project: Project, number: int) -> Round:
    """The closed round of the newest assessment."""
    found = find_closed_round(project, number)
    if found is None:
        raise Http404
    return found
