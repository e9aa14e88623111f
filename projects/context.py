"""What every page of a project may use: the other projects, for the switch in the top bar."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from projects.access import visible_projects
from projects.models import Project

SHOWN = 12


def switcher(request: HttpRequest) -> dict[str, Any]:
    """Offer the projects to switch to; asked for only where a template shows them."""

    def projects() -> list[Project]:
        if not request.user.is_authenticated:
            return []
        return list(visible_projects(request.user).filter(archived_at=None)[:SHOWN])

    return {"switcher_projects": SimpleLazyObject(projects)}
