"""The only permission rule: what a person may do with a project follows from their role in its team.

An outsider is told that there is nothing (404), a member without the right that the role does not allow it (403).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from projects.models import ApiToken, Membership, Project, Role, Scope, Team

VIEW = "view"
RATE = "rate"
WORK = "work"  # stop and describe what is there, edit the project
START = "start"  # bring data, describe models, start runs
DEPLOY = "deploy"
ADMINISTER = "administer"

_RIGHTS: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset({VIEW}),
    Role.EXPERT: frozenset({VIEW, RATE}),
    Role.MAINTAINER: frozenset({VIEW, RATE, WORK, START, DEPLOY}),
    Role.OWNER: frozenset({VIEW, RATE, WORK, START, DEPLOY, ADMINISTER}),
}
#: What nobody may do with an archived project, whatever their role: it takes nothing new, and what serves stays.
_NOT_ARCHIVED = frozenset({START, DEPLOY})
_REFUSALS = {
    RATE: "Your role in this team is read-only; an owner can make you an expert.",
    WORK: "Only maintainers and owners of the team may change this project.",
    START: "Only maintainers and owners of the team may change this project.",
    DEPLOY: "Only maintainers and owners of the team may deploy or roll back.",
    ADMINISTER: "Only owners of the team may do this.",
}
#: What a person who is signed in needs for an API call, where a token needs the scope.
_SCOPE_RIGHTS: dict[str, str] = {
    Scope.INGEST: WORK,
    Scope.PREDICT: WORK,
    Scope.READ: VIEW,
    Scope.MANAGE: DEPLOY,
}

Visitor = User | AnonymousUser


@dataclass(frozen=True)
class Access:
    """What one person may do with one team's projects.

    `withheld` says that a page is all about something an archived project refuses, so that only its note is shown.
    """

    role: str
    rights: frozenset[str]
    withheld: bool = False

    def may(self, right: str) -> bool:
        """Say whether `right` is among the rights."""
        return right in self.rights

    @property
    def can_rate(self) -> bool:
        """Say whether this person may fill in assessments."""
        return RATE in self.rights

    @property
    def can_work(self) -> bool:
        """Say whether this person may change the project and what is in it."""
        return WORK in self.rights

    @property
    def can_start(self) -> bool:
        """Say whether this person may bring data, describe models and start runs: not in an archived project."""
        return START in self.rights

    @property
    def can_deploy(self) -> bool:
        """Say whether this person may deploy and roll back: not in an archived project."""
        return DEPLOY in self.rights

    @property
    def can_administer(self) -> bool:
        """Say whether this person may manage members, tokens and the project itself."""
        return ADMINISTER in self.rights


def _access(role: str) -> Access:
    return Access(role=role, rights=_RIGHTS[role])


def refuse(right: str) -> PermissionDenied:
    """The exception that says in words that `right` is missing."""
    return PermissionDenied(_REFUSALS.get(right, "Your role does not allow this."))


def visible_projects(user: Visitor) -> QuerySet[Project]:
    """The projects `user` may see, archived ones too."""
    projects = Project.objects.select_related("team")
    if user.is_superuser:
        return projects
    return projects.filter(team__memberships__user_id=user.pk or 0)


def visible_teams(user: Visitor, right: str = VIEW) -> QuerySet[Team]:
    """The teams in which `user` has `right`."""
    if user.is_superuser:
        return Team.objects.all()
    return Team.objects.filter(memberships__user_id=user.pk or 0, memberships__role__in=_roles_with(right))


def people_with(right: str, team_id: int) -> QuerySet[User]:
    """The members of a team who have `right` by their role."""
    members = Membership.objects.filter(team=team_id, role__in=_roles_with(right))
    return User.objects.filter(pk__in=members.values("user"))


def _roles_with(right: str) -> list[str]:
    return [role for role, rights in _RIGHTS.items() if right in rights]


def team_access(user: Visitor, team_id: int) -> Access | None:
    """What `user` may do in a team, or None for an outsider."""
    if user.is_superuser:
        return _access(Role.OWNER)
    role = Membership.objects.filter(team_id=team_id, user_id=user.pk or 0).values_list("role", flat=True).first()
    return _access(role) if role else None


def open_project(user: Visitor, slug: str, right: str = VIEW) -> tuple[Project, Access]:
    """Return the project and what `user` may do with it: one query.

    Raises
    ------
    Http404
        The project does not exist, or `user` is not in its team.
    PermissionDenied
        The user's role lacks `right`.

    """
    mine = Membership.objects.filter(team=OuterRef("team"), user_id=user.pk or 0).values("role")
    project = Project.objects.select_related("team").annotate(role_of_user=mine).filter(slug=slug).first()
    role = Role.OWNER if user.is_superuser else project and project.role_of_user
    if not project or not role:
        raise Http404
    access = _access(role)
    if not access.may(right):
        raise refuse(right)
    return project, access


def open_team(user: Visitor, slug: str, right: str = VIEW) -> tuple[Team, Access]:
    """Return the team and what `user` may do in it; outsiders get 404, members without `right` 403."""
    team = Team.objects.filter(slug=slug).first()
    access = team_access(user, team.pk) if team else None
    if team is None or access is None:
        raise Http404
    if not access.may(right):
        raise refuse(right)
    return team, access


@dataclass(frozen=True)
class Caller:
    """Who makes an API call for a project: a person, or a token (then `user` is who made the token, if still known)."""

    project: Project
    user: User | None
    token: ApiToken | None


def api_project(request: Any, slug: str, scope: str, right: str | None = None) -> Caller:
    """Return the caller of an API request for one project; the only check of scopes.

    `request` is one of DRF, or one that `api_auth.identify` has seen: it has `user`, and `auth` when a token came.
    A token needs `scope`, a person who is signed in `right`: by default the right that stands for the scope.

    Raises
    ------
    Http404
        The project does not exist, or is another one than the token's, or the person is not in its team.
    PermissionDenied
        The token lacks the scope, or the person's role the right.

    """
    token = getattr(request, "auth", None)
    if not isinstance(token, ApiToken):
        project, _access = open_project(request.user, slug, right or _SCOPE_RIGHTS[scope])
        return Caller(project, request.user, None)
    check_token(of=token.project.slug, scopes=token.scopes, slug=slug, scope=scope)
    return Caller(token.project, token.created_by, token)


def api_actor(request: Any, slug: str, right: str) -> tuple[Project, User]:
    """Return the project and the person who acts, for an API call that manages it.

    A token acts for the person who made it, so that history always names somebody, and it can do no more than that
    person may now: whoever leaves the team takes nothing along.

    Raises
    ------
    Http404
        The project does not exist, or is another one than the token's, or the person is not in its team.
    PermissionDenied
        The token does not manage, or the person who is signed in or made the token lacks `right`.

    """
    caller = api_project(request, slug, Scope.MANAGE, right)
    if caller.user is None:
        raise PermissionDenied("The account of the person who made this token is gone. Make a new token.")
    if caller.token and not _may_now(caller.user, right, caller.project.team_id):
        raise PermissionDenied("The person who made this token may not do this any more. Make a new token.")
    return caller.project, caller.user


def _may_now(user: User, right: str, team_id: int) -> bool:
    members = Membership.objects.filter(team=team_id, role__in=_roles_with(right)).values("user")
    able = Q(is_superuser=True) | Q(pk__in=members)
    return User.objects.filter(able, pk=user.pk, is_active=True).exists()


def api_person(request: Any, slug: str, right: str) -> tuple[Project, User]:
    """Return the project and the person who is signed in, for an API call that no token may make.

    Raises
    ------
    Http404
        The project does not exist, or the person is not in its team, or the token is for another project.
    PermissionDenied
        A token asks, or the person's role lacks `right`.

    """
    token = getattr(request, "auth", None)
    if isinstance(token, ApiToken):
        if token.project.slug != slug:
            raise Http404
        raise PermissionDenied("A token stands for a project, not for a person; sign in to do this.")
    return open_project(request.user, slug, right)[0], request.user


def api_team(request: Any, slug: str) -> Team:
    """Return the team of an API call that reads; a token of one of its projects with the scope `read` may, too.

    Raises
    ------
    Http404
        The team does not exist, or the caller has nothing to do with it.
    PermissionDenied
        The token lacks the scope.

    """
    token = getattr(request, "auth", None)
    if not isinstance(token, ApiToken):
        return open_team(request.user, slug, VIEW)[0]
    team = Team.objects.filter(slug=slug, pk=token.project.team_id).first()
    if team is None:
        raise Http404
    check_token(of=slug, scopes=token.scopes, slug=slug, scope=Scope.READ)
    return team


def api_team_change(request: Any, slug: str, right: str) -> tuple[Team, User]:
    """Return the team of an API call that changes it, and the person who is signed in; no token may.

    Raises
    ------
    Http404
        The team does not exist, or the caller has nothing to do with it.
    PermissionDenied
        A token asks, or the person's role lacks `right`.

    """
    if isinstance(getattr(request, "auth", None), ApiToken):
        api_team(request, slug)
        raise PermissionDenied("A token is for one project and changes nothing of its team; sign in to do this.")
    return open_team(request.user, slug, right)[0], request.user


def check_token(*, of: str, scopes: Collection[str], slug: str, scope: str) -> None:
    """Refuse a token of the project `of` that asks for the project `slug`, or that lacks `scope`.

    Raises
    ------
    Http404
        It is another project.
    PermissionDenied
        The scope is missing.

    """
    if of != slug:
        raise Http404
    if scope not in scopes:
        raise PermissionDenied(f'This token lacks the scope "{scope}". Make one that has it.')


P = ParamSpec("P")
ProjectView = Callable[Concatenate[HttpRequest, Project, P], HttpResponseBase]


def project_page(
    right: str = VIEW, *, change: str | None = None
) -> Callable[[ProjectView[P]], Callable[..., HttpResponseBase]]:
    """Decorate a view of one project: `view(request, project, ...)` for the URL argument `slug`.

    `right` is what any request needs, `change` what a request that is not GET or HEAD needs (default: `right`).
    The template finds what the person may do in `request.access`, so that it offers only what will be allowed; of a
    page that is all about what an archived project refuses, it shows the note alone.
    """

    def decorate(view: ProjectView[P]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def checked(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            safe = request.method in {"GET", "HEAD"}
            project, access = open_project(request.user, slug, right if safe else change or right)
            if project.archived_at:
                withheld = safe and right in _NOT_ARCHIVED
                access = replace(access, rights=access.rights - _NOT_ARCHIVED, withheld=withheld)
            request.access = access  # type: ignore[attr-defined]
            return view(request, project, *args, **kwargs)

        return checked

    return decorate
