"""What a CSV file seems to be: its encoding, delimiter, columns and their types. People confirm or correct it."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from projects.csv_files.plan import (
    BOOLEAN,
    FALSE_WORDS,
    ID,
    LABEL,
    LABEL_TIME,
    NUMBER,
    SKIP,
    TEXT,
    TIME,
    TRUE_WORDS,
    CsvPlan,
    read_comma_number,
    read_number,
)
from projects.csv_files.records import Bytes, Record, read_records
from projects.payload import MAX_NAME, PayloadError, read_time
from projects.texts import fault_of, storable

Row = TypeVar("Row")

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Western European (Windows-1252)",
    "iso8859-2": "Central European (ISO 8859-2)",
}
#: One field of the confirming form each, of which Django takes 1,000 (DATA_UPLOAD_MAX_NUMBER_FIELDS).
MAX_COLUMNS = 990
SAMPLE_ROWS = 1_000
#: Characters after which a sample is large enough, whatever its number of rows.
SAMPLE_TEXT = 4 * 2**20
SHOWN_ROWS = 8
#: A column counts as numbers when this share of its values are; the others will be set aside with their reason.
MOSTLY = 0.9
#: Up to this share of the lines with special characters may be broken in a file that is taken for UTF-8.
FEW = 0.1

_ID_NAMES = frozenset({"id", "event_id", "uuid", "key", "event_key"})
_LABEL_TIME_NAMES = frozenset({"label_time", "label_at", "labelled_at", "labeled_at", "observed_at"})
_NO_CSV = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
}
_WHAT_NOW = {
    "utf-8": "The others are, so such lines will be set aside.",
    "cp1252": "The file is read as Western European instead: look for odd characters in the rows below.",
}
_CODE = re.compile(r"0\d+")


class UnreadableFileError(ValueError):
    """A file that cannot be read at all, with a sentence that says what to do."""


@dataclass
class Column:
    """What is known about one column from the sample."""

    name: str
    use: str
    examples: list[str] = field(default_factory=list)
    missing: int = 0
    #: Sampled values that do not fit `use`.
    unfit: int = 0
    fitting: int = 0
    values: frozenset[str] = frozenset()

    @property
    def distinct(self) -> int:
        """Number of different values in the sample."""
        return len(self.values)

    @property
    def unfit_text(self) -> str:
        """How many sampled values do not fit."""
        what = "is not a number" if self.unfit == 1 else "are not numbers"
        return f"{self.unfit:,} of {self.unfit + self.fitting:,} {what}"


@dataclass(frozen=True)
class Preview:
    """What the first rows of a file show."""

    plan: CsvPlan
    columns: list[Column]
    rows: list[Record]
    sampled: int
    bad: list[Record]
    warnings: list[str]

    @property
    def has_label(self) -> bool:
        """Say whether a column seems to be the label."""
        return any(column.use == LABEL for column in self.columns)


def detect_encoding(file: Bytes) -> tuple[str, int | None]:
    """Return the encoding of `file` and the first line that is not UTF-8, if there is one. Reads it line by line.

    Raises
    ------
    UnreadableFileError
        The file is empty or no text.

    """
    file.seek(0)
    head = file.read(4096)
    if not head.strip():
        raise UnreadableFileError("This file is empty.")
    for magic, what in _NO_CSV.items():
        if head.startswith(magic):
            raise UnreadableFileError(
                f"This is {what}, not a CSV, NDJSON or Parquet file. Unpack or export the table and try again."
            )
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or head[1::2].count(0) > len(head) / 4:
        raise UnreadableFileError("This file is UTF-16. Save it as CSV in UTF-8 and try again.")
    if b"\n" not in head and head.count(b"\r") > 1:
        raise UnreadableFileError("The lines of this file end as on old Macs. Save it with Unix or Windows line ends.")
    file.seek(0)
    number = beyond_ascii = wrong = 0
    first_wrong = None
    while line := file.readline(2**20):
        number += 1
        if not line.isascii():
            beyond_ascii += 1
            if not _is_utf8(line):
                wrong += 1
                first_wrong = first_wrong or number
    # A few broken lines among many good ones are broken lines; otherwise the file was written another way.
    return ("cp1252" if wrong > FEW * beyond_ascii else "utf-8"), first_wrong


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def header_offset(file: Bytes) -> int:
    """Return where the header begins: after the byte order mark, if there is one."""
    file.seek(0)
    return len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0


def detect_delimiter(file: Bytes, encoding: str) -> str:
    """Return the delimiter that splits the first lines into the most columns of the same number."""
    start = header_offset(file)
    file.seek(start)
    lines = [file.readline(2**16).decode(encoding, "replace") for _ in range(50)]
    lines = [line.replace("\0", "") for line in lines if line.strip()]

    def worth(delimiter: str) -> tuple[float, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        except csv.Error:
            return 0.0, 0
        if not widths:
            return 0.0, 0
        width, times = widths.most_common(1)[0]
        return (times / widths.total() if width > 1 else 0.0), width

    return max(DELIMITERS, key=worth)


def preview(
    file: Bytes,
    *,
    task: str,
    label_name: str,
    label_type: str = "",
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Preview:
    """Read the first rows of `file` and say what they seem to be.

    Raises
    ------
    UnreadableFileError
        The file cannot be read as CSV, with what to do about it.

    """
    warnings: list[str] = []
    detected, bad_line = detect_encoding(file)
    if bad_line is not None and encoding is None:
        warnings.append(f"Line {bad_line:,} is not UTF-8. " + _WHAT_NOW[detected])
    encoding = encoding or detected
    delimiter = delimiter or detect_delimiter(file, encoding)
    records = read_records(file, offset=header_offset(file), line=1, encoding=encoding, delimiter=delimiter)
    header = next(records, None)
    names = _names(header, delimiter)
    sample = take_sample(records, lambda record: record.length)
    bad = [record for record in sample if record.error or len(record.fields) != len(names)]
    good = [record for record in sample if not record.error and len(record.fields) == len(names)]
    if not good:
        raise UnreadableFileError("No row below the header has as many values as the header has columns.")
    if header and all(_is_number(name) for name in names):
        warnings.append("The first line looks like values, not names. If it is a row of data, add a header line.")
    decimal = _decimal(good, delimiter)
    plan = CsvPlan(encoding, delimiter, [(name, TEXT) for name in names], label_type, decimal)
    return describe_table(plan, good, bad, warnings, task=task, label_name=label_name)


def take_sample(rows: Iterable[Row], length_of: Callable[[Row], int]) -> list[Row]:
    """Return the first rows, as many as a preview looks at: fewer where they are long, for they are held in memory."""
    sample: list[Row] = []
    length = 0
    for row in islice(rows, SAMPLE_ROWS):
        sample.append(row)
        length += length_of(row)
        if length >= SAMPLE_TEXT:
            break
    return sample


def describe_table(
    plan: CsvPlan,
    rows: list[Record],
    bad: list[Record],
    warnings: list[str],
    *,
    task: str,
    label_name: str,
    types: Mapping[str, str] | None = None,
) -> Preview:
    """Return what the columns of sampled rows seem to be; `types` where the file itself says what a column holds."""
    columns = []
    for at, (name, _) in enumerate(plan.columns):
        texts = [record.fields[at].strip() for record in rows]
        column = _column(name, texts, plan.decimal, plan.missing)
        if types and column.use != SKIP:
            column.use = types.get(name, column.use)
        columns.append(column)
    _assign_roles(columns, rows, label_name)
    label = next((column for column in columns if column.use == LABEL), None)
    plan = replace(
        plan,
        columns=[(column.name, column.use) for column in columns],
        label_type=plan.label_type or _label_type(task, label),
    )
    return Preview(plan, columns, rows[:SHOWN_ROWS], len(rows) + len(bad), bad, warnings)


def _names(header: Record | None, delimiter: str) -> list[str]:
    if header is None:
        raise UnreadableFileError("This file is empty.")
    if header.error:
        raise UnreadableFileError(f"The header (line {header.line}) cannot be read: {header.error}.")
    names = [name.strip() for name in header.fields]
    if len(names) < 2:
        raise UnreadableFileError(
            f"The header has one column only when split at the {DELIMITERS[delimiter]}."
            " A file needs at least two columns; choose another delimiter or check the file."
        )
    names = [name or f"column {number}" for number, name in enumerate(names, start=1)]
    check_names(names)
    return names


def check_names(names: Sequence[str]) -> None:
    """Refuse too many columns, two of one name, and names that are too long or cannot be stored.

    Raises
    ------
    UnreadableFileError
        With what to change.

    """
    if len(names) > MAX_COLUMNS:
        raise UnreadableFileError(f"This file has {len(names):,} columns; at most {MAX_COLUMNS:,} are taken.")
    double = [name for name, times in Counter(names).items() if times > 1]
    if double:
        raise UnreadableFileError(f'Two columns are called "{storable(double[0][:80])}". Rename one of them.')
    for name in names:
        if fault := fault_of(name):
            raise UnreadableFileError(f'The column name "{storable(name[:60])}" {fault}. Rename the column.')
    long = next((name for name in names if len(name) > MAX_NAME), None)
    if long:
        raise UnreadableFileError(f'A column name is longer than {MAX_NAME} characters: "{long[:60]}…".')


def _column(name: str, texts: Sequence[str], decimal: str, missing: Sequence[str]) -> Column:
    present = [text for text in texts if text and text not in missing]
    distinct = Counter(present)
    column = Column(name, TEXT, list(islice(distinct, 3)), len(texts) - len(present), values=frozenset(distinct))
    if not present:
        column.use = SKIP
        return column
    numbers = sum(times for text, times in distinct.items() if _is_number(text, decimal))
    words = {text.lower() for text in distinct}
    if any(_CODE.fullmatch(text) for text in distinct):
        return column  # 00123 is a name made of digits
    if words <= TRUE_WORDS | FALSE_WORDS and not words <= {"0", "1"}:
        column.use = BOOLEAN
    elif numbers >= MOSTLY * len(present):
        column.use, column.unfit, column.fitting = NUMBER, len(present) - numbers, numbers
    return column


def _assign_roles(columns: list[Column], rows: Sequence[Record], label_name: str) -> None:
    by_name = {column.name.casefold(): column for column in columns}
    label = by_name.get(label_name.casefold())
    for column in columns:
        name = column.name.casefold().replace(" ", "_")
        if column is label or not column.distinct:
            continue
        if name in _ID_NAMES and column.distinct == len(rows) and ID not in _uses(columns):
            column.use, column.unfit = ID, 0
        elif column.use == TEXT and all(map(_is_time, column.values)):
            time = LABEL_TIME if name in _LABEL_TIME_NAMES else TIME
            if time not in _uses(columns):
                column.use = time
    if label is not None:
        label.use = LABEL if label.distinct else SKIP


def _uses(columns: Sequence[Column]) -> set[str]:
    return {column.use for column in columns}


def _label_type(task: str, label: Column | None) -> str:
    if task == "regression":
        return "number"
    if label is None or not label.values:
        return "text"
    words = {value.lower() for value in label.values}
    if words <= TRUE_WORDS | FALSE_WORDS:
        return "integer" if words <= {"0", "1"} else "boolean"
    if task == "multiclass" and all(map(_is_whole, label.values)):
        return "integer"
    return "text"


def _decimal(rows: Sequence[Record], delimiter: str) -> str:
    """Return the decimal mark: a comma where some value has one between digits and none has a point so."""
    if delimiter == ",":
        return "."
    texts = [text for row in rows for text in row.fields]
    comma = any(re.fullmatch(r"\s*[+-]?\d+,\d+\s*", text) for text in texts)
    point = any(re.fullmatch(r"\s*[+-]?\d+\.\d+\s*", text) for text in texts)
    return "," if comma and not point else "."


def _is_number(text: str, decimal: str = ".") -> bool:
    try:
        (read_number if decimal == "." else read_comma_number)(text)
    except ValueError:
        return False
    return True


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,18}", text) is not None and not _CODE.fullmatch(text)


def _is_time(text: str) -> bool:
    try:
        return "-" in text and read_time(text) is not None
    except PayloadError:
        return False
