"""Every assumption of a project: shown, changed with a reason, and each former set kept."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from assessments.forms.assumptions import AssumptionsForm
from assessments.scoring.recommend import quick
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import assumptions_for, newest_set, read_sets
from assessments.selectors.assumptions import describe_figures, describe_settings
from assessments.selectors.editions import catalogue_for
from assessments.services.assumptions import keep_assumptions
from ops_portal.errors import UserError
from projects.access import VIEW, WORK, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def assumptions(request: HttpRequest, project: Project) -> HttpResponse:
    """Show every assumption the recommendation rests on, and how they became what they are."""
    catalogue = catalogue_for(project)
    context = {
        "project": project,
        "nav_active": "assessment",
        "catalogue": catalogue,
        "sections": describe_settings(quick(assumptions_for(project)), catalogue),
        "figures": describe_figures(catalogue),
        "sets": read_sets(project, catalogue),
    }
    return render(request, "assessments/assumptions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def assumptions_edit(request: HttpRequest, project: Project) -> HttpResponse:
    """Change assumptions; `?from=portal` begins with the portal's own."""
    newest = newest_set(project)
    own = request.GET.get("from") == "portal"
    form = AssumptionsForm(
        request.POST or None,
        settings=Settings.from_json(newest.settings) if newest and not own else Settings(),
        catalogue=catalogue_for(project),
        number=newest.number if newest else 0,
    )
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        try:
            kept = keep_assumptions(
                project=project,
                settings=form.settings,
                reason=form.cleaned_data["reason"],
                base=form.cleaned_data["base"],
                actor=request.user,  # type: ignore[arg-type]
            )
        except UserError as wrong:
            kept_text = " What you typed is still here." if wrong.code == "changed_meanwhile" else ""
            form.add_error("reason" if "reason" in wrong.fields else None, wrong.message + kept_text)
            status = wrong.status
        else:
            messages.success(request, f"Set {kept.number} holds from now on. Closed rounds keep what they had.")
            return redirect("assessments:assumptions", project.slug)
    context = {"project": project, "nav_active": "assessment", "form": form, "own": own}
    return render(request, "assessments/assumptions_edit.html", context, status=status)
