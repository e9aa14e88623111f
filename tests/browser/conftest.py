"""The whole portal as a newcomer starts it, and a real Chromium in front of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.portal import ROOT, Portal, start_portal
from tests.run import which_browser

#: Pictures of every page; those that the README shows are kept in `docs/images` by `make screenshots`.
PICTURES = Path(os.environ.get("OPS_PORTAL_PICTURES", ROOT / "test-results" / "pages"))
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}}


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of this test session, with the demo team."""
    started = start_portal(tmp_path_factory.mktemp("portal"))
    try:
        started.wait_for_link()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=which_browser(), headless=True, args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def signed_in(portal: Portal, browser: Browser) -> dict:
    """The cookies of a person who followed the printed one-time link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(portal.link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(portal.address + "/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(portal: Portal, browser: Browser, signed_in: dict) -> Iterator[BrowserContext]:
    """A signed-in browser window."""
    opened = browser.new_context(base_url=portal.address, storage_state=signed_in, viewport=SIZES["wide"])
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab that fails the test when the page reports an error of its own."""
    tab = context.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield tab
    assert not problems, problems


def look_at(page: Page, name: str) -> None:
    """Photograph the page at two widths, in light and dark, and check each with axe: no violation is let through."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.wait_for_timeout(150)
            page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", full_page=True)
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{name} is {overflow} px wider than the {size} window"
            found = Axe().run(page, options=WCAG).response["violations"]
            assert not found, f"{name} ({size}, {scheme}): " + "; ".join(
                f"{item['id']}: {item['nodes'][0]['html']}" for item in found
            )
    page.set_viewport_size(SIZES["wide"])
    page.emulate_media(color_scheme="light")
