"""Decisions per principle and the adoption plan they make."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from assessments.forms.decisions import DecisionForm
from assessments.selectors.delivery import read_brought
from assessments.selectors.plan import find_principle, read_plan
from assessments.selectors.report import newest_decisions
from assessments.services.decisions import decide
from ops_portal.errors import UserError
from projects.access import VIEW, WORK, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def plan(request: HttpRequest, project: Project) -> HttpResponse:
    """Show what was decided about each principle, how far it is, and what the records say since."""
    context = {
        "project": project,
        "nav_active": "assessment",
        "plan": read_plan(project),
        "brought": read_brought(project),
    }
    return render(request, "assessments/plan.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def decision(request: HttpRequest, project: Project, principle: str) -> HttpResponse:
    """Record a decision about one principle."""
    found = find_principle(project, principle)
    if found is None:
        raise Http404
    held = newest_decisions(project.pk).get(principle)
    initial = {}
    if held:
        names = ("choice", "reason", "owner", "due", "adopted_on", "effort_planned", "effort_spent")
        initial = {name: getattr(held, name) for name in names}
    form = DecisionForm(request.POST or None, initial=initial, members=_members(project))
    if request.method == "POST" and form.is_valid():
        try:
            decide(project=project, principle=principle, draft=form.draft, actor=request.user)  # type: ignore[arg-type]
        except UserError as wrong:
            form.refuse(wrong)
        else:
            messages.success(request, f"Decided on {found.name}.")
            return redirect("assessments:plan", project.slug)
    state = read_plan(project)
    shown = next(one for one in state.lines if one.principle.slug == principle)
    context = {
        "project": project,
        "nav_active": "assessment",
        "principle": found,
        "line": shown.line,
        "panel": shown.panel,
        "panel_round": state.overview.closed_round,
        "held": held,
        "form": form,
    }
    return render(request, "assessments/decision.html", context, status=422 if form.is_bound else 200)


def _members(project: Project) -> QuerySet[User]:
    return User.objects.filter(memberships__team=project.team_id).order_by("username")
