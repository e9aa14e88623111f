"""The whole portal as a newcomer starts it, and a real Chromium in front of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(settings.BASE_DIR)
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


@dataclass
class Portal:
    """A portal started by `manage.py up` on a fresh data directory."""

    process: subprocess.Popen[str]
    data: Path
    lines: list[str] = field(default_factory=list)
    address: str = ""
    link: str = ""

    def follow(self) -> None:
        """Collect what it prints; note its address and the sign-in link."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if found := re.search(r"is at (http://\S+?)/?$", line.strip()):
                self.address = found[1]
            if found := re.search(r"(http://\S+sesame=\S+)", line):
                self.link = found[1]

    def wait_for_link(self, seconds: float = 90) -> None:
        until = time.monotonic() + seconds
        while not self.link:
            assert self.process.poll() is None and time.monotonic() < until, "\n".join(self.lines)
            time.sleep(0.05)

    def stop(self) -> int:
        """Ctrl-C, as in a terminal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


def start_portal(data: Path, *arguments: str, port: int = 8600) -> Portal:
    """Start a portal on the embedded default, whatever servers this machine has."""
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {
        "OPS_PORTAL_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "ops_portal.settings",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    portal = Portal(process, data)
    threading.Thread(target=portal.follow, daemon=True).start()
    return portal


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
        path = os.environ.get("OPS_PORTAL_CHROMIUM")
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=CHROMIUM)
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
