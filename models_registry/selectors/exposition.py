"""The state of the portal in numbers for Prometheus, read from the database: the same whichever process is asked."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, F, Max, OuterRef, Subquery
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from models_registry.models import Alarm, Deployment, Run
from projects.models import ApiToken, Project
from projects.selectors.data import count_imports


class PortalCollector(Collector):
    """Collects the numbers of all projects that are not archived: six queries, however many there are."""

    def collect(self) -> Iterator[Metric]:
        yield from _streams()
        yield from _runs()
        yield from _deployments()


def _streams() -> Iterator[Metric]:
    events = CounterMetricFamily("ops_portal_events", "Events taken in.", labels=["project"])
    labelled = CounterMetricFamily("ops_portal_labelled_events", "Events whose label is known.", labels=["project"])
    waiting = GaugeMetricFamily("ops_portal_early_labels", "Labels that wait for their event.", labels=["project"])
    for slug, count, position, early in Project.objects.filter(archived_at=None).values_list(
        "slug", "event_count", "last_position", "early_labels"
    ):
        events.add_metric([slug], count)
        labelled.add_metric([slug], position)
        waiting.add_metric([slug], early)
    tokens = GaugeMetricFamily("ops_portal_tokens", "Project tokens that work.")
    tokens.add_metric([], ApiToken.objects.filter(revoked_at=None).count())
    imports = GaugeMetricFamily("ops_portal_imports", "Imports by state.", labels=["state"])
    for state, count in count_imports().items():
        imports.add_metric([state], count)
    yield from (events, labelled, waiting, tokens, imports)


def _runs() -> Iterator[Metric]:
    states = GaugeMetricFamily("ops_portal_runs", "Runs by state.", labels=["project", "state"])
    counted = Run.objects.filter(project__archived_at=None).values_list("project__slug", "state")
    for slug, state, count in counted.annotate(n=Count("pk")):
        states.add_metric([slug, state], count)
    behind = GaugeMetricFamily(
        "ops_portal_run_lag_events",
        "Labelled events that a following run has not learned yet.",
        labels=["project", "run"],
    )
    speed = GaugeMetricFamily(
        "ops_portal_run_events_per_second", "Speed of a run's newest chunk.", labels=["project", "run"]
    )
    following = Run.objects.filter(mode=Run.Mode.FOLLOW, state__in=Run.ACTIVE, project__archived_at=None)
    for slug, number, lag, rate in following.annotate(lag=F("project__last_position") - F("position")).values_list(
        "project__slug", "number", "lag", "events_per_second"
    ):
        behind.add_metric([slug, str(number)], lag)
        speed.add_metric([slug, str(number)], rate)
    yield from (states, behind, speed)


def _deployments() -> Iterator[Metric]:
    serving = GaugeMetricFamily(
        "ops_portal_serving_version", "Number of the version that is deployed.", labels=["project"]
    )
    changes = CounterMetricFamily("ops_portal_deployments", "Deployments and rollbacks.", labels=["project"])
    alarms = CounterMetricFamily("ops_portal_alarms", "Alarms of monitors.", labels=["project"])
    found = Alarm.objects.filter(run__project=OuterRef("pk")).order_by().values("run__project").annotate(n=Count("pk"))
    newest = Deployment.objects.filter(project=OuterRef("pk")).order_by("-number").values("version__number")[:1]
    for slug, version, number, raised in (
        Project.objects.filter(archived_at=None)
        .annotate(serves=Subquery(newest), newest=Max("deployments__number"), raised=Subquery(found.values("n")))
        .values_list("slug", "serves", "newest", "raised")
    ):
        alarms.add_metric([slug], raised or 0)
        changes.add_metric([slug], number or 0)
        if version is not None:
            serving.add_metric([slug], version)
    yield from (serving, changes, alarms)
