"""Rows of the models registry, as its services leave them, for tests that look at records."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from models_registry.models import Alarm, Deployment, Prediction, RegisteredModel, Run, Version
from projects.models import DataImport, Event
from projects.services.activity import record
from tests.factories import make_events

SPEC = {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]}
SERIES = {"overall.Accuracy": 0.91, "rolling.Accuracy": 0.93, "baseline.Accuracy": 0.5}
ENVIRONMENT = {"python": "3.11.9", "river": "0.26.1", "portal": "0.1.0"}


def run(project, actor, *, model=None, learned=100, **fields):
    """A run that has learned `learned` events."""
    number = Run.objects.filter(project=project).count() + 1
    model = model or RegisteredModel.objects.create(project=project, name=f"Model {number}", spec=SPEC)
    now = timezone.now()
    given = {
        "mode": "replay", "state": "completed", "spec": model.spec, "seed": 7, "position": learned, "learned": learned,
        "target_position": learned, "options": {"publish_every": 50, "window": 500, "drift": True}, "summary": SERIES,
        "digest": "d" * 64, "environment": ENVIRONMENT, "started_at": now, "updated_at": now, "created_by": actor,
    } | fields  # fmt: skip
    return Run.objects.create(project=project, number=number, model=model, **given)


def version(of, position, *, reason="end"):
    """A version of a run, following the one before."""
    number = Version.objects.filter(project=of.project).count() + 1
    return Version.objects.create(
        project=of.project, number=number, run=of, model=of.model, position=position, reason=reason, spec=of.spec,
        parent=Version.objects.filter(run=of).order_by("-position").first(), metrics=of.summary, artifact="a" * 64,
        artifact_bytes=5_000, digest="d" * 64, environment=of.environment, created_by=of.created_by,
    )  # fmt: skip


def versions(project, actor, count):
    """`count` versions of one run."""
    of = run(project, actor)
    return [version(of, 10 * (number + 1)) for number in range(count)]


def deploy(of, actor, **fields):
    """A deployment of a version."""
    last = Deployment.objects.filter(project=of.project).order_by("-number").first()
    given = {"reason": "It is better.", "created_by": actor} | fields
    return Deployment.objects.create(
        project=of.project, number=(last.number if last else 0) + 1, version=of, previous=last, **given
    )


def predictions(deployment, count, *, labelled_after=None):
    """Stored predictions, with labels that came later if `labelled_after` is given."""
    now = timezone.now() - timedelta(hours=1)
    project = deployment.project
    for number in range(count):
        labelled = {}
        if labelled_after:
            project.last_position += 1
            labelled = {"label": "true", "labelled_at": now + labelled_after, "position": project.last_position}
        event = Event.objects.create(
            project=project, key=f"p{number}-{project.last_position}", features="{}", received_at=now, **labelled
        )
        Prediction.objects.create(
            project=project, event=event, deployment=deployment, version=deployment.version, output="true", at=now
        )
    project.save()


def lived_in(project, actor):
    """A project in which events, runs, versions, deployments, a rollback, predictions and alarms happened."""
    make_events(project, 100)
    of = run(project, actor)
    made = [version(of, 50, reason="rule"), version(of, 100)]
    run(project, actor, model=of.model)
    Alarm.objects.create(run=of, position=60)
    deploy(made[0], actor)
    deploy(made[1], actor)
    back = deploy(made[0], actor, kind="rollback", since="replay", reason="Worse on weekends.")
    predictions(back, 12, labelled_after=timedelta(minutes=3))
    DataImport.objects.create(project=project, kind="csv", name="pages.csv", rejected=2)
    for verb in ("model.registered", "run.started", "version.published", "deployed", "deployed", "rolled_back"):
        record(actor=actor, verb=verb, summary=verb.replace("_", " "), project=project)
    return made
