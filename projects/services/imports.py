"""Starting, pausing and stopping imports. The worker does the importing: see `import_steps`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from ops_portal.errors import UserError
from projects.bundled import find_data_set
from projects.csv_files.plan import CsvPlan
from projects.models import DataImport, Project, Task
from projects.services.activity import record
from projects.services.archived import check_open
from projects.synthetic import (
    ABRUPT,
    GRADUAL,
    MAX_EVENTS,
    MAX_SEED,
    NO_DRIFT,
    Recipe,
    SyntheticStream,
    find_stream,
)
from projects.uploads import UnreadableFileError, digest_of, first_offset, kind_of

State = DataImport.State

#: A file is read in pieces, so this only keeps the disk from filling up.
MAX_FILE = 200 * 2**20
MAX_RATE = 10_000.0
#: Of a stream whose events are predicted before their label comes.
MAX_PREDICTED_RATE = 50.0
#: The types of a synthetic stream's labels.
_LABELS = {"binary": "boolean", "multiclass": "integer", "regression": "number"}
_NAMES = {"boolean": "true or false", "integer": "whole numbers", "text": "texts", "number": "numbers"}


@transaction.atomic
def upload_file(*, project: Project, actor: User, file: UploadedFile[Any]) -> DataImport:
    """Keep an uploaded file for its preview. Nothing comes in before it is confirmed."""
    check_open(project)
    size = file.size or 0
    if size > MAX_FILE:
        raise UserError(
            f"This file has {size / 2**20:,.0f} MB; at most {MAX_FILE >> 20} MB are taken at once."
            " Split it, or send its rows through the API.",
            code="too_large",
        )
    try:
        kind = kind_of(file)
    except UnreadableFileError as error:
        raise UserError(str(error)) from None
    digest = digest_of(file)
    file.seek(0)
    name = "".join(letter if letter.isprintable() else " " for letter in file.name or "upload")[-200:]
    options = {"size": size, "digest": digest, "key_prefix": f"{digest}-"}
    return DataImport.objects.create(
        project=project, kind=kind, name=name, file=file, options=options, created_by=actor
    )


@transaction.atomic
def confirm_file(*, data_import: DataImport, actor: User, plan: CsvPlan, rows: int | None = None) -> None:
    """Start the import of an uploaded file as `plan` says; `rows` is how many it has, where that is known."""
    check_open(data_import.project)
    with data_import.file.open("rb") as file:
        offset = first_offset(data_import.kind, file)
    options = data_import.options | plan.as_options()
    changed = DataImport.objects.filter(pk=data_import.pk, state=State.PREVIEW).update(
        options=options, state=State.QUEUED, offset=offset, total_rows=rows
    )
    if not changed:
        raise UserError("This file was confirmed or discarded already.", code="conflict", status=409)
    _record(data_import, actor, "started", f"started the import of {data_import.name}")


@transaction.atomic
def discard_file(*, data_import: DataImport, actor: User) -> None:
    """Throw an uploaded file away that was not confirmed."""
    deleted, _ = DataImport.objects.filter(pk=data_import.pk, state=State.PREVIEW).delete()
    if not deleted:
        raise UserError("This import has started; cancel it on the data page.", code="conflict", status=409)
    transaction.on_commit(lambda: data_import.file.delete(save=False))
    _record(data_import, actor, "discarded", f"discarded the uploaded file {data_import.name}")


@transaction.atomic
def start_bundled(
    *,
    project: Project,
    actor: User,
    name: str,
    events: int | None = None,
    rate: float = 0,
    at_once: int = 0,
    predict: bool = False,
) -> DataImport:
    """Start bringing in a bundled data set: its first `events` (None: all), `rate` per second (0: at once).

    With a rate, the first `at_once` events do not wait for it: a stream that has a past. With `predict`, what is
    deployed is asked for each event some seconds before its label comes.
    """
    check_open(project)
    try:
        data_set = find_data_set(name)
    except LookupError:
        raise UserError("Choose one of the data sets offered.", fields={"data_set": "unknown"}) from None
    _check_fit(project, data_set.title, data_set.task, data_set.labels)
    _check_rate(rate, predict=predict)
    total = min(events or data_set.events, data_set.events)
    data_import = DataImport.objects.create(
        project=project,
        kind=DataImport.Kind.BUNDLED,
        name=data_set.title,
        options={"data_set": data_set.name, "rate": rate, "at_once": at_once, "predict": predict},
        state=State.QUEUED,
        total_rows=total,
        created_by=actor,
    )
    pace = f", {rate:g} events per second" if rate else ""
    _record(data_import, actor, "started", f"started the import of {data_set.title} ({total:,} events{pace})")
    return data_import


@transaction.atomic
def start_synthetic(
    *, project: Project, actor: User, recipe: Recipe, events: int, rate: float = 0, predict: bool = False
) -> DataImport:
    """Start a made-up stream of so many `events`, `rate` per second (0: as fast as possible).

    With `predict`, what is deployed is asked for each event some seconds before its label comes.
    """
    check_open(project)
    stream = _check_recipe(project, recipe)
    _check_rate(rate, predict=predict)
    if not 1 <= events <= MAX_EVENTS:
        raise UserError(f"Choose 1 to {MAX_EVENTS:,} events.", fields={"events": "range"})
    data_import = DataImport.objects.create(
        project=project,
        kind=DataImport.Kind.SYNTHETIC,
        name=f"{stream.title}, {recipe.in_words()}"[:200],
        options=recipe.as_options() | {"rate": rate, "at_once": 0, "predict": predict},
        state=State.QUEUED,
        total_rows=events,
        created_by=actor,
    )
    pace = f", {rate:g} events per second" if rate else ""
    summary = f"started the synthetic stream {data_import.name} ({events:,} events, seed {recipe.seed}{pace})"
    _record(data_import, actor, "started", summary)
    return data_import


def _check_recipe(project: Project, recipe: Recipe) -> SyntheticStream:
    try:
        stream = find_stream(recipe.stream)
    except LookupError:
        raise UserError("Choose one of the streams offered.", fields={"stream": "unknown"}) from None
    _check_fit(project, stream.title, stream.task, _LABELS[stream.task])
    if not 0 <= recipe.seed <= MAX_SEED:
        raise UserError(f"A seed is a whole number from 0 to {MAX_SEED:,}.", fields={"seed": "range"})
    if recipe.drift not in {NO_DRIFT, ABRUPT, GRADUAL}:
        raise UserError("A drift is none, abrupt or gradual.", fields={"drift": "unknown"})
    if recipe.drift != NO_DRIFT and not stream.drift:
        raise UserError(f"{stream.title} drifts all the time: {stream.always}", fields={"drift": "not here"})
    if recipe.drift != NO_DRIFT and not 1 <= recipe.drift_at <= MAX_EVENTS:
        raise UserError("Say at which event the drift is.", fields={"drift_at": "range"})
    if recipe.drift == GRADUAL and not 1 <= recipe.drift_width <= MAX_EVENTS:
        raise UserError("Say over how many events the drift goes on.", fields={"drift_width": "range"})
    return stream


def _check_fit(project: Project, title: str, task: str, labels: str) -> None:
    """Refuse a stream of another task, or whose labels are of another type than the project's."""
    if task != project.task:
        raise UserError(
            f"{title} is a stream for {Task(task).label.lower()}, and this project is one of"
            f" {project.get_task_display().lower()}. Register a project of its own for it.",
            code="does_not_fit",
        )
    theirs, ours = (
        "boolean" if kind == "integer" and task == Task.BINARY else kind for kind in (labels, project.label_type)
    )
    if ours and theirs != ours:
        raise UserError(
            f"The labels of this project are {_NAMES[project.label_type]}, and those of {title} are {_NAMES[labels]}:"
            " every event would be set aside. Register a project of its own for it.",
            code="does_not_fit",
        )


