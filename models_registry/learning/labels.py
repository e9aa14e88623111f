"""Labels as people write them and as models learn them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence

from .catalogue import BINARY, REGRESSION
from .errors import DataError

Label = bool | int | float | str
MAX_CLASSES = 1_000
LARGEST = 1e100
"""Numbers from here on cannot be squared and summed without overflowing."""

_PREFIX = 24
_LARGEST_CLASS = 2**63
_POSITIVE: frozenset[object] = frozenset({"1", "true", "yes", "y", "t", "positive", "pos", "+1"})
_NEGATIVE: frozenset[object] = frozenset({"0", "false", "no", "n", "f", "negative", "neg", "-1"})
_WORDS = _POSITIVE | _NEGATIVE
_PARTNERS: dict[object, Label] = {
    "1": "0", "0": "1", "true": "false", "false": "true", "True": "False", "False": "True", "yes": "no", "no": "yes",
    "Yes": "No", "No": "Yes", "y": "n", "n": "y", "Y": "N", "N": "Y", "t": "f", "f": "t", "positive": "negative",
    "negative": "positive", "pos": "neg", "neg": "pos",
}  # fmt: skip


def number_class(label: str | int, index: int) -> int:
    r"""Return the whole number by which models know a class.

    Models keep classes in sets and break ties in the order these come out. For texts that order differs from process to
    process, and for numbers that collide in the set's table it changes when the set is stored and read back; either way
    a resumed model would go on differently. So a class gets a number that

    - hashes to its index, as $m \cdot (2^{61} - 1) + \text{index}$ does in Python: few small hashes never collide;
    - sorts as the label does, because $m$ is made of the label: models that sort their classes find River's order.

    Parameters
    ----------
    label
        The label.
    index
        How many classes came before it.

    Examples
    --------
    >>> number_class("grass", 2) < number_class("sky", 0), hash(number_class("grass", 2))
    (True, 2)
    """
    if isinstance(label, str):
        data = label.encode("utf-8", "surrogatepass")[:_PREFIX]
        return int.from_bytes(data.ljust(_PREFIX, b"\0"), "big") * sys.hash_info.modulus + index
    return (int(label) + _LARGEST_CLASS) * sys.hash_info.modulus + index


class LabelBook:
    """Turns labels into what models learn, and predictions back.

    - binary: a bool. `true`, `1`, `"yes"` and the like are the positive class, `false`, `0`, `"no"` the negative one.
      Of two labels that say neither, the first seen is the negative one, unless `classes` says otherwise;
    - multiclass: whole numbers and texts as `number_class`;
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

    def _encode_class(self, label: str | int) -> Label:
        if len(self.codes) >= MAX_CLASSES:
            raise DataError(f"the label {show(label)} would be class number {MAX_CLASSES + 1:,}; is this a regression?")
        first = next(iter(self.codes), label)
        if isinstance(first, str) != isinstance(label, str):
            raise DataError(f"the label is {show(label)}; expected one like {show(first)}, as before")
        if isinstance(label, int) and abs(label) >= _LARGEST_CLASS:
            raise DataError(f"the label {show(label)} is too large for a class; is this a regression?")
        code = number_class(label, len(self.codes))
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
