"""What data a project has, one event of it, and who did what."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from projects.access import VIEW, project_page
from projects.models import Project
from projects.selectors.activity import activity_of_project, activity_page, people_and_kinds
from projects.selectors.data import data_overview, event_detail


@require_safe
@project_page(VIEW)
def data(request: HttpRequest, project: Project) -> HttpResponse:
    """Show counts, imports and the newest events; ask again by itself while an import is at work."""
    context = {
        "project": project,
        "data": data_overview(project),
        "events_url": request.build_absolute_uri(reverse("projects_api:events", args=[project.slug])),
    }
    template = "projects/data.html#live" if request.GET.get("part") == "live" else "projects/data.html"
    return render(request, template, context)


@require_safe
@project_page(VIEW)
def event(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    """Show one event with all its features, its label and when it came."""
    found = event_detail(project, pk)
    if found is None:
        raise Http404
    return render(request, "projects/event.html", {"project": project, "event": found})


@require_safe
@project_page(VIEW)
def activity(request: HttpRequest, project: Project) -> HttpResponse:
    """Show who did what, newest first, filtered by kind and person."""
    # PostgreSQL takes no NUL in a text, not even to look for it.
    kind, who = (request.GET.get(name, "").replace("\0", "") for name in ("kind", "who"))
    rows = activity_of_project(project)
    page, entries = activity_page(rows, kind=kind, who=who, number=request.GET.get("page", "1"))
    people, kinds = people_and_kinds(rows)
    context = {
        "project": project,
        "page": page,
        "entries": entries,
        "people": people,
        "kinds": kinds,
        "kind": kind,
        "who": who,
    }
    return render(request, "projects/activity.html", context)
