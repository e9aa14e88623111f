"""Challengers in the shadow: they predict for the events that were really asked about, and never answer.

A worker asks them afterwards, from the stored features and with their pinned state, so the path that answers does not
know them. What they said is scored when the label comes, like any answer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from models_registry.models import Deployment, Prediction, Run, ShadowAnswer, ShadowChange, Version
from models_registry.selectors.shadows import open_shadows
from models_registry.services.serving import Served, load_served
from models_registry.services.versions import check_kept, publish
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record
from projects.services.archived import check_open

#: Challengers of one project at a time.
MOST = 5
#: Predictions taken at a time, and seconds after which the rest waits for the next time.
BATCH, SECONDS = 100, 1.0
#: Predictions before the newest one seen that are looked at again: on PostgreSQL one may commit after a later one.
LOOK_BACK = 2_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@transaction.atomic
def start_shadow(*, project: Project, version: Version, actor: AbstractBaseUser, reason: str = "") -> ShadowChange:
    """Let `version` predict, from now on, for whatever is asked; it answers nobody."""
    _lock(project)
    if version.project_id != project.pk:
        raise UserError("That version belongs to another project.", code="not_found", status=404)
    check_open(project)
    check_kept(version)
    standing = list(open_shadows(project.pk).values_list("version_id", flat=True))
    if version.pk in standing:
        raise UserError(f"{version} predicts in the shadow already.", code="already_shadow", status=409)
    if len(standing) >= MOST:
        raise UserError(f"{MOST} versions predict in the shadow already. Stop one first.", code="too_many_shadows")
    return _append(project, version, actor, started=True, reason=reason)


@transaction.atomic
def stop_shadow(*, project: Project, version: Version, actor: AbstractBaseUser, reason: str = "") -> ShadowChange:
    """Let `version` predict no longer; what it said stays."""
    _lock(project)
    if not open_shadows(project.pk).filter(version=version).exists():
        raise UserError(f"{version} does not predict in the shadow.", code="no_shadow", status=409)
    return _append(project, version, actor, started=False, reason=reason)


def shadow_what_was_replaced(*, project: Project, current: Deployment, actor: AbstractBaseUser) -> Version:
    """Keep what a rollback replaces as a challenger: the state that answered last predicts in the shadow.

    The caller holds the project's lock. Where all places are taken, the oldest challenger makes room.
    """
    version = current.version
    if current.mode == Deployment.Mode.FOLLOW:
        run = Run.objects.select_for_update(of=("self",)).select_related("model", "project__team")
        followed = run.get(pk=version.run_id)
        if followed.checkpoint:
            version = publish(run=followed, reason=Version.Reason.SAFETY, actor=actor)
    standing = list(open_shadows(project.pk).select_related("version"))
    if version.pk not in [change.version_id for change in standing]:
        if len(standing) >= MOST:
            _append(project, standing[0].version, actor, started=False, reason=f"Made room for {version}")
        _append(project, version, actor, started=True, reason="Replaced by a rollback, kept as challenger")
    return version


def _lock(project: Project) -> None:
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()


def _append(project: Project, version: Version, actor: AbstractBaseUser, *, started: bool, reason: str) -> ShadowChange:
    change = ShadowChange.objects.create(
        project=project, version=version, started=started, reason=reason.strip(), created_by_id=actor.pk
    )
    said = f": {change.reason}" if change.reason else ""
    record(
        actor=actor,
        verb="shadow.started" if started else "shadow.stopped",
        summary=f"{'put' if started else 'took'} {version} {'into' if started else 'out of'} the shadow{said}",
        project=project,
        version=version.pk,
    )
    return change


def answer_in_shadow(project_id: int) -> bool:
    """Let the challengers of a project predict for what was asked since they last did; say whether more is left."""
    until = time.perf_counter() + SECONDS
    for change in list(open_shadows(project_id).select_related("version")):
        while rows := _unanswered(change):
            _answer(change.version, rows)
            if time.perf_counter() > until:
                return True
            if len(rows) < BATCH:
                break
    return False


def _unanswered(change: ShadowChange) -> Sequence[tuple[int, str]]:
    """The next predictions that the challenger has not been asked about: their key and their features."""
    mine = ShadowAnswer.objects.filter(version_id=change.version_id)
    newest = mine.aggregate(newest=Max("prediction_id"))["newest"] or 0
    asked = Prediction.objects.filter(
        ~Exists(mine.filter(prediction=OuterRef("pk"))),
        project_id=change.project_id,
        pk__gt=newest - LOOK_BACK,
        at__gte=change.created_at,
    )
    return list(asked.order_by("pk").values_list("pk", "event__features")[:BATCH])


def _answer(version: Version, rows: Sequence[tuple[int, str]]) -> None:
    served = load_served(version.artifact)
    ShadowAnswer.objects.bulk_create(
        [ShadowAnswer(prediction_id=pk, version=version, output=_ask(served, features)) for pk, features in rows],
        ignore_conflicts=True,  # another worker was faster
    )


def _ask(served: Served, features: str) -> str:
    """What a challenger says, or that it failed: it is then known to have nothing to say."""
    try:
        label, probabilities = served.predict(_decode(features))
    except Exception as failed:  # noqa: BLE001 - River validates no input: anything can come out
        return _encode({"prediction": None, "probabilities": None, "error": str(failed)[:300]}).decode()
    named = None if probabilities is None else {str(name): share for name, share in probabilities.items()}
    return _encode({"prediction": label, "probabilities": named}).decode()
