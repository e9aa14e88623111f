"""Which labels a project takes: one JSON type, and for classes a bounded set. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from projects.payload import PayloadError, label_type

#: A label with more classes than this is an identifier or a measurement, and would make every metric useless.
MAX_CLASSES = 1_000

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_EXAMPLES = {
    "boolean": "true or false",
    "integer": "whole numbers",
    "text": "texts",
    "number": "numbers",
}


def typed_label(text: str, task: str, kind: str) -> object:
    """Return what a person wrote as a label of type `kind`; where there is none yet, as what it looks like.

    Parameters
    ----------
    text
        What was written; a text stays one where it fits nothing else.
    task
        `binary`, `multiclass` or `regression`.
    kind
        The type of the project's labels so far: `boolean`, `integer`, `text`, `number` or empty.

    """
    kind, text = "number" if task == "regression" else kind, text.strip()
    if kind in ("", "boolean") and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind != "text" and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            pass
    return text


class LabelRule:
    """Holds the labels of one project to one type; learns type and classes from the first labels it sees.

    Parameters
    ----------
    task
        `binary`, `multiclass` or `regression`.
    kind
        The type of the labels so far, empty while there are none.
    classes
        The classes seen so far; not kept for regression.

    """

    def __init__(self, task: str, kind: str, classes: Iterable[object]) -> None:
        self.task = task
        self.kind = kind
        self.classes = list(classes)
        self.changed = False
        self._known = set(self.classes)

    def check(self, label: object) -> object:
        """Return `label` as this project writes it; refuse one of another type, or one class too many.

        Of a binary task, 1 and true are one answer, and so are 0 and false: both are kept as the first label was given.

        Raises
        ------
        PayloadError
            The label does not fit the ones before it.

        """
        kind = "number" if self.task == "regression" else label_type(label)
        if self.task == "binary" and {kind, self.kind} == {"boolean", "integer"}:
            kind, label = self.kind, bool(label) if self.kind == "boolean" else int(bool(label))
        if kind != self.kind:
            if self.kind:
                raise PayloadError(
                    "label",
                    f"this project's labels are {_EXAMPLES[self.kind]}{self._so_far()}; {_show(label)} is not one",
                )
            self.kind, self.changed = kind, True
        if kind != "number" and label not in self._known:
            self._add(label)
        return label

    def _add(self, label: object) -> None:
        most = 2 if self.task == "binary" else MAX_CLASSES
        if len(self.classes) >= most:
            if self.task == "binary":
                raise PayloadError("label", f"this project has two classes{self._so_far()}; {_show(label)} is a third")
            raise PayloadError("label", f"this project has {most:,} classes already; no further one is taken")
        self.classes.append(label)
        self._known.add(label)
        self.changed = True

    def _so_far(self) -> str:
        if self.kind != "text" or not self.classes:
            return ""
        shown = " and ".join(_show(known) for known in self.classes[:2])
        return f" ({shown})" if self.task == "binary" else f" (such as {_show(self.classes[0])})"


def _show(label: object) -> str:
    if isinstance(label, bool):
        return "true" if label else "false"
    return f'"{label[:40]}"' if isinstance(label, str) else str(label)[:40]
