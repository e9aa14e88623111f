"""Every page of the portal: photographed at two widths in light and dark, and nothing on it that axe objects to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import SIZES, look_at, settle, watch
from tests.browser.routes import LEFT_OUT, POSTED, QUERIES, Route, all_routes
from tests.portal import Portal

pytestmark = pytest.mark.browser

PROJECT = "phishing-pages"
#: Where a panel's first round is closed, so that there is a result.
RATED = "outdoor-image-segments"
#: What the addresses' arguments are in the demo data.
KNOWN: dict[str, object] = {
    "slug": PROJECT,
    "number": 2,
    "model_id": 2,
    "principle": "monitoring",
    "projects:event.pk": 1,
    "projects:import.pk": 1,
    "projects:import_cancel.pk": 1,  # the demo's stream, still flowing in
    "projects:team.slug": "demo-team",
    "projects:member_add.slug": "demo-team",
    "projects:member_remove.slug": "demo-team",
    **{
        f"catalogue:{name}.slug": "demo-team"
        for name in (
            "home",
            "edition",
            "draft",
            "publish",
            "discard",
            "principle",
            "principle_add",
        )
    },
    "models_registry:run_cancel.number": 3,
    "assessments:result.number": 1,
    "assessments:result.slug": RATED,
    "assessments:result_report.number": 1,
    "assessments:what_if.number": 1,
    "assessments:compare.slug": RATED,
    "assessments:what_if.slug": RATED,
    "assessments:result_report.slug": RATED,
    "assessments:shared.slug": RATED,
}
SIGNED_OUT = {
    "sign_in",
    "sign_in_by_link",
    "assessments:guest_vote_start",
    "assessments:guest_vote_weights",
    "assessments:guest_vote",
    "assessments:guest_board_on",
    "assessments:shared",
}
ROUTES = [route for route in all_routes() if route.name not in LEFT_OUT]
PAGES = [
    pytest.param(route, query, id=route.name + query) for route in ROUTES for query in QUERIES.get(route.name, ("",))
]
#: Pages of a project that say what to do when there is nothing yet.
EMPTY = (
    *("", "data/", "models/", "models/new/", "runs/", "runs/new/", "versions/", "deployments/", "deployments/deploy/"),
    *("comparisons/", "comparisons/new/", "comparisons/sweep/", "deployments/roll-back/", "predict/", "activity/"),
    *("assessment/", "assessment/recommendation/"),
)
QUIET = "Nothing here yet"


@pytest.fixture(scope="module")
def context(portal: Portal, browser: Browser, signed_in: dict) -> Iterator[BrowserContext]:
    """One window for all pages, which are only looked at: what they share is fetched and compiled once."""
    opened = browser.new_context(
        base_url=portal.address, storage_state=signed_in, viewport=SIZES["wide"], reduced_motion="reduce"
    )
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def known(portal: Portal, browser: Browser, signed_in: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Arguments of every page; what the demo data lacks is made first: a token, a member, a file to look through."""
    context = browser.new_context(base_url=portal.address, storage_state=signed_in)
    page = context.new_page()
    found = KNOWN | {
        "projects:token_revoke.pk": make_token(page),
        "projects:member_remove.pk": add_member(page),
    }
    found |= {"token": open_panel(page, PROJECT), "assessments:shared.token": shares_a_result(page)}
    write_on_the_board(page, PROJECT)
    found["catalogue:edition.pk"] = publish_an_edition(page)
    compared = compare_models(page)
    found |= {f"models_registry:{name}.number": compared for name in ("comparison", "comparison_cancel")}
    found["projects:import_preview.pk"] = upload(page, tmp_path_factory.mktemp("csv") / "pages.csv")
    context.close()
    return found


def compare_models(page: Page) -> int:
    """Let the project's models learn the same events in one pass."""
    page.goto(f"/projects/{PROJECT}/comparisons/new/")
    boxes = page.locator("input[name=models]").all()
    for box in boxes:
        box.check()
    page.get_by_role("button", name="Start the comparison").click()
    page.wait_for_url(re.compile(r"/comparisons/\d+/"))
    expect(page.locator("#live [data-state=completed]")).to_have_count(len(boxes), timeout=60_000)
    return int(re.search(r"comparisons/(\d+)/", page.url)[1])  # type: ignore[index]


