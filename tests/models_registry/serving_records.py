"""Runs, versions and deployments as rows, for tests of pages that only read them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Max

from models_registry.models import Deployment, MetricPoint, RegisteredModel, Run, Version
from projects.models import Project

SPEC = {
    "steps": [
        {"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]},
        {"use": "linear_model.LogisticRegression"},
    ]
}
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def summary_of(metric: str, rolling: float | None, overall: float | None = None, baseline: float | None = 0.5) -> dict:
    """Newest values of one metric, as a run keeps them."""
    return {
        f"rolling.{metric}": rolling,
        f"overall.{metric}": rolling if overall is None else overall,
        f"baseline.{metric}": baseline,
        f"baseline_rolling.{metric}": baseline,
    }


def add_model(project: Project, name: str = "logistic-1") -> RegisteredModel:
    return RegisteredModel.objects.create(project=project, name=name, spec=SPEC)


def add_run(model: RegisteredModel, *, position: int = 1000, rolling: float = 0.8, **fields) -> Run:
    project = model.project
    number = (Run.objects.filter(project=project).aggregate(newest=Max("number"))["newest"] or 0) + 1
    fields = {
        "mode": Run.Mode.REPLAY,
        "state": Run.State.COMPLETED,
        "position": position,
        "target_position": position,
        "summary": summary_of(project.primary_metric, rolling),
        "checkpoint": f"{number:064d}",
        "learned": position,
        "options": {"window": 500, "publish_every": 1000, "drift": True},
    } | fields
    return Run.objects.create(project=project, number=number, model=model, spec=SPEC, seed=1, **fields)


def add_version(run: Run, position: int | None = None, rolling: float = 0.8, **fields) -> Version:
    number = (Version.objects.filter(project=run.project).aggregate(newest=Max("number"))["newest"] or 0) + 1
    fields = {"metrics": summary_of(run.project.primary_metric, rolling), "reason": Version.Reason.RULE} | fields
    return Version.objects.create(
        project=run.project,
        number=number,
        run=run,
        model=run.model,
        position=run.position if position is None else position,
        spec=SPEC,
        artifact=f"{number:064d}",
        artifact_bytes=1500,
        digest=f"{number:064d}",
        **fields,
    )


def add_deployment(version: Version, **fields) -> Deployment:
    newest = Deployment.objects.filter(project=version.project).first()
    number = newest.number + 1 if newest else 1
    return Deployment.objects.create(project=version.project, version=version, number=number, previous=newest, **fields)


def add_points(run: Run, values: list[float | None], *, width: int = 10) -> None:
    """One point per value, each `width` events wide."""
    key = f"rolling.{run.project.primary_metric}"
    MetricPoint.objects.bulk_create(
        MetricPoint(run=run, first=place * width + 1, position=(place + 1) * width, values={key: [value] * 3})
        for place, value in enumerate(values)
    )


def serve(project: Project, *, rolling: float = 0.8, **fields) -> Deployment:
    """A project that serves v1 of a finished run."""
    return add_deployment(add_version(add_run(add_model(project), rolling=rolling), rolling=rolling), **fields)
