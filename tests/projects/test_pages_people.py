"""Teams, their members, sign-in links, and one's own account."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse

from ops_portal.errors import UserError
from projects.models import Activity, Membership, Role, Team
from projects.services.teams import add_member, change_role, remove_member
from tests.factories import make_member, make_project, make_team, make_user


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def page_of(name, team, *args):
    return reverse(f"projects:{name}", args=[team.slug, *args])


def log():
    return list(Activity.objects.order_by("pk").values_list("verb", "summary"))


@pytest.mark.django_db
def test_a_team_is_made_and_renamed(signed_in, owner):
    assert b"You are in no team yet" in signed_in.get(reverse("projects:team_list")).content
    signed_in.post(reverse("projects:team_create"), {"name": "New"})
    team = Team.objects.get()
    assert (team.slug, team.memberships.get().role) == ("new-2", Role.OWNER)
    again = signed_in.post(reverse("projects:team_create"), {"name": "new"})
    assert again.status_code == 422
    assert b"There is a team called" in again.content
    signed_in.post(page_of("team", team), {"name": "Newer"})
    assert Team.objects.get().name == "Newer"
    assert log() == [("team.created", "made the team New"), ("team.renamed", "renamed the team from New to Newer")]
    assert b"Newer" in signed_in.get(reverse("projects:team_list")).content


@pytest.mark.django_db
def test_a_member_can_be_added_without_the_dialog(signed_in, team):
    form = f'action="{page_of("member_add", team)}"'
    assert form in signed_in.get(page_of("member_add", team)).content.decode()
    assert "<dialog" not in signed_in.get(page_of("member_add", team)).content.decode()
    assert "<dialog" in signed_in.get(page_of("team", team)).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["maria", "MARIA", "maria@example.org", " Maria@Example.org "])
def test_a_known_person_is_added_by_name_or_address_and_gets_no_link(signed_in, team, who):
    maria = make_user("maria")
    response = signed_in.post(page_of("member_add", team), {"who": who, "role": "expert"}, follow=True)
    assert team.memberships.get(user=maria).role == Role.EXPERT
    assert "sesame" not in response.content.decode()
    again = signed_in.post(page_of("member_add", team), {"who": who, "role": "owner"})
    assert again.status_code == 422
    assert b"in this team already" in again.content
    assert log() == [("member.added", "added maria as expert")]


@pytest.mark.django_db
def test_a_new_person_gets_an_account_and_a_link_that_works_once(signed_in, team, client):
    response = signed_in.post(page_of("member_add", team), {"who": "new.one@example.org", "role": "viewer"})
    assert "no-store" in response["Cache-Control"]
    user = User.objects.get(email="new.one@example.org")
    assert (user.username, user.has_usable_password()) == ("new.one", False)
    link = re.search(r"http://testserver(/sign-in/link/\?sesame=([^<\s]+))", response.content.decode())
    client.logout()
    assert client.get(link[1]).status_code == 200, "looking at the link uses nothing up"
    client.post("/sign-in/link/", {"sesame": link[2]})
    assert int(client.session["_auth_user_id"]) == user.pk
    client.logout()
    client.post("/sign-in/link/", {"sesame": link[2]})
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["", "not an address@", "two words", "<script>", "@example.org", "x" * 200])
def test_nonsense_makes_no_account(signed_in, team, who):
    before = User.objects.count()
    response = signed_in.post(page_of("member_add", team), {"who": who, "role": "viewer"})
    assert response.status_code == 422
    assert User.objects.count() == before


@pytest.mark.django_db
def test_a_link_is_made_again_only_for_an_account_nobody_used(signed_in, team, owner):
    unused = add_member(team=team, actor=owner, who="unused", role="viewer").membership
    response = signed_in.post(page_of("member_link", team, unused.pk))
    assert b"sesame=" in response.content
    signed_up = make_member(team, make_user())
    refused = signed_in.post(page_of("member_link", team, signed_up.pk), follow=True)
    assert b"sesame=" not in refused.content
    assert b"has signed in before" in refused.content
    make_member(make_team(), unused.user)
    elsewhere = signed_in.post(page_of("member_link", team, unused.pk), follow=True)
    assert b"sesame=" not in elsewhere.content, "the account opens another team as well"
    staff = add_member(team=team, actor=owner, who="boss", role="viewer").membership
    User.objects.filter(pk=staff.user_id).update(is_staff=True)
    assert b"sesame=" not in signed_in.post(page_of("member_link", team, staff.pk), follow=True).content
    assert [verb for verb, _ in log()].count("member.link") == 1


@pytest.mark.django_db
def test_roles_change_and_members_go(signed_in, team, owner):
    member = make_member(team, make_user("maria"))
    signed_in.post(page_of("member_role", team, member.pk), {"role": "maintainer"})
    signed_in.post(page_of("member_role", team, member.pk), {"role": "maintainer"})
    assert (
        b"Choose one of the roles"
        in signed_in.post(page_of("member_role", team, member.pk), {"role": "god"}, follow=True).content
    )
    assert b"Remove maria from" in signed_in.get(page_of("member_remove", team, member.pk)).content
    signed_in.post(page_of("member_remove", team, member.pk))
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert log() == [
        ("member.role_changed", "changed the role of maria from viewer to maintainer"),
        ("member.removed", "removed maria from the team"),
    ]


@pytest.mark.django_db
def test_the_last_owner_stays_owner(signed_in, team, owner):
    own = team.memberships.get()
    assert (
        b"is the last owner"
        in signed_in.post(page_of("member_role", team, own.pk), {"role": "viewer"}, follow=True).content
    )
    assert b"is the last owner" in signed_in.post(page_of("member_remove", team, own.pk), follow=True).content
    assert team.memberships.get().role == Role.OWNER
    make_member(team, make_user(), Role.OWNER)
    signed_in.post(page_of("member_remove", team, own.pk))
    assert log() == [("member.left", "left the team")]


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_leave_at_once():
    team = make_team()
    owners = [make_member(team, make_user(), Role.OWNER) for _ in range(2)]

    def leave(membership):
        try:
            remove_member(membership=membership, actor=membership.user)
        except UserError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        left = list(pool.map(leave, owners))
    assert sorted(left) == [False, True]
    assert team.memberships.count() == 1


@pytest.mark.django_db
def test_a_role_that_changed_meanwhile_still_keeps_an_owner(team, owner):
    own = team.memberships.get()
    with pytest.raises(UserError, match="last owner"):
        change_role(membership=own, actor=owner, role=Role.EXPERT)


@pytest.mark.django_db
def test_the_team_page_costs_few_queries_however_many_members(signed_in, team, django_assert_max_num_queries):
    for _ in range(8):
        make_member(team, make_user())
        make_project(team)
    with django_assert_max_num_queries(11):
        page = signed_in.get(page_of("team", team))
    assert len(page.context["members"]) == 9
    with django_assert_max_num_queries(4):
        signed_in.get(reverse("projects:team_list"))


@pytest.mark.django_db
def test_a_viewer_sees_the_team_without_its_controls(client, team):
    viewer = make_user()
    make_member(team, viewer)
    client.force_login(viewer)
    page = client.get(page_of("team", team)).content.decode()
    assert "Add a member" not in page
    assert "Register a project" not in page
    assert "Leave" in page


@pytest.mark.django_db
def test_name_and_address_are_ones_own_to_change(signed_in, owner):
    make_user("maria")
    address = reverse("projects:account")
    signed_in.post(address, {"full_name": "Olga Petrova", "email": "olga@example.com"})
    owner.refresh_from_db()
    assert (owner.get_full_name(), owner.email) == ("Olga Petrova", "olga@example.com")
    taken = signed_in.post(address, {"full_name": "", "email": "Maria@example.org"})
    assert taken.status_code == 422
    assert b"Another account has this" in taken.content
    assert signed_in.post(address, {"email": "nonsense"}).status_code == 422


@pytest.mark.django_db
def test_a_password_needs_the_old_one_where_there_is_one(signed_in, owner, client):
    address = reverse("projects:account_password")
    new = "a fine long passphrase"
    wrong = signed_in.post(address, {"old_password": "wrong", "new_password": new})
    assert wrong.status_code == 422
    assert b"current password is not right" in wrong.content
    weak = signed_in.post(address, {"old_password": "correct horse battery", "new_password": "short"})
    assert b"too short" in weak.content
    assert signed_in.post(address, {"old_password": "correct horse battery", "new_password": new}).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password(new)
    assert signed_in.get(address).status_code == 200, "still signed in"
    User.objects.filter(pk=owner.pk).update(password="!none")
    client.force_login(User.objects.get(pk=owner.pk))
    assert client.post(address, {"new_password": new}).status_code == 302
