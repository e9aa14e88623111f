"""Checks that look at deployments, rollbacks and what ran beside them."""

from __future__ import annotations

from assessments.evidence.finding import ACTIVITY, DEPLOYMENTS, NO, PARTLY, RUNS, YES, Said, check, counted, whole
from assessments.evidence.records import Records
from models_registry.models import Deployment, Run

LOGGED = (
    "deployed",
    "rolled_back",
    "canary.started",
    "canary.aborted",
    "deployment.approved",
    "shadow.started",
    "run.paused",
    "run.started",
    "version.published",
    "model.registered",
)


@check("deploy_one_click", DEPLOYMENTS)
def deploy_one_click(records: Records) -> Said:
    """Deployments of this project; each was one action in the portal."""
    if not records.deployments:
        return None
    return (
        YES,
        f"{counted(len(records.deployments), 'deployment')} made in one action each; no file was copied by hand.",
    )


@check("deployments_record_who_when_why", DEPLOYMENTS)
def deployments_record_who_when_why(records: Records) -> Said:
    """The newest 200 deployments, and whether each names its author and a reason."""
    if not records.deployments:
        return None
    total = len(records.deployments)
    told = sum(bool(row.reason and row.created_by_id) for row in records.deployments)
    if told == total:
        return YES, f"{counted(total, 'deployment')} say who made them, when and why."
    return PARTLY, f"{counted(total, 'deployment')} say who and when; {told} of them also say why."


@check("rollback_exercised", DEPLOYMENTS)
def rollback_exercised(records: Records) -> Said:
    """Deployments of kind rollback; the newest against {days} days ago."""
    if not records.deployments:
        return None
    if not records.rollbacks:
        return NO, f"{counted(len(records.deployments), 'deployment')}, but no rollback was ever made."
    newest = records.rollbacks[0]
    days = (records.read_at - newest.created_at).days
    ago = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
    text = f"{counted(len(records.rollbacks), 'rollback')}; the last one, to v{newest.version__number}, was {ago}."
    return (YES if newest.created_at >= records.since else PARTLY), text


@check("rollback_states_since", DEPLOYMENTS)
def rollback_states_since(records: Records) -> Said:
    """Rollbacks, and whether each says what became of learning since: dropped, replayed or kept as challenger."""
    if not records.rollbacks:
        return None
    told = sum(bool(row.since) for row in records.rollbacks)
    choice = {"drop": "dropped", "replay": "replayed", "challenger": "kept as challenger"}
    newest = choice.get(records.rollbacks[0].since, "left open")
    return (
        whole(told, len(records.rollbacks)),
        f"{told} of {counted(len(records.rollbacks), 'rollback')} say what became of learning since; "
        f"at the last one it was {newest}.",
    )


@check("challenger_in_shadow", RUNS)
def challenger_in_shadow(records: Records) -> Said:
    """Versions put into the shadow; else runs that were scored after the newest deployment without being served."""
    if not records.deployments:
        return None
    if put := records.verbs.get("shadow.started", 0):
        return (
            YES,
            f"{counted(put, 'challenger')} predicted for live events in the last {records.days} days, "
            "answering nobody.",
        )
    serving = records.deployments[0]
    shadows = [
        run
        for run in records.learning_runs
        if run.pk != serving.version__run_id
        and run.mode == Run.Mode.FOLLOW
        and run.summary
        and run.updated_at is not None
        and run.updated_at > serving.created_at
    ]
    if not shadows:
        return NO, "No other run has followed the stream since the newest deployment."
    return YES, f"Run {shadows[0].number} was scored on live events while v{serving.version__number} served."


@check("freeze_without_stopping", DEPLOYMENTS)
def freeze_without_stopping(records: Records) -> Said:
    """Whether the newest deployment is pinned: it then serves one state, whatever its run goes on to learn."""
    if not records.deployments:
        return None
    serving = records.deployments[0]
    if serving.mode == Deployment.Mode.PIN:
        return (
            YES,
            f"v{serving.version__number} serves pinned: learning changes nothing in it until it is deployed again.",
        )
    pinned = [row for row in records.deployments if row.mode == Deployment.Mode.PIN]
    if pinned:
        return YES, f"Now a run is followed, but deployment {pinned[0].number} was pinned while it served."
    return NO, "Every deployment followed its run; serving was never frozen."


@check("candidate_compared", DEPLOYMENTS)
def candidate_compared(records: Records) -> Said:
    """The two newest deployments, and whether both versions carry metrics from this project's stream."""
    models = [row for row in records.deployments if row.kind == Deployment.Kind.DEPLOY]
    if len(models) < 2:
        return None
    new, old = models[0], models[1]
    if not (new.version__metrics and old.version__metrics):
        return NO, f"v{new.version__number} was deployed without figures to compare with v{old.version__number}."
    return PARTLY, (
        f"v{new.version__number} and v{old.version__number} carry metrics of this stream; "
        "the portal did not demand a margin before the switch."
    )


@check("approvals_recorded", DEPLOYMENTS)
def approvals_recorded(records: Records) -> Said:
    """The newest deployments: their author, reason and metrics, and who agreed where the project asks for it."""
    if not records.deployments:
        return None
    told = sum(bool(row.created_by_id and row.reason and row.version__metrics) for row in records.deployments)
    total = counted(len(records.deployments), "deployment")
    if not told:
        return NO, f"None of {total} says both why and on what figures."
    said = f"{told} of {total} say who decided, why and on what figures"
    approved = records.verbs.get("deployment.approved", 0)
    if approved and records.project.deploys_need_approval:
        return (
            YES,
            f"{said}; {counted(approved, 'proposal')} approved by a second person in the last {records.days} days.",
        )
    return PARTLY, f"{said}; no second person has to approve them here."


@check("append_only_log", ACTIVITY)
def append_only_log(records: Records) -> Said:
    """Entries of the last {days} days in this project's activity log, which is never changed."""
    entries = sum(records.verbs.get(verb, 0) for verb in LOGGED)
    if not entries:
        return None
    return (
        YES,
        f"{counted(entries, 'change')} of the last {records.days} days are in the log, each with author and time.",
    )
