"""Going back to any position, and replaying a version to see whether it is the same model."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_registry import artifacts, engine
from models_registry.learning.digests import digest_of
from models_registry.learning.errors import ArtifactRejected
from models_registry.learning.spec import canonical
from models_registry.learning.templates import TEMPLATES
from models_registry.models import Run, Verification, Version
from models_registry.selectors.runs import find_run, open_run
from models_registry.selectors.versions import open_version
from models_registry.services.restoring import restore, verify
from models_registry.services.runs import register_model, start_run
from models_registry.services.training import advance
from ops_portal.errors import UserError
from projects.models import Activity, Project
from tests.factories import make_project
from tests.streams import bundled_events

pytestmark = pytest.mark.django_db

EVENTS = 240
STREAMS = {"binary": "Phishing", "multiclass": "ImageSegments", "regression": "TrumpApproval"}


def finish(run: Run) -> Run:
    while advance(run.pk).more:
        pass
    run.refresh_from_db()
    assert run.state == Run.State.COMPLETED, run.error
    return run


def learned(template: str, task: str, *, events: int = EVENTS, every: int = 100) -> Run:
    project = make_project(task=task)
    bundled_events(project, STREAMS[task], events)
    spec = next(known.spec for known in TEMPLATES if known.slug == template)
    model = register_model(project=project, name=template, spec=spec, actor=None)
    return finish(start_run(model=model, mode="replay", actor=None, seed=5, publish_every=every))


def state_at(run: Run, position: int) -> str:
    """The digest of the model that learned the run's stream up to `position` and no further, in one go."""
    undisturbed = start_run(
        model=run.model, mode="replay", actor=None, seed=run.seed, target_position=position, options=run.options
    )
    return finish(undisturbed).versions.get(position=position).digest


EVERY_TEMPLATE = [(template.slug, template.tasks[0]) for template in TEMPLATES]
#: Long enough for every tree to split, with versions at 400, 800 and the end.
LONG = {"events": 1_000, "every": 400}


@pytest.mark.parametrize(("template", "task"), EVERY_TEMPLATE)
def test_any_position_can_be_had_back_as_the_same_model_and_versions_are_verified(
    template: str, task: str, owner
) -> None:
    run = learned(template, task, **LONG)
    position = 473  # between the versions at 400 and 800
    restoring = restore(run=run, position=position, actor=owner)
    assert isinstance(restoring, Run)
    assert restoring.from_version.position == 400
    version = finish(restoring).versions.get()
    assert (version.position, version.reason, version.parent.position) == (position, Version.Reason.RESTORE, 400)
    assert version.digest == state_at(run, position)

    # Replayed from its parent.
    finish(verify(version=run.versions.get(position=800), actor=owner))
    found = Verification.objects.get()
    assert found.identical
    assert found.run.from_version.position == 400
    assert found.run.versions.count() == 0, "a verification publishes nothing"


def test_a_version_from_before_a_series_was_added_is_verified_by_what_it_kept(owner) -> None:
    run = learned("logistic-regression", "binary")
    version = run.versions.get(position=100)
    learner = engine.load(artifacts.read(version.artifact))
    kept = {name: value for name, value in version.metrics.items() if name != "baseline.ROCAUC"}
    assert len(kept) == len(version.metrics) - 1
    named = digest_of((canonical(version.spec), learner.events, digest_of(kept), learner.probe_digest()))
    Version.objects.filter(pk=version.pk).update(metrics=kept, digest=named)
    version.refresh_from_db()

    replay = finish(verify(version=version, actor=owner))
    assert replay.from_version is None and "baseline.ROCAUC" in replay.summary
    assert Verification.objects.get().identical

    Version.objects.filter(pk=version.pk).update(metrics=kept | {"overall.Accuracy": 0.5})
    version.refresh_from_db()
    finish(verify(version=version, actor=owner))
    assert not Verification.objects.first().identical


def test_a_version_learned_by_other_code_is_reported_with_what_changed(owner) -> None:
    run = learned("logistic-regression", "binary")
    version = run.versions.get(position=200)
    old = {**version.environment, "river": "0.1.0", "commit": "0123456789ab"}
    Version.objects.filter(pk=version.pk).update(digest="f" * 64, environment=old)
    version.refresh_from_db()
    replay = finish(verify(version=version, actor=owner))
    now = engine.environment()
    change = (
        f"learned with River 0.1.0, Commit 0123456789ab,"
        f" replayed with River {now['river']}, Commit {now.get('commit', 'unknown')}"
    )
    assert Activity.objects.get(verb="version.verified").summary.endswith(f"a different model ({change})")
    assert open_run(run.project, find_run(run.project, replay.number)).verdict.change == change
    assert open_version(run.project, version.number).verifications[0].change == change


def test_a_kept_version_is_returned_at_once(owner) -> None:
    run = learned("logistic-regression", "binary")
    version = restore(run=run, position=200, actor=owner)
    assert isinstance(version, Version)
    assert version.position == 200


def test_a_position_the_run_never_had_is_refused(owner) -> None:
    run = learned("logistic-regression", "binary")
    for position in (0, -3, EVENTS + 1):
        with pytest.raises(UserError, match=f"positions 1 to {EVENTS}"):
            restore(run=run, position=position, actor=owner)


def test_without_its_artifact_a_version_is_replayed_from_further_back(owner) -> None:
    run = learned("hoeffding-tree", "binary")
    for version in run.versions.filter(position__lte=200):
        artifacts.discard(version.artifact)
    restoring = restore(run=run, position=200, actor=owner)
    assert isinstance(restoring, Run)
    assert restoring.from_version is None
    assert finish(restoring).versions.get().digest == run.versions.get(position=200).digest


def test_a_version_that_is_not_what_its_events_give_is_reported_with_the_place(owner) -> None:
    run = learned("logistic-regression", "binary")
    project: Project = run.project
    # What must never happen: a label in the past is changed behind the portal's back.
    project.events.filter(position=150).update(label="true")
    before = project.events.get(position=150)
    project.events.filter(position=150).update(label="false" if before.label == "true" else "true")
    project.events.filter(position__in=[151, 152, 153]).update(label="true")
    version = run.versions.get(position=200)
    finish(verify(version=version, actor=owner))
    found = Verification.objects.get()
    assert not found.identical
    assert found.differs_since in range(150, 201)


def test_a_changed_artifact_is_never_loaded(owner) -> None:
    run = learned("logistic-regression", "binary")
    version = run.versions.get(position=200)
    path = Path(artifacts.storage().path(artifacts.path_of(version.artifact)))
    changed = bytearray(path.read_bytes())
    changed[60] ^= 1
    path.write_bytes(changed)
    with pytest.raises(UserError, match="changed in the storage"):
        artifacts.read(version.artifact)
    with pytest.raises(ArtifactRejected):
        engine.load(bytes(changed))
