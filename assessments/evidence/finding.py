"""What a check says, and the register of checks by the names the catalogue uses."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from assessments.evidence.records import Records
from assessments.models import Value

YES, PARTLY, NO = Value.YES.value, Value.PARTLY.value, Value.NO.value


@dataclass(frozen=True)
class Finding:
    """What the portal's records say about a practice.

    `sentence` says what was found, `query` how it was looked up, both in words; `url` leads to the records.
    """

    check: str
    value: str
    sentence: str
    query: str
    url: str
    link: str


@dataclass(frozen=True)
class Place:
    """A page where the records can be seen: its URL name and what its link is called."""

    route: str
    link: str


VERSIONS = Place("models_registry:version_list", "Versions")
RUNS = Place("models_registry:run_list", "Runs")
DEPLOYMENTS = Place("models_registry:deployment_list", "Deployments")
EVENTS = Place("projects:data", "Events and imports")
ACTIVITY = Place("projects:activity", "Activity")
SETTINGS = Place("projects:settings", "Project settings")
OVERVIEW = Place("models_registry:overview", "Project")

#: What a check answers: a value and the sentence for it, or None when there is nothing to judge by yet.
Said = tuple[str, str] | None
Look = Callable[[Records], Said]


@dataclass(frozen=True)
class Check:
    """A question the records can answer."""

    name: str
    place: Place
    query: str
    look: Look

    def ask(self, records: Records) -> Finding | None:
        """Return what the records say, or None when they say nothing yet."""
        said = self.look(records)
        if said is None:
            return None
        value, sentence = said
        url, link = address(self.place, records.project.slug)
        return Finding(self.name, value, sentence, self.query.replace("{days}", str(records.days)), url, link)


CHECKS: dict[str, Check] = {}


def check(name: str, place: Place) -> Callable[[Look], Look]:
    """Register a check under the catalogue's name for it; its docstring is shown to people as what is looked up.

    `{days}` in it becomes the days that count as lately.
    """

    def register(look: Look) -> Look:
        CHECKS[name] = Check(name, place, inspect.getdoc(look) or "", look)
        return look

    return register


def address(place: Place, slug: str) -> tuple[str, str]:
    """Where the records are shown and what the link is called; the project's page stands in for a page not there."""
    for option in (place, OVERVIEW):
        try:
            return reverse(option.route, args=[slug]), option.link
        except NoReverseMatch:
            continue
    return f"/projects/{slug}/", OVERVIEW.link


def counted(number: int, word: str, plural: str = "") -> str:
    """`1 version`, `12 versions`."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def whole(part: int, all_: int) -> str:
    """Yes when every row has it, partly when some do, no when none does."""
    if part == all_:
        return YES
    return PARTLY if part else NO
