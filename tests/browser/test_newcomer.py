"""What a newcomer does first, in a browser, on the portal that one command started: the README's eight steps."""

from __future__ import annotations

import csv
import math
import random
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import look_at
from tests.portal import Portal

pytestmark = pytest.mark.browser

PROJECT = "Pump failures"
SLUG = "pump-failures"
ROWS = 900


def write_csv(path: Path) -> None:
    """Sensor readings of a pump with a failure to predict, and three rows that nobody can learn from."""
    chance = random.Random(3)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["reading", "temperature", "vibration", "site", "failed"])
        for number in range(1, ROWS + 1):
            temperature = chance.gauss(70, 8)
            vibration = abs(chance.gauss(2, 1))
            risk = 1 / (1 + math.exp(-(0.25 * (temperature - 74) + 1.5 * (vibration - 2.4))))
            failed = "yes" if chance.random() < risk else "no"
            row = [f"r{number}", f"{temperature:.2f}", f"{vibration:.3f}", chance.choice(["north", "south"]), failed]
            if number == 40:
                row[1] = "warm"
            if number == 41:
                row = row[:3]
            if number == 42:
                row[4] = "perhaps"
            writer.writerow(row)


def test_from_nothing_to_a_rolled_back_deployment_and_an_assessed_project(
    portal: Portal, page: Page, tmp_path: Path, browser: Browser
) -> None:
    finds_the_demo_learning(page)
    registers_a_project(page)
    brings_a_file(page, tmp_path)
    posts_events_with_a_token(page, portal)
    describes_and_trains(page, "Logistic regression for numbers and text")
    first = newest_version(page)
    describes_and_trains(page, "Hoeffding tree", steer=True)
    second = newest_version(page)
    assert second != first
    compares_versions(page, first, second)
    deploys(page, first)
    predicts(page, portal, first)
    deploys(page, second)
    predicts(page, portal, second)
    rolls_back(page, first)
    predicts(page, portal, first)
    fills_in_the_checklist(page)


def finds_the_demo_learning(page: Page) -> None:
    page.goto("/")
    for name in ("Phishing pages", "Outdoor image segments", "Approval rating"):
        expect(page.get_by_role("link", name=name).first).to_be_visible()
    page.goto("/projects/phishing-pages/runs/3/")
    expect(page.get_by_role("heading", name=re.compile("Run 3"))).to_be_visible()
    live = page.get_by_text(re.compile(r"^newest label: ")).first
    before = live.inner_text()
    expect(live).not_to_have_text(before, timeout=20_000)


def registers_a_project(page: Page) -> None:
    page.goto("/projects/new/")
    page.get_by_role("button", name="Register and go on").click()
    expect(page.get_by_text("This field is required").first).to_be_visible()
    page.get_by_label("Name", exact=True).fill(PROJECT)
    page.get_by_label("Description").fill("Stops a pump before it breaks.")
    page.get_by_role("radio", name=re.compile("^Binary classification")).check(force=True)
    page.get_by_label("Name of the label").fill("failed")
    page.get_by_label("Primary metric").select_option(label="Accuracy")
    look_at(page, "project-create")
    page.get_by_role("button", name="Register and go on").click()
    page.wait_for_url(re.compile(f"/projects/{SLUG}/scope/"))
    page.get_by_label("Now: Deployments per week").fill("0.2")
    page.get_by_label("Now: People changing the system").fill("2")
    page.get_by_label("Now: Models in production").fill("1")
    page.get_by_role("button", name=re.compile("^Save")).first.click()
    page.wait_for_load_state()


def brings_a_file(page: Page, folder: Path) -> None:
    write_csv(folder / "pumps.csv")
    page.goto(f"/projects/{SLUG}/data/")
    look_at(page, "data-empty")
    page.goto(f"/projects/{SLUG}/data/upload/")
    page.get_by_label("File").set_input_files(folder / "pumps.csv")
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("heading", name="pumps.csv")).to_be_visible()
    expect(page.get_by_role("region", name="Columns")).to_contain_text("temperature")
    look_at(page, "data-preview")
    page.get_by_role("button", name=re.compile("^(Import|Start)")).first.click()
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=30_000)
    for line in (41, 42, 43):  # with the header, row 40 is line 41
        expect(page.get_by_role("cell", name=str(line), exact=True).first).to_be_visible()
    look_at(page, "data-import")
    page.goto(f"/projects/{SLUG}/data/")
    expect(page.get_by_text(str(ROWS - 3)).first).to_be_visible()


