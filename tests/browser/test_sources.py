"""Bringing data in by every way a page offers, in a browser: files of each kind, a data set, a stream with drift."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import look_at

pytestmark = pytest.mark.browser

ROWS = 120


@pytest.fixture
def project(page: Page, request: pytest.FixtureRequest) -> str:
    """A project of this test's own."""
    page.goto("/projects/new/")
    page.get_by_label("Name", exact=True).fill(request.node.name.replace("_", " ")[:60])
    page.get_by_role("radio", name=re.compile("^Binary classification")).check(force=True)
    page.get_by_label("Name of the label").fill("failed")
    page.get_by_label("Primary metric").select_option(label="Accuracy")
    page.get_by_role("button", name="Register and go on").click()
    page.wait_for_url(re.compile("/scope/"))
    found = re.search(r"/projects/([^/]+)/", page.url)
    assert found
    return found[1]


def as_csv() -> bytes:
    rows = "".join(f"c{n},{n / 7:.3f},{'yes' if n % 2 else 'no'}\n" for n in range(ROWS))
    return ("id,heat,failed\n" + rows).encode()


def as_ndjson() -> bytes:
    lines = [{"id": f"n{n}", "heat": n / 7, "failed": "yes" if n % 2 else "no"} for n in range(ROWS)]
    return "".join(json.dumps(line) + "\n" for line in lines).encode() + b"{oops\n"


def as_parquet() -> bytes:
    table = {
        "id": [f"p{n}" for n in range(ROWS)],
        "heat": [n / 7 for n in range(ROWS)],
        "failed": ["yes" if n % 2 else "no" for n in range(ROWS)],
        "tags": [[n] for n in range(ROWS)],
    }
    sink = BytesIO()
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


def test_a_file_of_each_kind_comes_in(page: Page, project: str, tmp_path: Path) -> None:
    for name, raw in (("rows.csv", as_csv()), ("rows.ndjson", as_ndjson()), ("rows.parquet", as_parquet())):
        (tmp_path / name).write_bytes(raw)
        page.goto(f"/projects/{project}/data/upload/")
        page.get_by_label("File").set_input_files(tmp_path / name)
        page.get_by_role("button", name="Upload and check").click()
        expect(page.get_by_role("region", name="Columns")).to_contain_text("heat")
        expect(page.get_by_label("Column failed is")).to_have_value("label")
        if name == "rows.parquet":
            expect(page.get_by_text("Left out, because")).to_contain_text("tags")
            look_at(page, "data-preview-parquet")
        page.get_by_role("button", name="Start the import").click()
        expect(page.get_by_text("Completed").first).to_be_visible(timeout=30_000)
        expect(page.get_by_text(re.compile(rf"^{ROWS} of \d+"))).to_be_visible()
        if name == "rows.ndjson":
            expect(page.get_by_role("cell", name=str(ROWS + 1), exact=True)).to_be_visible()
    page.goto(f"/projects/{project}/data/labels/")
    page.get_by_role("radio", name=re.compile("^Is unknown")).check(force=True)
    page.get_by_role("button", name="What would it do?").click()
    expect(page.get_by_text("What this would do")).to_be_visible()
    look_at(page, "data-labels")


def test_a_stream_with_drift_flows_faster_pauses_and_ends(page: Page, project: str) -> None:
    page.goto(f"/projects/{project}/data/synthetic/")
    page.get_by_role("radio", name=re.compile("^Loan applications")).check(force=True)
    page.get_by_role("radio", name="Gradual").check(force=True)
    page.get_by_label("How many events", exact=True).fill("5000")
    page.get_by_label("Events per second").fill("5")
    look_at(page, "data-synthetic")
    page.get_by_role("button", name="Start the stream").click()
    expect(page.get_by_role("heading", name=re.compile("gradual drift around event 2,500"))).to_be_visible()
    expect(page.get_by_text(re.compile("rows done"))).to_be_visible(timeout=20_000)
    page.get_by_label("Events per second").fill("80")
    page.get_by_role("button", name="Change the rate").click()
    expect(page.get_by_text("80 events per second")).to_be_visible()
    look_at(page, "data-stream")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the import").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible()
