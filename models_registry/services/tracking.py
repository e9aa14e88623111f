"""What people write on runs: tags, notes, putting them away; and the columns they want to see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from models_registry.models import Run, RunColumns, RunTag
from models_registry.selectors.run_columns import MOST_COLUMNS, find_columns
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record

MOST_TAGS = 20
LONGEST_TAG = 40
LONGEST_NOTE = 2_000


def read_tags(words: Iterable[str]) -> list[str]:
    """Return tags without blanks around them and without repeats, or say what is wrong with one."""
    tags = list(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))
    for tag in tags:
        if len(tag) > LONGEST_TAG or "," in tag or "\x00" in tag:
            raise UserError(
                f"“{tag[:60]}” is no tag: at most {LONGEST_TAG} characters and no comma.",
                fields={"tags": f"At most {LONGEST_TAG} characters each, no commas."},
            )
    if len(tags) > MOST_TAGS:
        raise UserError(f"{len(tags)} tags; a run takes at most {MOST_TAGS}.", fields={"tags": f"At most {MOST_TAGS}."})
    return tags


@transaction.atomic
def describe_run(
    *, run: Run, actor: AbstractBaseUser | None, tags: Sequence[str] | None = None, note: str | None = None
) -> None:
    """Set the tags of a run, its note, or both; what is None stays."""
    changed: dict[str, object] = {}
    if tags is not None:
        wanted = read_tags(tags)
        before = sorted(run.tags.values_list("name", flat=True))
        if sorted(wanted) != before:
            run.tags.exclude(name__in=wanted).delete()
            RunTag.objects.bulk_create(RunTag(run=run, name=name) for name in wanted if name not in before)
            changed["tags"] = before
    if note is not None and note.strip() != run.note:
        if len(note.strip()) > LONGEST_NOTE or "\x00" in note:
            raise UserError(
                f"A note has at most {LONGEST_NOTE:,} characters, none of them NUL.", fields={"note": "Not taken."}
            )
        changed["note"] = run.note
        run.note = note.strip()
        run.save(update_fields=["note"])
    if changed:
        record(
            actor=actor,
            verb="run.described",
            summary=f"changed the {' and the '.join(changed)} of run {run.number}",
            project=run.project,
            run=run.pk,
            before=changed,
        )


@transaction.atomic
def tag_runs(*, project: Project, numbers: Sequence[int], tags: Sequence[str], actor: AbstractBaseUser | None) -> int:
    """Put tags on several runs, beside those they have; return how many runs these are."""
    wanted = read_tags(tags)
    if not wanted:
        raise UserError("Write the tag that the ticked runs are to have.", fields={"tags": "A tag is needed."})
    runs = _find(project, numbers)
    for run in runs:
        if len({*run.tags.values_list("name", flat=True), *wanted}) > MOST_TAGS:
            raise UserError(f"Run {run.number} would have more than {MOST_TAGS} tags.", fields={"tags": "Too many."})
    RunTag.objects.bulk_create((RunTag(run=run, name=name) for run in runs for name in wanted), ignore_conflicts=True)
    _log(actor, "run.tagged", f"tagged {_say(runs)} with {', '.join(wanted)}", project, runs)
    return len(runs)


@transaction.atomic
def archive_runs(*, project: Project, numbers: Sequence[int], actor: AbstractBaseUser | None) -> list[int]:
    """Put runs away: they leave the table, and everything about them stays. Return the numbers of those put away."""
    runs = _find(project, numbers)
    if busy := [run for run in runs if not run.ended]:
        raise UserError(
            f"{_say(busy).capitalize()} {'is' if len(busy) == 1 else 'are'} not over. Let it end or cancel it first.",
            code="conflict",
            status=409,
        )
    gone = [run for run in runs if run.archived_at is None]
    Run.objects.filter(pk__in=[run.pk for run in gone]).update(archived_at=timezone.now())
    if gone:
        _log(actor, "run.archived", f"archived {_say(gone)}", project, gone)
    return [run.number for run in gone]


@transaction.atomic
def unarchive_runs(*, project: Project, numbers: Sequence[int], actor: AbstractBaseUser | None) -> list[int]:
    """Bring runs back into the table; return the numbers of those brought back."""
    back = [run for run in _find(project, numbers) if run.archived_at is not None]
    Run.objects.filter(pk__in=[run.pk for run in back]).update(archived_at=None)
    if back:
        _log(actor, "run.unarchived", f"brought back {_say(back)}", project, back)
    return [run.number for run in back]


def choose_columns(*, project: Project, user: AbstractBaseUser, keys: Sequence[str]) -> None:
    """Keep the columns that a person wants to see in a project; none at all brings the usual ones back.

    Nobody else sees anything of it, so it is not in the activity log.
    """
    if len(set(keys)) > MOST_COLUMNS:
        raise UserError(
            f"{len(set(keys))} columns are chosen; a table takes at most {MOST_COLUMNS}.",
            fields={"columns": "Too many."},
        )
    known = [column.key for column in find_columns(project, keys)]
    if not known:
        RunColumns.objects.filter(user_id=user.pk, project=project).delete()
        return
    RunColumns.objects.update_or_create(user_id=user.pk, project=project, defaults={"keys": known})


def _find(project: Project, numbers: Sequence[int]) -> list[Run]:
    runs = list(Run.objects.filter(project=project, number__in=numbers).order_by("number"))
    if not runs:
        raise UserError("Tick some runs first.", fields={"runs": "None is chosen."})
    return runs


def _say(runs: Sequence[Run]) -> str:
    if len(runs) > 5:
        return f"{len(runs)} runs"
    return f"run{'s' if len(runs) > 1 else ''} {', '.join(str(run.number) for run in runs)}"


def _log(actor: AbstractBaseUser | None, verb: str, summary: str, project: Project, runs: Sequence[Run]) -> None:
    record(actor=actor, verb=verb, summary=summary, project=project, runs=[run.number for run in runs])
