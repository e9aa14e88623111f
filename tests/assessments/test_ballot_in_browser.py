"""The ballot in a real browser: keys, answers saved while they are typed, refusals, and a session that ended."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from assessments.models import Rating
from assessments.services.panel_rounds import invite_member, open_round
from assessments.services.scope import ProfileDraft, save_profile

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAVED = re.compile(r"Saved \d\d:\d\d")


@pytest.fixture
def ballot(window, project, owner):
    """The owner's ballot on monitoring, in an open window, and its address."""
    save_profile(project=project, kind="current", draft=ProfileDraft({"people": 3.0}), measured=None, actor=owner)
    invite_member(project=project, user=owner, actor=owner)
    open_round(project=project, actor=owner)
    page = window(owner)
    page.goto(reverse("assessments:vote", args=[project.slug, "monitoring"]))
    return page


def status(page):
    return page.locator("#ballot .practice-line")


def test_nothing_is_chosen_at_first_and_keys_vote_and_rate(ballot):
    expect(ballot.locator("input[type=radio]:checked")).to_have_count(0)
    ballot.keyboard.press("7")
    expect(status(ballot)).to_contain_text(SAVED)
    assert Rating.objects.get().vote == 7
    expect(ballot.get_by_role("radio", name="7", exact=True)).to_be_focused()
    ballot.keyboard.press("9")
    expect(ballot.get_by_role("radio", name="9, clearly right")).to_be_checked()
    ballot.locator('[name="benefit_K4"]').first.focus()
    ballot.keyboard.press("3")
    expect(ballot.locator('[name="benefit_K4"][value="3"]')).to_be_checked()
    ballot.keyboard.press("8")  # not a level, and no vote while one rates a benefit
    with ballot.expect_response(lambda response: "outages" in (response.request.post_data or "")):
        ballot.get_by_label("Reason", exact=True).press_sequentially("In 2 of 5 outages")
    expect(status(ballot)).to_contain_text(SAVED)
    ballot.reload()
    rating = Rating.objects.get()
    assert (rating.vote, rating.benefits, rating.reason) == (9, {"K4": 3}, "In 2 of 5 outages")


def test_a_reason_is_saved_while_it_is_typed(ballot):
    ballot.get_by_label("Reason", exact=True).press_sequentially("still typing")
    expect(status(ballot)).to_contain_text(SAVED, timeout=10_000)
    assert Rating.objects.get().reason == "still typing"


def test_the_light_level_is_rated_by_keys_in_the_same_step(ballot):
    ballot.locator('[name="light_benefit_K4"]').first.focus()
    ballot.keyboard.press("2")
    expect(status(ballot)).to_contain_text(SAVED)
    ballot.get_by_role("spinbutton", name="Light level: Likely").fill("1.5")
    ballot.locator('[name="vote"]').first.focus()
    with ballot.expect_response(lambda response: "vote=7" in (response.request.post_data or "")):
        ballot.keyboard.press("7")
    expect(status(ballot)).to_contain_text(SAVED)
    ballot.reload()
    rating = Rating.objects.get()
    assert (rating.vote, rating.light_benefits, rating.light_effort_likely) == (7, {"K4": 2}, 1.5)
    assert not rating.benefits
    ballot.get_by_role("spinbutton", name="Likely", exact=True).fill("1")
    ballot.keyboard.press("Tab")
    expect(status(ballot)).to_contain_text("Not saved. The light level is a part of the whole and cannot take longer")


def test_a_refused_answer_is_never_called_saved(ballot):
    ballot.get_by_role("spinbutton", name="Likely", exact=True).fill("5")
    ballot.get_by_role("spinbutton", name="Low", exact=True).fill("9")
    ballot.keyboard.press("Tab")
    expect(status(ballot)).to_contain_text("Not saved. Low, likely and high must rise")
    expect(status(ballot)).not_to_contain_text(SAVED)
    assert ballot.locator(".save-status").get_attribute("data-state") == "failed"
    ballot.get_by_role("spinbutton", name="Low", exact=True).fill("2")
    ballot.keyboard.press("Tab")
    expect(status(ballot)).to_contain_text(SAVED)
    assert Rating.objects.get().effort_low == 2


def test_two_tabs_of_one_expert_are_offered_both_answers(ballot):
    second = ballot.context.new_page()
    second.goto(ballot.url)
    ballot.keyboard.press("7")
    expect(status(ballot)).to_contain_text(SAVED)
    second.keyboard.press("2")
    expect(status(second)).to_contain_text("Not saved: you answered this in another window")
    expect(status(second)).to_contain_text("There: 7. Here: 2.")
    assert Rating.objects.get().vote == 7
    second.get_by_role("button", name="Keep what is here").click()
    expect(status(second)).to_contain_text(SAVED)
    assert Rating.objects.get().vote == 2
    ballot.keyboard.press("4")
    expect(status(ballot)).to_contain_text("There: 2. Here: 4.")
    ballot.get_by_role("link", name="Take what is there").click()
    expect(ballot.get_by_role("radio", name="2", exact=True)).to_be_checked()
    assert Rating.objects.get().vote == 2


def test_an_answer_survives_the_end_of_the_session(ballot, owner):
    Session.objects.all().delete()
    ballot.get_by_label("Reason", exact=True).fill("Typed after the session had ended")
    ballot.keyboard.press("Tab")
    expect(status(ballot)).to_contain_text("Not saved: you are signed out")
    assert not Rating.objects.exists()
    client = Client()
    client.force_login(owner)
    address = re.match(r"https?://[^/]+", ballot.url)[0]
    ballot.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
    ballot.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(status(ballot)).to_contain_text(SAVED)
    assert Rating.objects.get().reason == "Typed after the session had ended"


def test_not_applying_hides_what_need_not_be_said_and_asks_why(ballot):
    ballot.get_by_role("radio", name="It does not apply here").check(force=True)
    expect(status(ballot)).to_contain_text("Not saved. Say why it does not apply here")
    expect(ballot.get_by_role("spinbutton", name="Likely", exact=True)).to_be_hidden()
    ballot.get_by_label("Reason", exact=True).fill("Nothing is served.")
    ballot.keyboard.press("Tab")
    expect(status(ballot)).to_contain_text(SAVED)
    assert Rating.objects.get().stance == "not_applicable"