def make_token(page: Page) -> int:
    page.goto(f"/projects/{PROJECT}/settings/tokens/")
    page.get_by_label("Name").fill("Crawler")
    page.get_by_role("button", name="Make the token").click()
    page.goto(f"/projects/{PROJECT}/settings/")
    return number_in(page, r"tokens/(\d+)/revoke/")


def add_member(page: Page) -> int:
    page.goto("/teams/demo-team/members/")
    page.get_by_label("User name or e-mail address").fill("nora")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text(re.compile("^Sign-in link for nora"))).to_be_visible()
    return number_in(page, r"members/(\d+)/remove/")


def write_on_the_board(page: Page, project: str) -> None:
    """Open the statements board, say something on it, and make a code."""
    page.goto(f"/projects/{project}/assessment/board/")
    page.get_by_role("button", name="Open the board").click()
    page.goto(f"/projects/{project}/assessment/vote/board/on/monitoring/")
    page.get_by_role("radio", name="Benefit").check(force=True)
    page.get_by_label("Statement").fill("A bad version was noticed within minutes, not by a customer.")
    page.get_by_role("button", name="Put it on the board").click()
    page.goto(f"/projects/{project}/assessment/board/")
    page.get_by_label("New code").fill("Fewer bad surprises")
    page.get_by_role("button", name="Add the code").click()


def publish_an_edition(page: Page) -> int:
    """Reword a practice of the demo team's catalogue, publish that, start another draft, and return the edition."""
    page.goto("/teams/demo-team/catalogue/")
    page.get_by_role("button", name="Change it in a draft").click()
    page.get_by_role("link", name="Continuous monitoring").click()
    page.get_by_label("Practice 1").fill("Live quality is on the wall, for every version.")
    page.get_by_role("button", name="Save in the draft").click()
    page.get_by_role("link", name="To the draft").click()
    page.get_by_role("link", name="Look over and publish").click()
    page.get_by_label("What changed, and why").fill("In our own words.")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(re.compile(r"/editions/\d+/"))
    pk = int(re.search(r"editions/(\d+)/", page.url)[1])  # type: ignore[index]
    page.goto("/teams/demo-team/catalogue/")
    page.get_by_role("button", name="Change it in a draft").click()
    return pk


