"""The River classes a spec may name, read from the generated `catalogue.json` without importing River."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"
TASKS = (BINARY, MULTICLASS, REGRESSION)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an entry.

    Parameters
    ----------
    name
        The name in River's signature.
    accepts
        The kinds of value it takes, any one of which will do. Each is an object whose `type` is `number`, `integer`
        (with `min`/`over`/`max`/`under`), `boolean`, `choice` (`choices`), `text`, `list` (`of`, `min_items`,
        `max_items`), `map` (`of`) or `use` (a nested component in one of `roles`, for `task`).
    required
        Whether a spec has to set it.
    nullable
        Whether `null` is a value: River's own default, or none.
    default
        What is used when a spec does not set it.
    help
        What River's documentation says of it.
    positional
        Whether River takes it as `*args`.
    own_default
        Whether the default is the portal's own (sizes), and so has to be passed to River.
    river_default
        River's default, where the portal has its own.
    """

    name: str
    accepts: tuple[dict[str, Any], ...]
    required: bool = False
    nullable: bool = False
    default: Any = None
    help: str = ""
    positional: bool = False
    own_default: bool = False
    river_default: Any = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One class of River that a spec may `use`."""

    path: str
    title: str
    group: str
    roles: tuple[str, ...]
    summary: str
    params: tuple[Parameter, ...]
    tasks: tuple[str, ...] = ()

    def find_param(self, name: str) -> Parameter | None:
        """Return the parameter of this name, if there is one."""
        return next((param for param in self.params if param.name == name), None)

    def fits(self, task: str) -> bool:
        """Whether the entry is a model for this task, or something that is not tied to one."""
        return not self.tasks or task in self.tasks

    def plays(self, roles: tuple[str, ...] | list[str]) -> bool:
        """Whether the entry can stand in one of these roles."""
        return any(role in self.roles for role in roles)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries, in the order they are shown."""

    river: str
    groups: tuple[str, ...]
    entries: dict[str, Entry]
    refused: dict[str, str]

    def why_refused(self, path: str) -> str:
        """Return why a class is not offered, or all of its module; empty where nothing is known of it."""
        return self.refused.get(path) or self.refused.get(path.partition(".")[0], "")

    def select(self, *roles: str, task: str | None = None) -> list[Entry]:
        """Return the entries that play one of these roles and fit the task."""
        return [entry for entry in self.entries.values() if entry.plays(roles) and (task is None or entry.fits(task))]


@functools.cache
def read_catalogue() -> Catalogue:
    """Return the packaged catalogue.

    Examples
    --------
    >>> entry = read_catalogue().entries["linear_model.LogisticRegression"]
    >>> entry.title, entry.tasks
    ('Logistic regression', ('binary',))
    >>> entry.find_param("l2").default
    0.0
    """
    data = json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))
    return Catalogue(
        river=data["river"],
        groups=tuple(data["groups"]),
        entries={path: _read_entry(path, entry) for path, entry in data["entries"].items()},
        refused=data["refused"],
    )


def _read_entry(path: str, data: dict[str, Any]) -> Entry:
    params = tuple(Parameter(**{**param, "accepts": tuple(param["accepts"])}) for param in data["params"])
    return Entry(
        path=path,
        title=data["title"],
        group=data["group"],
        roles=tuple(data["roles"]),
        summary=data["summary"],
        params=params,
        tasks=tuple(data.get("tasks", ())),
    )
