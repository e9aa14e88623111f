"""How the rows of a CSV file become events: what each column is, and how its texts are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from projects.csv_files.records import Record
from projects.payload import MISSING, Incoming, PayloadError, read_features, read_key, read_label, read_time

NUMBER, TEXT, BOOLEAN, SKIP = "number", "text", "boolean", "skip"
LABEL, ID, TIME, LABEL_TIME = "label", "id", "time", "label_time"
#: What a column that is a feature may be.
FEATURE_USES = (NUMBER, TEXT, BOOLEAN)
LABEL_TYPES = ("boolean", "integer", "number", "text")

TRUE_WORDS = frozenset({"true", "t", "yes", "y", "1"})
FALSE_WORDS = frozenset({"false", "f", "no", "n", "0"})
MISSING_WORDS = ("NA", "N/A", "null", "None")


@dataclass(frozen=True)
class CsvPlan:
    """How one file is read. `columns` are (name, use) pairs in the order of the file.

    Without columns, each row of the file is an event in the API's own form.
    """

    encoding: str
    delimiter: str
    columns: list[tuple[str, str]]
    label_type: str = TEXT
    decimal: str = "."
    missing: tuple[str, ...] = MISSING_WORDS

    @property
    def events(self) -> bool:
        """Say whether the rows are events already, with nothing to be said about columns."""
        return not self.columns

    def as_options(self) -> dict[str, Any]:
        """Return the plan as it is kept with the import."""
        return asdict(self)

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> CsvPlan:
        """Return the plan kept with an import."""
        return cls(
            options["encoding"],
            options["delimiter"],
            [(name, use) for name, use in options["columns"]],
            options["label_type"],
            options["decimal"],
            tuple(options["missing"]),
        )


class RowReader:
    """Turns the records of a file into events.

    Parameters
    ----------
    plan
        How the file is read.
    task
        Decides what a label may be.
    key_prefix
        Rows without an id are called by this and their line, so that the same row never comes in twice.

    """

    def __init__(self, plan: CsvPlan, task: str, key_prefix: str) -> None:
        self.task, self.key_prefix = task, key_prefix
        self._width = len(plan.columns)
        self._missing = frozenset({"", *plan.missing})
        self._read_number = read_number if plan.decimal == "." else read_comma_number
        readers: dict[str, Callable[[str], object]] = {
            NUMBER: self._read_number,
            BOOLEAN: read_boolean,
            TEXT: lambda text: text,
        }
        self._features = [(at, name, readers[use]) for at, (name, use) in enumerate(plan.columns) if use in readers]
        places = {use: at for at, (_, use) in enumerate(plan.columns)}
        self._label, self._id = places.get(LABEL), places.get(ID)
        self._time, self._label_time = places.get(TIME), places.get(LABEL_TIME)
        self._read_label = {"boolean": read_boolean, "integer": read_integer, "number": self._read_number}.get(
            plan.label_type, lambda text: text
        )

    def read(self, record: Record) -> Incoming:
        """Return the event of one record.

        Raises
        ------
        PayloadError
            The record is none, or one of its values is not what its column says.

        """
        if record.error:
            raise PayloadError("", record.error)
        texts = record.fields
        if len(texts) != self._width:
            raise PayloadError("", f"has {len(texts)} values where the header has {self._width} columns")
        features = {}
        for at, name, read in self._features:
            text = texts[at].strip()
            if text not in self._missing:  # a missing value is left out: that is what learners understand by it
                try:
                    features[name] = read(text)
                except ValueError as error:
                    raise PayloadError(name, str(error)) from None
        if not features:
            raise PayloadError("", "every feature is missing")
        label = self._label_of(texts)
        return Incoming(
            record.line,
            read_key(texts[self._id].strip()) if self._id is not None else f"{self.key_prefix}{record.line}",
            read_features(features),
            label,
            self._time_of(texts, self._time, "at"),
            None if label is MISSING else self._time_of(texts, self._label_time, "label_at"),
        )

    def _label_of(self, texts: list[str]) -> object:
        if self._label is None:
            return MISSING
        text = texts[self._label].strip()
        if text in self._missing:
            return MISSING
        try:
            return read_label(self._read_label(text), self.task)
        except PayloadError:
            raise
        except ValueError as error:
            raise PayloadError("label", str(error)) from None

    def _time_of(self, texts: list[str], column: int | None, place: str) -> Any:
        if column is None:
            return None
        text = texts[column].strip()
        return None if text in self._missing else read_time(text, place)


def read_number(text: str) -> int | float:
    """Return the number that `text` is: whole when it is written so."""
    if "_" not in text:  # Python reads 1_000 as a number; people who write it mean a name
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            pass
        try:
            return float(text)  # 1e5, and the words for what is no number: payload refuses those by name
        except ValueError:
            pass
    raise ValueError(f'"{text[:40]}" is not a number')


def read_comma_number(text: str) -> int | float:
    """Return the number that `text` is, with a decimal comma."""
    if "." in text:
        raise ValueError(f'"{text[:40]}" is not a number with a decimal comma')
    return read_number(text.replace(",", "."))


def read_integer(text: str) -> int:
    """Return the whole number that `text` is; 1.0 is one."""
    number = read_number(text)
    if isinstance(number, float):
        if not number.is_integer():
            raise ValueError(f'"{text[:40]}" is not a whole number')
        return int(number)
    return number


def read_boolean(text: str) -> bool:
    """Return what `text` says: true, yes, 1 or false, no, 0."""
    word = text.lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError(f'"{text[:40]}" is not true or false')
