"""What the team pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q, Subquery

from projects.access import visible_teams
from projects.models import Membership, Project, Role, Team


@dataclass(frozen=True)
class TeamRow:
    """A team as the list shows it. `role` is empty for a superuser who is not a member."""

    name: str
    slug: str
    role: str
    members: int
    projects: int


@dataclass(frozen=True)
class MemberRow:
    """A member as the team's page shows it."""

    pk: int
    user_id: int
    name: str
    username: str
    email: str
    role: str
    role_title: str
    joined_at: datetime
    last_login: datetime | None
    #: Whether an owner may be shown a sign-in link: see `services.teams.may_be_given_link`.
    may_get_link: bool


@dataclass(frozen=True)
class ProjectRow:
    """A project as the team's page shows it."""

    name: str
    slug: str
    task: str
    events: int
    archived: bool


def is_unused(user: User) -> bool:
    """Say whether nobody ever signed in to this account, and nobody can without a link; staff does not count."""
    return (
        user.is_active
        and not user.has_usable_password()
        and user.last_login is None
        and not (user.is_staff or user.is_superuser)
    )


def teams_of(user: User) -> list[TeamRow]:
    """Return the teams `user` may see, in one query."""
    role = Membership.objects.filter(team=OuterRef("pk"), user_id=user.pk).values("role")[:1]
    counted = Team.objects.filter(pk__in=visible_teams(user).values("pk")).annotate(
        own_role=Subquery(role),
        member_count=Count("memberships", distinct=True),
        project_count=Count("projects", filter=Q(projects__archived_at=None), distinct=True),
    )
    return [
        TeamRow(
            team.name,
            team.slug,
            Role(team.own_role).label if team.own_role else "",
            team.member_count,
            team.project_count,
        )
        for team in counted
    ]


def members_of(team: Team) -> list[MemberRow]:
    """Return the members of `team`, owners first, in one query."""
    elsewhere = Exists(Membership.objects.filter(user=OuterRef("user")).exclude(team=team))
    order = {role: number for number, role in enumerate(Role.values)}
    members = [
        MemberRow(
            pk=membership.pk,
            user_id=membership.user_id,
            name=membership.user.get_full_name() or membership.user.get_username(),
            username=membership.user.get_username(),
            email=membership.user.email,
            role=membership.role,
            role_title=membership.get_role_display(),
            joined_at=membership.created_at,
            last_login=membership.user.last_login,
            may_get_link=is_unused(membership.user) and not membership.elsewhere,
        )
        for membership in team.memberships.select_related("user").annotate(elsewhere=elsewhere)
    ]
    return sorted(members, key=lambda member: (order[member.role], member.name.casefold()))


def projects_of(team: Team) -> list[ProjectRow]:
    """Return the projects of `team`, archived ones last, in one query."""
    rows = [
        ProjectRow(
            project.name, project.slug, project.get_task_display(), project.event_count, bool(project.archived_at)
        )
        for project in Project.objects.filter(team=team)
    ]
    return sorted(rows, key=lambda row: row.archived)
