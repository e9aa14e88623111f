"""The dashboard: every project of a person in one row each, and everything that needs somebody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber

from models_registry.models import Alarm, Deployment, RegisteredModel, Run, Version
from models_registry.selectors.metrics import MetricRow, read_primary
from models_registry.selectors.needs import Facts, Need, list_needs
from models_registry.selectors.serving import (
    OPEN,
    Job,
    ServingNow,
    describe,
    describe_job,
    newest_deployments,
)
from models_registry.selectors.trend import read_trends
from projects.access import DEPLOY, visible_projects, visible_teams
from projects.models import Event

#: More projects than this are found by searching.
MOST_PROJECTS = 200
#: The rate of a stream is taken over this many events.
RATE_EVENTS = 200
#: Versions looked at for one that is better than what serves.
CANDIDATES = 5
#: Needs listed before one has to ask for the rest.
FIRST_NEEDS = 6
#: A search box is worth its place from here on.
SEARCH_FROM = 8

Visitor = User | AnonymousUser

SHOWN = {
    "all": "All",
    "needs": "Needs you",
    "serving": "Serving",
    "idle": "Nothing serving",
    "learning": "Learning",
}


@dataclass(frozen=True)
class ProjectRow:
    """One project as the dashboard shows it."""

    pk: int
    slug: str
    name: str
    team: str
    task: str
    serving: ServingNow | None
    metric: MetricRow
    trend: tuple[float | None, ...]
    trend_run: int | None
    events: int
    labelled: int
    rate: float | None
    last_event_at: datetime | None
    jobs: tuple[Job, ...]
    needs: tuple[Need, ...]

    @property
    def learning(self) -> bool:
        """Say whether a run is not over."""
        return bool(self.jobs)

    @property
    def pace(self) -> str:
        """The rate of the stream in the unit that makes it a readable number."""
        for seconds, unit in ((1, "s"), (60, "min"), (3600, "h"), (86400, "day")):
            if self.rate and self.rate * seconds >= 1:
                return f"{self.rate * seconds:,.0f} a {unit}" if unit == "day" else f"{self.rate * seconds:,.0f}/{unit}"
        return ""


@dataclass(frozen=True)
class Dashboard:
    """What a person sees first."""

    rows: tuple[ProjectRow, ...]
    total: int
    serving: int
    busy: int
    followers: int
    needs: tuple[tuple[ProjectRow, Need], ...]
    cut: bool
    search: str
    shown: str

    @property
    def searchable(self) -> bool:
        """Say whether there are enough projects for a search box, or a search is on."""
        return self.total > SEARCH_FROM or bool(self.search) or self.shown != "all"

    @property
    def first_needs(self) -> tuple[tuple[ProjectRow, Need], ...]:
        """The needs shown at once: all of them where they are asked for."""
        return self.needs if self.shown == "needs" else self.needs[:FIRST_NEEDS]

    @property
    def more_needs(self) -> int:
        """How many needs are not shown."""
        return len(self.needs) - len(self.first_needs)

    @property
    def needs_note(self) -> str:
        """In how many projects."""
        projects = len({row.pk for row, _ in self.needs})
        return f"in {counted(projects, 'project')}" if projects else "Nothing: all is well"

    @property
    def serving_note(self) -> str:
        """Out of how many projects."""
        return f"of {counted(self.total, 'project')}"

    @property
    def followers_note(self) -> str:
        """How many runs have learned everything and wait."""
        return f"and {self.followers:,} waiting for labels" if self.followers else ""

    @property
    def refresh_seconds(self) -> int:
        """How soon the page should look again: at once while a run moves, calmly while one only follows, else never."""
        return 3 if self.busy else 15 if self.followers else 0


def counted(number: int, noun: str) -> str:
    """Write `1 project`, `3 projects`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def read_dashboard(user: Visitor, *, now: datetime, search: str = "", shown: str = "all") -> Dashboard:
    """Return everything the dashboard shows: nine queries, however many projects there are."""
    shown = shown if shown in SHOWN else "all"
    projects, total = _list_projects(user, search)
    rows = _describe(user, projects, now)
    chosen = tuple(row for row in rows if _belongs(row, shown))
    found = [(row, need) for row in chosen for need in row.needs]
    jobs = [job for row in rows for job in row.jobs]
    return Dashboard(
        rows=chosen,
        total=total,
        serving=sum(row.serving is not None for row in rows),
        busy=sum(job.busy for job in jobs),
        followers=sum(job.caught_up for job in jobs),
        needs=tuple(sorted(found, key=lambda pair: pair[1].rank)),
        cut=len(projects) >= MOST_PROJECTS,
        search=search,
        shown=shown,
    )


def _belongs(row: ProjectRow, shown: str) -> bool:
    return {
        "needs": bool(row.needs),
        "serving": row.serving is not None,
        "idle": row.serving is None,
        "learning": row.learning,
    }.get(shown, True)


