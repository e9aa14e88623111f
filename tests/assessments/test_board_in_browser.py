"""The focus group on the statements board in a real browser: an expert, a guest by link, and the facilitator."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from assessments.models import Reaction
from assessments.services import board as boards
from assessments.services.board import open_board
from assessments.services.panel_rounds import invite_guest, invite_member
from projects.models import Role
from tests.browser.conftest import look_at
from tests.factories import make_member, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BENEFIT, SLOW = "We found the fault in minutes.", "Alarms at night wear people out."
COSTLY = "It took a month to set up."
SAVED = re.compile(r"Saved \d\d:\d\d")


def say(page, kind, text):
    page.get_by_role("radio", name=kind, exact=True).check(force=True)
    page.get_by_label("Statement", exact=True).fill(text)
    page.get_by_role("button", name="Put it on the board").click()
    expect(page.locator("#said").get_by_text(text, exact=True)).to_be_visible()


def choose(page, text, stance):
    form = page.get_by_role("group", name=f"How do you stand to: {text}")
    form.get_by_role("radio", name=stance, exact=True).check(force=True)


def status(page, text):
    return page.get_by_role("listitem").filter(has_text=text).get_by_role("status")


def take(page, text, stance):
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        choose(page, text, stance)
    expect(status(page, text)).to_contain_text(SAVED)


def downloaded(page, form):
    with page.expect_download() as started:
        page.get_by_role("link", name=form, exact=True).click()
    return Path(started.value.path()).read_text(encoding="utf-8")


def test_a_focus_group_from_opening_the_board_to_its_export(window, project, team, owner):
    nora = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, nora, Role.EXPERT)
    invite_member(project=project, user=nora, actor=owner)
    ana = invite_guest(project=project, name="Ana Silva", actor=owner)
    board = reverse("assessments:board", args=[project.slug])

    leading = window(owner)
    leading.goto(board)
    leading.get_by_role("button", name="Open the board").click()
    expect(leading.get_by_text("Counts come when it is closed")).to_be_visible()

    expert = window(nora)
    expert.goto(reverse("assessments:board_on", args=[project.slug, "monitoring"]))
    for kind, text in (("Benefit", BENEFIT), ("Limitation", SLOW), ("Limitation", COSTLY)):
        say(expert, kind, text)

    guest = window(None)
    guest.goto(reverse("assessments:guest_expert_board", args=[project.slug, ana.token]))
    expect(guest).to_have_url(re.compile(r"/on/monitoring/$"))  # the first principle that has something to react to
    expect(guest.locator("body")).not_to_contain_text("Nora")
    for text, stance in ((BENEFIT, "Disagree"), (BENEFIT, "Agree"), (SLOW, "Disagree"), (COSTLY, "Pass")):
        take(guest, text, stance)
    look_at(guest, "board-guest")
    assert dict(Reaction.objects.values_list("statement__text", "value")) == {
        BENEFIT: "agree", SLOW: "disagree", COSTLY: "pass"
    }  # fmt: skip

    expert.reload()
    leading.reload()
    for page in (expert, leading):
        expect(page.locator("main")).not_to_contain_text(re.compile(r"\d (dis)?agree"))
    leading.get_by_label("New code").fill("Effort")
    leading.get_by_role("button", name="Add the code").click()
    for text in (SLOW, COSTLY):
        with leading.expect_response(re.compile(r"/code/$")) as answer:
            leading.get_by_label(f"Code of: {text}").select_option("Effort")
        assert answer.value.status == 204
    look_at(leading, "board-open")
    leading.get_by_role("link", name="Close the board").click()
    leading.get_by_role("dialog").get_by_role("button", name=re.compile("Close and seal")).click()
    expect(leading.get_by_text("2 of 2 took part")).to_be_visible()
    expect(leading.get_by_text("holds: nothing was changed since")).to_be_visible()
    expect(leading.get_by_role("region", name="Statements by code").get_by_role("row", name="Effort")).to_have_text(
        re.compile(r"Effort\s+0\s+2\s+0\s+1")
    )
    look_at(leading, "board-closed")

    told = json.loads(downloaded(leading, "JSON"))
    assert {(one["statement"], one["code"], one["agree"], one["disagree"], one["pass"], one["expert"])
            for one in told["statements"]} == {
        (BENEFIT, "", 1, 0, 0, ""), (SLOW, "Effort", 0, 1, 0, ""), (COSTLY, "Effort", 0, 0, 1, "")
    }  # fmt: skip
    rows = list(csv.DictReader(downloaded(leading, "CSV").splitlines()))
    assert [row["statement"] for row in rows] == [one["statement"] for one in told["statements"]]
    guest.reload()
    expect(guest.locator("#said")).to_contain_text("0 agree, 1 disagree, 0 pass")
    expect(guest.get_by_role("button", name="Put it on the board")).to_have_count(0)


def test_stances_taken_faster_than_they_are_saved_are_all_kept(window, project, owner):
    ana, ben = (invite_guest(project=project, name=name, actor=owner) for name in ("Ana Silva", "Ben Roth"))
    current = open_board(project=project, anonymous=True, actor=owner)
    said = [boards.say(expert=ben.expert, principle="monitoring", kind="benefit", text=f"It is {word}.")
            for word in ("fast", "cheap", "kind")]  # fmt: skip
    page = window(None)
    # A slow connection: each answer takes longer than choosing does.
    page.route("**/on/monitoring/", lambda route: (page.wait_for_timeout(400), route.continue_()))
    page.goto(reverse("assessments:guest_board_on", args=[project.slug, ana.token, "monitoring"]))
    for one, stance in zip(said, ("Agree", "Disagree", "Pass"), strict=True):
        choose(page, one.text, stance)
    choose(page, said[0].text, "Pass")
    for one in said:
        expect(status(page, one.text)).to_contain_text(SAVED)
    page.wait_for_load_state("networkidle")
    kept = Reaction.objects.order_by("statement_id").values_list("value", flat=True)
    assert list(kept) == ["pass", "disagree", "pass"]
    boards.close_board(board=current, actor=owner)
    choose(page, said[1].text, "Agree")
    expect(page.get_by_role("alert")).to_contain_text("Not saved. The board is closed and sealed")
    expect(page.locator("#said")).to_contain_text("0 agree, 1 disagree, 0 pass")
