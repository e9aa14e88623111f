"""Signing in with a password, and the portal by keyboard alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.portal import ROOT, Portal

pytestmark = pytest.mark.browser

PASSWORD = "a long enough one 42"


@pytest.fixture(scope="module")
def superuser(portal: Portal) -> str:
    """An account made with `createsuperuser`, as the documentation says."""
    if portal.process is None:
        pytest.skip("the portal runs elsewhere: its accounts cannot be made from here")
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {
        "OPS_PORTAL_DATA": str(portal.data),
        "DJANGO_SETTINGS_MODULE": "ops_portal.settings",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    subprocess.run(
        [
            sys.executable,
            "manage.py",
            "createsuperuser",
            "--noinput",
            "--username",
            "ada",
            "--email",
            "ada@example.org",
        ],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    return "ada"


def test_a_password_signs_in_and_out_and_a_wrong_one_does_not(stranger: Page, superuser: str) -> None:
    stranger.goto("/projects/phishing-pages/runs/")
    expect(stranger).to_have_url(re.compile(r"/sign-in/\?next="))
    stranger.get_by_label("Username").fill(superuser)
    stranger.get_by_label("Password").fill("a wrong one")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_text(re.compile("correct", re.IGNORECASE)).first).to_be_visible()
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger).to_have_url(re.compile("/projects/phishing-pages/runs/$"))
    stranger.locator("summary", has_text="ada").click()
    stranger.get_by_role("button", name="Sign out").click()
    expect(stranger).to_have_url(re.compile("/sign-in/"))
    stranger.goto("/")
    expect(stranger).to_have_url(re.compile("/sign-in/"))


def test_the_rollback_dialog_by_keyboard(page: Page) -> None:
    page.goto("/projects/phishing-pages/deployments/")
    opener = page.get_by_role("link", name=re.compile("^Roll back to v")).first
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Roll back")
    expect(dialog).to_be_visible()
    assert inside(page), "the focus is in the dialog"
    stops = []
    for _ in range(14):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.innerText || document.activeElement.name || ''"))
        assert inside(page) or stops[-1] == "" or page.evaluate("document.activeElement === document.body"), stops
    for wanted in ("reason", "since", "Cancel", "Roll back"):
        assert any(wanted in stop for stop in stops), (wanted, stops)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    expect(page.get_by_role("heading", name="Deployments", level=1)).to_be_visible()


def test_a_rollback_without_a_reason_is_asked_for_one_and_nothing_changes(page: Page) -> None:
    page.goto("/projects/phishing-pages/deployments/")
    serving = page.locator("main").get_by_role("link", name=re.compile(r"^v\d+$")).first.inner_text()
    page.get_by_role("link", name=re.compile("^Roll back to v")).first.click()
    dialog = page.get_by_role("dialog", name="Roll back")
    dialog.get_by_label("Reason").fill(" ")
    dialog.get_by_role("button", name="Roll back").click()
    expect(dialog).to_contain_text(re.compile("reason|required", re.IGNORECASE))
    page.goto("/projects/phishing-pages/deployments/")
    expect(page.locator("main").get_by_role("link", name=re.compile(r"^v\d+$")).first).to_have_text(serving)


def test_the_first_tab_skips_to_the_content(page: Page) -> None:
    page.goto("/projects/phishing-pages/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def inside(page: Page) -> bool:
    return bool(page.evaluate("!!document.activeElement.closest('dialog')"))
