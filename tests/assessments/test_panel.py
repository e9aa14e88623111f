"""Rounds of a panel: what they need, who may open and close them, what they hide until then, and their seal."""

from __future__ import annotations

import re

import pytest

from assessments.models import Assessment, Rating, Round, ScopeProfile
from assessments.principles import load_catalogue
from assessments.scoring.settings import Settings
from assessments.services.assessments import close as close_assessment
from assessments.services.panel_ratings import save_weights
from assessments.services.panel_rounds import (
    close_round,
    invite_guest,
    invite_member,
    open_round,
    revoke,
    seal_of,
)
from assessments.services.scope import ProfileDraft, save_profile
from ops_portal.errors import UserError
from projects.models import Activity, Role
from tests.assessments.ballots import HTMX, say, url
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db

SECRET = "ZEBRA only this expert would say"


def test_a_round_needs_a_scope_and_an_expert(project, owner):
    with pytest.raises(UserError, match="Describe the scope first"):
        open_round(project=project, actor=owner)
    released = ProfileDraft(first_version=False)
    save_profile(project=project, kind="current", draft=released, measured=None, actor=owner)
    with pytest.raises(UserError, match="Answer at least one scope factor"):
        open_round(project=project, actor=owner)
    save_profile(project=project, kind="current", draft=ProfileDraft({"people": 3.0}), measured=None, actor=owner)
    with pytest.raises(UserError, match="Invite at least one expert"):
        open_round(project=project, actor=owner)


def test_settings_are_fixed_before_round_one(scoped, expert, owner):
    settings = Settings(full_benefit_days=120, maximum_rounds=2)
    first = open_round(project=scoped, actor=owner, settings=settings, anonymous=False)
    with pytest.raises(UserError, match="open already"):
        open_round(project=scoped, actor=owner)
    say(expert, vote=7)
    close_round(project=scoped, actor=owner)
    second = open_round(project=scoped, actor=owner, settings=Settings(full_benefit_days=999), anonymous=True)
    assert Settings.from_json(second.settings) == settings == Settings.from_json(first.settings)
    assert not second.anonymous
    close_round(project=scoped, actor=owner)
    with pytest.raises(UserError, match="at most 2 rounds"):
        open_round(project=scoped, actor=owner)


def test_at_most_three_rounds_can_be_set(as_owner, scoped, expert, owner):
    form = {"anonymous": "on", "full_benefit_days": "300", "horizon_months": "12", "first_version_delay": "1"}
    form |= {"upkeep": "0.2", "overrun": "1", "maximum_rounds": "4", "consensus_threshold": "0.75"}
    assert as_owner.post(url(scoped, "round_open"), form).status_code == 422
    assert not Round.objects.exists()
    assert as_owner.post(url(scoped, "round_open"), form | {"maximum_rounds": "3"}).status_code == 302


def test_a_closed_round_is_sealed(scoped, expert, owner):
    opened = open_round(project=scoped, actor=owner)
    with pytest.raises(UserError, match="Nobody has answered"):
        close_round(project=scoped, actor=owner)
    say(expert, vote=8, reason=SECRET)
    closed = close_round(project=scoped, actor=owner)
    assert closed.scope_current == ScopeProfile.objects.get()
    with pytest.raises(UserError, match="No round is open"):
        say(expert, vote=2, base=1)
    with pytest.raises(UserError, match="No round is open"):
        close_round(project=scoped, actor=owner)
    assert seal_of(closed) == closed.seal
    Rating.objects.update(vote=1)
    assert seal_of(Round.objects.get(pk=opened.pk)) != closed.seal


def test_an_assessment_is_not_closed_over_an_open_round(scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    with pytest.raises(UserError, match="close it first"):
        close_assessment(project=scoped, actor=owner)
    assert Assessment.objects.get().is_open


def test_nothing_anybody_said_leaks_before_the_round_closes(as_owner, client, scoped, team, owner):
    other = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, other, Role.EXPERT)
    invite_member(project=scoped, user=owner, actor=owner)
    theirs = invite_member(project=scoped, user=other, actor=owner).expert
    guest = invite_guest(project=scoped, name="Ana Silva", actor=owner)
    open_round(project=scoped, actor=owner)
    for principle in load_catalogue().principles:
        say(theirs, principle.slug, vote=9, reason=SECRET)
    pages = [url(scoped, name) for name in ("experts", "overview", "panel", "vote_start", "recommendation", "plan")]
    pages += [url(scoped, "vote", "monitoring"), url(scoped, "guest_vote_start", guest.token)]
    pages += [url(scoped, "guest_vote", guest.token, "monitoring"), url(scoped, "checklist", "monitoring")]
    for page in pages:
        response = as_owner.get(page)
        assert response.status_code == 200, page
        assert SECRET not in response.content.decode()
        assert not re.search(r'name="vote"\s+value="9"[^>]*checked', response.content.decode())
    for name in ("result", "what_if", "result_csv", "result_json"):
        assert as_owner.get(url(scoped, name, 1)).status_code == 404
    assert "1 of 3 have answered everything" in as_owner.get(url(scoped, "experts")).content.decode()
    assert not Activity.objects.filter(summary__contains=SECRET).exists()
    assert not Activity.objects.filter(verb__startswith="rating").exists()
    client.force_login(other)
    assert SECRET in client.get(url(scoped, "vote", "monitoring")).content.decode()  # one's own, of course


