"""Closing a round, the board or the assessment and taking an expert off ask first, say what happens, and do it."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import reverse
from playwright.sync_api import expect

from assessments.models import Assessment, Board, Expert, Round, Statement
from assessments.services.board import open_board
from assessments.services.panel_rounds import invite_guest, open_round
from tests.assessments.ballots import say

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def objections(page) -> list[str]:
    """What axe has against the page as it stands."""
    page.emulate_media(reduced_motion="reduce")  # while a dialog fades in, its contrast is that of the moment
    page.evaluate(AXE_SCRIPT)
    return [one["id"] for one in page.evaluate("() => axe.run()")["violations"]]


@pytest.fixture
def opened(scoped, expert, owner):
    """An open round with two experts invited and one answer."""
    invite_guest(project=scoped, name="Ana Silva", actor=owner)
    open_round(project=scoped, actor=owner)
    say(expert, vote=7)
    return scoped


def test_closing_a_round_asks_first(window, opened, owner):
    page = window(owner)
    page.goto(reverse("assessments:experts", args=[opened.slug]))
    page.get_by_role("link", name="Close round 1").click()
    dialog = page.get_by_role("dialog", name="Close this round?")
    expect(dialog).to_contain_text("0 of 2 invited have answered everything, 1 has begun")
    expect(dialog).to_contain_text("Round 1 is sealed for good")
    expect(dialog).to_contain_text("2 more rounds can be opened")
    assert not objections(page)
    dialog.get_by_role("button", name="Keep it open").click()
    expect(dialog).to_be_hidden()
    assert Round.objects.get().is_open
    page.get_by_role("link", name="Close round 1").press("Enter")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Close round 1").press("Enter")
    dialog.get_by_role("button", name="Close and seal round 1").click()
    expect(page.get_by_role("heading", name=re.compile("What to adopt"))).to_be_visible()
    assert not Round.objects.get().is_open
    take_off(page, opened)
    close_assessment(page, opened)


def take_off(page, project):
    """Think twice about taking the guest off, then do it."""
    page.goto(reverse("assessments:experts", args=[project.slug]))
    dialog = page.get_by_role("dialog", name="Take Ana Silva off the panel?")
    page.get_by_role("link", name="Take off Ana Silva").click()
    expect(dialog).to_contain_text("the link stops working at once")
    expect(dialog).to_contain_text("What they said in closed rounds stays")
    assert not objections(page)
    dialog.get_by_role("button", name="Keep them").click()
    expect(dialog).to_be_hidden()
    assert not Expert.objects.filter(revoked_at__isnull=False).exists()
    page.get_by_role("link", name="Take off Ana Silva").press("Enter")
    dialog.get_by_role("button", name="Take off the panel").click()
    expect(page.get_by_text("Ana Silva is off the panel")).to_be_visible()
    assert Expert.objects.get(revoked_at__isnull=False).name == "Ana Silva"


def close_assessment(page, project):
    """Think twice about closing the assessment, then do it."""
    page.goto(reverse("assessments:overview", args=[project.slug]))
    dialog = page.get_by_role("dialog", name="Close this assessment?")
    page.get_by_role("link", name="Close and keep as milestone").click()
    expect(dialog).to_contain_text("of 79 practices are answered")
    expect(dialog).to_contain_text("It is not opened again")
    assert not objections(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert Assessment.objects.get().is_open
    page.get_by_role("link", name="Close and keep as milestone").press("Enter")
    dialog.get_by_role("button", name="Close assessment 1").click()
    expect(page.get_by_text("closed and kept as a milestone")).to_be_visible()
    assert not Assessment.objects.get().is_open


def test_without_scripts_closing_asks_on_a_page_of_its_own(window, opened, owner):
    page = window(owner, java_script_enabled=False)
    page.goto(reverse("assessments:experts", args=[opened.slug]))
    page.get_by_role("link", name="Close round 1").click()
    expect(page.get_by_role("heading", name="Close round 1?")).to_be_visible()
    assert Round.objects.get().is_open
    page.goto(reverse("assessments:overview", args=[opened.slug]))
    page.get_by_role("link", name="Close and keep as milestone").click()
    expect(page.get_by_text("Close it first; then the assessment can be closed.")).to_be_visible()
    expect(page.get_by_role("button", name="Close assessment 1")).to_be_disabled()
    page.goto(reverse("assessments:experts", args=[opened.slug]))
    page.get_by_role("link", name="Take off Ana Silva").click()
    expect(page.get_by_role("heading", name="Take Ana Silva off the panel?")).to_be_visible()
    expect(page.get_by_text("What they said in round 1, which is open")).to_be_visible()
    assert not Expert.objects.filter(revoked_at__isnull=False).exists()
    page.get_by_role("button", name="Take off the panel").click()
    assert Expert.objects.get(revoked_at__isnull=False).name == "Ana Silva"
    page.get_by_role("link", name="Close round 1").click()
    page.get_by_role("button", name="Close and seal round 1").click()
    assert not Round.objects.get().is_open
    page.goto(reverse("assessments:close", args=[opened.slug]))
    page.get_by_role("button", name="Close assessment 1").click()
    assert not Assessment.objects.get().is_open


def test_a_round_without_answers_cannot_be_closed(window, scoped, expert, owner):
    open_round(project=scoped, actor=owner)
    page = window(owner)
    page.goto(reverse("assessments:experts", args=[scoped.slug]))
    page.get_by_role("link", name="Close round 1").click()
    dialog = page.get_by_role("dialog", name="Close this round?")
    expect(dialog).to_contain_text("A round without answers says nothing")
    expect(dialog.get_by_role("button", name="Close and seal round 1")).to_be_disabled()


def test_closing_the_board_asks_first(window, scoped, expert, owner):
    board = open_board(project=scoped, anonymous=True, actor=owner)
    page = window(owner)
    page.goto(reverse("assessments:board", args=[scoped.slug]))
    page.get_by_role("link", name="Close the board").click()
    dialog = page.get_by_role("dialog", name="Close the statements board?")
    expect(dialog.get_by_role("button", name="Close and seal the board")).to_be_disabled()
    Statement.objects.create(board=board, expert=expert, principle="monitoring", kind="benefit", text="It woke us.")
    page.goto(reverse("assessments:board_close", args=[scoped.slug]))
    expect(page.get_by_role("heading", name="Close the statements board?")).to_be_visible()
    page.goto(reverse("assessments:board", args=[scoped.slug]))
    page.get_by_role("link", name="Close the board").click()
    expect(dialog).to_contain_text("1 of 1 invited took part, with 1 statement.")
    expect(dialog).to_contain_text("how many agree, disagree and pass")
    assert not objections(page)
    dialog.get_by_role("button", name="Close and seal the board").click()
    expect(page.get_by_text("Sealed", exact=True)).to_be_visible()
    assert not Board.objects.get().is_open
    page.goto(reverse("assessments:board_close", args=[scoped.slug]))
    expect(page).to_have_url(re.compile(r"/board/$"))
