"""The first page: all projects of a person, for scanning."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from models_registry.selectors.dashboard import SHOWN, read_dashboard
from models_registry.views import template_for
from projects.access import WORK, visible_teams

LONGEST_SEARCH = 100


@require_safe
@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what serves, how well, since when and what needs somebody; htmx gets only the part that changes."""
    search = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    board = read_dashboard(request.user, now=timezone.now(), search=search, shown=request.GET.get("show", "all"))
    context = {"board": board, "shown_options": SHOWN.items(), "may_create": visible_teams(request.user, WORK).exists()}
    return render(request, template_for(request, "models_registry/dashboard.html", "board"), context)
