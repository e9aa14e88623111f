"""The ballot: what an expert may say, saved answer by answer, refused in words, and kept apart in two windows."""

from __future__ import annotations

import re

import pytest

from assessments.models import Rating
from assessments.principles import load_catalogue
from assessments.services.panel_ratings import RatingConflictError, save_weights
from assessments.services.panel_rounds import (
    open_round,
)
from ops_portal.errors import UserError
from tests.assessments.ballots import HTMX, say, url

pytestmark = pytest.mark.django_db


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


def test_two_windows_with_points_clash_and_both_are_offered(as_owner, scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    page = url(scoped, "vote_weights")
    first = {"K1": "100", "K2": "50", "K3": "20", "K4": "10", "K5": "0"}
    assert as_owner.post(page, first | {"version": "0"}, headers=HTMX).status_code == 200
    response = as_owner.post(page, first | {"K1": "1", "version": "0"}, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 422
    assert "Not saved: you answered this in another window" in html and "There: 100. Here: 1." in html
    assert expert.weights.get().points["K1"] == 100
    assert re.search(r'name="version"\s+value="1"', html)
    assert as_owner.post(page, first | {"K1": "1", "version": "1"}, headers=HTMX).status_code == 200
    assert expert.weights.get().points["K1"] == 1
