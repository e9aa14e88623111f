"""Pages of models, runs, versions and deployments."""

from __future__ import annotations

from django.http import HttpRequest


def template_for(request: HttpRequest, template: str, part: str) -> str:
    """Return `template`, or only its part called `part` when htmx asked for the page."""
    return f"{template}#{part}" if getattr(request, "htmx", False) else template
