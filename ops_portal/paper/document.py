"""What a printed report consists of: parts with sentences, a picture and a table."""

from __future__ import annotations

from dataclasses import dataclass

from ops_portal.charts import Chart


@dataclass(frozen=True)
class Table:
    """Cells as they are printed; the first of each row names it. `shaded` tables hold votes, coloured by thirds."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shaded: bool = False


@dataclass(frozen=True)
class Part:
    """A part of the report. `key` is its name in addresses and templates; without a table it is text alone."""

    key: str
    title: str
    text: tuple[str, ...] = ()
    chart: Chart | None = None
    table: Table | None = None


@dataclass(frozen=True)
class Document:
    """The whole report, in the order in which it is read."""

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]

    def part(self, key: str) -> Part | None:
        """The part with this key, if the report has it."""
        return next((part for part in self.parts if part.key == key), None)
