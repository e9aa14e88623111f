"""What is worth adopting, why, and where every sentence comes from."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assessments.selectors.editions import catalogue_for
from assessments.selectors.overview import read_overview
from projects.access import VIEW, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def recommendation(request: HttpRequest, project: Project) -> HttpResponse:
    """Show the verdict per principle with reasons, benefits, limits and the assumed effort."""
    context = {"project": project, "nav_active": "assessment", "overview": read_overview(project)}
    return render(request, "assessments/recommendation.html", context)


@require_safe
@project_page(VIEW)
def sources(request: HttpRequest, project: Project) -> HttpResponse:
    """List the sources and how much of each could be read."""
    return render(
        request,
        "assessments/sources.html",
        {"project": project, "nav_active": "assessment", "catalogue": catalogue_for(project)},
    )
