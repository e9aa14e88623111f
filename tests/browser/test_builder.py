"""Building a model in a browser: from the catalogue, form and JSON in step; by mouse, by keyboard, without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SIZES, look_at, watch
from tests.portal import Portal

pytestmark = pytest.mark.browser

BLANK = "/projects/phishing-pages/models/new/?template=blank"


@pytest.fixture
def plain(portal: Portal, browser: Browser, signed_in: dict) -> Iterator[Page]:
    """A tab of a browser that runs no scripts."""
    opened = browser.new_context(
        base_url=portal.address, storage_state=signed_in, viewport=SIZES["wide"], java_script_enabled=False
    )
    tab = opened.new_page()
    problems = watch(tab)
    yield tab
    opened.close()
    assert not problems, problems


def spec_of(page: Page) -> dict:
    return json.loads(page.get_by_label("Spec, as JSON").input_value())


def choose(page: Page, opener: str, words: str, title: str) -> None:
    page.get_by_role("button", name=opener, exact=True).last.click()
    found = page.get_by_role("region", name="Found in the catalogue")
    before = found.inner_text()
    page.get_by_label("Search the catalogue").fill(words)
    expect(found).not_to_have_text(before)
    page.get_by_role("button", name=re.compile(f"^{title} ")).click()
    expect(page.get_by_label("Search the catalogue")).to_have_count(0)


def test_a_model_is_built_from_the_catalogue_and_the_json_follows(page: Page) -> None:
    page.goto(BLANK)
    choose(page, "Choose from the catalogue", "bagging", "Bagging classifier")
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    choose(page, "Add a step", "standard", "Standard scaler")
    assert [step["use"] for step in spec_of(page)["steps"]] == [
        "preprocessing.StandardScaler",
        "ensemble.BaggingClassifier",
    ]
    page.get_by_label("model", exact=True).select_option(label="Logistic regression")
    page.get_by_label("Show 8 parameters, all at default").check()
    page.get_by_label("optimizer", exact=True).select_option(label="Adam")
    expect(page.get_by_label("Spec, as JSON")).to_have_value(re.compile("optim.Adam"))
    page.get_by_label("Show 1 more parameter at default").check()
    page.get_by_label("n_models", exact=True).fill("x")
    field = page.locator(".field", has=page.get_by_label("n_models", exact=True)).last
    expect(field).to_contain_text("expected a whole number >= 1 and <= 100")
    assert spec_of(page)["steps"][1]["params"]["n_models"] == "x"
    page.get_by_label("Name", exact=True).focus()
    look_at(page, "model-builder-error")
    page.get_by_label("n_models", exact=True).fill("4")
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    expect(field).not_to_contain_text("expected")
    assert spec_of(page)["steps"][1]["params"] == {
        "model": {"use": "linear_model.LogisticRegression", "params": {"optimizer": {"use": "optim.Adam"}}},
        "n_models": 4,
    }
    page.get_by_label("Name", exact=True).fill("Bagged by hand")
    look_at(page, "model-builder")
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("heading", name="Bagged by hand")).to_be_visible()


def test_json_that_is_written_shows_in_the_form(page: Page) -> None:
    page.goto("/projects/phishing-pages/models/new/?template=logistic-regression")
    spec = {"steps": [{"use": "linear_model.LogisticRegression", "params": {"l2": 0.25}}]}
    page.get_by_label("Spec, as JSON").fill(json.dumps(spec))
    expect(page.get_by_label("l2", exact=True)).to_have_value("0.25")
    expect(page.get_by_text("Standard scaler")).to_have_count(0)
    page.get_by_label("Spec, as JSON").fill('{"steps": [')
    expect(page.get_by_text("The JSON cannot be read now")).to_be_visible()
    expect(page.get_by_label("l2", exact=True)).to_be_disabled()
    look_at(page, "model-builder-stale")
    page.get_by_role("button", name="Go back to what the form shows").click()
    expect(page.get_by_label("l2", exact=True)).to_be_enabled()
    assert spec_of(page) == spec


def test_a_box_that_was_pulled_larger_is_drawn_anew(page: Page) -> None:
    """Pulling leaves a style attribute, which the page's policy lets nobody copy: the page would complain."""
    page.goto("/projects/phishing-pages/models/new/?template=logistic-regression")
    box = page.get_by_label("Spec, as JSON")
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    assert place
    corner = place["x"] + place["width"] - 5, place["y"] + place["height"] - 5
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0], corner[1] + 60)
    page.mouse.up()
    assert "height" in (box.get_attribute("style") or "")
    page.get_by_label("Show 8 parameters, all at default").check()
    page.get_by_label("l2", exact=True).fill("0.5")
    expect(box).to_have_value(re.compile('"l2": 0.5'))


def test_steps_are_added_moved_and_removed_by_keyboard(page: Page) -> None:
    page.goto(BLANK)
    page.get_by_role("button", name="Choose from the catalogue").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search the catalogue")).to_be_focused()
    page.keyboard.type("gaussian nb")
    expect(page.get_by_role("button", name=re.compile("^Logistic regression"))).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Gaussian NB")).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".builder-name", has_text="Gaussian NB")).to_be_focused()
    for words, title in (("standard scaler", "Standard scaler"), ("normalizer", "Normalizer")):
        choose(page, "Add a step", words, title)
        expect(page.locator(".builder-name", has_text=title)).to_be_focused()
    page.get_by_role("button", name="Move Normalizer up").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".builder-name", has_text="Normalizer")).to_be_focused()
    assert [step["use"].split(".")[1] for step in spec_of(page)["steps"]] == [
        "Normalizer",
        "StandardScaler",
        "GaussianNB",
    ]
    page.get_by_role("button", name="Remove Standard scaler").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add a step")).to_be_focused()
    assert len(spec_of(page)["steps"]) == 2
    # Enter in a field takes it over; nothing is registered.
    page.get_by_label("Name", exact=True).fill("Not yet")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    assert page.url.endswith(BLANK)


def test_the_builder_works_without_scripts(plain: Page) -> None:
    plain.goto(BLANK)
    plain.get_by_role("button", name="Choose from the catalogue").click()
    plain.get_by_label("Search the catalogue").fill("naive gauss")
    plain.keyboard.press("Enter")
    plain.get_by_role("button", name=re.compile("^Gaussian NB")).click()
    assert spec_of(plain) == {"steps": [{"use": "naive_bayes.GaussianNB"}]}
    plain.get_by_role("button", name="Exchange Gaussian NB").click()
    plain.get_by_label("Search the catalogue").fill("logistic")
    plain.keyboard.press("Enter")
    plain.get_by_role("button", name=re.compile("^Logistic regression")).click()
    plain.get_by_label("Show 8 parameters, all at default").check()
    plain.get_by_label("l2", exact=True).fill("0.5")
    plain.get_by_role("button", name="Apply to the JSON and the drawing").click()
    expect(plain.get_by_text("Valid", exact=True)).to_be_visible()
    assert spec_of(plain)["steps"][0]["params"] == {"l2": 0.5}


def test_the_catalogue_is_looked_at_on_every_screen(page: Page) -> None:
    page.goto("/projects/phishing-pages/models/new/?template=logistic-regression-mixed")
    page.get_by_role("button", name="Add a branch").click()
    expect(page.get_by_label("Search the catalogue")).to_be_visible()
    page.get_by_label("Show 8 parameters, all at default").check()
    page.get_by_label("Name", exact=True).focus()
    look_at(page, "model-builder-catalogue")
