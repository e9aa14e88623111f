"""The panel: invitations, rounds that hide until they close and are sealed then, and what experts may say."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assessments.models import Assessment, Expert, Rating, Round, ScopeProfile
from assessments.principles import load_catalogue
from assessments.scoring.settings import Settings
from assessments.services.assessments import close as close_assessment
from assessments.services.panel_ratings import RatingConflictError, RatingDraft, save_rating, save_weights
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
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SECRET = "ZEBRA only this expert would say"


@pytest.fixture
def scoped(project, owner):
    """The project with its scope described."""
    save_profile(project=project, kind="current", draft=ProfileDraft({"people": 3.0}, True), measured=None, actor=owner)
    return project


@pytest.fixture
def expert(scoped, owner):
    """The owner, invited."""
    return invite_member(project=scoped, user=owner, actor=owner).expert


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


def url(project, name, *args):
    return reverse(f"assessments:{name}", args=[project.slug, *args])


def say(expert, principle="monitoring", base=0, **fields):
    return save_rating(expert=expert, principle=principle, draft=RatingDraft(**fields), base_version=base)


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


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vote": 0}, "from 1 to 9"),
        ({"vote": 10}, "from 1 to 9"),
        ({"stance": "perhaps"}, "whether you can rate"),
        ({"confidence": "huge"}, "low, medium or high"),
        ({"benefits": {"K1": 3}}, "does not serve"),
        ({"benefits": {"K4": 7}}, "five levels"),
        ({"effort": (5.0, 3.0, 8.0)}, "must rise"),
        ({"effort": (-1.0, None, None)}, "0 to 1,000"),
        ({"stance": "not_applicable"}, "Say why"),
    ],
)
def test_what_cannot_be_meant_is_refused(scoped, expert, owner, fields, message):
    open_round(project=scoped, actor=owner)
    with pytest.raises(UserError, match=message):
        say(expert, **fields)
    assert not Rating.objects.exists()


def test_a_rating_is_kept_with_its_gaps_and_versions(scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    say(expert, vote=7, benefits={"K4": 3, "K2": None}, effort=(None, 5.0, None))
    rating = Rating.objects.get()
    assert (rating.vote, rating.benefits, rating.effort_likely, rating.effort_low) == (
        7,
        {"K4": 3, "K2": None},
        5.0,
        None,
    )
    with pytest.raises(RatingConflictError):
        say(expert, vote=2)
    assert say(expert, vote=2, base=1).version == 2
    assert say(expert, vote=2, base=0).version == 2  # the same again changes nothing
    with pytest.raises(UserError, match="not in the catalogue"):
        say(expert, principle="nonsense", vote=3)


def test_points_are_checked(scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    assert save_weights(expert=expert, points={"K1": 100}).points["K2"] is None
    for points in ({"K1": 101}, {"K1": -1}, dict.fromkeys(("K1", "K2", "K3", "K4", "K5"), 0)):
        with pytest.raises(UserError):
            save_weights(expert=expert, points=points)


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


def test_voting_pages_save_each_answer_and_go_on(as_owner, scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    first = as_owner.get(url(scoped, "vote", "versioning")).content.decode()
    assert first.count('type="radio"') > 20 and not re.search(r'type="radio"[^>]*checked', first)
    data = {"vote": "7", "benefit_K2": "4", "benefit_K5": "unknown", "effort_low": "1"}
    data |= {"effort_likely": "2", "effort_high": "4", "confidence": "high", "reason": "worked before", "version": "0"}
    response = as_owner.post(url(scoped, "vote", "versioning"), data, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 200
    assert re.search(r'name="version"\s+value="1"', html) and "1 of 12 principles answered" in html
    rating = Rating.objects.get()
    assert rating.benefits == {"K2": 4, "K5": None}
    going_on = as_owner.post(url(scoped, "vote", "versioning"), data | {"version": "1", "go_on": "1"})
    assert going_on["Location"] == url(scoped, "vote", "reproducibility")
    last = load_catalogue().principles[-1].slug
    to_weights = as_owner.post(url(scoped, "vote", last), {"vote": "5", "go_on": "1"})
    assert to_weights["Location"] == url(scoped, "vote_weights")
    points = {"K1": "100", "K2": "50", "K3": "20", "K4": "10", "K5": "0"}
    assert as_owner.post(url(scoped, "vote_weights"), points | {"go_on": "1"})["Location"] == url(scoped, "vote_start")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"vote": "12"}, "Vote from 1 to 9."),
        ({"vote": "x"}, "Vote from 1 to 9."),
        ({"effort_low": "many"}, "Give a number of days"),
        ({"effort_low": "9", "effort_likely": "2"}, "must rise"),
        ({"effort_low": "nan"}, "Give a number of days"),
        ({"reason": "x" * 2**20}, "at most 2,000 fit"),
        ({"evidence_url": "javascript:alert(1)"}, "starts with https:// or http://"),
        ({"vote": "not_applicable"}, "Say why it does not apply"),
        ({"benefit_K4": "9"}, "five levels"),
    ],
)
def test_bad_votes_get_a_sentence_and_lose_nothing(as_owner, scoped, expert, owner, given, message):
    open_round(project=scoped, actor=owner)
    for headers in (HTMX, {}):
        response = as_owner.post(url(scoped, "vote", "monitoring"), {"vote": "5"} | given, headers=headers)
        assert response.status_code == 422
        assert message in response.content.decode()
    assert not Rating.objects.exists()


def test_two_windows_of_one_expert_clash(as_owner, scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    as_owner.post(url(scoped, "vote", "monitoring"), {"vote": "7", "version": "0"}, headers=HTMX)
    response = as_owner.post(url(scoped, "vote", "monitoring"), {"vote": "2", "version": "0"}, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 422
    assert "you answered this in another window" in html and re.search(r'name="version"\s+value="1"', html)
    assert Rating.objects.get().vote == 7
    as_owner.post(url(scoped, "vote", "monitoring"), {"vote": "2", "version": "1"}, headers=HTMX)
    assert Rating.objects.get().vote == 2


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


def test_two_windows_with_points_clash_and_both_are_offered(as_owner, scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    page = url(scoped, "vote_weights")
    first = {"K1": "100", "K2": "50", "K3": "20", "K4": "10", "K5": "0"}
    assert as_owner.post(page, first | {"version": "0"}, headers=HTMX).status_code == 200
    response = as_owner.post(page, first | {"K1": "1", "version": "0"}, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 422
    assert "other points in another window" in html and "Fewer error-prone manual steps 100" in html
    assert expert.weights.get().points["K1"] == 100
    assert re.search(r'name="version"\s+value="1"', html)
    assert as_owner.post(page, first | {"K1": "1", "version": "1"}, headers=HTMX).status_code == 200
    assert expert.weights.get().points["K1"] == 1


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


def test_a_lost_or_expired_link_is_replaced_and_the_answers_stay(as_owner, client, scoped, owner):
    guest = invite_guest(project=scoped, name="Ana Silva", actor=owner)
    open_round(project=scoped, actor=owner)
    say(guest.expert, vote=6)
    Expert.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert "1 invited" not in as_owner.get(url(scoped, "experts")).content.decode()
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


@pytest.mark.parametrize(("said", "stance"), [("unknown", "unknown"), ("not_applicable", "not_applicable")])
def test_not_knowing_and_not_applying_are_answers_of_their_own(as_owner, scoped, expert, owner, said, stance):
    open_round(project=scoped, actor=owner)
    data = {"vote": said, "reason": "We have no such thing.", "version": "0"}
    response = as_owner.post(url(scoped, "vote", "monitoring"), data, headers=HTMX)
    assert "1 of 12 principles answered" in response.content.decode()
    rating = Rating.objects.get()
    assert (rating.stance, rating.vote) == (stance, None)
    html = as_owner.get(url(scoped, "vote", "monitoring")).content.decode()
    assert re.search(rf'name="vote"\s+value="{said}"[^>]*checked', html)


def test_at_most_three_rounds_can_be_set(as_owner, scoped, expert, owner):
    form = {"anonymous": "on", "full_benefit_days": "300", "horizon_months": "12", "first_version_delay": "1"}
    form |= {"upkeep": "0.2", "overrun": "1", "maximum_rounds": "4", "consensus_threshold": "0.75"}
    assert as_owner.post(url(scoped, "round_open"), form).status_code == 422
    assert not Round.objects.exists()
    assert as_owner.post(url(scoped, "round_open"), form | {"maximum_rounds": "3"}).status_code == 302