def _check_rate(rate: float, *, predict: bool = False) -> None:
    if predict and not rate:
        raise UserError(
            "Choose a rate: only of a stream that flows can events be predicted before their label comes.",
            fields={"rate": "needed to predict"},
        )
    if predict and rate > MAX_PREDICTED_RATE:
        raise UserError(
            f"Choose at most {MAX_PREDICTED_RATE:g} events per second: faster ones cannot all be predicted before their"
            " label comes.",
            fields={"rate": "too fast to predict"},
        )
    if not 0 <= rate <= MAX_RATE:
        raise UserError(f"Choose a rate between 0 and {MAX_RATE:,.0f} events per second.", fields={"rate": "range"})


@transaction.atomic
def change_rate(*, data_import: DataImport, actor: User, rate: float) -> None:
    """Let a stream flow faster or slower from its next step on; 0 is as fast as possible."""
    row = DataImport.objects.select_for_update().filter(pk=data_import.pk).first()
    if row is None or "rate" not in row.options or row.state in DataImport.ENDED:
        raise UserError("This import has no rate that could be changed now.", code="conflict", status=409)
    _check_rate(rate, predict=bool(row.options.get("predict")))
    row.options |= {"rate": rate}
    # Not due is due now: the wait that the old rate asked for is over.
    due = {"lease_until": timezone.now()} if row.state == State.RUNNING else {}
    DataImport.objects.filter(pk=row.pk).update(options=row.options, **due)
    data_import.refresh_from_db()
    pace = f"{rate:g} events per second" if rate else "as fast as possible"
    _record(data_import, actor, "paced", f"let {data_import.name} flow at {pace}")


@transaction.atomic
def pause_import(*, data_import: DataImport, actor: User) -> None:
    """Stop after the chunk in hand; `resume_import` goes on where it stopped."""
    _change(data_import, actor, to=State.PAUSED, of=DataImport.ACTIVE, verb="paused")


@transaction.atomic
def resume_import(*, data_import: DataImport, actor: User) -> None:
    """Go on with a paused import."""
    check_open(data_import.project)
    _change(data_import, actor, to=State.QUEUED, of=(State.PAUSED,), verb="resumed")


@transaction.atomic
def cancel_import(*, data_import: DataImport, actor: User) -> None:
    """End an import for good; the events that came in stay."""
    _change(data_import, actor, to=State.CANCELLED, of=(*DataImport.ACTIVE, State.PAUSED), verb="cancelled")
    DataImport.objects.filter(pk=data_import.pk).update(finished_at=timezone.now())
    if data_import.file:
        transaction.on_commit(lambda: data_import.file.delete(save=False))


def _change(data_import: DataImport, actor: User, *, to: str, of: tuple[str, ...], verb: str) -> None:
    changed = DataImport.objects.filter(pk=data_import.pk, state__in=of).update(state=to, lease_until=None)
    if not changed:
        data_import.refresh_from_db(fields=["state"])
        raise UserError(
            f"This import is {data_import.get_state_display().lower()} and cannot be {verb}.",
            code="conflict",
            status=409,
        )
    _record(data_import, actor, verb, f"{verb} the import of {data_import.name}")


def _record(data_import: DataImport, actor: User, verb: str, summary: str, **data: Any) -> None:
    project = data_import.project
    record(actor=actor, verb=f"import.{verb}", summary=summary, project=project, data_import=data_import.pk, **data)
