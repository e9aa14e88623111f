"""Many models, one pass: each learns exactly what it would have learned alone."""

from __future__ import annotations

import json

import pytest

from models_registry.learning.sweeps import make_grid
from models_registry.models import Comparison, MetricPoint, Run
from models_registry.services import training
from models_registry.services.comparisons import start_comparison, start_sweep
from models_registry.services.runs import cancel_run, pause_run, register_model, resume_run, start_run
from ops_portal.errors import UserError
from projects.models import Project
from tests.factories import make_project
from tests.streams import bundled_events
from tests.worker.test_exactly_once import result

pytestmark = pytest.mark.django_db

LINEAR = {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]}
TREE = {"steps": [{"use": "tree.HoeffdingTreeClassifier"}]}
BAYES = {"steps": [{"use": "naive_bayes.GaussianNB"}]}
EVENTS = 900


@pytest.fixture
def project(db) -> Project:
    project = make_project(task="binary")
    bundled_events(project, "Phishing", EVENTS)
    return project


def models(project: Project):
    return [
        register_model(project=project, name=name, spec=spec, actor=None)
        for name, spec in (("linear", LINEAR), ("tree", TREE), ("bayes", BAYES))
    ]


def finish(runs: list[Run]) -> None:
    while any(training.advance(run.pk).more for run in runs):
        pass


def test_each_candidate_learns_what_it_would_have_learned_alone(project, monkeypatch) -> None:
    chosen = models(project)
    alone = [start_run(model=model, mode="replay", actor=None, seed=3, publish_every=400) for model in chosen]
    finish(alone)

    reads = []
    real = training.read_labelled
    monkeypatch.setattr(training, "read_labelled", lambda *args: reads.append(args) or real(*args))
    comparison = start_comparison(project=project, name="", models=chosen, actor=None, seed=3, publish_every=400)
    together = list(comparison.runs.order_by("pk"))
    training.advance(together[0].pk)
    positions = {run.position for run in comparison.runs.all()}
    assert len(positions) == 1 and positions != {0}, "all went forward by one chunk"
    assert len({after for _, after, *_ in reads}) == len(reads), "no event was read twice"
    finish(together)

    for run, single in zip(together, alone, strict=True):
        assert result(run) == result(single)


def test_one_that_pauses_or_ends_does_not_hold_up_the_others(project, owner) -> None:
    comparison = start_comparison(project=project, name="three", models=models(project), actor=owner, seed=3)
    first, second, third = comparison.runs.order_by("pk")
    cancel_run(run=first, actor=owner)
    pause_run(run=second, actor=owner)
    finish([third])
    third.refresh_from_db()
    second.refresh_from_db()
    assert (third.state, second.position) == (Run.State.COMPLETED, 0)
    resume_run(run=second, actor=owner)
    finish([second])
    second.refresh_from_db()
    assert second.state == Run.State.COMPLETED


def test_a_candidate_that_fails_leaves_the_others_alone(project) -> None:
    # From there on the events have a text besides the numbers: a scaler cannot take it, a tree can.
    for event in project.events.filter(position__gt=450):
        project.events.filter(pk=event.pk).update(features=json.dumps(json.loads(event.features) | {"kind": "shop"}))
    chosen = models(project)[:2]
    comparison = start_comparison(project=project, name="", models=chosen, actor=None, seed=3)
    linear, tree = comparison.runs.order_by("pk")
    finish([linear, tree])
    linear.refresh_from_db()
    tree.refresh_from_db()
    assert (linear.state, tree.state) == (Run.State.FAILED, Run.State.COMPLETED)
    assert linear.position == 450
    assert "position 451" in linear.error and "texts" in linear.error
    assert MetricPoint.objects.filter(run=linear).exists()


def test_a_sweep_registers_its_variants_and_compares_them(project, owner) -> None:
    base = register_model(project=project, name="linear", spec=LINEAR, actor=owner)
    grid = {"steps[1].params.l2": [0.0, 0.01, 0.1]}
    sweep = start_sweep(base=base, specs=make_grid(LINEAR, grid), actor=owner, seed=5)
    assert (sweep.kind, sweep.name) == (Comparison.Kind.SWEEP, "linear, 3 variants")
    runs = list(sweep.runs.select_related("model").order_by("pk"))
    assert [run.model.name for run in runs] == ["linear · l2=0.0", "linear · l2=0.01", "linear · l2=0.1"]
    assert [run.model.parameters["LogisticRegression.l2"] for run in runs] == [0.0, 0.01, 0.1]
    assert [run.spec["steps"][1]["params"]["l2"] for run in runs] == [0.0, 0.01, 0.1]
    assert {(run.seed, run.target_position, run.trigger) for run in runs} == {(5, EVENTS, "sweep 1")}
    again = start_sweep(base=base, specs=make_grid(LINEAR, grid), actor=owner, seed=5)
    assert {run.model_id for run in again.runs.all()} == {run.model_id for run in runs}, "the same spec is one model"


def test_long_names_of_variants_do_not_clash(project, owner) -> None:
    base = register_model(project=project, name="l" * 78, spec=LINEAR, actor=owner)
    sweep = start_sweep(base=base, specs=make_grid(LINEAR, {"steps[1].params.l2": [0.1, 0.2, 0.3]}), actor=owner)
    names = [run.model.name for run in sweep.runs.select_related("model")]
    assert len(set(names)) == 3 and max(map(len, names)) <= 80


@pytest.mark.parametrize(
    ("values", "said"),
    [([0.1], "makes 1 candidate; a sweep needs at least 2"), ([n / 100 for n in range(17)], "makes 17 candidates"),
     (["x", "y"], "steps\\[1\\].params.l2")],
)  # fmt: skip
def test_a_sweep_that_makes_no_sense_is_refused(project, owner, values, said) -> None:
    base = register_model(project=project, name="linear", spec=LINEAR, actor=owner)
    with pytest.raises(UserError, match=said):
        start_sweep(base=base, specs=make_grid(LINEAR, {"steps[1].params.l2": values}), actor=owner)
    assert not Comparison.objects.exists()
    assert [model.name for model in project.models.all()] == ["linear"], "no variant stays behind"
