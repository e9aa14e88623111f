"""What the portal's own records answer, on real rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assessments.evidence import CHECKS, NOT_RECORDED, gather, measure_scope
from assessments.evidence.finding import address
from assessments.evidence.practices import findings_for
from assessments.principles import load_catalogue
from assessments.scoring.settings import Settings
from assessments.services.assumptions import keep_assumptions
from models_registry.models import Alarm, Deployment, Run
from models_registry.services.proposals import approve, propose
from models_registry.services.shadows import start_shadow
from projects.models import DataImport, Event, LabelCorrection, Project, Role
from projects.services.activity import record
from tests.assessments import records as made
from tests.factories import make_events, make_member, make_user

pytestmark = pytest.mark.django_db


def ask(project, name):
    return CHECKS[name].ask(gather(project))


def test_every_check_of_the_catalogue_is_implemented_or_known_not_to_be():
    named = {check.name for check in load_catalogue().checks}
    assert named == set(CHECKS) | NOT_RECORDED
    assert not set(CHECKS) & NOT_RECORDED


def test_every_check_leads_to_a_page_of_its_own_records(project):
    for check in CHECKS.values():
        url, link = address(check.place, project.slug)
        assert link == check.place.link
        assert url == reverse(check.place.route, args=[project.slug])


def test_an_empty_project_is_not_told_no_by_its_own_emptiness(project):
    findings = findings_for(load_catalogue(), gather(project))
    assert {finding.check for finding in findings.values()} == {"roles_listed", "goal_written"}


def test_reading_the_records_takes_a_fixed_number_of_queries(project, owner, django_assert_num_queries):
    with django_assert_num_queries(8):
        gather(project)
    made.lived_in(project, owner)
    with django_assert_num_queries(8):
        gather(project)


def test_a_project_that_was_worked_in_answers_at_least_ten_practices(project, owner):
    made.lived_in(project, owner)
    findings = findings_for(load_catalogue(), gather(project))
    assert len(findings) >= 20
    assert sum(finding.value == "yes" for finding in findings.values()) >= 10
    for finding in findings.values():
        assert finding.sentence.endswith(".")
        assert finding.query.endswith(".")
        assert finding.url.startswith("/projects/")


def test_versions_record_position_environment_and_lineage(project, owner):
    run = made.run(project, owner)
    first, second = made.version(run, 50), made.version(run, 100)
    assert second.parent == first
    assert ask(project, "version_records_position").value == "yes"
    assert ask(project, "version_names_environment").value == "yes"
    assert ask(project, "version_lineage").value == "yes"
    type(second).objects.filter(pk=second.pk).update(parent=None, environment={})
    assert ask(project, "version_lineage").value == "no"
    assert ask(project, "version_names_environment").value == "partly"


def test_the_event_log_covers_the_versions_or_says_where_it_begins(project, owner):
    make_events(project, 100)
    made.version(made.run(project, owner), 100)
    assert ask(project, "event_log_kept").value == "yes"
    Event.objects.filter(project=project, position__lt=11).delete()
    finding = ask(project, "event_log_kept")
    assert (finding.value, "from position 11 on" in finding.sentence) == ("partly", True)


def test_a_rule_for_versions_counts_when_versions_followed_it(project, owner):
    run = made.run(project, owner, options={"publish_every": 50, "drift": True})
    assert ask(project, "snapshot_rule").value == "partly"
    made.version(run, 50, reason="rule")
    assert ask(project, "snapshot_rule").value == "yes"
    Run.objects.filter(pk=run.pk).update(options={})
    assert ask(project, "snapshot_rule").value == "no"


def test_replays_of_the_same_events_are_compared_by_digest(project, owner):
    first = made.run(project, owner)
    assert ask(project, "replay_matches") is None
    second = made.run(project, owner, model=first.model)
    assert ask(project, "replay_matches").value == "yes"
    Run.objects.filter(pk=second.pk).update(digest="0" * 64)
    assert ask(project, "replay_matches").value == "no"


def test_positions_must_equal_the_events_learned(project, owner):
    run = made.run(project, owner)
    assert ask(project, "events_learned_once").value == "yes"
    Run.objects.filter(pk=run.pk).update(learned=99)
    assert ask(project, "events_learned_once").value == "no"
    Run.objects.filter(pk=run.pk).update(set_aside_count=1)
    assert ask(project, "events_learned_once").value == "yes"


def test_metric_series_tell_overall_rolling_and_baseline_apart(project, owner):
    run = made.run(project, owner, summary={"overall.Accuracy": 0.9})
    assert ask(project, "metrics_overall_and_rolling").value == "no"
    assert ask(project, "baseline_scored").value == "no"
    Run.objects.filter(pk=run.pk).update(summary={"overall.F1": 0.9, "rolling.F1": 0.8, "baseline.F1": 0.5})
    assert ask(project, "metrics_overall_and_rolling").value == "yes"
    assert ask(project, "baseline_scored").value == "yes"
    assert ask(project, "predict_before_learn").value == "yes"


def test_a_rollback_counts_while_it_is_recent(project, owner):
    versions = made.versions(project, owner, 2)
    made.deploy(versions[0], owner)
    assert ask(project, "rollback_exercised").value == "no"
    made.deploy(versions[1], owner)
    back = made.deploy(versions[0], owner, kind="rollback", since="replay")
    finding = ask(project, "rollback_exercised")
    assert (finding.value, finding.sentence) == ("yes", "1 rollback; the last one, to v1, was today.")
    Deployment.objects.filter(pk=back.pk).update(created_at=timezone.now() - timedelta(days=120))
    assert ask(project, "rollback_exercised").value == "partly"
    assert "replayed" in ask(project, "rollback_states_since").sentence


def test_deployments_without_a_reason_are_only_partly_recorded(project, owner):
    made.deploy(made.versions(project, owner, 1)[0], owner, reason="")
    assert ask(project, "deploy_one_click").value == "yes"
    assert ask(project, "deployments_record_who_when_why").value == "partly"
    Deployment.objects.update(reason="better by two points")
    assert ask(project, "deployments_record_who_when_why").value == "yes"


def test_a_challenger_is_a_following_run_scored_beside_the_serving_one(project, owner):
    version = made.versions(project, owner, 1)[0]
    made.deploy(version, owner)
    assert ask(project, "challenger_in_shadow").value == "no"
    made.run(project, owner, mode="follow", state="running", updated_at=timezone.now() + timedelta(minutes=1))
    assert ask(project, "challenger_in_shadow").value == "yes"
    assert ask(project, "freeze_without_stopping").value == "yes"


def test_a_challenger_in_the_shadow_is_one(project, owner):
    first, second = made.versions(project, owner, 2)
    made.deploy(first, owner)
    start_shadow(project=project, version=second, actor=owner)
    finding = ask(project, "challenger_in_shadow")
    assert (finding.value, "1 challenger predicted for live events" in finding.sentence) == ("yes", True)


def test_a_second_person_is_found_where_the_project_asks_for_one(project, owner):
    first, second = made.versions(project, owner, 2)
    made.deploy(first, owner, reason="better")
    assert ask(project, "approvals_recorded").value == "partly"
    Project.objects.update(deploys_need_approval=True)
    project.refresh_from_db()
    proposal = propose(project=project, version=second, actor=owner, now=timezone.now(), reason="better still")
    approve(proposal=proposal, actor=make_user(), now=timezone.now())
    finding = ask(project, "approvals_recorded")
    assert (finding.value, "1 proposal approved by a second person" in finding.sentence) == ("yes", True)


def test_drift_detection_and_its_alarms(project, owner):
    run = made.run(project, owner)
    Alarm.objects.create(run=run, position=10)
    finding = ask(project, "drift_detector_runs")
    assert (finding.value, "1 alarm stored" in finding.sentence) == ("yes", True)
    Run.objects.update(options={"drift": False})
    assert ask(project, "drift_detector_runs").value == "no"


def test_predictions_joined_with_labels_tell_the_delay(project, owner):
    version = made.versions(project, owner, 1)[0]
    deployment = made.deploy(version, owner)
    made.predictions(deployment, 12, labelled_after=timedelta(minutes=3))
    assert ask(project, "labels_joined_by_id").value == "yes"
    assert ask(project, "prediction_traceable").value == "yes"
    assert "half within 3 minutes" in ask(project, "label_delay_reported").sentence
    assert ask(project, "delayed_evaluation").value == "yes"


def test_event_times_are_kept_apart(project):
    make_events(project, 5)
    assert ask(project, "order_and_times_kept").value == "partly"
    Event.objects.update(event_at=timezone.now())
    assert ask(project, "order_and_times_kept").value == "yes"


def test_bad_rows_corrections_pauses_and_the_log(project, owner):
    make_events(project, 1)
    assert ask(project, "bad_events_kept") is None
    assert ask(project, "corrections_recorded") is None
    assert ask(project, "pause_and_resume") is None
    DataImport.objects.create(project=project, kind="csv", name="a.csv", rejected=3)
    LabelCorrection.objects.create(event=Event.objects.get(), label="true")
    for verb in ("run.paused", "run.resumed"):
        record(actor=owner, verb=verb, summary="run 1", project=project)
    assert "3 refused rows" in ask(project, "bad_events_kept").sentence
    assert ask(project, "corrections_recorded").value == "yes"
    assert ask(project, "pause_and_resume").value == "yes"
    assert ask(project, "append_only_log").value == "yes"


def test_people_roles_and_the_goal(project, team):
    assert ask(project, "roles_listed").value == "partly"
    make_member(team, make_user(), Role.EXPERT)
    assert ask(project, "roles_listed").value == "yes"
    assert ask(project, "goal_written").value == "partly"
    project.description = "Catch phishing pages before the analysts see them."
    assert ask(project, "goal_written").value == "yes"


def test_the_scope_is_measured_from_the_same_records(project, owner):
    empty = measure_scope(gather(project))
    assert empty.first_version
    assert empty.factors == {}
    versions = made.versions(project, owner, 2)
    made.deploy(versions[0], owner)
    made.deploy(versions[1], owner)
    made.deploy(versions[0], owner, kind="rollback", since="drop")
    record(actor=owner, verb="deployed", summary="deployed v1", project=project)
    scope = measure_scope(gather(project))
    assert not scope.first_version
    assert scope.factors["deployments_per_week"].value == 3
    assert scope.factors["deployments_per_week"].measurement.count == 3
    assert scope.factors["models_in_production"].value == 1
    assert scope.factors["people"].value == 1
    assert "hours_to_restore" in scope.factors


def test_manual_steps_are_what_people_did_between_the_run_and_its_deployment(project, owner):
    record(actor=owner, verb="run.started", summary="before this run began", project=project)
    versions = made.versions(project, owner, 2)
    for verb in ("run.started", "version.published", "deployed"):
        record(actor=owner, verb=verb, summary="by hand", project=project)
    record(actor=owner, verb="assessment.answered", summary="talk", project=project)
    record(actor=None, verb="version.published", summary="by rule", project=project)
    assert "manual_steps" not in measure_scope(gather(project)).factors
    made.deploy(versions[0], owner)
    found = measure_scope(gather(project)).factors["manual_steps"]
    assert found.value == 3
    assert "steps outside the portal are not counted" in found.sentence


def test_how_far_back_the_records_count_is_an_assumption_of_the_project(project, owner):
    versions = made.versions(project, owner, 2)
    made.deploy(versions[0], owner)
    made.deploy(versions[1], owner)
    made.deploy(versions[0], owner, kind="rollback", since="drop")
    long_ago = timezone.now() - timedelta(days=40)
    Project.objects.filter(pk=project.pk).update(created_at=timezone.now() - timedelta(days=400))
    project.refresh_from_db()
    Deployment.objects.filter(project=project).update(created_at=long_ago)
    rate = measure_scope(gather(project)).factors["rollbacks_per_month"]
    assert rate.measurement.count == 1 and "last 90 days" in rate.query
    assert ask(project, "rollback_exercised").value == "yes"
    settings = Settings(telemetry_window_days=30)
    keep_assumptions(project=project, settings=settings, reason="Only lately.", base=0, actor=owner)
    rate = measure_scope(gather(project)).factors["rollbacks_per_month"]
    assert rate.measurement.count == 0 and "last 30 days" in rate.query
    found = ask(project, "rollback_exercised")
    assert found.value == "partly" and "against 30 days ago" in found.query


def test_every_measured_factor_says_how_it_was_looked_up_and_where(project, owner):
    made.lived_in(project, owner)
    following = made.run(project, owner, mode="follow", state="running")
    Alarm.objects.create(run=following, position=10)
    factors = measure_scope(gather(project)).factors
    assert set(factors) == {
        "deployments_per_week", "manual_steps", "rollbacks_per_month", "hours_to_restore", "models_in_production",
        "drift_alarms_per_month", "people",
    }  # fmt: skip
    for one in factors.values():
        assert one.query.endswith(".") and len(one.query) > 30
        assert one.url.startswith(f"/projects/{project.slug}/")


def test_alarms_of_replays_say_nothing_about_this_month(project, owner):
    Alarm.objects.create(run=made.run(project, owner), position=10)
    assert measure_scope(gather(project)).factors["drift_alarms_per_month"].value == 0
    following = made.run(project, owner, mode="follow", state="running")
    Alarm.objects.create(run=following, position=10)
    assert measure_scope(gather(project)).factors["drift_alarms_per_month"].value > 0
