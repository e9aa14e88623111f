"""Teams and who is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from ops_portal.errors import UserError
from projects.models import Membership, Role, Team
from projects.selectors.people import is_unused
from projects.services.activity import actor_name, record

#: First parts of addresses that are pages, not teams.
RESERVED_SLUGS = frozenset({"new"})


@dataclass(frozen=True)
class Added:
    """Somebody who was added to a team; `is_new` when the account was made for it."""

    membership: Membership
    is_new: bool


@transaction.atomic
def create_team(*, actor: User, name: str) -> Team:
    """Make a team with `actor` as its owner."""
    name = name.strip()
    if Team.objects.filter(name__iexact=name).exists():
        message = f'There is a team called "{name}" already. Choose another name, or ask its owner to add you.'
        raise UserError(message, code="conflict", fields={"name": message}, status=409)
    team = Team.objects.create(name=name, slug=_free_slug(name))
    Membership.objects.create(team=team, user=actor, role=Role.OWNER)
    record(actor=actor, verb="team.created", summary=f"made the team {name}", team=team)
    return team


@transaction.atomic
def rename_team(*, team: Team, actor: User, name: str) -> None:
    """Call a team something else; its address stays."""
    name = name.strip()
    if Team.objects.filter(name__iexact=name).exclude(pk=team.pk).exists():
        raise UserError(f'There is a team called "{name}" already.', code="conflict", status=409)
    before = Team.objects.values_list("name", flat=True).get(pk=team.pk)
    if name == before:
        return
    Team.objects.filter(pk=team.pk).update(name=name)
    record(actor=actor, verb="team.renamed", summary=f"renamed the team from {before} to {name}", team=team)


@transaction.atomic
def add_member(*, team: Team, actor: User, who: str, role: str) -> Added:
    """Add a person by user name or e-mail address; a person unknown so far gets an account without a password."""
    who = who.strip()
    found = list(User.objects.filter(Q(username__iexact=who) | Q(email__iexact=who))[:2])
    if len(found) > 1:
        raise UserError("Several people have this address; use the user name.", fields={"who": "not unique"})
    user = found[0] if found else _new_user(who)
    membership, created = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    if not created:
        raise UserError(f"{actor_name(user)} is in this team already.", code="conflict", fields={"who": "in team"})
    title = Role(role).label.lower()
    record(
        actor=actor,
        verb="member.added",
        summary=f"added {actor_name(user)} as {title}",
        team=team,
        member=user.pk,
        role=role,
        new_account=not found,
    )
    return Added(membership, is_new=not found)


@transaction.atomic
def change_role(*, membership: Membership, actor: User, role: str) -> None:
    """Give a member another role; a team keeps at least one owner."""
    _lock(membership.team)
    before = Membership.objects.values_list("role", flat=True).get(pk=membership.pk)
    if before == role:
        return
    if before == Role.OWNER:
        _keep_an_owner(membership, "make somebody else owner before giving up that role")
    Membership.objects.filter(pk=membership.pk).update(role=role)
    who = actor_name(membership.user)
    record(
        actor=actor,
        verb="member.role_changed",
        summary=f"changed the role of {who} from {Role(before).label.lower()} to {Role(role).label.lower()}",
        team=membership.team,
        member=membership.user_id,
        role=role,
        before=before,
    )


@transaction.atomic
def remove_member(*, membership: Membership, actor: User) -> None:
    """Take a person out of a team; the account and everything they did stay."""
    _lock(membership.team)
    if membership.role == Role.OWNER:
        _keep_an_owner(membership, "make somebody else owner first")
    who, itself = actor_name(membership.user), membership.user_id == actor.pk
    Membership.objects.filter(pk=membership.pk).delete()
    record(
        actor=actor,
        verb="member.left" if itself else "member.removed",
        summary="left the team" if itself else f"removed {who} from the team",
        team=membership.team,
        member=membership.user_id,
    )


def may_be_given_link(membership: Membership) -> bool:
    """Say whether an owner of the team may be shown a sign-in link for this member.

    Only for an account that nobody ever used and that opens nothing but this team: a link is the account.
    """
    elsewhere = Membership.objects.filter(user=membership.user).exclude(team=membership.team)
    return is_unused(membership.user) and not elsewhere.exists()


@transaction.atomic
def record_link(*, membership: Membership, actor: User) -> None:
    """Check and record that an owner was shown a sign-in link for a member."""
    if not may_be_given_link(membership):
        raise UserError("This person has signed in before; the sign-in page helps them further.", code="conflict")
    who = actor_name(membership.user)
    summary = f"made a sign-in link for {who}"
    record(actor=actor, verb="member.link", summary=summary, team=membership.team, member=membership.user_id)


def _lock(team: Team) -> None:
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)


def _keep_an_owner(membership: Membership, what_to_do: str) -> None:
    others = Membership.objects.filter(team=membership.team, role=Role.OWNER).exclude(pk=membership.pk)
    if not others.exists():
        raise UserError(
            f"{actor_name(membership.user)} is the last owner: {what_to_do}.", code="last_owner", status=409
        )


def _new_user(who: str) -> User:
    email = who if "@" in who else ""
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise UserError(f'"{who}" is no e-mail address.', fields={"who": "no e-mail address"}) from None
    name = re.sub(r"[^\w.+-]", "", who.partition("@")[0])[:140]
    if not name or (not email and name != who):
        message = "A user name has letters, digits and . + - _ only."
        raise UserError(message, fields={"who": message})
    username, number = name, 2
    while User.objects.filter(username__iexact=username).exists():
        username, number = f"{name}{number}", number + 1
    return User.objects.create_user(username, email, password=None)


def _free_slug(name: str) -> str:
    base = slugify(name)[:70] or "team"
    taken = set(Team.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | RESERVED_SLUGS
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug
