"""Scheduled and approved deployments: who may, when, and what becomes of them when the world has moved on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models_registry.models import Deployment, Proposal, ProposalStep
from models_registry.services import proposals
from models_registry.services.canary import abort_canary, start_canary
from models_registry.services.deployment import deploy, roll_back
from models_registry.services.proposals import approve, carry_out_due, decline, propose, withdraw
from ops_portal.errors import UserError
from projects.models import Activity, Project, Role
from tests.factories import NOW, make_member, make_user
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def versions(project):
    run = add_run(add_model(project))
    found = [add_version(run, position=position) for position in (100, 200, 300)]
    add_deployment(found[0])
    add_deployment(found[1])
    return found


@pytest.fixture
def strict(project, versions):
    """The project asks for a second person."""
    Project.objects.update(deploys_need_approval=True)
    project.refresh_from_db()
    return project


@pytest.fixture
def mia(project):
    person = make_user("mia")
    make_member(project.team, person, Role.MAINTAINER)
    return person


def steps(proposal):
    return list(proposal.steps.values_list("kind", flat=True))


def newest(project):
    return Deployment.objects.filter(project=project).first()


# --- a second person ------------------------------------------------------------------------------


def test_nothing_new_serves_without_a_second_person(strict, versions, owner):
    for change in (
        lambda: deploy(project=strict, version=versions[2], actor=owner),
        lambda: start_canary(project=strict, version=versions[2], share=5, actor=owner),
        lambda: roll_back(project=strict, actor=owner, since="drop", reason="r", to=versions[2]),
    ):
        with pytest.raises(UserError) as refused:
            change()
        assert refused.value.code == "approval_needed"
    assert newest(strict).number == 2
    roll_back(project=strict, actor=owner, since="drop", reason="r", to=versions[0])
    assert newest(strict).version == versions[0], "going back to what served needs nobody"


def test_the_proposer_cannot_approve_and_somebody_else_can(strict, versions, owner, mia):
    proposal = propose(project=strict, version=versions[2], actor=owner, now=NOW, reason="better")
    with pytest.raises(UserError) as refused:
        approve(proposal=proposal, actor=owner, now=NOW)
    assert (refused.value.code, refused.value.status) == ("own_proposal", 403)
    assert newest(strict).number == 2
    made = approve(proposal=proposal, actor=mia, now=NOW, note="looked at the curve")
    assert (made.version, made.created_by, made.proposal, made.reason) == (versions[2], owner, proposal, "better")
    assert newest(strict) == made and steps(proposal) == ["approved", "done"]
    approval = proposal.steps.first()
    assert (approval.created_by, approval.note) == (mia, "looked at the curve")
    verbs = list(Activity.objects.order_by("pk").values_list("verb", "actor_name"))
    assert verbs[-3:] == [("deployment.proposed", "olga"), ("deployment.approved", "mia"), ("deployed", "olga")]
    with pytest.raises(UserError, match="settled: carried out"):
        approve(proposal=proposal, actor=mia, now=NOW)


def test_a_canary_and_a_wider_one_are_approved_and_a_narrower_one_need_not_be(strict, versions, owner, mia):
    canary = propose(project=strict, version=versions[2], actor=owner, now=NOW, action="canary", share=5)
    assert approve(proposal=canary, actor=mia, now=NOW).canary_share == 5
    with pytest.raises(UserError, match="second person"):
        start_canary(project=strict, version=versions[2], share=20, actor=owner)
    start_canary(project=strict, version=versions[2], share=2, actor=owner)
    wider = propose(project=strict, version=versions[2], actor=owner, now=NOW, action="canary", share=20)
    assert approve(proposal=wider, actor=mia, now=NOW).kind == Deployment.Kind.WIDEN
    abort_canary(project=strict, actor=owner)
    assert newest(strict).canary is None


def test_declining_needs_a_reason_and_ends_it(strict, versions, owner, mia):
    proposal = propose(project=strict, version=versions[2], actor=owner, now=NOW)
    with pytest.raises(UserError, match="Say why"):
        decline(proposal=proposal, actor=mia, note=" ")
    decline(proposal=proposal, actor=mia, note="too few labels")
    assert steps(proposal) == ["declined"] and newest(strict).number == 2
    with pytest.raises(UserError, match="settled: declined"):
        approve(proposal=proposal, actor=mia, now=NOW)


def test_what_was_rolled_back_meanwhile_is_not_brought_in_by_an_old_proposal(strict, versions, owner, mia):
    proposal = propose(project=strict, version=versions[2], actor=owner, now=NOW)
    roll_back(project=strict, actor=owner, since="drop", reason="worse")
    assert approve(proposal=proposal, actor=mia, now=NOW) is None
    assert steps(proposal) == ["approved", "failed"]
    assert "rollback meanwhile" in proposal.steps.last().note and newest(strict).kind == Deployment.Kind.ROLLBACK


# --- a time ---------------------------------------------------------------------------------------


def test_a_scheduled_deployment_is_carried_out_at_its_time_and_once(project, versions, owner):
    proposal = propose(project=project, version=versions[2], actor=owner, now=NOW, due_at=LATER)
    assert carry_out_due(now=LATER - timedelta(seconds=1)) == 0 and newest(project).number == 2
    assert carry_out_due(now=LATER) == 1
    assert (newest(project).version, newest(project).created_by) == (versions[2], owner)
    assert carry_out_due(now=LATER) == 0 and Deployment.objects.count() == 3
    assert steps(proposal) == ["done"]


def test_the_same_proposed_again_is_the_same(project, versions, owner, mia):
    wanted = {"project": project, "version": versions[2], "now": NOW, "due_at": LATER}
    first = propose(actor=owner, **wanted)
    assert propose(actor=owner, **wanted) == first
    assert propose(actor=mia, **wanted) != first
    withdraw(proposal=first, actor=owner)
    assert propose(actor=owner, **wanted) != first


def test_a_schedule_can_be_withdrawn(project, versions, owner, mia):
    proposal = propose(project=project, version=versions[2], actor=owner, now=NOW, due_at=LATER)
    withdraw(proposal=proposal, actor=mia)
    assert carry_out_due(now=LATER) == 0 and steps(proposal) == ["withdrawn"]
    with pytest.raises(UserError, match="settled: withdrawn"):
        withdraw(proposal=proposal, actor=mia)


def test_a_schedule_in_a_strict_project_waits_for_both(strict, versions, owner, mia):
    proposal = propose(project=strict, version=versions[2], actor=owner, now=NOW, due_at=LATER)
    assert carry_out_due(now=LATER) == 0, "nobody has agreed"
    assert approve(proposal=proposal, actor=mia, now=LATER - timedelta(hours=1)) is None, "its time is to come"
    assert newest(strict).number == 2 and steps(proposal) == ["approved"]
    assert carry_out_due(now=LATER) == 1 and newest(strict).version == versions[2]


def test_a_time_that_was_missed_by_far_is_not_made_up_for(project, versions, owner):
    proposal = propose(project=project, version=versions[2], actor=owner, now=NOW, due_at=LATER)
    carry_out_due(now=LATER + timedelta(hours=5))
    assert steps(proposal) == ["failed"] and newest(project).number == 2
    assert "missed by more than an hour" in proposal.steps.get().note


def test_what_cannot_be_carried_out_says_why_and_changes_nothing(project, versions, owner):
    proposal = propose(project=project, version=versions[2], actor=owner, now=NOW, due_at=LATER)
    deploy(project=project, version=versions[2], actor=owner)
    carry_out_due(now=LATER)
    assert steps(proposal) == ["failed"] and "v3 serves already" in proposal.steps.get().note
    assert Activity.objects.first().verb == "deployment.missed"


def test_what_waits_for_nothing_is_deployed_and_times_are_checked(project, versions, owner):
    for due_at in (None, NOW, NOW - timedelta(days=1), NOW + timedelta(days=400)):
        with pytest.raises(UserError):
            propose(project=project, version=versions[2], actor=owner, now=NOW, due_at=due_at)
    assert not Proposal.objects.exists()


def test_two_workers_carry_it_out_once(project, versions, owner, monkeypatch):
    propose(project=project, version=versions[2], actor=owner, now=NOW, due_at=LATER)
    lock = proposals._lock

    def somebody_was_faster(proposal):
        monkeypatch.setattr(proposals, "_lock", lock)
        carry_out_due(now=LATER)
        lock(proposal)

    monkeypatch.setattr(proposals, "_lock", somebody_was_faster)
    assert carry_out_due(now=LATER) == 0
    assert ProposalStep.objects.count() == 1 and Deployment.objects.count() == 3
