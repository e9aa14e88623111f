"""Rolling back with replay: what was learned since is learned again, and serves only if it is not worse."""

from __future__ import annotations

import pytest

from models_registry import tasks
from models_registry.models import Deployment, Proposal, ReplayVerdict, Run, Version
from models_registry.services import replays, serving
from models_registry.services.deployment import deploy, roll_back
from models_registry.services.prediction import predict
from models_registry.services.replays import settle_replays
from models_registry.services.runs import cancel_run
from projects.models import Activity, Project
from projects.payload import Incoming
from projects.services.events import accept
from tests.factories import NOW, make_events, sample
from tests.models_registry.learned import learn, make_model, make_run

pytestmark = pytest.mark.django_db

LINEAR = {
    "steps": [
        {"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]},
        {"use": "linear_model.LogisticRegression"},
    ]
}


@pytest.fixture(autouse=True)
def nothing_in_memory():
    serving._loaded.clear()


@pytest.fixture
def rolled_back(project, owner):
    """v1 knows 60 events, v2 learned 600; then back to v1, replaying."""
    make_run(make_model(project, "line", LINEAR), events=600, publish_every=60, seed=1)
    first, *_, last = Version.objects.select_related("model", "run").order_by("number")
    deploy(project=project, version=first, actor=owner)
    deploy(project=project, version=last, actor=owner)
    return roll_back(project=project, actor=owner, since="replay", reason="look again", to=first)


def spoil(project, events):
    """Bring events whose labels are the wrong way round, and then right ones again."""
    items = [Incoming(1, f"bad{number}", sample(number)[0], not sample(number)[1]) for number in range(events)]
    accept(project_id=project.pk, items=items, now=NOW)
    project.refresh_from_db()


def verdict():
    return ReplayVerdict.objects.get()


def test_a_replay_that_is_not_worse_is_deployed_with_its_evidence(project, rolled_back):
    assert settle_replays(now=NOW) == 0, "it has not ended"
    learn(rolled_back.replay)
    assert settle_replays(now=NOW) == 1
    row = Deployment.objects.first()
    replayed = rolled_back.replay.versions.get(position=600)
    assert (row.kind, row.version, row.previous) == (Deployment.Kind.REPLAY, replayed, rolled_back.deployment)
    assert verdict().deployed and verdict().reason == row.reason
    assert "did not do worse: Accuracy" in row.reason and "on the same 540 events" in row.reason, row.reason
    assert Activity.objects.first().verb == "replay.settled"
    answer = predict(project=project, item=Incoming(1, "a", sample(1)[0]), now=NOW)
    assert answer.version == replayed.number, "live for the next prediction"
    assert settle_replays(now=NOW) == 0 and Deployment.objects.count() == 4, "once"


def test_a_replay_that_does_worse_is_kept_and_says_why(project, owner):
    make_run(make_model(project, "line", LINEAR), events=600, seed=1)
    first = Version.objects.get()
    deploy(project=project, version=first, actor=owner)
    spoil(project, 300)
    make_events(project, 200, start=5000)
    learn(start_next(first, owner))
    deploy(project=project, version=Version.objects.latest("number"), actor=owner)
    # Learning the wrong labels first makes it wrong about the right ones that follow; what was restored is not.
    done = roll_back(project=project, actor=owner, since="replay", reason="bad labels", to=first)
    replays_judged_on_the_end(done.replay)
    settle_replays(now=NOW)
    found = verdict()
    assert not found.deployed and found.version == done.replay.versions.latest("position")
    assert "did worse, so it was kept" in found.reason
    assert Deployment.objects.first() == done.deployment, "the restored version goes on serving"


def start_next(version, actor):
    from models_registry.services.runs import start_run

    return start_run(model=version.model, mode=Run.Mode.REPLAY, actor=actor, from_version=version)


def replays_judged_on_the_end(run):
    """Publish where the wrong labels end, so that only what came after them is judged."""
    run.options["publish_every"] = 900
    run.save()
    learn(run)


def test_something_deployed_meanwhile_is_not_overridden(project, rolled_back, owner):
    deploy(project=project, version=Version.objects.get(number=3), actor=owner)
    learn(rolled_back.replay)
    settle_replays(now=NOW)
    assert not verdict().deployed and "something else was deployed meanwhile" in verdict().reason
    assert Deployment.objects.first().version.number == 3


def test_a_strict_project_is_asked(project, rolled_back):
    Project.objects.update(deploys_need_approval=True)
    learn(rolled_back.replay)
    settle_replays(now=NOW)
    proposal = Proposal.objects.get()
    assert proposal.version == verdict().version and not verdict().deployed
    assert "Proposal 1 waits for a second person" in verdict().reason


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_a_replay_that_does_not_arrive_leaves_the_restored_version(project, rolled_back, owner, end):
    if end == "cancelled":
        cancel_run(run=rolled_back.replay, actor=owner)
    else:
        Run.objects.filter(pk=rolled_back.replay.pk).update(state=Run.State.FAILED, error="it diverged")
    settle_replays(now=NOW)
    assert (verdict().version, verdict().deployed) == (None, False)
    assert ("cancelled" if end == "cancelled" else "it diverged") in verdict().reason
    assert Deployment.objects.first() == rolled_back.deployment


def test_a_long_replay_is_judged_on_its_end(project, rolled_back, monkeypatch):
    monkeypatch.setattr(replays, "JUDGED", 100)
    run = rolled_back.replay
    run.options["publish_every"] = 250
    run.save()
    learn(run)
    settle_replays(now=NOW)
    assert "on the same 100 events" in verdict().reason, "from position 500, the last version that leaves so many"


def test_while_one_worker_judges_no_other_one_does(project, rolled_back, monkeypatch):
    learn(rolled_back.replay)
    found = []

    def judge(rollback, now):
        found.append(settle_replays(now=now))

    monkeypatch.setattr(replays, "_settle", judge)
    assert (settle_replays(now=NOW), found) == (1, [0])
    assert settle_replays(now=NOW + replays.LEASE * 2) == 1, "it did not come to an end: the next one tries"


def test_the_worker_settles_it(project, rolled_back, rung):
    tasks.watch_deployments()
    assert "models_registry.tasks.settle_replays" not in [ring[0] for ring in rung], "nothing to settle yet"
    learn(rolled_back.replay)
    tasks.watch_deployments()
    assert "models_registry.tasks.settle_replays" in [ring[0] for ring in rung]
    tasks.settle_replays()
    assert verdict().deployed
