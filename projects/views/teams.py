"""Teams and their members."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from sesame.utils import get_query_string

from ops_portal.errors import UserError
from projects.access import ADMINISTER, VIEW, open_team, refuse
from projects.forms.people import ROLE_HELPS, MemberForm, RoleForm, TeamForm
from projects.forms.refusals import show_refusal
from projects.models import Membership, Role, Team
from projects.selectors.activity import activity_of_team, activity_page
from projects.selectors.people import members_of, projects_of, teams_of
from projects.services.teams import (
    add_member,
    change_role,
    create_team,
    may_be_given_link,
    record_link,
    remove_member,
    rename_team,
)
from projects.views.projects import PAGES, posted

RECENT = 10


@require_safe
@login_required
def team_list(request: HttpRequest) -> HttpResponse:
    """List the teams one is in."""
    return render(request, "projects/team_list.html", {"teams": teams_of(cast(User, request.user))})


@require_http_methods(PAGES)
@login_required
def team_create(request: HttpRequest) -> HttpResponse:
    """Make a team and become its owner."""
    form = TeamForm(posted(request))
    if form.is_bound and form.is_valid():
        try:
            team = create_team(actor=cast(User, request.user), name=form.cleaned_data["name"])
        except UserError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"The team {team.name} is there. Add its members.")
            return redirect("projects:team", team.slug)
    return render(request, "projects/team_create.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(PAGES)
@login_required
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a team's members and projects; a POST renames it."""
    found, _access = open_team(request.user, slug, ADMINISTER if request.method == "POST" else VIEW)
    form = TeamForm(posted(request), instance=Team(pk=found.pk, name=found.name))
    if form.is_bound and form.is_valid():
        try:
            rename_team(team=found, actor=cast(User, request.user), name=form.cleaned_data["name"])
        except UserError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("projects:team", slug)
    return _team_page(request, slug, form=form, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(PAGES)
@login_required
def member_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a member. A new account's sign-in link is in this one answer only, so there is no redirect then."""
    found, _access = open_team(request.user, slug, ADMINISTER)
    form = MemberForm(posted(request))
    if form.is_bound and form.is_valid():
        try:
            added = add_member(team=found, actor=cast(User, request.user), **form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            if added.is_new:
                return _team_page(request, slug, link_for=added.membership)
            messages.success(request, f"{added.membership.user} is in the team.")
            return redirect("projects:team", slug)
    return _team_page(request, slug, member_form=form, status=422 if form.is_bound else 200)


@require_POST
@login_required
def member_role(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give a member another role."""
    found, _access = open_team(request.user, slug, ADMINISTER)
    membership = get_object_or_404(found.memberships.select_related("user", "team"), pk=pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise UserError("Choose one of the roles.")
    change_role(membership=membership, actor=cast(User, request.user), role=form.cleaned_data["role"])
    messages.success(request, f"{membership.user} is {Role(form.cleaned_data['role']).label.lower()} now.")
    return redirect("projects:team", slug)


@require_http_methods(PAGES)
@login_required
def member_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Ask whether to take a member out of the team, and do it; everybody may leave."""
    found, access = open_team(request.user, slug, VIEW)
    membership = get_object_or_404(found.memberships.select_related("user", "team"), pk=pk)
    leaves = membership.user_id == request.user.pk
    if not leaves and not access.can_administer:
        raise refuse(ADMINISTER)
    if request.method == "POST":
        remove_member(membership=membership, actor=cast(User, request.user))
        messages.success(request, f"You left {found.name}." if leaves else f"{membership.user} left the team.")
        return redirect("projects:team_list") if leaves else redirect("projects:team", slug)
    context = {"team": found, "member": membership, "leaves": leaves}
    return render(request, "projects/member_remove.html", context)


@never_cache
@require_POST
@login_required
def member_link(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show a new sign-in link for a member who never signed in."""
    found, _access = open_team(request.user, slug, ADMINISTER)
    membership = get_object_or_404(found.memberships.select_related("user", "team"), pk=pk)
    record_link(membership=membership, actor=cast(User, request.user))
    return _team_page(request, slug, link_for=membership)


def _team_page(
    request: HttpRequest,
    slug: str,
    *,
    form: TeamForm | None = None,
    member_form: MemberForm | None = None,
    link_for: Membership | None = None,
    status: int = 200,
) -> HttpResponse:
    found, access = open_team(request.user, slug)
    _page, entries = activity_page(activity_of_team(found))
    context = {
        "team": found,
        "access": access,
        "members": [(member, RoleForm(initial={"role": member.role}, auto_id=False)) for member in members_of(found)],
        "projects": projects_of(found),
        "entries": entries[:RECENT],
        "form": form or TeamForm(instance=found),
        "member_form": member_form or MemberForm(),
        "adding": member_form is not None,
        "roles": [(Role(role).label, text) for role, text in ROLE_HELPS.items()],
        "link_for": link_for,
        "sign_in_link": _sign_in_link(request, link_for) if link_for else "",
    }
    return render(request, "projects/team.html", context, status=status)


def _sign_in_link(request: HttpRequest, membership: Membership) -> str:
    assert may_be_given_link(membership), "a link is the account: only for one that nobody has used"
    query = str(get_query_string(membership.user))
    return request.build_absolute_uri(reverse("sign_in_by_link") + query)