def _list_projects(user: Visitor, search: str) -> tuple[list[Any], int]:
    """Return the projects with the facts of their own tables: one query, and one for the total while searching."""
    events = Event.objects.filter(project=OuterRef("pk")).order_by("-id").values("received_at")
    projects: Any = visible_projects(user).filter(archived_at=None)
    found = projects
    for word in search.split():
        found = found.filter(Q(name__icontains=word) | Q(team__name__icontains=word))
    found = found.annotate(
        last_event_at=Subquery(events[:1]),
        earlier_event_at=Subquery(events[RATE_EVENTS - 1 : RATE_EVENTS]),
        has_models=Exists(RegisteredModel.objects.filter(project=OuterRef("pk"), archived_at=None)),
        newest_run=Subquery(Run.objects.filter(project=OuterRef("pk")).order_by("-number").values("pk")[:1]),
    ).order_by("name", "pk")
    rows = list(found[:MOST_PROJECTS])
    return rows, projects.count() if search or len(rows) >= MOST_PROJECTS else len(rows)


def _describe(user: Visitor, projects: Sequence[Any], now: datetime) -> list[ProjectRow]:
    ids = [project.pk for project in projects]
    may_deploy = set(visible_teams(user, DEPLOY).values_list("pk", flat=True))
    serving = {row.project_id: row for row in newest_deployments(ids)}
    runs = _open_and_newest_runs(ids, [project.newest_run for project in projects])
    newest = {run.pk: run for run in runs}
    jobs: dict[int, list[Run]] = defaultdict(list)
    for open_run in runs:
        if open_run.state in OPEN:
            jobs[open_run.project_id].append(open_run)
    failed = failed_runs(ids)
    drifts = drifts_since(serving.values())
    candidates = _newest_versions(ids)
    shown = {
        project.pk: serving[project.pk].version.run if project.pk in serving else newest.get(project.newest_run)
        for project in projects
    }
    trends = read_trends({one: project.primary_metric for project in projects if (one := shown[project.pk])})
    rows = []
    for project in projects:
        now_serving = describe(serving[project.pk]) if project.pk in serving else None
        run = shown[project.pk]
        facts = Facts(
            serving=now_serving,
            labelled=project.last_position,
            has_models=project.has_models,
            has_runs=project.newest_run is not None,
            failed=tuple(failed[project.pk]),
            drifts=drifts.get(project.pk, (0, None)),
            versions=tuple(candidates[project.pk]),
            project=project,
            may_deploy=project.team_id in may_deploy,
        )
        rows.append(
            ProjectRow(
                pk=project.pk,
                slug=project.slug,
                name=project.name,
                team=project.team.name,
                task=project.get_task_display(),
                serving=now_serving,
                metric=now_serving.metric if now_serving else read_primary(run.summary if run else {}, project),
                trend=tuple(trends.get(run.pk, ())) if run else (),
                trend_run=run.number if run else None,
                events=project.event_count,
                labelled=project.last_position,
                rate=_rate(project.earlier_event_at, now),
                last_event_at=project.last_event_at,
                jobs=tuple(describe_job(job, project.last_position) for job in jobs[project.pk]),
                needs=tuple(list_needs(facts)),
            )
        )
    return rows


def _rate(earlier: datetime | None, now: datetime) -> float | None:
    """Events per second over the newest few; it falls while none arrive."""
    return RATE_EVENTS / max((now - earlier).total_seconds(), 1.0) if earlier else None


def _open_and_newest_runs(ids: Iterable[int], newest: Iterable[int | None]) -> list[Run]:
    wanted = Q(project__in=ids, state__in=OPEN) | Q(pk__in=[pk for pk in newest if pk])
    runs = Run.objects.filter(wanted).select_related("model", "from_version").order_by("-number")
    return list(runs.defer("spec", "environment", "model__spec", "from_version__spec", "from_version__metrics"))


def failed_runs(ids: Iterable[int]) -> dict[int, list[Run]]:
    """The runs that failed and were not followed by another one of their model, by project."""
    later = Run.objects.filter(model=OuterRef("model"), number__gt=OuterRef("number"))
    failed: dict[int, list[Run]] = defaultdict(list)
    runs = Run.objects.filter(~Exists(later), project__in=ids, state=Run.State.FAILED).select_related("model")
    for run in runs.only("project_id", "number", "error", "finished_at", "model__name").order_by("-pk")[:MOST_PROJECTS]:
        failed[run.project_id].append(run)
    return failed


def drifts_since(serving: Iterable[Deployment]) -> dict[int, tuple[int, int]]:
    """How often drift was found in runs of the serving model since its deployment, and the number of the newest run."""
    since = Q()
    for row in serving:
        since |= Q(run__model=row.version.model_id, created_at__gt=row.created_at, position__gt=row.version.position)
    if not since:
        return {}
    # A replay of the same events finds the same drift again: it is still one.
    alarms = Alarm.objects.filter(since, kind=Alarm.Kind.DRIFT).order_by().values("run__project")
    rows = alarms.annotate(found=Count("position", distinct=True), newest=Max("run__number"))
    return {project: (found, newest) for project, found, newest in rows.values_list("run__project", "found", "newest")}


def _newest_versions(ids: Iterable[int]) -> dict[int, list[Version]]:
    rank = Window(RowNumber(), partition_by=F("project"), order_by=F("number").desc())
    versions: dict[int, list[Version]] = defaultdict(list)
    rows = Version.objects.filter(project__in=ids).annotate(rank=rank).filter(rank__lte=CANDIDATES)
    for version in rows.select_related("model").defer("spec", "environment", "model__spec").order_by("-number"):
        versions[version.project_id].append(version)
    return versions
