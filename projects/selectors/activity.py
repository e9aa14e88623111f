"""What the activity page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from projects.models import Activity, Project, Team

PAGE = 40

#: How the first part of a verb is shown and drawn.
KINDS: dict[str, tuple[str, str]] = {
    "project": ("Project", "folder"),
    "token": ("API tokens", "key-round"),
    "import": ("Imports", "database"),
    "team": ("Team", "users"),
    "member": ("Members", "user-round"),
    "model": ("Models", "box"),
    "run": ("Runs", "activity"),
    "version": ("Versions", "git-commit-horizontal"),
    "deployment": ("Deployments", "rocket"),
    "deployed": ("Deployments", "rocket"),
    "rolled_back": ("Rollbacks", "undo-2"),
    "scope": ("Scope profile", "ruler"),
    "assessment": ("Assessment", "clipboard-check"),
    "answer": ("Checklist", "list-checks"),
    "rating": ("Ratings", "star"),
    "plan": ("Plan", "map"),
    "catalogue": ("Catalogue", "book-open"),
    "board": ("Statements board", "messages-square"),
}
_TONES = {"failed": "bad", "rolled_back": "warn", "completed": "ok", "deployed": "live", "cancelled": "warn"}


@dataclass(frozen=True)
class ActivityRow:
    """One line of the log."""

    who: str
    summary: str
    at: datetime
    symbol: str
    tone: str

    @property
    def sentence(self) -> str:
        """The whole sentence: who did what."""
        return f"{self.who} {self.summary}"


def activity_page(
    rows: QuerySet[Activity], *, kind: str = "", who: str = "", number: str = "1"
) -> tuple[Page[Activity], list[ActivityRow]]:
    """Return one page of `rows`, of one kind and one person where these are given; two queries."""
    if kind:
        rows = rows.filter(verb=kind) | rows.filter(verb__startswith=f"{kind}.")
    if who:
        rows = rows.filter(actor_name=who)
    page = Paginator(rows, PAGE).get_page(number)
    return page, [_row(activity) for activity in page]


def activity_of_project(project: Project) -> QuerySet[Activity]:
    """Return the log of `project`, newest first."""
    return Activity.objects.filter(project=project)


def activity_of_team(team: Team) -> QuerySet[Activity]:
    """Return what happened to `team` itself, not in its projects, newest first."""
    return Activity.objects.filter(team=team, project=None)


def people_and_kinds(rows: QuerySet[Activity]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return who and what occurs in `rows`, for the filters; one query."""
    pairs = list(rows.order_by().values_list("actor_name", "verb").distinct())
    kinds = {verb.partition(".")[0] for _, verb in pairs}
    titled = [(kind, KINDS.get(kind, (kind.replace("_", " ").capitalize(), ""))[0]) for kind in kinds]
    return sorted({name for name, _ in pairs}, key=str.casefold), sorted(titled, key=lambda pair: pair[1])


def _row(activity: Activity) -> ActivityRow:
    kind, _, action = activity.verb.partition(".")
    symbol = KINDS.get(kind, ("", "circle-dot"))[1]
    return ActivityRow(activity.actor_name, activity.summary, activity.at, symbol, _TONES.get(action or kind, ""))