def upload(page: Page, file: Path) -> int:
    file.write_text("age_of_domain,https,is_phishing\n" + "1,0.5,true\n0,1,false\n" * 20 + "1,soon\n")
    page.goto(f"/projects/{PROJECT}/data/upload/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    page.wait_for_url(re.compile(r"/imports/\d+/"))
    return int(re.search(r"imports/(\d+)/", page.url)[1])  # type: ignore[index]


def open_panel(page: Page, project: str) -> str:
    """Invite the owner and a guest, open the first round, and return the token of the guest's link."""
    page.goto(f"/projects/{project}/assessment/experts/")
    page.locator("input[name=members]").first.check(force=True)
    page.locator("input[name=guest]").fill("Nora Lind")
    page.get_by_role("button", name="Invite").click()
    link = page.locator("code", has_text="/assessment/guest/").inner_text()
    page.get_by_role("button", name="Open round 1").click()
    expect(page.get_by_text("Round 1 is open").first).to_be_visible()
    return link.rstrip("/").rsplit("/", 1)[1]


def shares_a_result(page: Page) -> str:
    """Let one vote be cast in another project, close the round, and return the token of a link to the result."""
    open_panel(page, RATED)
    page.goto(f"/projects/{RATED}/assessment/vote/on/monitoring/")
    page.get_by_role("radio", name="7", exact=True).check(force=True)
    expect(page.get_by_text(re.compile(r"^Saved \d\d:\d\d")).first).to_be_visible()
    page.goto(f"/projects/{RATED}/assessment/experts/")
    page.get_by_role("link", name="Close round 1").click()
    page.get_by_role("button", name="Close and seal round 1").click()
    page.wait_for_url(re.compile("/rounds/1/"))
    page.get_by_label("For whom").fill("The board")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("code", has_text="/assessment/shared/").inner_text()
    page.goto(f"/projects/{RATED}/assessment/rounds/1/")
    expect(page.get_by_text("Net worth of the best set").first).to_be_visible(timeout=60_000)
    return link.rstrip("/").rsplit("/", 1)[1]


def number_in(page: Page, pattern: str) -> int:
    found = re.findall(pattern, page.content())
    assert found, f"nothing like {pattern} on {page.url}"
    return int(found[-1])


def test_every_route_is_named_once_and_what_is_left_out_exists() -> None:
    names = [route.name for route in all_routes()]
    assert len(names) == len(set(names))
    assert set(LEFT_OUT) <= set(names), set(LEFT_OUT) - set(names)


@pytest.fixture(scope="module")
def tabs(portal: Portal, browser: Browser, signed_in: dict) -> Iterator[dict[str, tuple[Page, list[str]]]]:
    """One tab of somebody signed in and one of a stranger for all pages, each with what its pages complain about."""
    opened = {}
    for who, state in (("member", signed_in), ("stranger", None)):
        context = browser.new_context(
            base_url=portal.address, storage_state=state, viewport=SIZES["wide"], reduced_motion="reduce"
        )
        tab = context.new_page()
        tab.set_default_timeout(20_000)
        opened[who] = tab, watch(tab)
    yield opened
    for tab, _ in opened.values():
        tab.context.close()


@pytest.mark.parametrize(("route", "query"), PAGES)
def test_a_page(route: Route, query: str, tabs: dict[str, tuple[Page, list[str]]], known: dict) -> None:
    tab, problems = tabs["stranger" if route.name in SIGNED_OUT else "member"]
    problems.clear()
    address = route.address(known) + query
    answer = tab.goto(address)
    assert answer is not None and answer.status == 200, f"{address}: {answer and answer.status}"
    assert tab.url.endswith(address), f"{address} leads to {tab.url}: say in test_pages what it needs"
    expect(tab.get_by_role("heading", level=1)).to_have_count(1)
    look_at(tab, route.name.replace(":", "-") + re.sub(r"\W+", "-", query))
    assert not problems, problems


def test_what_is_posted_only_refuses_to_be_looked_at(portal: Portal, page: Page, known: dict) -> None:
    known = {"pk": 1, "factor": "people", "expert": 1, "link": 1, "code": 1, "statement": 1} | known
    for route in all_routes():
        if LEFT_OUT.get(route.name) == POSTED:
            answer = page.request.get(route.address(known))
            assert answer.status == 405, f"{route.name}: {answer.status}"


def test_pages_of_a_project_that_has_nothing_yet_say_what_to_do(page: Page) -> None:
    page.goto("/projects/new/")
    page.get_by_label("Name", exact=True).fill(QUIET)
    page.get_by_role("radio", name=re.compile("^Binary classification")).check(force=True)
    page.get_by_label("Name of the label").fill("late")
    page.get_by_role("button", name="Register and go on").click()
    page.wait_for_url(re.compile("/projects/nothing-here-yet/scope/"))
    for path in EMPTY:
        answer = page.goto(f"/projects/nothing-here-yet/{path}")
        assert answer is not None and answer.status == 200
        links = page.locator("main").get_by_role("link").or_(page.locator("main").get_by_role("button"))
        assert links.count(), f"{path} has no next step"
        look_at(page, f"empty-{path.strip('/').replace('/', '-') or 'overview'}", schemes=("light",))


def test_what_is_not_there_has_a_page_too(portal: Portal, browser: Browser, signed_in: dict) -> None:
    context = browser.new_context(base_url=portal.address, storage_state=signed_in)
    page = context.new_page()
    for name, address in {"error-404": "/projects/no-such-project/", "error-404-api": "/projects/x/y/z/"}.items():
        answer = page.goto(address)
        assert answer is not None and answer.status == 404
        look_at(page, name, schemes=("light",))
    context.close()


def test_the_api_explains_itself(portal: Portal, page: Page) -> None:
    page.goto("/api/docs/")
    expect(page.get_by_role("heading", name=re.compile("Ops Portal"))).to_be_visible()
    assert httpx.get(f"{portal.address}/api/schema/").status_code in {200, 401, 403}


def test_a_page_settles(page: Page) -> None:
    page.goto(f"/projects/{PROJECT}/")
    settle(page)
    expect(page.locator(".main-svg").first).to_be_visible()
