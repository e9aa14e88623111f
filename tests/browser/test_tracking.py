"""Tracking by hand: a sweep from its form to its verdicts, and the table of runs with what one does to ticked ones."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import look_at

pytestmark = pytest.mark.browser

PROJECT = "/projects/phishing-pages/"


def test_a_sweep_is_counted_started_and_judged(page: Page) -> None:
    page.goto(f"{PROJECT}models/")
    number = re.search(
        r"models/(\d+)/", page.get_by_role("link", name="Logistic regression", exact=True).get_attribute("href") or ""
    )
    assert number
    page.goto(f"{PROJECT}comparisons/sweep/?model={number[1]}")
    page.get_by_label("Values of LogisticRegression.l2").fill("0, 0.01, 0.1")
    expect(page.get_by_text("3 candidates", exact=True)).to_be_visible()
    page.get_by_label("Values of LogisticRegression.l2").fill("much, more")
    expect(page.get_by_text("expected a number")).to_be_visible()
    page.get_by_label("Values of LogisticRegression.l2").fill("0, 0.01, 0.1")
    expect(page.get_by_text("3 candidates", exact=True)).to_be_visible()
    page.get_by_role("button", name="Start the sweep").click()
    page.wait_for_url(re.compile(r"/comparisons/\d+/"))
    expect(page.locator("#live [data-state=completed]")).to_have_count(3, timeout=60_000)
    expect(page.locator("#headline")).to_contain_text("No challenger is better")
    expect(page.get_by_role("button", name="Cancel all")).to_have_count(0)
    for words in page.get_by_label("Challengers").locator(".cell-sub").all_inner_texts():
        assert re.search(r"on the same [\d,]+ events", words), words
    look_at(page, "sweep-done")


def test_ticked_runs_keep_their_ticks_are_tagged_compared_put_away_and_brought_back(page: Page) -> None:
    page.goto(f"{PROJECT}runs/?sort=number")
    for number in (1, 2):
        page.locator(f"#tick-{number}").check()
    page.wait_for_timeout(2_500)  # a run at work: the table comes anew meanwhile
    expect(page.locator("#tick-1")).to_be_checked()
    page.get_by_label("Tag for the ticked runs").fill("spring")
    page.get_by_role("button", name="Tag", exact=True).click()
    expect(page.get_by_text("Tagged 2 runs.")).to_be_visible()
    page.goto(f"{PROJECT}runs/?tag=spring")
    expect(page.get_by_role("checkbox", name=re.compile("^Tick run"))).to_have_count(2)
    page.locator("#tick-1").check()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("Archived 1 run.")).to_be_visible()
    expect(page.locator("#tick-1")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 run is back in the table.")).to_be_visible()
    for number in (1, 2):
        page.locator(f"#tick-{number}").check()
    page.get_by_role("button", name="Compare the ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 runs side by side")
    expect(page.locator("#curves-f1-plot .main-svg").first).to_be_visible()
