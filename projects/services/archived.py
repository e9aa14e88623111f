"""What an archived project refuses: everything new. It can be read, and its runs and imports can be ended."""

from __future__ import annotations

from ops_portal.errors import UserError
from projects.models import Project


def check_open(project: Project) -> None:
    """Raise `UserError` when the project is archived, as the database has it now."""
    project.refresh_from_db(fields=["archived_at"])
    if project.archived_at is not None:
        raise refuse()


def refuse() -> UserError:
    """Return the one refusal of an archived project."""
    return UserError(
        "This project is archived and takes nothing new. Bring it back on its settings page first.",
        code="archived",
        status=409,
    )