def test_the_next_round_starts_from_ones_own_answers_and_shows_reasons_without_names(as_owner, scoped, team, owner):
    other = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, other, Role.EXPERT)
    mine = invite_member(project=scoped, user=owner, actor=owner).expert
    theirs = invite_member(project=scoped, user=other, actor=owner).expert
    open_round(project=scoped, actor=owner)
    say(mine, vote=3)
    say(theirs, vote=8, reason=SECRET)
    save_weights(expert=mine, points=dict.fromkeys(load_catalogue().benefit_keys, 60))
    close_round(project=scoped, actor=owner)
    open_round(project=scoped, actor=owner)
    html = as_owner.get(url(scoped, "vote", "monitoring")).content.decode()
    assert SECRET in html
    assert "Nora" not in html and theirs.code not in html
    assert re.search(r'name="vote"\s+value="3"[^>]*checked', html)
    assert "1 times 3, 1 times 8, 2 in all" in html
    assert "0 of 12 principles answered" in html
    carried = Rating.objects.get(round__number=2, expert=mine)
    assert carried.carried
    points = dict.fromkeys(load_catalogue().benefit_keys, "60")
    weights = as_owner.get(url(scoped, "vote_weights")).content.decode()
    assert "From the last round" in weights and "Saved" not in weights and weights.count('value="60"') == 5
    assert "Weights of the benefits" in html and html.count(">last round<") == 2
    as_owner.post(url(scoped, "vote_weights"), points | {"version": "1"}, headers=HTMX)
    assert not mine.weights.get(round__number=2).carried
    data = {"vote": "3", "version": "1"}
    assert as_owner.post(url(scoped, "vote", "monitoring"), data, headers=HTMX).status_code == 200
    carried.refresh_from_db()
    assert not carried.carried


def test_an_open_panel_shows_names_and_says_so_before(as_owner, scoped, expert, owner):
    open_round(project=scoped, actor=owner, anonymous=False)
    assert "This panel is not anonymous" in as_owner.get(url(scoped, "vote_start")).content.decode()
    say(expert, vote=3, reason=SECRET)
    close_round(project=scoped, actor=owner)
    assert ">olga</span>" in as_owner.get(url(scoped, "result", 1)).content.decode()


def test_the_round_is_judged_for_the_scope_it_began_with(as_owner, scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    save_profile(project=scoped, kind="current", draft=ProfileDraft({"people": 11.0}), measured=None, actor=owner)
    assert "The scope was changed after this round began" in as_owner.get(url(scoped, "experts")).content.decode()
    html = as_owner.get(url(scoped, "vote_start")).content.decode()
    assert "not released yet" in html
    say(expert, vote=7)
    assert close_round(project=scoped, actor=owner).scope_current.values == {"people": 3.0}
    assert open_round(project=scoped, actor=owner).scope_current.values == {"people": 11.0}
    assert "The scope was changed" not in as_owner.get(url(scoped, "experts")).content.decode()


def test_who_was_taken_off_does_not_count_in_the_open_round(scoped, expert, owner):
    guest = invite_guest(project=scoped, name="Ana Silva", actor=owner).expert
    open_round(project=scoped, actor=owner)
    say(expert, vote=3)
    say(guest, vote=9)
    save_weights(expert=guest, points={"K1": 100})
    revoke(project=scoped, expert=guest, actor=owner)
    with pytest.raises(UserError, match="no longer holds"):
        say(guest, vote=8, base=1)
    closed = close_round(project=scoped, actor=owner)
    assert [row.vote for row in closed.ratings.all()] == [3] and not closed.weights.exists()
    assert seal_of(closed) == closed.seal


def test_who_may_do_what(client, scoped, team, owner):
    people = {role: make_user(f"a-{role}") for role in (Role.VIEWER, Role.EXPERT, Role.MAINTAINER)}
    for role, user in people.items():
        make_member(team, user, role)
    posts = ["round_open", "round_close", "invite", "share_create"]
    for role in (Role.VIEWER, Role.EXPERT):
        client.force_login(people[role])
        assert client.get(url(scoped, "experts")).status_code == 200
        for name in posts:
            assert client.post(url(scoped, name)).status_code == 403
        assert client.get(url(scoped, "decision", "monitoring")).status_code == 403
    assert client.get(url(scoped, "vote_start")).status_code == 403  # an expert, but not invited
    client.force_login(people[Role.VIEWER])
    assert client.get(url(scoped, "vote_start")).status_code == 403
    client.force_login(people[Role.MAINTAINER])
    invited = client.post(
        url(scoped, "invite"), {"members": [people[Role.EXPERT].pk], "guest": "Ana Silva", "days": "7"}
    )
    assert "/guest/" in invited.content.decode()
    refused = client.post(url(scoped, "invite"), {"members": [people[Role.VIEWER].pk]})
    assert refused.status_code == 422
    form = {"anonymous": "on", "full_benefit_days": "300", "horizon_months": "12", "first_version_delay": "1"}
    form |= {"upkeep": "0.2", "overrun": "1", "maximum_rounds": "3", "consensus_threshold": "0.75"}
    assert client.post(url(scoped, "round_open"), form | {"full_benefit_days": "-4"}).status_code == 422
    assert client.post(url(scoped, "round_open"), form).status_code == 302
    assert Round.objects.get().anonymous
    assert Settings.from_json(Round.objects.get().settings).remembered_benefit_days is None
    client.force_login(people[Role.EXPERT])
    assert client.get(url(scoped, "vote_start")).status_code == 200
    client.force_login(make_user("outsider"))
    for name in ("experts", "plan", "vote_start"):
        assert client.get(url(scoped, name)).status_code == 404


def test_the_facilitators_page_reads_a_fixed_number_of_queries(
    as_owner, scoped, expert, owner, django_assert_max_num_queries
):
    for number in range(6):
        invite_guest(project=scoped, name=f"Guest {number}", actor=owner)
    open_round(project=scoped, actor=owner)
    say(expert, vote=4)
    with django_assert_max_num_queries(18):
        as_owner.get(url(scoped, "experts"))