def posts_events_with_a_token(page: Page, portal: Portal) -> None:
    page.goto(f"/projects/{SLUG}/settings/tokens/")
    page.get_by_label("Name").fill("Pump gateway")
    page.get_by_role("button", name="Make the token").click()
    token = page.locator("code", has_text=re.compile(r"^\S{30,}$")).first.inner_text()
    event = {"id": "live-1", "features": {"temperature": 81.5, "vibration": 3.9, "site": "north"}, "label": "yes"}
    for expected in ({"accepted": 1, "duplicates": 0}, {"accepted": 0, "duplicates": 1}):
        answer = httpx.post(
            f"{portal.address}/api/v1/projects/{SLUG}/events/", json=event, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json().items() >= expected.items()
    portal.token = token  # type: ignore[attr-defined]


def describes_and_trains(page: Page, template: str, *, steer: bool = False) -> None:
    page.goto(f"/projects/{SLUG}/models/new/")
    page.get_by_role("link", name=template, exact=True).click()
    spec = page.get_by_label("Spec, as JSON")
    valid = spec.input_value()
    spec.fill('{"steps": [{"use": "tree.HoeffdingTreeClassifier", "params": {"grace_period": "x"}}]}')
    expect(page.get_by_text("steps[0].params.grace_period").first).to_be_visible()
    if steer:
        look_at(page, "model-create-error")
    spec.fill(valid)
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    page.get_by_role("button", name="Register and start a run").click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(page.get_by_role("heading", name=re.compile("Run .*Completed"))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("figure").first).to_be_visible()


def newest_version(page: Page) -> str:
    page.goto(f"/projects/{SLUG}/versions/")
    return page.get_by_role("link", name=re.compile(r"^v\d+$")).first.inner_text()


def compares_versions(page: Page, first: str, second: str) -> None:
    page.goto(f"/projects/{SLUG}/versions/compare/?a={first[1:]}&b={second[1:]}")
    expect(page.get_by_role("heading", name=f"{first} and {second}")).to_be_visible()
    expect(page.get_by_role("region", name="Metrics of both versions")).to_contain_text("Accuracy, overall")
    look_at(page, "version-compare")


def deploys(page: Page, version: str) -> None:
    page.goto(f"/projects/{SLUG}/deployments/deploy/?version={version[1:]}")
    page.get_by_label("Note").fill(f"Because {version} is what we want to see.")
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("link", name=version, exact=True).first).to_be_visible()


def predicts(page: Page, portal: Portal, version: str) -> None:
    """The page and the API both answer with `version`, at once."""
    page.goto(f"/projects/{SLUG}/predict/")
    page.get_by_role("button", name="Predict failed").click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text(version)
    answer = httpx.post(
        f"{portal.address}/api/v1/projects/{SLUG}/predict/",
        json={"features": {"temperature": 90.0, "vibration": 4.5, "site": "south"}},
        headers={"Authorization": f"Bearer {portal.token}"},  # type: ignore[attr-defined]
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == int(version[1:])
    assert answer.json()["prediction"] in ("yes", "no")


def rolls_back(page: Page, version: str) -> None:
    page.goto(f"/projects/{SLUG}/deployments/")
    page.get_by_role("link", name=f"Roll back to {version}").or_(
        page.get_by_role("button", name=f"Roll back to {version}")
    ).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    look_at(page, "rollback-dialog")
    dialog.get_by_label("Reason").fill("The tree calls too many healthy pumps broken.")
    dialog.get_by_role("radio", name=re.compile("^Keep it as challenger")).check(force=True)
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Rolled back").first).to_be_visible()
    expect(page.get_by_text("The tree calls too many healthy pumps broken.").first).to_be_visible()
    expect(page.get_by_text("Owner").first).to_be_visible()
    look_at(page, "deployments-after-rollback")


def fills_in_the_checklist(page: Page) -> None:
    page.goto(f"/projects/{SLUG}/assessment/")
    page.get_by_role("link", name="Answer them").or_(page.get_by_role("button", name="Answer them")).first.click()
    expect(page.get_by_text(re.compile(r"^\d+ of 79 practices answered")).first).to_be_visible()
    group = page.get_by_role("group").filter(has=page.get_by_role("radio", name="Partly")).last
    group.get_by_role("radio", name="Partly").check(force=True)
    expect(page.get_by_text(re.compile(r"Saved \d\d:\d\d")).first).to_be_visible()
    page.goto(f"/projects/{SLUG}/assessment/checklist/controlled-release/")
    look_at(page, "checklist")
    page.goto(f"/projects/{SLUG}/assessment/recommendation/")
    expect(page.get_by_text(re.compile("Adopt now|Adopt later|Not worth it yet")).first).to_be_visible()
