"""Checks that look at published versions."""

from __future__ import annotations

from assessments.evidence.finding import NO, PARTLY, VERSIONS, YES, Said, check, counted, whole
from assessments.evidence.records import Records
from models_registry.models import Version

SHA256 = 64
#: Reasons for which the portal publishes by itself.
BY_RULE = {Version.Reason.RULE, Version.Reason.END, Version.Reason.DRIFT, Version.Reason.SAFETY}


@check("versions_immutable", VERSIONS)
def versions_immutable(records: Records) -> Said:
    """The newest 200 versions of this project, and whether each names its file by the SHA-256 of its content."""
    if not records.versions:
        return None
    frozen = sum(len(row.artifact) == SHA256 for row in records.versions)
    total = len(records.versions)
    if frozen == total:
        return YES, f"{counted(total, 'version')} kept, each as a file named by its content; a changed file is refused."
    return whole(frozen, total), f"{frozen} of {counted(total, 'version')} name their file by its content."


@check("version_records_position", VERSIONS)
def version_records_position(records: Records) -> Said:
    """The newest 200 versions, and whether each has a stream position."""
    if not records.versions:
        return None
    placed = sum(row.position > 0 for row in records.versions)
    newest = records.versions[0]
    return (
        whole(placed, len(records.versions)),
        f"{placed} of {counted(len(records.versions), 'version')} record their position; "
        f"the newest, v{newest.number}, was taken at event {newest.position:,}.",
    )


@check("version_names_environment", VERSIONS)
def version_names_environment(records: Records) -> Said:
    """The newest 200 versions, and whether each keeps its spec and the River and Python versions that made it."""
    if not records.versions:
        return None
    named = sum(bool(row.spec) and {"river", "python"} <= set(row.environment) for row in records.versions)
    return (
        whole(named, len(records.versions)),
        f"{named} of {counted(len(records.versions), 'version')} name their spec and the River and Python "
        "versions they were made with.",
    )


@check("event_log_kept", VERSIONS)
def event_log_kept(records: Records) -> Said:
    """The first and the newest position among this project's labelled events, against the newest version's position."""
    if not records.versions:
        return None
    furthest = max(row.position for row in records.versions)
    if records.first_position == 1 and records.last_position >= furthest:
        return YES, f"Every labelled event up to {furthest:,}, where the furthest version stands, is still stored."
    if records.first_position is None:
        return NO, "No labelled event is stored any more, so the data behind the versions cannot be pointed to."
    return PARTLY, f"Labelled events are stored from position {records.first_position:,} on; earlier ones are gone."


@check("snapshot_rule", VERSIONS)
def snapshot_rule(records: Records) -> Said:
    """Whether the runs that learned have a rule for publishing versions, and versions published by a rule."""
    runs = records.learning_runs
    if not runs:
        return None
    rules = [int(every) for run in runs if (every := run.options.get("publish_every"))]
    followed = sum(row.reason in BY_RULE for row in records.versions)
    if not rules:
        return NO, f"None of {counted(len(runs), 'run')} has a rule for when to publish a version."
    text = f"The rule is one version every {rules[0]:,} events; {counted(followed, 'version')} followed a rule."
    return (YES if followed and len(rules) == len(runs) else PARTLY), text


@check("retention_limits", VERSIONS)
def retention_limits(records: Records) -> Said:
    """The portal's limit on the size of a model's artifact, against the largest version, and on kept ones."""
    if not records.versions:
        return None
    largest = max(row.artifact_bytes for row in records.versions)
    limit = records.artifact_limit
    if largest > limit:
        return NO, f"The largest version has {_mb(largest)}, above the limit of {_mb(limit)}."
    kept = f"of each run {records.versions_kept} stay, with deployed and tagged ones on top"
    return YES, f"Size is limited to {_mb(limit)} (largest: {_mb(largest)}); {kept}."


@check("version_lineage", VERSIONS)
def version_lineage(records: Records) -> Said:
    """The newest 200 versions: all but the first of a run that started from nothing must name the version before."""
    if not records.versions:
        return None
    firsts = {row.run_id: row.number for row in records.versions}  # newest first, so the oldest of each run stays
    expected = [row for row in records.versions if row.number != firsts[row.run_id] or row.run__from_version_id]
    known = sum(row.parent_id is not None for row in expected)
    text = (
        f"{known} of {counted(len(expected), 'version')} that followed another name it"
        if expected
        else "No version followed another yet; the lineage is complete"
    )
    return whole(known, len(expected)), f"{text}."


def _mb(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"
