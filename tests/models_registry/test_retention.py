"""Retention keeps what is deployed, tagged, needed or evenly spaced, says what it removed, and loses no model."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models_registry import artifacts
from models_registry.models import Run, Version
from models_registry.services.deployment import deploy
from models_registry.services.restoring import restore
from models_registry.services.retention import evenly_spaced, retain
from models_registry.services.runs import register_model, start_run
from models_registry.services.training import advance
from models_registry.services.versions import tag_version
from ops_portal.errors import UserError
from projects.models import Activity
from tests.factories import make_project
from tests.streams import bundled_events

pytestmark = pytest.mark.django_db

SPEC = {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]}


@pytest.fixture
def run(settings) -> Run:
    """A run with twelve versions, 20 events apart, of which four are kept by spacing."""
    settings.VERSIONS_KEPT_PER_RUN = 4
    project = make_project(task="binary")
    bundled_events(project, "Phishing", 240)
    model = register_model(project=project, name="linear", spec=SPEC, actor=None)
    run = start_run(model=model, mode="replay", actor=None, seed=1, publish_every=20)
    while advance(run.pk).more:
        pass
    run.refresh_from_db()
    return run


def kept(run: Run) -> list[int]:
    return list(run.versions.filter(artifact_removed_at=None).order_by("position").values_list("position", flat=True))


def test_deployed_tagged_and_evenly_spaced_versions_are_kept(run: Run, owner) -> None:
    deployed, tagged = run.versions.get(position=40), run.versions.get(position=100)
    deploy(project=run.project, version=deployed, actor=owner)
    tag_version(version=tagged, tag="audit", actor=owner)
    goes_on = start_run(
        model=run.model, mode="follow", actor=None, from_version=run.versions.get(position=200), seed=run.seed
    )
    assert goes_on.active

    removed = retain()

    positions = kept(run)
    assert {40, 100, 200} <= set(positions)
    assert {20, 240} <= set(positions), "the first and the newest"
    assert removed == 12 - len(positions) >= 4
    for version in run.versions.all():
        there = artifacts.storage().exists(artifacts.path_of(version.artifact))
        assert there == (version.artifact_removed_at is None)
    log = Activity.objects.get(verb="versions.retained")
    assert f"removed the files of {removed} versions of run {run.number}" in log.summary
    assert retain() == 0, "what is kept once is kept again"


def test_a_removed_version_cannot_be_deployed_but_is_replayed(run: Run, owner) -> None:
    retain()
    version = run.versions.filter(artifact_removed_at__isnull=False).first()
    assert version is not None
    with pytest.raises(UserError, match=f"Go back to position {version.position}"):
        deploy(project=run.project, version=version, actor=owner)
    again = restore(run=run, position=version.position, actor=owner)
    assert isinstance(again, Run)
    while advance(again.pk).more:
        pass
    assert Version.objects.get(run=again).digest == version.digest


def test_evenly_spaced_keeps_both_ends_and_spreads() -> None:
    positions = list(range(10, 1010, 10))
    chosen = evenly_spaced(positions, 11)
    assert chosen[0] == 10 and chosen[-1] == 1000 and len(chosen) == 11
    gaps = [b - a for a, b in pairwise(chosen)]
    assert max(gaps) <= 2.1 * min(gaps)
    assert evenly_spaced([5], 4) == [5]
