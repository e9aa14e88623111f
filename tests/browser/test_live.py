"""A run while it learns, watched and steered from its page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import look_at
from tests.portal import Portal

pytestmark = pytest.mark.browser

NAME = "Shuttle valves"
PROJECT = "shuttle-valves"


def test_a_long_run_is_watched_paused_resumed_and_cancelled(page: Page, portal: Portal) -> None:
    brings_the_shuttle(page)
    page.goto(f"/projects/{PROJECT}/models/new/")
    page.get_by_role("link", name="Adaptive random forest", exact=True).click()
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    page.get_by_role("button", name="Register and start a run").click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    moves_by_itself(page)
    look_at(page, "run-live")
    is_paused_and_resumed(page)
    is_cancelled(page)


def brings_the_shuttle(page: Page) -> None:
    """Register a project for the largest bundled stream: long enough to watch a forest learn it."""
    page.goto("/projects/new/")
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_role("radio", name=re.compile("^Binary classification")).check(force=True)
    page.get_by_label("Name of the label").fill("anomaly")
    page.get_by_role("button", name="Register and go on").click()
    page.wait_for_url(re.compile(f"/projects/{PROJECT}/scope/"))
    page.goto(f"/projects/{PROJECT}/data/bundled/")
    page.get_by_role("radio", name=re.compile("shuttle")).check(force=True)
    page.get_by_role("button", name=re.compile("^Start the import")).click()
    page.wait_for_url(re.compile(rf"/projects/{PROJECT}/data/"))
    page.goto(f"/projects/{PROJECT}/data/")
    expect(page.locator("main")).to_contain_text("49,097", timeout=60_000)


def moves_by_itself(page: Page) -> None:
    """Percentage, speed, time left and the drawing change while nobody touches the page."""
    figures = page.get_by_role("region", name="Progress")
    expect(figures).to_contain_text(re.compile(r"\d+%\s+[\d,]+ of 49,097 events"), timeout=30_000)
    expect(figures).to_contain_text(re.compile(r"\d (s|min|h).* left"), timeout=30_000)
    expect(figures).to_contain_text(re.compile(r"[\d.,]+k?\s*events/s"), timeout=30_000)
    page.locator(".main-svg").first.wait_for()
    before = (learned(page), drawn(page))
    page.wait_for_function("(before) => document.querySelector('#run-figures progress').value > before", arg=before[0])
    changes(page, lambda: drawn(page) != before[1])
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1, "the page was not loaded again"


def is_paused_and_resumed(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Paused")
    page.wait_for_timeout(1500)  # a chunk that was under way may still come in
    stands = learned(page)
    page.wait_for_timeout(2000)
    page.reload()
    assert learned(page) == pytest.approx(stands, abs=49_097 * 0.2)
    stands = learned(page)
    page.wait_for_timeout(2000)
    page.reload()
    assert learned(page) == stands, "a paused run learns nothing"
    page.get_by_role("button", name="Resume").click()
    page.wait_for_function("(before) => document.querySelector('#run-figures progress').value > before", arg=stands)


def is_cancelled(page: Page) -> None:
    """By keyboard: Escape leaves the run alone and puts the focus back, Enter on the button ends it."""
    opener = page.get_by_role("link", name="Cancel", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name=re.compile("^Cancel")).last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")


def learned(page: Page) -> float:
    return float(page.locator("#run-figures progress").get_attribute("value") or 0)


def drawn(page: Page) -> str:
    """The line that is drawn, as a path."""
    return page.locator(".main-svg .scatterlayer path.js-line").first.get_attribute("d") or ""


def changes(page: Page, has_changed: Callable[[], bool], seconds: float = 20) -> None:
    for _ in range(int(seconds * 4)):
        if has_changed():
            return
        page.wait_for_timeout(250)
    raise AssertionError("nothing changed")
