"""Models and runs for tests of pages, really learned: in this process, one chunk after the other."""

from __future__ import annotations

from models_registry.learning.templates import find_template
from models_registry.models import RegisteredModel, Run
from models_registry.services import training
from models_registry.services.runs import register_model, start_run
from projects.models import Project
from tests.factories import make_events

TREE = {"steps": [{"use": "tree.HoeffdingTreeClassifier"}]}
SHALLOW = {"steps": [{"use": "tree.HoeffdingTreeClassifier", "params": {"max_depth": 3, "grace_period": 50}}]}

NUMBERS = {"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]}
LINE = {"steps": [NUMBERS, {"use": "linear_model.LinearRegression"}]}


def make_model(project: Project, name: str = "Tree", spec: dict | str = "hoeffding-tree") -> RegisteredModel:
    """A model of `project`: of a spec, or of the template of this name."""
    return register_model(
        project=project, name=name, spec=spec if isinstance(spec, dict) else find_template(spec).spec, actor=None
    )


def learn(run: Run) -> Run:
    """Advance `run` until there is nothing more for it to do."""
    while training.advance(run.pk).more:
        pass
    run.refresh_from_db()
    return run


def make_run(model: RegisteredModel, *, mode: str = Run.Mode.REPLAY, events: int = 0, **options) -> Run:
    """A finished run of `model`; with `events`, that many are taken in first."""
    if events:
        make_events(model.project, events)
    return learn(start_run(model=model, mode=mode, actor=None, **options))
