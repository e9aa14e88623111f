"""Canary, challenger, a second person's approval, and rolling back with replay: as people do it, in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import SIZES, look_at, watch
from tests.portal import ROOT, Portal

pytestmark = pytest.mark.browser

PROJECT = "/projects/phishing-pages"
DEPLOYMENTS = f"{PROJECT}/deployments/"
PASSWORD = "a long enough one 43"


@pytest.fixture
def colleague(portal: Portal, browser: Browser) -> Iterator[Page]:
    """A tab of a second person who may deploy."""
    if portal.process is None:
        pytest.skip("the portal runs elsewhere: its accounts cannot be made from here")
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {
        "OPS_PORTAL_DATA": str(portal.data),
        "DJANGO_SETTINGS_MODULE": "ops_portal.settings",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    account = ["--noinput", "--username", "bea", "--email", "bea@example.org"]
    command = [sys.executable, "manage.py", "createsuperuser", *account]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    context: BrowserContext = browser.new_context(
        base_url=portal.address, viewport=SIZES["wide"], reduced_motion="reduce"
    )
    tab = context.new_page()
    problems = watch(tab)
    tab.goto("/sign-in/")
    tab.get_by_label("Username").fill("bea")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url(portal.address + "/")
    yield tab
    context.close()
    assert not problems, problems


def test_a_canary_answers_its_share_and_is_promoted_and_rolled_back(page: Page) -> None:
    page.goto(DEPLOYMENTS)
    before = serving(page)
    canary = starts_a_canary(page)
    assert canary != before
    answers = {asks(page) for _ in range(16)}
    assert answers == {before, canary}, "at 50% both answer; one in 32,768 tries all fall on one side"
    is_promoted(page, canary)
    assert asks(page) == canary
    page.goto(DEPLOYMENTS)
    page.get_by_role("link", name=f"Roll back to {before}").first.click()
    dialog = page.get_by_role("dialog", name="Roll back")
    dialog.get_by_label("Reason").fill("Only a try")
    dialog.get_by_role("radio", name=re.compile("^Drop it")).press("Space")
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.locator("main")).to_contain_text("Only a try")
    assert serving(page) == before and asks(page) == before, "live for the very next prediction"


def test_a_canary_is_aborted(page: Page) -> None:
    page.goto(DEPLOYMENTS)
    before = serving(page)
    starts_a_canary(page, look=False)
    page.get_by_role("link", name="Abort", exact=True).click()
    dialog = page.get_by_role("dialog", name="Abort the canary")
    dialog.get_by_label("Note").fill("Not convinced")
    dialog.get_by_role("button", name="Abort it").click()
    expect(page.get_by_role("heading", name="Canary", exact=True)).to_be_hidden()
    expect(page.locator("main")).to_contain_text("Canary aborted")
    assert {asks(page) for _ in range(4)} == {before}


def test_a_challenger_predicts_in_the_shadow(page: Page) -> None:
    page.goto(DEPLOYMENTS)
    before = serving(page)
    page.get_by_role("link", name="Add a challenger").click()
    dialog = page.get_by_role("dialog", name="Let a challenger predict")
    dialog.get_by_role("button", name="Let it predict").click()
    challengers = page.get_by_role("region", name="Challengers")
    expect(challengers).to_contain_text("No event that both predicted has a label yet")
    assert asks(page) == before, "it answers nobody"
    eventually(page, lambda: challengers.locator("tbody td.num").first.inner_text() != "0")
    page.goto(f"{PROJECT}/deployments/")
    look_at(page, "deployments-challenger")
    page.get_by_role("button", name=re.compile("^Stop")).first.click()
    expect(page.locator("main")).to_contain_text("No challenger predicts")


def test_a_second_person_approves(page: Page, colleague: Page) -> None:
    asks_for_a_second_person(page, wanted=True)
    page.goto(DEPLOYMENTS)
    before = serving(page)
    page.get_by_role("link", name="Propose a deployment").click()
    dialog = page.get_by_role("dialog", name="Propose a deployment")
    choose_another(dialog.get_by_label("Version", exact=True), before)
    dialog.get_by_label("Note").fill("Worth it")
    dialog.get_by_role("button", name="Propose").click()
    page.get_by_role("link", name=re.compile(r"^Deploy v\d+ of ")).click()
    expect(page.locator("main")).to_contain_text("somebody else has to approve it")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    look_at(page, "proposal")
    address = page.url
    page.goto(DEPLOYMENTS)
    assert serving(page) == before, "nothing serves that nobody has approved"
    colleague.goto(address)
    colleague.get_by_label("Note").fill("Looked at the curve")
    colleague.get_by_role("button", name="Approve").click()
    expect(colleague.locator("main")).to_contain_text("Carried out")
    page.goto(DEPLOYMENTS)
    expect(page.locator("main")).to_contain_text("approved by bea")
    assert serving(page) != before
    asks_for_a_second_person(page, wanted=False)


def test_rolling_back_with_replay_deploys_or_keeps_with_a_reason(page: Page) -> None:
    page.goto(DEPLOYMENTS)
    page.get_by_role("link", name=re.compile(r"^Roll back to v\d+$")).first.click()
    dialog = page.get_by_role("dialog", name="Roll back")
    expect(dialog).to_contain_text("The last good version")
    dialog.get_by_label("Reason").fill("Learn that again")
    dialog.get_by_role("radio", name=re.compile("^Replay it")).press("Space")
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.locator("main")).to_contain_text("Learning since is replayed")
    eventually(page, lambda: bool(re.search(r"The replay did (not do )?worse", page.locator("main").inner_text())))
    page.goto(f"{PROJECT}/deployments/timeline/")
    expect(page.locator("main")).to_contain_text("The way back")
    look_at(page, "deployments-timeline")


def starts_a_canary(page: Page, *, look: bool = True) -> str:
    """Start a canary at half of the traffic; return its version."""
    page.get_by_role("link", name="Start a canary").click()
    dialog = page.get_by_role("dialog", name="Start a canary")
    dialog.get_by_label("Share of the traffic").fill("50")
    dialog.get_by_label("Note").fill("A try")
    dialog.get_by_role("button", name="Start it").click()
    card = page.get_by_role("region", name="Canary", exact=True)
    expect(card).to_contain_text("50% of the traffic")
    if look:
        look_at(page, "deployments-canary")
    return card.get_by_role("link", name=re.compile(r"^v\d+$")).first.inner_text()


def is_promoted(page: Page, canary: str) -> None:
    page.goto(DEPLOYMENTS)
    page.get_by_role("region", name="Canary", exact=True).get_by_role("link", name="Promote").click()
    dialog = page.get_by_role("dialog", name="Deploy a version")
    expect(dialog.get_by_label("Version", exact=True)).to_have_value(canary.removeprefix("v"))
    dialog.get_by_role("button", name="Deploy").click()
    expect(page.locator("main")).to_contain_text("Canary promoted")
    assert serving(page) == canary


def serving(page: Page) -> str:
    """The version that the page says serves."""
    card = page.get_by_role("region", name="Serving now")
    return card.get_by_role("link", name=re.compile(r"^v\d+$")).first.inner_text()


def asks(page: Page) -> str:
    """Ask for a prediction on the page and return the version that answered; the page is left where it was."""
    back = page.url
    page.goto(f"{PROJECT}/predict/")
    page.get_by_role("button", name=re.compile("^Predict")).click()
    answered = page.locator("dl.facts div", has_text="Answered by").get_by_role("link", name=re.compile(r"^v\d+$"))
    version = answered.inner_text()
    page.goto(back)
    return version


def choose_another(select, version: str) -> None:
    """Choose a version that is not `version`."""
    expect(select).to_be_visible()
    values = select.locator("option").evaluate_all("(options) => options.map((one) => one.value)")
    select.select_option(next(value for value in values if f"v{value}" != version))


def asks_for_a_second_person(page: Page, *, wanted: bool) -> None:
    page.goto(f"{PROJECT}/settings/")
    page.get_by_label("A second person approves deployments").set_checked(wanted)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("Saved.")


def eventually(page: Page, true, seconds: float = 90) -> None:
    """Reload the page until something is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.reload()
        if true():
            return
        page.wait_for_timeout(1000)
    raise AssertionError(page.locator("main").inner_text())
