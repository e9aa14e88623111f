"""Checklist and scope page in a real browser: saved at once, by keyboard, in two tabs, without losing a word."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from assessments.models import Answer, Rating, ScopeProfile
from assessments.services.scope import ProfileDraft, save_profile
from projects.models import Role
from tests.assessments import records as made
from tests.factories import make_member, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

expect.set_options(timeout=15_000)

FALLBACK, SHADOW, SWITCH, SERVING = (
    f"controlled-release-{name}" for name in ("fallback", "shadow", "kill-switch", "one-serving")
)


def address(project, principle="controlled-release"):
    return reverse("assessments:checklist", args=[project.slug, principle])


def choose(page, practice, value):
    page.locator(f"#{practice}-{value}").check(force=True)


def status(page, practice):
    return page.locator(f"#practice-{practice} .practice-line")


def stored(practice):
    return Answer.objects.get(practice=practice.replace("controlled-release-", "controlled-release.", 1))


def test_answers_are_saved_by_keyboard_and_say_when(window, project, owner):
    page = window(owner)
    page.goto(address(project))
    page.locator(f"#{FALLBACK}-yes").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(status(page, FALLBACK)).to_contain_text(re.compile(r"Saved \d\d:\d\d"))
    expect(page.locator(f"#{FALLBACK}-no")).to_be_focused()
    expect(page.locator("#checklist-progress")).to_contain_text("3 of 79 practices answered")
    page.reload()
    expect(page.locator(f"#{FALLBACK}-no")).to_be_checked()
    assert stored(FALLBACK).value == "no"


def test_quick_changes_and_a_comment_typed_just_before_going_on_are_all_kept(window, project, owner):
    page = window(owner)
    page.goto(address(project))
    for value in ("yes", "no", "partly", "yes", "no", "partly"):
        choose(page, SHADOW, value)
    page.locator(f"#practice-{SHADOW} .practice-more summary").click()
    page.locator(f"#{SHADOW}-comment").fill("typed, then straight on")
    page.get_by_role("button", name="Continuous monitoring").click()
    page.wait_for_url("**/checklist/monitoring/")
    answer = stored(SHADOW)
    assert (answer.value, answer.comment) == ("partly", "typed, then straight on")


def test_does_not_apply_asks_for_its_reason_and_then_saves(window, project, owner):
    page = window(owner)
    page.goto(address(project))
    expect(page.locator(f"#{SWITCH}-reason")).to_be_hidden()
    choose(page, SWITCH, "does_not_apply")
    expect(status(page, SWITCH)).to_contain_text("Not saved. Say why this does not apply")
    expect(status(page, SWITCH).get_by_role("status")).to_be_hidden()
    page.locator(f"#{SWITCH}-reason").fill("Nothing is promoted automatically.")
    page.keyboard.press("Tab")
    expect(status(page, SWITCH)).to_contain_text(re.compile(r"Saved \d\d:\d\d"))
    assert stored(SWITCH).reason == "Nothing is promoted automatically."


def test_two_tabs_clash_and_both_answers_are_offered(window, project, team, owner):
    other = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, other, Role.EXPERT)
    first, second = window(owner), window(other)
    first.goto(address(project))
    second.goto(address(project))
    choose(first, FALLBACK, "yes")
    expect(status(first, FALLBACK)).to_contain_text("Saved")
    choose(second, FALLBACK, "no")
    expect(status(second, FALLBACK)).to_contain_text("Not saved: this was answered elsewhere")
    second.get_by_role("button", name="Keep mine").click()
    expect(status(second, FALLBACK)).to_contain_text("Nora Lind")
    assert stored(FALLBACK).value == "no"
    choose(first, FALLBACK, "partly")
    first.get_by_role("link", name="Take theirs").click()
    expect(first.locator(f"#{FALLBACK}-no")).to_be_checked()
    assert stored(FALLBACK).value == "no"


def test_an_answer_from_the_records_is_explained_overruled_and_taken_back(window, project, owner):
    made.lived_in(project, owner)
    page = window(owner)
    page.goto(address(project))
    expect(page.locator(f"#{SERVING}-yes")).to_be_checked()
    status(page, SERVING).get_by_text("why", exact=True).click()
    expect(status(page, SERVING)).to_contain_text("3 deployments say who made them, when and why.")
    choose(page, SERVING, "partly")
    expect(status(page, SERVING)).to_contain_text("Overrules the records")
    page.get_by_role("button", name=re.compile("Take back the answer on: Exactly one version")).click()
    expect(status(page, SERVING)).to_contain_text("Filled from records")
    expect(page.locator(f"#{SERVING}-yes")).to_be_checked()


def test_without_scripts_the_page_still_saves(window, project, owner):
    page = window(owner, java_script_enabled=False)
    page.goto(address(project))
    choose(page, FALLBACK, "yes")
    choose(page, SWITCH, "no")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("Saved 2 answers.")
    assert {stored(FALLBACK).value, stored(SWITCH).value} == {"yes", "no"}


def test_the_recommendation_follows_the_scope_while_it_is_typed(window, project, owner):
    made.lived_in(project, owner)
    page = window(owner)
    page.goto(reverse("assessments:scope", args=[project.slug]))
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Adopt now")
    page.get_by_label("Now: People changing the system").fill("12")
    page.get_by_label("Now: Manual steps per deployment").fill("15")
    page.keyboard.press("Tab")
    expect(preview).to_contain_text("was:")
    assert not ScopeProfile.objects.exists()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("The scope is saved.")
    page.get_by_role("button", name="Use 1 for People changing the system").click()
    expect(page.get_by_label("Now: People changing the system")).to_have_value("1")
    expect(preview).to_contain_text("was:")
    assert ScopeProfile.objects.get().values["people"] == 12


def test_a_guest_votes_on_a_phone_and_the_facilitator_closes_the_round(window, project, owner):
    draft = ProfileDraft({"people": 3.0, "models_in_production": 2.0}, first_version=False)
    save_profile(project=project, kind="current", draft=draft, measured=None, actor=owner)
    page = window(owner)
    page.goto(reverse("assessments:experts", args=[project.slug]))
    page.get_by_label("Guest").fill("Ana Silva")
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_text(re.compile(r"/guest/")).first.inner_text().strip()
    page.get_by_role("button", name="Open round 1").click()
    expect(page.get_by_text("Round 1: 0 of 1 have answered everything")).to_be_visible()

    guest = window(make_user("nobody-in-particular"), viewport={"width": 390, "height": 844})
    guest.goto(link)
    guest.get_by_role("link", name="Begin").click()
    guest.get_by_role("radio", name="7", exact=True).check(force=True)
    guest.get_by_role("spinbutton", name="Likely").fill("5")
    guest.get_by_role("spinbutton", name="Low").fill("9")
    guest.get_by_label("Reason", exact=True).click()
    expect(guest.locator("#ballot-status")).to_contain_text("must rise")
    guest.get_by_role("spinbutton", name="Low").fill("2")
    guest.get_by_label("Reason", exact=True).fill("We had no way back in March.")
    guest.get_by_role("button", name="Reproducibility").click()
    guest.wait_for_url("**/on/reproducibility/")
    rating = Rating.objects.get()
    assert (rating.vote, rating.effort_low, rating.reason) == (7, 2.0, "We had no way back in March.")

    page.reload()
    expect(page.get_by_role("row", name=re.compile("Ana Silva"))).to_contain_text("1/12")
    expect(page.locator("body")).not_to_contain_text("no way back in March")
    page.get_by_role("link", name="Close round 1").click()
    page.get_by_role("button", name="Close and seal round 1").click()
    expect(page.get_by_role("heading", name=re.compile("What to adopt"))).to_be_visible()
    expect(page.locator("#membership-plot .main-svg").first).to_be_visible()
    expect(page.get_by_text("We had no way back in March.")).to_be_visible()
    guest.reload()
    expect(guest.get_by_text("No round is open")).to_be_visible()
