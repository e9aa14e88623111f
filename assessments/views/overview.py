"""The assessment's first page, the panel other pages show of it, and closing it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

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


@require_POST
@project_page(RATE)
def close(request: HttpRequest, project: Project) -> HttpResponse:
    """Close the open assessment; it stays as a milestone."""
    closed = close_assessment(project=project, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, f"Assessment {closed.number} is closed and kept as a milestone.")
    return redirect("assessments:overview", project.slug)
