"""The whole portal as a newcomer starts it, and a real Chromium in front of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.portal import ROOT, Portal, running_portal, start_portal

# A page that learns shares two cores with its worker: five seconds, the default, is short then.
expect.set_options(timeout=15_000)

#: Pictures of every page; those that the README shows are kept in `docs/images` by `make screenshots`.
PICTURES = Path(os.environ.get("OPS_PORTAL_PICTURES", ROOT / "test-results" / "pages"))
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
#: What the README shows, by the name a page was looked at: the first screenful at a size that reads well there.
SHOWN = {
    "models_registry-dashboard": "dashboard",
    "project-create": "register",
    "data-preview": "data",
    "model-create-error": "model",
    "run-live": "run",
    "version-compare": "versions",
    "rollback-dialog": "rollback",
    "assessments-recommendation": "assessment",
}
SHOWN_SIZE = {"width": 1200, "height": 760}
STANDARDS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
#: What axe looks at: everything once, and again only what another theme or another width can change.
AXE = {
    ("wide", "light"): {"runOnly": STANDARDS},
    ("wide", "dark"): {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
    ("narrow", "light"): {"runOnly": {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]}},
}
#: Nothing is being fetched, and every chart that has room is drawn.
SETTLED = """() => document.readyState === 'complete' && !document.querySelector('.htmx-request')
  && [...document.querySelectorAll('[data-chart] .chart-plot')].every(
    (plot) => !plot.clientWidth || plot.querySelector('.main-svg'))"""


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of this test session, with the demo team; or the running one that a fresh sign-in link names."""
    if link := os.environ.get("OPS_PORTAL_LINK"):
        yield running_portal(link)
        return
    with socket.create_server(("127.0.0.1", 0)) as free:  # another suite may start a portal at the same moment
        port = free.getsockname()[1]
    started = start_portal(tmp_path_factory.mktemp("portal"), port=port)
    try:
        started.wait_for_link(seconds=180)
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def signed_in(portal: Portal, browser: Browser) -> dict:
    """The cookies of a person who followed the printed one-time link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(portal.link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(portal.address + "/")
    cookies = context.cookies()
    context.close()
    return {"cookies": cookies}  # what is stored besides would have to be put back by a page of its own


@pytest.fixture
def context(portal: Portal, browser: Browser, signed_in: dict) -> Iterator[BrowserContext]:
    """A signed-in browser window."""
    opened = browser.new_context(
        base_url=portal.address, storage_state=signed_in, viewport=SIZES["wide"], reduced_motion="reduce"
    )
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab that fails the test when the page reports an error of its own or breaks the content security policy."""
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    problems = watch(tab)
    yield tab
    tab.close()
    assert not problems, problems


@pytest.fixture
def stranger(portal: Portal, browser: Browser) -> Iterator[Page]:
    """A tab of somebody who has not signed in."""
    opened = browser.new_context(base_url=portal.address, viewport=SIZES["wide"], reduced_motion="reduce")
    tab = opened.new_page()
    problems = watch(tab)
    yield tab
    opened.close()
    assert not problems, problems


#: No complaints: a form that was refused, and a poll that gave way to what a person did (htmx logs both as errors).
ANSWERS = ("status of 422", "htmx:sendAbort", "htmx:afterRequest")


def watch(tab: Page) -> list[str]:
    """Collect what the page complains about."""
    problems: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(answer in message.text for answer in ANSWERS):
            problems.append(f"{tab.url}: {message.text}")

    tab.on("pageerror", lambda error: problems.append(f"{tab.url}: {error}"))
    tab.on("console", said)
    return problems


def settle(page: Page) -> None:
    """Wait until the page has fetched its parts and drawn its charts."""
    page.wait_for_function(SETTLED)


def look_at(page: Page, name: str, *, schemes: tuple[str, ...] = SCHEMES) -> None:
    """Photograph the page at two widths, in light and dark; no violation of axe and no sideways scrolling pass."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    settle(page)
    drawn = page.locator("[data-chart]").count() > 0
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in schemes if size == "wide" else schemes[::-1]:  # each change of theme draws everything anew
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            if drawn:
                page.wait_for_timeout(60)  # charts are drawn anew
            # Hiding the caret would leave a style attribute on each control, which the page's policy refuses to copy.
            picture = PICTURES / f"{name}-{size}-{scheme}.jpg"  # takes half the time of a PNG
            page.screenshot(path=picture, type="jpeg", quality=85, full_page=True, caret="initial")
            if options := AXE.get((size, scheme)):
                found = violations(page, options)
                assert not found, f"{name} ({size}, {scheme}): {found}"
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{name} is {overflow} px wider than the {size} window"
    page.emulate_media(color_scheme="light")
    if shown := SHOWN.get(name):
        page.set_viewport_size(SHOWN_SIZE)
        page.wait_for_timeout(300)
        page.screenshot(path=PICTURES / "readme" / f"{shown}.png", caret="initial")
    page.set_viewport_size(SIZES["wide"])


def violations(page: Page, options: dict) -> list[str]:
    """Return what axe has against the page."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # What is inside a drawing is Plotly's; its name, its summary and its table are looked at.
    code = "(options) => axe.run({exclude: ['.main-svg']}, {...options, resultTypes: ['violations']})"
    found = page.evaluate(code, options)["violations"]
    return [f"{item['id']}: {node['html'][:300]}" for item in found for node in item["nodes"][:3]]
