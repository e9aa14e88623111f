"""Checks that look at runs: how they learn, measure and recover."""

from __future__ import annotations

import json
from collections import defaultdict

from assessments.evidence.finding import EVENTS, NO, PARTLY, RUNS, YES, Said, check, counted, whole
from assessments.evidence.records import Records, RunRow
from models_registry.learning.measures import BASELINE, OVERALL, ROLLING

#: Baselines of River that can be run as models of their own.
BASELINES = "dummy."


@check("replay_matches", RUNS)
def replay_matches(records: Records) -> Said:
    """Runs with the same spec, seed and start that reached the same position, and whether their digests are equal."""
    groups: dict[tuple[object, ...], list[RunRow]] = defaultdict(list)
    for run in records.learning_runs:
        if run.digest:
            spec = json.dumps(run.spec, sort_keys=True)
            options = json.dumps(run.options, sort_keys=True)
            groups[spec, options, run.seed, run.from_version_id, run.start_position, run.position].append(run)
    repeated = [group for group in groups.values() if len(group) > 1]
    if not repeated:
        return None
    for group in repeated:
        if len({run.digest for run in group}) > 1:
            numbers = " and ".join(str(run.number) for run in group[:2])
            return NO, f"Runs {numbers} learned the same events the same way and came to different results."
    first, second = repeated[0][:2]
    return YES, (
        f"Runs {second.number} and {first.number} learned the same events with the same seed and came to the same "
        f"state and figures at position {first.position:,}."
    )


@check("seeds_recorded", RUNS)
def seeds_recorded(records: Records) -> Said:
    """The newest 200 runs, and whether each stores the seed it learned with."""
    if not records.runs:
        return None
    seeded = sum(run.seed is not None for run in records.runs)
    return whole(seeded, len(records.runs)), f"{seeded} of {counted(len(records.runs), 'run')} store their seed."


@check("background_jobs", RUNS)
def background_jobs(records: Records) -> Said:
    """Runs that learned events, and whether a worker process left its environment on them. Web requests never learn."""
    runs = records.learning_runs
    if not runs:
        return None
    worked = sum(bool(run.environment) for run in runs)
    events = sum(run.position - run.start_position for run in runs)
    return (
        whole(worked, len(runs)),
        f"{worked} of {counted(len(runs), 'run')} ran in background workers, {counted(events, 'event')} in all.",
    )


@check("events_learned_once", RUNS)
def events_learned_once(records: Records) -> Said:
    """For each run: events learned plus events set aside, against the stretch of positions it has covered."""
    runs = records.learning_runs
    if not runs:
        return None
    uneven = [run for run in runs if run.learned + run.set_aside_count != run.position - run.start_position]
    if uneven:
        return NO, f"Run {uneven[0].number} covers more or fewer positions than events it has learned."
    events = sum(run.learned for run in runs)
    return YES, f"In {counted(len(runs), 'run')}, {counted(events, 'event')} were learned exactly once, without a gap."


@check("bad_events_kept", EVENTS)
def bad_events_kept(records: Records) -> Said:
    """Rows refused by imports and events that runs set aside, each stored with its reason."""
    aside = sum(run.set_aside_count for run in records.runs)
    if not records.rejected_rows and not aside:
        return None
    refused, kept = counted(records.rejected_rows, "refused row"), counted(aside, "event")
    return YES, f"{refused} and {kept} set aside are kept, each with its reason."


@check("pause_and_resume", RUNS)
def pause_and_resume(records: Records) -> Said:
    """Entries “paused” and “resumed” of the last {days} days in this project's activity log."""
    paused, resumed = records.verbs.get("run.paused", 0), records.verbs.get("run.resumed", 0)
    if not resumed:
        return None
    gaps = [
        run for run in records.learning_runs if run.learned + run.set_aside_count != run.position - run.start_position
    ]
    if gaps:
        return PARTLY, f"Runs were resumed {counted(resumed, 'time')}, but run {gaps[0].number} has a gap."
    return YES, (
        f"Runs were paused {counted(paused, 'time')} and resumed {counted(resumed, 'time')} "
        f"in {records.days} days, no event lost."
    )


@check("predict_before_learn", RUNS)
def predict_before_learn(records: Records) -> Said:
    """Runs with metrics: the portal's learning loop predicts and scores each event, and only then learns it."""
    measured = [run for run in records.learning_runs if run.summary]
    if not measured:
        return None
    return YES, f"{counted(len(measured), 'run')} scored every event before learning it (prequential evaluation)."


@check("metrics_overall_and_rolling", RUNS)
def metrics_overall_and_rolling(records: Records) -> Said:
    """Names of the stored metric series of each run: rolling ones, and ones over everything learned."""
    measured = [run for run in records.learning_runs if run.summary]
    if not measured:
        return None
    both = sum(_has(run, OVERALL) and _has(run, ROLLING) for run in measured)
    return (
        whole(both, len(measured)),
        f"{both} of {counted(len(measured), 'run')} store both overall and rolling metrics over time.",
    )


@check("baseline_scored", RUNS)
def baseline_scored(records: Records) -> Said:
    """Baseline series stored with a run, or runs whose model is itself a baseline, on this stream."""
    if not records.learning_runs:
        return None
    for run in records.learning_runs:
        if _has(run, BASELINE) or BASELINES in json.dumps(run.spec):
            return YES, f"Run {run.number} scored a baseline on the same events."
    return NO, f"None of {counted(len(records.learning_runs), 'run')} scored a baseline on this stream."


@check("runs_record_facts", RUNS)
def runs_record_facts(records: Records) -> Said:
    """Runs that learned: start, examples, spec, seed, metrics, environment and trigger."""
    runs = records.learning_runs
    if not runs:
        return None
    told = sum(
        bool(run.started_at and run.learned and run.spec and run.summary and run.environment and run.trigger)
        for run in runs
    )
    return (
        whole(told, len(runs)),
        f"{told} of {counted(len(runs), 'run')} store start, examples, parameters, metrics, environment and trigger.",
    )


@check("drift_detector_runs", RUNS)
def drift_detector_runs(records: Records) -> Said:
    """Runs with their drift detector switched on, and the alarms stored for them."""
    runs = records.learning_runs
    if not runs:
        return None
    watched = sum(bool(run.options.get("drift")) for run in runs)
    stored, all_ = counted(records.alarms, "alarm"), counted(len(runs), "run")
    return whole(watched, len(runs)), f"A drift detector watched {watched} of {all_}; {stored} stored."


@check("resource_limits", RUNS)
def resource_limits(records: Records) -> Said:
    """The portal's limit on model size. Latency, error rate and lag have no limit in it."""
    if not records.learning_runs:
        return None
    return PARTLY, (
        f"A run stops when its model grows past {records.artifact_limit / 2**20:,.0f} MB; "
        "the portal sets no limit on latency, errors or lag."
    )


def _has(run: RunRow, view: str) -> bool:
    """Say whether the run stores series of this view; their keys are `view.metric`."""
    return any(key.startswith(f"{view}.") for key in run.summary)
