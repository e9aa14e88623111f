"""The activity log: one row for every state change, written in the same transaction as the change."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from projects.models import Activity, Project, Team

PORTAL = "portal"


def actor_name(actor: AbstractBaseUser | None) -> str:
    """How `actor` is called in the log: the full name, else the user name; `portal` when no person acted."""
    if actor is None:
        return PORTAL
    full_name = getattr(actor, "get_full_name", lambda: "")()
    return full_name or actor.get_username()


def record(
    *,
    actor: AbstractBaseUser | None,
    verb: str,
    summary: str,
    project: Project | None = None,
    team: Team | None = None,
    **data: Any,
) -> Activity:
    """Record what `actor` did. `summary` is one sentence without the actor; `data` holds ids and old values."""
    if team is None:
        assert project is not None, "an activity belongs to a team"
        team = project.team
    return Activity.objects.create(
        team=team,
        project=project,
        actor_id=actor.pk if actor else None,
        actor_name=actor_name(actor)[:150],
        verb=verb,
        summary=summary[:400],
        data=data,
    )
