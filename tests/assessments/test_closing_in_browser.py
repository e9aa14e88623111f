"""Closing a round or the board asks first, says what happens and who has answered, and nothing is wrong with how."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import reverse
from playwright.sync_api import expect

from assessments.models import Board, Round, Statement
from assessments.services.board import open_board
from assessments.services.panel_rounds import invite_guest, open_round
from tests.assessments.ballots import say

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def objections(page) -> list[str]:
    """What axe has against the page as it stands."""
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


def test_without_scripts_closing_asks_on_a_page_of_its_own(window, opened, owner):
    page = window(owner, java_script_enabled=False)
    page.goto(reverse("assessments:experts", args=[opened.slug]))
    page.get_by_role("link", name="Close round 1").click()
    expect(page.get_by_role("heading", name="Close round 1?")).to_be_visible()
    assert Round.objects.get().is_open
    page.get_by_role("button", name="Close and seal round 1").click()
    assert not Round.objects.get().is_open


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
