"""Rows sent as a file, CSV or JSON, while they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse


def send_rows(rows: Iterable[dict[str, Any]], titles: Sequence[str], *, name: str, form: str) -> StreamingHttpResponse:
    """Send rows as `name`.csv, with the titles first, or as `name`.json, a list of objects."""
    lines, kind = (_as_csv(rows, titles), "text/csv") if form == "csv" else (_as_json(rows), "application/json")
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return StreamingHttpResponse(lines, content_type=f"{kind}; charset=utf-8", headers=headers)


def _as_csv(rows: Iterable[dict[str, Any]], titles: Sequence[str]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow([harmless(title) for title in titles])
    for row in rows:
        yield writer.writerow([harmless(row[title]) for title in titles])


def _as_json(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    before = "["
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "]\n" if before != "[" else "[]\n"


class _Line:
    """Gives what csv.writer writes back to the one who wrote it."""

    def write(self, text: str) -> str:
        return text


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
