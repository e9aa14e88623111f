"""Who is on a panel: invitations by account and by link, links that expire or are replaced, and people taken off."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from assessments.models import Expert, Rating
from assessments.services.panel_rounds import (
    invite_guest,
    invite_member,
    open_round,
    revoke,
)
from ops_portal.errors import UserError
from projects.models import Activity, Role
from tests.assessments.ballots import HTMX, say, url
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db


def test_invitations_by_account_and_by_link(scoped, team, owner):
    invite_member(project=scoped, user=owner, actor=owner)
    with pytest.raises(UserError, match="already"):
        invite_member(project=scoped, user=owner, actor=owner)
    with pytest.raises(UserError, match="Only members"):
        invite_member(project=scoped, user=make_user("stranger"), actor=owner)
    guest = invite_guest(project=scoped, name="Ana Silva", actor=owner, days=7)
    assert guest.expert.is_guest
    assert guest.expert.token_digest != guest.token
    assert 6 < (guest.expert.expires_at - timezone.now()).total_seconds() / 86400 < 7.1
    for name, days in (("", 7), ("Ben", 0), ("Ben", 9999)):
        with pytest.raises(UserError):
            invite_guest(project=scoped, name=name, actor=owner, days=days)
    revoke(project=scoped, expert=Expert.objects.get(user=owner), actor=owner)
    assert invite_member(project=scoped, user=owner, actor=owner).expert.revoked_at is None
    assert len(set(Expert.objects.values_list("code", flat=True))) == 2
    verbs = Activity.objects.filter(verb__startswith="panel.").values_list("verb", flat=True)
    assert sorted(verbs) == ["panel.invited", "panel.invited", "panel.invited", "panel.revoked"]


def test_taking_somebody_off_asks_first_and_changes_nothing_by_that(as_owner, client, scoped, team, owner):
    guest = invite_guest(project=scoped, name="Ana <b>", actor=owner).expert
    page = url(scoped, "expert_revoke", guest.pk)
    asked = as_owner.get(page).content.decode()
    assert "Take Ana &lt;b&gt; off the panel?" in asked and "the link stops working at once" in asked
    assert as_owner.get(url(scoped, "experts")).content.decode().count("Take Ana &lt;b&gt; off the panel?") == 1
    assert Expert.objects.get(pk=guest.pk).revoked_at is None
    member = make_user()
    make_member(team, member, Role.EXPERT)
    other = url(make_project(team), "expert_revoke", guest.pk)
    assert as_owner.get(other).status_code == 404
    as_owner.post(page)
    assert Expert.objects.get(pk=guest.pk).revoked_at
    assert as_owner.get(page)["Location"] == url(scoped, "experts"), "there is nobody to take off any more"
    client.force_login(member)
    assert (client.get(page).status_code, client.post(page).status_code) == (403, 403)
    client.force_login(make_user())
    assert client.get(page).status_code == 404


def test_guests_vote_by_link_and_see_nothing_else(client, scoped, owner):
    guest = invite_guest(project=scoped, name="Ana Silva", actor=owner)
    open_round(project=scoped, actor=owner)
    start = client.get(url(scoped, "guest_vote_start", guest.token))
    html = start.content.decode()
    assert start.status_code == 200
    assert "no-store" in start["Cache-Control"]
    assert "side-nav" not in html and f'"{url(scoped, "overview")}"' not in html
    page = url(scoped, "guest_vote", guest.token, "monitoring")
    assert url(scoped, "sources") not in client.get(page).content.decode()
    assert client.post(page, {"vote": "8", "version": "0"}, headers=HTMX).status_code == 200
    assert Rating.objects.get().expert == guest.expert
    points = {"K1": "100", "K2": "50", "K3": "20", "K4": "10", "K5": "0"}
    assert client.post(url(scoped, "guest_vote_weights", guest.token), points, headers=HTMX).status_code == 200
    assert client.get(url(scoped, "experts")).status_code == 302
    assert client.get(url(scoped, "guest_vote_start", "wrong")).status_code == 404
    Expert.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert client.get(page).status_code == 410
    assert client.post(page, {"vote": "1", "version": "1"}).status_code == 410
    assert Rating.objects.get().vote == 8


def test_a_guest_of_another_project_is_not_let_in(client, scoped, owner, team):
    guest = invite_guest(project=scoped, name="Ana Silva", actor=owner)
    other = make_project(team, name="Other")
    assert client.get(url(other, "guest_vote_start", guest.token)).status_code == 404


def test_a_lost_or_expired_link_is_replaced_and_the_answers_stay(as_owner, client, scoped, owner):
    guest = invite_guest(project=scoped, name="Ana Silva", actor=owner)
    open_round(project=scoped, actor=owner)
    say(guest.expert, vote=6)
    Expert.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert "1 invited." not in as_owner.get(url(scoped, "experts")).content.decode()
    assert "0 of 1 have answered everything" in as_owner.get(url(scoped, "experts")).content.decode()
    html = as_owner.post(url(scoped, "expert_renew", guest.expert.pk)).content.decode()
    token = re.search(r"/guest/([\w-]+)/", html)[1]
    assert token != guest.token
    assert client.get(url(scoped, "guest_vote", guest.token, "monitoring")).status_code == 404
    fresh = client.get(url(scoped, "guest_vote", token, "monitoring")).content.decode()
    assert re.search(r'name="vote"\s+value="6"[^>]*checked', fresh)
    assert Expert.objects.count() == 1


def test_a_member_is_given_no_link_and_nobody_of_another_project_is(as_owner, scoped, team, expert, owner):
    assert as_owner.post(url(scoped, "expert_renew", expert.pk)).status_code == 302
    expert.refresh_from_db()
    assert expert.token_digest is None
    other = make_project(team, name="Other")
    stranger = invite_guest(project=other, name="Ben", actor=owner).expert
    assert as_owner.post(url(scoped, "expert_renew", stranger.pk)).status_code == 404
