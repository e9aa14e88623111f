"""The page of a project, and its chart, which comes after the first paint."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from models_registry.selectors.course import read_course
from models_registry.selectors.overview import read_overview
from models_registry.views import template_for
from projects.access import Access, project_page
from projects.models import Project


@require_safe
@project_page()
def overview(request: HttpRequest, project: Project) -> HttpResponse:
    """Show what serves, what is at work, what happened and what comes next; htmx gets the part that changes."""
    access: Access = request.access  # type: ignore[attr-defined]
    context = {"project": project, "overview": read_overview(project, access)}
    response = render(request, template_for(request, "models_registry/overview.html", "live"), context)
    # The chart has a place that a refresh leaves alone, so that its zoom stays; this tells it to look again.
    return trigger_client_event(response, "course") if getattr(request, "htmx", False) else response


@require_safe
@project_page()
def overview_chart(request: HttpRequest, project: Project) -> HttpResponse:
    """Draw the primary metric along the stream; without htmx a page of its own, with the numbers as a table."""
    context = {"project": project, "chart": read_course(project)}
    return render(request, template_for(request, "models_registry/overview_chart.html", "chart"), context)
