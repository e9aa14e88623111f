"""Numbers that people say: run 3, v12, deployment 5; gapless within a project."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, Model

from projects.models import Project


def next_number(of: type[Model], project_id: int) -> int:
    """Return the next number of `of` in a project, holding the project's lock until the transaction ends."""
    Project.objects.select_for_update().filter(pk=project_id).values_list("pk").get()
    manager: Any = of._default_manager
    newest: int | None = manager.filter(project_id=project_id).aggregate(newest=Max("number"))["newest"]
    return (newest or 0) + 1
