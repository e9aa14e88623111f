"""Learning in the background: what a run does with bad events, with a model that breaks, and with one that grows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from models_registry import artifacts, engine
from models_registry.models import MetricPoint, Run, SetAsideEvent, Version
from models_registry.services import training, versions
from models_registry.services.deployment import deploy
from models_registry.services.runs import start_run
from projects.models import Activity, Project
from tests.factories import make_project
from tests.models_registry.learned import learn, make_model, make_run
from tests.streams import bundled_events

pytestmark = pytest.mark.django_db

SCALED = {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]}
TREE = {"steps": [{"use": "tree.HoeffdingTreeClassifier", "params": {"grace_period": 20}}]}


@pytest.fixture
def project() -> Project:
    project = make_project(task="binary")
    bundled_events(project, "Phishing", 600)
    return project


def change(project: Project, position: int, **changes: str) -> None:
    """Write something into the stream that no door of the portal lets in."""
    assert project.events.filter(position=position).update(**changes)


def add_text(project: Project, after: int) -> None:
    """From there on events have a text besides their numbers: a scaler cannot take it."""
    for event in project.events.filter(position__gt=after):
        change(project, event.position, features=json.dumps(json.loads(event.features) | {"kind": "shop"}))


# --- bad events -----------------------------------------------------------------------------------


def test_bad_events_are_set_aside_with_the_reason_and_the_run_goes_on(project) -> None:
    features = json.loads(project.events.get(position=30).features)
    name = next(iter(features))
    change(project, 30, features=json.dumps(features | {name: "high"}))
    change(project, 31, features=json.dumps(features | {name: 1e200}))
    change(project, 32, label="null")
    change(project, 33, label='"perhaps"')
    change(project, 34, features="{}")
    change(project, 35, features=json.dumps(features | {name: [1, 2]}))

    run = learn(start_run(model=make_model(project, spec=SCALED), mode="replay", actor=None, seed=1))

    assert (run.state, run.position, run.learned, run.set_aside_count) == (Run.State.COMPLETED, 600, 594, 6)
    reasons = dict(SetAsideEvent.objects.filter(run=run).values_list("position", "reason"))
    assert list(reasons) == [30, 31, 32, 33, 34, 35]
    assert f'feature "{name}" is "high"; expected a number, as before' in reasons[30]
    assert "too large to compute with" in reasons[31]
    assert "the label is missing" in reasons[32]
    assert '"perhaps"' in reasons[33]
    assert "there are no features" in reasons[34]
    assert "expected a number, text, true or false" in reasons[35]


def test_what_is_set_aside_leaves_no_trace_in_the_model(project) -> None:
    model = make_model(project, spec=TREE)
    change(project, 30, label="null")
    with_bad = learn(start_run(model=model, mode="replay", actor=None, seed=1))
    project.events.filter(position=30).delete()
    without = learn(start_run(model=model, mode="replay", actor=None, seed=1))
    assert with_bad.summary == without.summary
    first, second = (engine.load(artifacts.read(run.checkpoint)).probe_digest() for run in (with_bad, without))
    assert first == second


# --- a model that breaks --------------------------------------------------------------------------


def test_an_estimator_that_raises_ends_the_run_and_keeps_everything_before_it(project, owner) -> None:
    add_text(project, after=450)
    model = make_model(project, spec=SCALED)
    broken = learn(start_run(model=model, mode="replay", actor=None, seed=3, publish_every=200))
    assert (broken.state, broken.position, broken.learned) == (Run.State.FAILED, 450, 450)
    assert "The model failed at position 451" in broken.error and "may take numbers only" in broken.error
    assert Activity.objects.filter(verb="run.failed", summary__contains="position 451").exists()

    whole = learn(start_run(model=model, mode="replay", actor=None, seed=3, publish_every=200, target_position=450))
    assert (broken.digest, broken.summary) == (whole.digest, whole.summary)
    points = [list(MetricPoint.objects.filter(run=run).values_list("position", "values")) for run in (broken, whole)]
    assert points[0] == points[1]
    kept = [list(run.versions.order_by("position").values_list("position", "digest")) for run in (broken, whole)]
    assert kept[0] == kept[1]
    assert [position for position, _ in kept[0]] == [200, 400, 450]
    deploy(project=project, version=broken.versions.get(position=450), actor=owner)


# --- a model that grows ---------------------------------------------------------------------------


def test_a_model_over_the_limit_stops_its_run_and_its_last_good_state_is_published(project, owner, settings) -> None:
    run = learn(start_run(model=make_model(project, spec=TREE), mode="follow", actor=None, seed=1))
    checkpoint, summary = run.checkpoint, run.summary
    assert (run.state, run.position) == (Run.State.RUNNING, 600)
    settings.ARTIFACT_MAX_BYTES = run.checkpoint_bytes
    bundled_events(project, "Phishing", 600)

    learn(run)

    assert run.state == Run.State.FAILED
    assert "over the limit of" in run.error and "at position 600" in run.error and "max_depth" in run.error
    assert (run.position, run.checkpoint, run.summary) == (600, checkpoint, summary)
    version = run.versions.get()
    assert (version.position, version.artifact, version.reason) == (600, checkpoint, Version.Reason.END)
    versions.seal(version.pk)
    deploy(project=project, version=Version.objects.get(), actor=owner)
    assert Activity.objects.filter(verb="run.failed", summary__contains="over the limit").exists()


def test_trees_and_forests_have_a_limit_of_their_own(project) -> None:
    tree, forest = (
        learn(start_run(model=make_model(project, name, spec), mode="replay", actor=None, target_position=20))
        for name, spec in (("tree", TREE), ("forest", "adaptive-random-forest"))
    )
    assert engine.load(artifacts.read(tree.checkpoint)).model.max_size == 32.0
    assert engine.load(artifacts.read(forest.checkpoint)).model.max_size == 4.0


# --- how often it is written down -----------------------------------------------------------------


class SlowStorage(FileSystemStorage):
    """A storage that takes its time, as one far away does."""

    written = 0
    seconds = 0.05

    def save(self, *args, **kwargs) -> str:
        SlowStorage.written += 1
        training.time.sleep(self.seconds)
        return super().save(*args, **kwargs)


def test_dear_checkpoints_are_rare(project, settings, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {
        "artifacts": {"BACKEND": f"{__name__}.SlowStorage", "OPTIONS": {"location": str(tmp_path)}}
    }
    settings.TRAINING_CHUNK_SECONDS = 0.001
    bundled_events(project, "Phishing", 2_000)
    SlowStorage.written = 0
    run = make_run(make_model(project, spec=TREE), seed=1)
    assert run.state == Run.State.COMPLETED
    # The first is not known to be dear; after it so much is learned that each is a fiftieth of it.
    assert SlowStorage.written <= 2 + run.learning_seconds * training.CHECKPOINT_SHARE / SlowStorage.seconds + 1


def test_a_large_state_that_a_run_goes_on_from_is_not_written_again_soon(project, settings) -> None:
    settings.TRAINING_CHUNK_SECONDS = 0.001
    bundled_events(project, "Phishing", 900)
    model = make_model(project, spec=TREE)
    version = make_run(model, target_position=100).versions.get()
    small = start_run(model=model, mode="replay", actor=None, from_version=version)
    assert training.advance(small.pk).more

    Version.objects.filter(pk=version.pk).update(artifact_bytes=50 * 2**20)
    version.refresh_from_db()
    large = start_run(model=model, mode="replay", actor=None, from_version=version)
    training._checkpoint_seconds.pop(large.pk, None)  # of a run of another test, whose number this one has again
    assert not training.advance(large.pk).more, "it learned everything before its first checkpoint"


def test_a_worker_keeps_few_states_in_memory(project, monkeypatch) -> None:
    model = make_model(project, spec=TREE)
    runs = [start_run(model=model, mode="follow", actor=None, seed=seed) for seed in range(3)]
    for run in runs:
        learn(run)
    assert {run.pk for run in runs} <= set(training._learners), "runs that go on are kept"

    monkeypatch.setattr(training, "KEPT_BYTES", runs[0].checkpoint_bytes)
    bundled_events(project, "Phishing", 100)
    for run in runs:
        learn(run)
        assert list(training._learners) == [run.pk]
    assert {run.digest for run in runs} == {learn(start_run(model=model, mode="replay", actor=None)).digest}
    assert list(training._learners) == [runs[-1].pk], "one that has ended is let go of"
