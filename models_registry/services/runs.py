"""Starting, pausing, resuming and cancelling runs: what a person decides. The learning itself is in `training`."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from models_registry.learning.errors import SpecError
from models_registry.learning.parameters import flatten_parameters
from models_registry.learning.spec import validate
from models_registry.models import Comparison, RegisteredModel, Run, Version
from models_registry.services.judging import USUAL, Judging, write_judging
from models_registry.services.numbering import next_number
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record
from projects.services.archived import check_open

#: A version is published each time this many events were learned, unless the run says otherwise (see `schedule`).
PUBLISH_EVERY = 10_000
MOST_RUNS_AT_WORK = 20


@transaction.atomic
def register_model(
    *, project: Project, name: str, spec: dict[str, Any], note: str = "", actor: AbstractBaseUser | None
) -> RegisteredModel:
    """Register a model: a named spec, checked against the allow-list. The spec never changes afterwards."""
    check_open(project)
    try:
        validate(spec, project.task)
    except SpecError as wrong:
        raise UserError(
            f"The spec is not valid: {wrong}", code="invalid_spec", fields={wrong.place or "spec": wrong.message}
        ) from wrong
    name = name.strip()
    if not name:
        raise UserError("Give the model a name.", fields={"name": "A name is needed."})
    if RegisteredModel.objects.filter(project=project, name=name).exists():
        raise UserError(
            f"This project already has a model called “{name}”. A spec never changes: choose another name.",
            code="name_taken",
            fields={"name": "Already taken in this project."},
        )
    model = RegisteredModel.objects.create(
        project=project,
        name=name,
        spec=spec,
        parameters=flatten_parameters(spec),
        note=note,
        created_by_id=actor.pk if actor else None,
    )
    record(actor=actor, verb="model.registered", summary=f"registered model {name}", project=project, model=model.pk)
    return model


@transaction.atomic
def start_run(
    *,
    model: RegisteredModel,
    mode: str,
    actor: AbstractBaseUser | None,
    seed: int | None = None,
    from_version: Version | None = None,
    publish_every: int = PUBLISH_EVERY,
    judging: Judging = USUAL,
    trigger: str = "person",
    target_position: int | None = None,
    purpose: str = Run.Purpose.LEARN,
    verifies: Version | None = None,
    comparison: Comparison | None = None,
    options: dict[str, Any] | None = None,
) -> Run:
    """Queue a run of `model` over its project's labelled events.

    A replay learns from `from_version` (or from nothing) up to the newest labelled event of this moment, or to
    `target_position`; a follower goes on as labels arrive. `judging` says by what it is judged, where not as usual;
    `options` takes over how another run learned.
    """
    project = model.project
    check_open(project)
    if mode not in Run.Mode.values:
        raise UserError("Choose whether the run replays what is there or follows the stream.", fields={"mode": mode})
    if from_version is not None and from_version.model_id != model.pk:
        raise UserError(
            f"{from_version} belongs to model {from_version.model.name}; a run goes on from one of its own.",
            fields={"from_version": "A version of another model."},
        )
    if Run.objects.filter(project=project, state__in=Run.ACTIVE).count() >= MOST_RUNS_AT_WORK:
        raise UserError(
            f"{MOST_RUNS_AT_WORK} runs of this project are at work. Pause or cancel one first.", code="too_many_runs"
        )
    number = next_number(Run, project.pk)
    project.refresh_from_db(fields=["last_position"])
    start = from_version.position if from_version else 0
    target = None
    if mode == Run.Mode.REPLAY:
        target = project.last_position if target_position is None else target_position
        if target <= start:
            raise UserError(
                "There is nothing to learn yet: bring labelled data first, or follow the stream."
                if not start
                else f"There is nothing after position {start:,} to learn yet.",
                code="nothing_to_learn",
            )
        if target > project.last_position:
            raise UserError(f"The newest labelled event has position {project.last_position:,}.", code="out_of_range")
    run = Run.objects.create(
        project=project,
        number=number,
        model=model,
        mode=mode,
        from_version=from_version,
        spec=model.spec,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        options=options or {"publish_every": publish_every, **write_judging(project, judging, from_version)},
        trigger=trigger,
        purpose=purpose,
        verifies=verifies,
        comparison=comparison,
        start_position=start,
        position=start,
        target_position=target,
        created_by_id=actor.pk if actor else None,
    )
    origin = f" from {from_version}" if from_version else ""
    what = mode if purpose == Run.Purpose.LEARN else f"to {purpose} {verifies or f'position {target:,}'}"
    record(
        actor=actor,
        verb="run.started",
        summary=f"started run {number} of {model.name}{origin} ({what})",
        project=project,
        run=run.pk,
    )
    return run


def pause_run(*, run: Run, actor: AbstractBaseUser) -> None:
    """Pause a run: the chunk under way is not kept, everything before it is."""
    _change(run, actor, to=Run.State.PAUSED, of=Run.ACTIVE, verb="paused")


def resume_run(*, run: Run, actor: AbstractBaseUser) -> None:
    """Let a paused run go on where it stood."""
    check_open(run.project)
    _change(run, actor, to=Run.State.QUEUED, of=(Run.State.PAUSED,), verb="resumed")


def cancel_run(*, run: Run, actor: AbstractBaseUser | None) -> None:
    """End a run for good; its versions and metrics stay."""
    _change(run, actor, to=Run.State.CANCELLED, of=(*Run.ACTIVE, Run.State.PAUSED), verb="cancelled")


@transaction.atomic
def _change(run: Run, actor: AbstractBaseUser | None, *, to: str, of: tuple[str, ...], verb: str) -> None:
    now = timezone.now()
    ending = {"finished_at": now} if to in Run.ENDED else {}
    # The worker's commit asks for a running run: whoever of the two comes first wins, and the other notices.
    changed = Run.objects.filter(pk=run.pk, state__in=of).update(
        state=to, lease_owner="", lease_until=None, updated_at=now, **ending
    )
    if not changed:
        run.refresh_from_db(fields=["state"])
        raise UserError(
            f"Run {run.number} is {run.get_state_display().lower()}; it cannot be {verb}.", code="conflict", status=409
        )
    run.refresh_from_db()
    record(
        actor=actor,
        verb=f"run.{verb}",
        summary=f"{verb} run {run.number} of {run.model.name}",
        project=run.project,
        run=run.pk,
        position=run.position,
    )
