"""Two rounds of a project side by side."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assessments.selectors.comparison import compare_rounds, newest_two, read_choices
from projects.access import VIEW, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def compare(request: HttpRequest, project: Project) -> HttpResponse:
    """Compare two closed rounds, of one assessment or of two; the newest two unless others are named."""
    choices = read_choices(project)
    named = {choice.value: choice for choice in choices}
    earlier, newest = newest_two(choices)
    a, b = request.GET.get("a", earlier), request.GET.get("b", newest)
    before, after = named.get(a), named.get(b)
    context = {
        "project": project,
        "nav_active": "assessment",
        "choices": choices,
        "a": a,
        "b": b,
        "compared": compare_rounds(before, after) if before and after and before != after else None,
        "unknown": bool(choices) and not (before and after),
    }
    return render(request, "assessments/compare.html", context, status=404 if context["unknown"] else 200)
