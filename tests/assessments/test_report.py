"""The report of a round: page, print, PDF, CSV and JSON are one thing, and every assumption is printed with it."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import fields
from html import unescape

import pytest
from django.urls import reverse
from pypdf import PdfReader

from assessments.models import Round
from assessments.principles import load_catalogue
from assessments.scoring.settings import Settings
from assessments.selectors.assumptions import describe_settings
from assessments.selectors.document import read_full_report
from assessments.services.panel_results import work_out
from assessments.services.sharing import share
from ops_portal.paper.drawing import PAPER
from ops_portal.paper.fonts import MISSING, PLAIN, in_one_font, left_out, printable, runs
from tests.assessments.test_results import hold_round
from tests.factories import make_project

pytestmark = pytest.mark.django_db


def url(project, name, *args):
    return reverse(f"assessments:{name}", args=[project.slug, *args])


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture(scope="module")
def kept_round(kept_project):
    """The key of the second of two rounds, in which the experts gave reasons that look like markup and formulas."""
    owner = kept_project.team.memberships.get().user
    for votes in ((2, 8, 9), (3, 8, 9)):
        closed = hold_round(kept_project, owner, votes=votes, reason="=1+1 <b>bold</b> & “quoted”, Łódź")
        work_out(closed.pk)
    return closed.pk


@pytest.fixture
def told(kept_round, db):
    return read_full_report(Round.objects.select_related("assessment__project__team").get(pk=kept_round))


@pytest.fixture
def project(told):
    return told.report.round.assessment.project


@pytest.fixture
def owner(project):
    return project.team.memberships.get().user


@pytest.fixture
def other(project):
    """A project of the same team in which no round was held."""
    return make_project(project.team)


def squeezed(text: str) -> str:
    """Without the white space that lines of a page put in."""
    return re.sub(r"\s+", "", text)


def pdf_text(content: bytes) -> str:
    return squeezed("".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))


def test_every_cell_is_the_same_on_paper_in_the_page_and_in_json(as_owner, project, told):
    html = squeezed(
        unescape(re.sub(r"<br>|<[^b][^>]*>", "", as_owner.get(url(project, "result_report", 2)).content.decode()))
    )
    pdf = pdf_text(as_owner.get(url(project, "result_pdf", 2)).content)
    document = json.loads(as_owner.get(url(project, "result_json", 2)).content)
    tables = [part for part in told.document.parts if part.table]
    assert len(tables) > 15
    assert [table["title"] for table in document["tables"]] == [part.title for part in tables]
    for part, from_json in zip(tables, document["tables"], strict=True):
        assert part.table.rows, part.title
        assert [tuple(row) for row in from_json["rows"]] == list(part.table.rows)
        for cell in (*part.table.columns, *(cell for row in part.table.rows for cell in row)):
            assert squeezed(cell) in html, (part.title, cell)
            assert squeezed(printable(cell)) in pdf, (part.title, cell)


def test_csv_gives_the_figures_that_are_printed(as_owner, project, told):
    table = list(csv.DictReader(io.StringIO(as_owner.get(url(project, "result_csv", 2)).getvalue().decode())))
    printed = told.document.part("principles").table.rows
    drawn = {row[0].partition(" ")[2]: row for row in told.document.part("effort").table.rows}
    for row, cells in zip(table, printed, strict=True):
        assert cells[0] == row["name"]
        assert cells[1].startswith(row["verdict"])
        assert cells[2] == f"{float(row['probability']):.0%}"
        assert cells[4] == row["effort_days"]
        assert drawn[row["name"]][1:3] == (row["costs_days"], row["saves_days"])
        assert float(row["saves_days_low"]) <= float(row["saves_days"]) <= float(row["saves_days_high"])


def test_the_result_page_draws_what_the_document_holds(as_owner, project, told):
    html = as_owner.get(url(project, "result", 2)).content.decode()
    drawn = dict(re.findall(r'<script id="([\w-]+)-data" type="application/json">(.*?)</script>', html, re.DOTALL))
    held = {part.key: part.chart for part in told.document.parts if part.chart}
    assert set(held) == {"membership", "effort", "votes", "rounds", "tornado"} == set(drawn)
    for key, chart in held.items():
        assert json.loads(drawn[key]) == json.loads(json.dumps(chart.figure))
        assert chart.summary in unescape(html)


def test_every_setting_is_put_into_words():
    said = [
        name
        for section in describe_settings(Settings(), load_catalogue())
        for one in section.assumptions
        for name in one.settings
    ]
    assert set(said) == {field.name for field in fields(Settings)}
    assert all(
        one.value and one.meaning
        for section in describe_settings(Settings(), load_catalogue())
        for one in section.assumptions
    )


def test_a_changed_setting_is_printed_with_the_result(as_owner, project, told):
    pdf = pdf_text(as_owner.get(url(project, "result_pdf", 2)).content)
    assert "50,seed1" in pdf, "the panel's own number of readings, not the portal's"
    assert squeezed(told.report.assumptions) in pdf
    assert squeezed(told.report.round.seal) in pdf


def test_a_report_without_a_worked_out_result_prints_too(as_owner, other, owner):
    hold_round(other, owner)
    answer = as_owner.get(url(other, "result_pdf", 1))
    assert answer["Content-Type"] == "application/pdf"
    assert "Whataprinciple" not in pdf_text(answer.content)
    assert "Principles" in pdf_text(answer.content)
    assert as_owner.get(url(other, "result_report", 1)).status_code == 200


def test_the_pdf_is_there_for_whoever_has_the_link_and_for_nobody_else(client, project, owner, told):
    made = share(assessment=told.report.round.assessment, name="board", days=3, actor=owner)
    assert "Reasons" not in pdf_text(client.get(url(project, "shared_pdf", made.token)).content)
    assert client.get(url(project, "shared_pdf", made.token)).content[:5] == b"%PDF-"
    assert client.get(url(project, "shared_pdf", "wrong")).status_code == 404
    for name in ("result_report", "result_pdf"):
        assert client.get(url(project, name, 2)).status_code in (302, 404)


def test_an_anonymous_report_names_nobody(as_owner, project, told):
    for name in ("result_report", "result_json"):
        assert "Secret Name" not in as_owner.get(url(project, name, 2)).content.decode()
    assert "SecretName" not in pdf_text(as_owner.get(url(project, "result_pdf", 2)).content)


def test_most_scripts_are_drawn_and_what_would_come_out_wrong_is_named():
    for text in (
        "Zażółć gęślą jaźń “ok”",
        "Привет, Ελλάδα",
        "监控 監視 かな カナ。",
        "모니터링",
        "გამარჯობა",
        "ตรวจสอบ",
        "🙂",
    ):
        assert printable(text) == text
        assert MISSING not in in_one_font(text)[1]
    assert printable("Zażółć ≥ 3 ✓ 🙂") == "Zażółć ≥ 3 ✓ 🙂"
    assert {font for font, _ in runs("监控 and 모니터링")} == {PLAIN, "NotoSansSC", "NotoSansKR"}
    assert printable("Say مرحبا بكم now, שלום too") == "Say [Arabic] now, [Hebrew] too"
    assert left_out(["مرحبا", "नमस्ते", "ok"]) == ["Arabic", "Devanagari"]
    assert printable("a\u200db\ufe0f \ue000") == "ab [Unknown]"
    assert printable("x\u064e") and printable("") == ""


def test_other_scripts_come_out_of_the_pdf_and_the_missing_are_told_of(as_owner, other, owner):
    hold_round(other, owner, votes=(7, 8, 9), reason="监控很重要 모니터링 مرحبا")
    pdf = pdf_text(as_owner.get(url(other, "result_pdf", 1)).content)
    assert "监控很重要" in pdf and "모니터링" in pdf
    assert "[Arabic]:writteninlettersthatthisfilecannotshow" in pdf
    assert "مرحبا" in as_owner.get(url(other, "result_report", 1)).content.decode()
    hold_round(other, owner, votes=(7, 8, 9), reason="Plain")
    assert "thisfilecannotshow" not in pdf_text(as_owner.get(url(other, "result_pdf", 2)).content)


def test_a_long_reason_runs_over_pages(as_owner, other, owner):
    closed = hold_round(other, owner, votes=(7, 8, 9), reason="very long " * 199)
    answer = as_owner.get(url(other, "result_pdf", closed.number))
    assert pdf_text(answer.content).count("verylong") >= 199 * 12


def test_paper_has_the_colours_of_the_light_theme(settings):
    css = (settings.BASE_DIR / "ops_portal/static/ops_portal/css/tokens.css").read_text()
    light = dict(re.findall(r"(--chart-[\w]+): light-dark\((#\w+),", css))
    assert {name: colour for name, colour in PAPER.items() if name in light} == {
        name: light[name] for name in PAPER if name in light
    }
    assert len(light) >= 8
