"""The list of steps in which one can jump, as `components/_jump.html` draws it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JumpItem:
    """One step: where it leads, whether it is the current one or done, a note beside it, an icon for the number."""

    url: str
    name: str
    current: bool = False
    done: bool = False
    note: str = ""
    icon: str = ""
