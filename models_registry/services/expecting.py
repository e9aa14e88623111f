"""Changing what serves only if it is still what the person saw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from models_registry.models import Deployment
from ops_portal.errors import UserError
from projects.models import Project


@contextmanager
def expecting(project: Project, number: int) -> Iterator[None]:
    """Open a transaction in which deployment `number` (0: none) is and stays the newest one of the project.

    Raises
    ------
    UserError
        Somebody deployed or rolled back meanwhile.

    """
    with transaction.atomic():
        Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()
        newest = (
            Deployment.objects.filter(project=project)
            .select_related("version", "canary", "created_by")
            .defer("version__spec", "version__metrics", "canary__spec", "canary__metrics")
            .first()
        )
        if (newest.number if newest else 0) != number:
            raise UserError(_explain(newest), code="conflict", status=409)
        yield


def _explain(newest: Deployment | None) -> str:
    if newest is None:
        return "Nothing is deployed here any more. Look again, then decide."
    who = newest.created_by.get_full_name() or newest.created_by.get_username() if newest.created_by else "Somebody"
    return f"{who} {_tell(newest)} meanwhile. Nothing of yours was changed: look at it, then decide again."


def _tell(change: Deployment) -> str:
    kind = Deployment.Kind(change.kind)
    if kind == Deployment.Kind.ROLLBACK:
        return f"rolled back to {change.version}"
    if kind == Deployment.Kind.ABORT:
        return "aborted the canary"
    if kind == Deployment.Kind.CANARY:
        return f"started {change.canary} as canary"
    if kind == Deployment.Kind.WIDEN:
        return f"changed the share of the canary to {change.canary_share}%"
    return f"deployed {change.version}"
