"""Labels as people write them and as models learn them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from .catalogue import BINARY, REGRESSION
from .errors import DataError

Label = bool | int | float | str
MAX_CLASSES = 1_000
LARGEST = 1e100
"""Numbers from here on cannot be squared and summed without overflowing."""

_POSITIVE: frozenset[object] = frozenset({"1", "true", "yes", "y", "t", "positive", "pos", "+1"})
_NEGATIVE: frozenset[object] = frozenset({"0", "false", "no", "n", "f", "negative", "neg", "-1"})
_WORDS = _POSITIVE | _NEGATIVE
_PARTNERS: dict[object, Label] = {
    "1": "0", "0": "1", "true": "false", "false": "true", "True": "False", "False": "True", "yes": "no", "no": "yes",
    "Yes": "No", "No": "Yes", "y": "n", "n": "y", "Y": "N", "N": "Y", "t": "f", "f": "t", "positive": "negative",
    "negative": "positive", "pos": "neg", "neg": "pos",
}  # fmt: skip


class Word(str):
    """A text label whose place in a set or dictionary does not depend on the process.

    Python hashes text differently in every process, so a model that keeps its classes in a set would break ties
    differently after a restart. Everything else about it is the text: models sort and compare it as River would.

    Parameters
    ----------
    text
        The label.
    code
        Its number in order of appearance, which is also its hash.
    """

    __slots__ = ("code",)
    code: int

    def __new__(cls, text: str, code: int) -> Word:
        """Return the text with its number."""
        word = super().__new__(cls, text)
        word.code = code
        return word

    def __hash__(self) -> int:
        return self.code

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True

    def __reduce__(self) -> tuple[type[Word], tuple[str, int]]:
        return Word, (str(self), self.code)


class LabelBook:
    """Turns labels into what models learn, and predictions back.

    - binary: a bool. `true`, `1`, `"yes"` and the like are the positive class, `false`, `0`, `"no"` the negative one.
      Of two labels that say neither, the first seen is the negative one, unless `classes` says otherwise;
    - multiclass: whole numbers as they are, texts as `Word`;
    - regression: the number itself.

    Parameters
    ----------
    task
        `binary`, `multiclass` or `regression`.
    classes
        For a binary task, the negative and the positive label, if they are known beforehand.

    Examples
    --------
    >>> book = LabelBook("binary")
    >>> book.encode("yes"), book.encode("no"), book.decode(True)
    (True, False, 'yes')
    """

    def __init__(self, task: str, classes: Sequence[Label] | None = None) -> None:
        self.task = task
        self.codes: dict[Label, Label] = {}
        """Code of every label seen; for a label found here, `encode` would return the same."""
        self._names: dict[Label, Label] = {}
        if classes and task == BINARY:
            if len(classes) != 2:
                raise ValueError("a binary task has two classes")
            for code, label in zip((False, True), classes, strict=True):
                self._remember(label, code)

    def encode(self, label: object) -> Label:
        """Return what the model learns for a label, or raise `DataError` with the reason it cannot."""
        if label is None:
            raise DataError("the label is missing")
        if self.task == REGRESSION:
            return check_number(label)
        if not isinstance(label, str | int | float) or (isinstance(label, float) and not label.is_integer()):
            raise DataError(f"the label is {show(label)}; expected text, a whole number, or true or false")
        if isinstance(label, float):
            label = int(label)
        if label in self.codes:
            return self.codes[label]
        return self._encode_binary(label) if self.task == BINARY else self._encode_class(label)

    def decode(self, code: Label | None) -> Label | None:
        """Return the label as people write it."""
        return self._names.get(code, code) if code is not None else None

    @property
    def classes(self) -> list[Label]:
        """The labels known so far, as people write them, in the order of their codes or appearance."""
        return list(self._names.values())

    def _encode_binary(self, label: Label) -> bool:
        known = list(self.codes)
        if len(self.codes) >= 2:
            raise DataError(f"the label is {show(label)}; the two classes are {show(known[0])} and {show(known[1])}")
        word = str(label).strip().lower()
        code = True if word in _POSITIVE else False if word in _NEGATIVE else bool(known)
        if known and self._rules_out(known[0], label, word, code):
            raise DataError(f"the label is {show(label)}; expected the opposite of {show(known[0])}, or the same")
        if known and self.codes[known[0]] == code:
            code = not code
        self._remember(label, code)
        return code

    def _rules_out(self, first: Label, label: Label, word: str, code: bool) -> bool:
        """Whether the first label, being one with an obvious opposite, leaves no room for this one."""
        if not isinstance(first, bool | str) or str(first).strip().lower() not in _WORDS:
            return False
        return type(first) is not type(label) or word not in _WORDS or self.codes[first] == code

    def _encode_class(self, label: Label) -> Label:
        if len(self.codes) >= MAX_CLASSES:
            raise DataError(f"the label {show(label)} would be class number {MAX_CLASSES + 1:,}; is this a regression?")
        first = next(iter(self.codes), label)
        if isinstance(first, str) != isinstance(label, str):
            raise DataError(f"the label is {show(label)}; expected one like {show(first)}, as before")
        code = Word(label, len(self.codes)) if isinstance(label, str) else label
        self._remember(label, code)
        return code

    def _remember(self, label: Label, code: Label) -> None:
        self.codes[label] = code
        self._names[code] = label
        if isinstance(code, bool) and self.task == BINARY and (not code) not in self._names:
            partner: Label | None = (not label) if isinstance(label, bool) else _PARTNERS.get(label)
            if type(label) is int and label in (0, 1):
                partner = 1 - label
            if partner is not None:
                self._names[not code] = partner


def check_number(label: object) -> Label:
    """Return a label of a regression, or raise `DataError`."""
    if isinstance(label, bool) or not isinstance(label, int | float):
        raise DataError(f"the label is {show(label)}; expected a number")
    if not -LARGEST < label < LARGEST:
        too_large = isinstance(label, int) or math.isfinite(label)
        raise DataError(f"the label is {'too large to compute with' if too_large else 'not a finite number'}")
    return label


def show(value: object) -> str:
    """Return a value as it stands in JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."
