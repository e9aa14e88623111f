"""A model that has really learned, deployed, and asked."""

from __future__ import annotations

from typing import Any

from models_registry.models import Run, Version
from models_registry.services.deployment import deploy
from models_registry.services.prediction import Answer, predict
from projects.models import Project
from projects.payload import Incoming
from tests.factories import NOW
from tests.models_registry.learned import make_model, make_run
from tests.models_registry.serving_records import SPEC


def serve(project: Project, actor: Any, spec: dict = SPEC, events: int = 120, **options: Any) -> Version:
    """Take events in, let a new model learn them, and deploy its last version."""
    run = make_run(make_model(project, f"m{Run.objects.count()}", spec), events=events, **options)
    version = Version.objects.filter(run=run).order_by("position").last()
    deploy(project=project, version=version, actor=actor)
    return version


def ask(project: Project, key: str | None = None, **features: Any) -> Answer:
    """Ask what serves, by default about the same features each time."""
    return predict(project=project, item=Incoming(1, key, features or {"x": 0.2, "y": 0.7}), now=NOW)
