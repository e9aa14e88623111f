"""Results in a real browser: sliders answer live, pictures are drawn, and nothing runs out of a phone."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from assessments.models import Round
from assessments.services.panel_results import work_out
from tests.assessments.test_results import hold_round

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DRAWN = "() => [...document.querySelectorAll('[data-chart] .chart-plot')].every((p) => p.querySelector('.main-svg'))"


@pytest.fixture
def told(project, owner):
    for votes in ((2, 8, 9), (3, 8, 9)):
        closed = hold_round(project, owner, votes=votes, reason="We lost a day in March.")
        work_out(closed.pk)
    return Round.objects.get(pk=closed.pk)


def test_sliders_answer_live_by_keyboard_and_go_back_to_what_is_saved(window, project, owner, told):
    page = window(owner)
    page.goto(reverse("assessments:result", args=[project.slug, 2]))
    changes = page.locator("#what-if")
    expect(changes).to_contain_text("Turn one of them")
    worth = page.get_by_role("slider", name="Worth of all benefits")
    expect(worth).to_have_value("300")
    worth.focus()
    page.keyboard.press("Home")
    expect(changes).to_contain_text("Worth of all benefits: 0 days (saved: 300 days)")
    expect(changes).to_contain_text(re.compile(r"^\s*0 to adopt now"))
    expect(page.locator("#id_worth-says")).to_have_text("0 days a year")
    expect(changes.locator(".main-svg").first).to_be_visible()
    page.get_by_role("button", name="As saved").click()
    expect(changes).to_contain_text("All controls stand as saved.")
    expect(page.locator("#id_worth-says")).to_have_text("300 days a year")
    expect(changes).to_contain_text("No verdict changes.")
    page.get_by_text("Scope, factor by factor").click()
    page.get_by_role("slider", name="People changing the system").focus()
    page.keyboard.press("Home")
    expect(changes).to_contain_text("People changing the system: one person changing the system")
    assert Round.objects.get(pk=told.pk).result == told.result


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_picture_is_drawn_and_nothing_runs_out_of_the_window(window, project, owner, told, width, scheme):
    page = window(owner, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for name in ("result", "result_report"):
        page.goto(reverse(f"assessments:{name}", args=[project.slug, 2]))
        page.wait_for_function(DRAWN)
        assert page.locator("[data-chart] .main-svg").count() >= 5
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(reverse("assessments:compare", args=[project.slug]))
    page.wait_for_function(DRAWN)
    expect(page.get_by_text("1 of 3 moved (1 up, 0 down)").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_the_button_works_it_out(window, project, owner, told):
    page = window(owner, java_script_enabled=False)
    page.goto(reverse("assessments:what_if", args=[project.slug, 2]) + "?worth=20")
    expect(page.locator("#what-if")).to_contain_text("Worth of all benefits: 20 days (saved: 300 days)")
    expect(page.get_by_role("slider", name="Worth of all benefits")).to_have_value("20")
    page.get_by_role("button", name="Work it out").click()
    expect(page.locator("#what-if")).to_contain_text("saved: 300 days")


def test_the_report_prints_its_tables_in_full(window, project, owner, told):
    page = window(owner)
    page.goto(reverse("assessments:result_report", args=[project.slug, 2]))
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="What we assumed: when to adopt")).to_be_visible()
    expect(page.locator(".topbar")).to_be_hidden()
    shown = page.locator(".report .table-scroll").evaluate_all(
        "(all) => all.every((one) => getComputedStyle(one).overflowY === 'visible')"
    )
    assert shown
