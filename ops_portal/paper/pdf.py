"""A document as a PDF on A4: title, facts, and each part with its sentence, picture and table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from ops_portal.paper.document import Document, Part, Table
from ops_portal.paper.drawing import draw_figure, ink
from ops_portal.paper.fonts import BOLD, PLAIN, drawable, in_one_font, left_out, printable, runs

MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
#: A column grows with its texts up to so many characters; a longer word is broken.
WIDE, MOST_FOR_A_WORD = 60, 110.0
#: Longer cells are cut into rows, because a row must fit on one page.
MOST_CHARACTERS = 1200

H1 = ParagraphStyle("title", fontName=BOLD, fontSize=17, leading=22, spaceAfter=4)
H2 = ParagraphStyle("part", fontName=BOLD, fontSize=11.5, leading=15, spaceBefore=14, spaceAfter=3)
TEXT = ParagraphStyle("text", fontName=PLAIN, fontSize=8.5, leading=12, spaceAfter=4)
CELL = ParagraphStyle("cell", fontName=PLAIN, fontSize=7.2, leading=9.4)
HEAD = ParagraphStyle("head", parent=CELL, fontName=BOLD)


def make_pdf(document: Document, *, made: str, author: str = "Ops Portal") -> bytes:
    """Write a document as a PDF; `made` says when, in the footer of every page."""
    drawable(PLAIN), drawable(BOLD)
    story: list[Flowable] = [
        Paragraph(_marked(document.title), H1),
        Paragraph(_marked(document.lead), TEXT),
        *([Paragraph(missing, TEXT)] if (missing := _left_out(document)) else []),
        _table(Table(("Fact", "Value"), document.facts), headless=True),
    ]
    for part in document.parts:
        story += _part(part)
    target = io.BytesIO()
    frame = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=document.title,
        author=author,
        lang="en",
        invariant=True,
    )

    def foot(canvas: Canvas, _: object) -> None:
        font, foot_line = in_one_font(f"{document.title} · {made}")
        canvas.setFont(font, 7)
        canvas.setFillColor(ink("--chart-text"))
        canvas.drawString(MARGIN, 10 * mm, foot_line)
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(canvas.getPageNumber()))

    frame.build(story, onFirstPage=foot, onLaterPages=foot)
    return target.getvalue()


def _part(part: Part) -> list[Flowable]:
    found: list[Flowable] = [Paragraph(_marked(part.title), H2)]
    found += [Paragraph(_marked(text), TEXT) for text in part.text]
    room = 45 * mm
    if part.chart and not part.chart.empty:
        drawing = draw_figure(part.chart.figure, WIDTH)
        found += [drawing, Spacer(1, 6)]
        room += drawing.height
    if part.table:
        found.append(_table(part.table))
    # A heading is never left alone at the foot of a page.
    return [CondPageBreak(room), *found]


def _table(table: Table, *, headless: bool = False) -> LongTable:
    rows = [row for whole in table.rows for row in _cut(whole)]
    cells: list[list[Any]] = [] if headless else [[Paragraph(_marked(text), HEAD) for text in table.columns]]
    for row in rows:
        cells.append([Paragraph(_marked(text), HEAD if at == 0 else CELL) for at, text in enumerate(row)])
    first = 0 if headless else 1
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, ink("--chart-grid")),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    if not headless:
        style.append(("LINEBELOW", (0, 0), (-1, 0), 0.8, ink("--chart-axis")))
    if table.shaded:
        style += _shades(rows, first)
    return LongTable(cells, colWidths=_widths(table.columns, rows), repeatRows=first, style=TableStyle(style))


def _shades(rows: Sequence[Sequence[str]], first: int) -> list[tuple[Any, ...]]:
    """Votes in thirds: blue for, vermillion against; the number itself stands in the cell."""
    found: list[tuple[Any, ...]] = []
    for y, row in enumerate(rows, start=first):
        for x, text in enumerate(row):
            if x and text.isdigit() and not 4 <= int(text) <= 6:
                shade = ink("--chart-1/25" if int(text) >= 7 else "--chart-2/25")
                # A table knows no transparency: the share is mixed with the paper's white.
                mixed = colors.Color(*(1 - shade.alpha * (1 - part) for part in (shade.red, shade.green, shade.blue)))
                found.append(("BACKGROUND", (x, y), (x, y), mixed))
    return found


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """Each column is as wide as its longest word; what is left is shared by how long the texts are."""
    words, lengths = [], []
    for at, column in enumerate(columns):
        texts = [column, *(row[at] for row in rows)]
        longest = max((word for text in texts for word in printable(text).split()), key=len, default="")
        words.append(min(MOST_FOR_A_WORD, stringWidth(longest, BOLD, HEAD.fontSize) + 9))
        lengths.append(float(min(WIDE, max(len(text) for text in texts))))
    left = max(0.0, WIDTH - sum(words))
    shrink = min(1.0, WIDTH / sum(words))
    return [word * shrink + left * length / sum(lengths) for word, length in zip(words, lengths, strict=True)]


def _cut(row: Sequence[str]) -> list[tuple[str, ...]]:
    """A row whose texts are too long for a page, as several rows; the parts of a text follow each other."""
    pieces = [[text[i : i + MOST_CHARACTERS] for i in range(0, len(text), MOST_CHARACTERS)] or [""] for text in row]
    count = max(len(parts) for parts in pieces)
    return [tuple(parts[i] if i < len(parts) else "" for parts in pieces) for i in range(count)]


def _marked(text: str) -> str:
    """Text for a paragraph: what people wrote is no markup, and line breaks stay."""
    parts = []
    for font, run in runs(text):
        marked = escape(run, quote=False).replace("\n", "<br/>")
        parts.append(marked if font == PLAIN else f'<font name="{font}">{marked}</font>')
    return "".join(parts)


def _left_out(document: Document) -> str:
    """Say which writing this file cannot show, if any."""
    texts = [document.title, document.lead, *(text for fact in document.facts for text in fact)]
    for part in document.parts:
        texts += [part.title, *part.text]
        texts += [text for row in part.table.rows for text in row] if part.table else []
    names = left_out(texts)
    if not names:
        return ""
    marks = " and ".join(f"[{name}]" for name in names)
    return f"{marks}: written in letters that this file cannot show; the page of this report has all of it."
