"""Choosing what watches a run's error for drift, with its parameters from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from models_registry.forms.spec_edits import apply_fields
from models_registry.forms.spec_tree import Control, SpecTree
from models_registry.learning.catalogue import read_catalogue
from models_registry.learning.errors import SpecError
from models_registry.learning.measures import USUAL_DETECTOR
from models_registry.learning.spec import validate_component
from models_registry.services.judging import watcher_roles

#: Choices that are no class of the catalogue.
USUAL, NONE = "", "none"


@dataclass(frozen=True)
class DetectorChoice:
    """What was chosen, its fields, and what to write down with the run."""

    task: str
    choice: str
    tree: SpecTree | None
    drift: bool | dict[str, Any]
    valid: bool = True

    @property
    def groups(self) -> list[tuple[str, str, str]]:
        """The classes to choose among: path, title, and what it does."""
        roles = watcher_roles(self.task)
        return [(entry.path, entry.title, entry.summary) for entry in read_catalogue().select(*roles)]

    @property
    def usual(self) -> str:
        """What is used when nothing is chosen."""
        return read_catalogue().entries[USUAL_DETECTOR["use"]].title

    @property
    def summary(self) -> str:
        """What the chosen class does."""
        return read_catalogue().entries[self.choice].summary if self.tree else ""

    @property
    def controls(self) -> list[Control]:
        """The fields of its parameters, each with what is wrong with it."""
        return list(self.tree.controls.values()) if self.tree else []


def read_detector(posted: QueryDict, task: str) -> DetectorChoice:
    """Return what a form says about the detector; a class that may not watch this task counts as the usual one."""
    choice = posted.get("detector", USUAL)
    roles = watcher_roles(task)
    entry = read_catalogue().entries.get(choice)
    if entry is None or not entry.plays(roles):
        return DetectorChoice(task, NONE if choice == NONE else USUAL, None, choice != NONE)
    blank = {"use": choice}
    spec = apply_fields(blank, SpecTree(blank, task, role=roles), posted)
    faults = []
    try:
        validate_component(spec, roles, task)
    except SpecError as wrong:
        faults = wrong.errors
    return DetectorChoice(task, choice, SpecTree(spec, task, faults, role=roles), spec, not faults)
