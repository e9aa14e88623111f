"""The assessment's first page, the panel other pages show of it, and closing it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from assessments.selectors.overview import read_overview
from assessments.services.assessments import close as close_assessment
from projects.access import RATE, VIEW, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def overview(request: HttpRequest, project: Project) -> HttpResponse:
    """Say how far the assessment is, what is recommended per principle and why, and what to do next."""
    return render(
        request,
        "assessments/overview.html",
        {"project": project, "nav_active": "assessment", "overview": read_overview(project)},
    )


@require_safe
@project_page(VIEW)
def panel(request: HttpRequest, project: Project) -> HttpResponse:
    """A fragment for other pages: progress, and what is recommended first."""
    return render(
        request,
        "assessments/panel.html",
        {"project": project, "nav_active": "assessment", "overview": read_overview(project)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(RATE)
def close(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask whether to close the open assessment; a POST closes it, and it stays as a milestone."""
    if request.method != "POST":
        state = read_overview(project)
        if not state.can_close:
            return redirect("assessments:overview", project.slug)
        context = {"project": project, "nav_active": "assessment", "overview": state}
        return render(request, "assessments/close.html", context)
    closed = close_assessment(project=project, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, f"Assessment {closed.number} is closed and kept as a milestone.")
    return redirect("assessments:overview", project.slug)
