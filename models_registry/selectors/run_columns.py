"""The columns of the table of runs: what each shows, how it sorts, and which of them a person chose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import (
    Case,
    Expression,
    ExpressionWrapper,
    F,
    FloatField,
    JSONField,
    OuterRef,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields import DurationField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, NullIf
from django.db.models.lookups import IsNull

from models_registry.learning import measures
from models_registry.learning.measures import BASELINE, OVERALL, ROLLING, VIEWS, find_measure, key_of
from models_registry.models import RegisteredModel, Run, RunColumns, RunTag
from models_registry.selectors.metrics import primary_name
from models_registry.selectors.people import name_person
from projects.models import Project

Raw = str | int | float | bool | datetime | None

ABOUT, RESULT, METRICS, PARAMETERS = "What it is", "How it went", "Metrics", "Parameters"
#: More columns than this are no table any more.
MOST_COLUMNS = 24
_SHOWN_VIEWS = (OVERALL, ROLLING, BASELINE)
#: `StandardScaler.with_std` or `StandardScaler#2.with_std`. What a database takes for the place in a list is none.
_PARAMETER_NAME = re.compile(r"[A-Za-z_]\w{0,79}(#\d{1,3})?\.[A-Za-z_]\w{0,79}", re.ASCII)


@dataclass(frozen=True)
class Column:
    """One column: `key` names it in addresses and exports; `look` says how the page draws a value."""

    key: str
    title: str
    group: str
    read: Callable[[Run], Raw]
    order: str | Expression | Subquery
    look: str = "text"
    help: str = ""

    @property
    def numeric(self) -> bool:
        """Say whether its values stand to the right."""
        return self.look in ("number", "metric", "duration", "rate")


def throughput_of(run: Run) -> float | None:
    """Return the events per second of learning time."""
    return round(run.learned / run.learning_seconds, 1) if run.learning_seconds else None


def took_seconds(run: Run) -> float | None:
    """Return the seconds from the first chunk to the end, or to the newest chunk."""
    ended = run.finished_at or run.updated_at
    return round((ended - run.started_at).total_seconds(), 3) if run.started_at and ended else None


_TAG = Subquery(RunTag.objects.filter(run=OuterRef("pk")).order_by("name").values("name")[:1])
_DURATION = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
_PER_SECOND = ExpressionWrapper(F("learned") / NullIf(F("learning_seconds"), Value(0.0)), output_field=FloatField())

_FIXED = (
    Column("model", "Model", ABOUT, lambda run: run.model.name, "model__name", "model"),
    Column("state", "State", ABOUT, lambda run: run.state, "state", "state"),
    Column("tags", "Tags", ABOUT, lambda run: ", ".join(tag.name for tag in run.tags.all()), _TAG, "tags"),
    Column("note", "Note", ABOUT, lambda run: run.note, "note", "note"),
    Column("mode", "Mode", ABOUT, lambda run: run.mode, "mode"),
    Column("purpose", "Purpose", ABOUT, lambda run: run.purpose, "purpose"),
    Column("trigger", "Trigger", ABOUT, lambda run: run.trigger, "trigger"),
    Column("started", "Started", ABOUT, lambda run: run.created_at, "created_at", "started"),
    Column("person", "Person", ABOUT, lambda run: name_person(run.created_by), "created_by__username"),
    Column("seed", "Seed", ABOUT, lambda run: run.seed, "seed", "code"),
    Column("first", "First event", ABOUT, lambda run: run.start_position + 1, "start_position", "number"),
    Column("river", "River", ABOUT, lambda run: run.environment.get("river"), KeyTextTransform("river", "environment")),
    Column(
        "python", "Python", ABOUT, lambda run: run.environment.get("python"), KeyTextTransform("python", "environment")
    ),
    Column(
        "portal", "Portal", ABOUT, lambda run: run.environment.get("portal"), KeyTextTransform("portal", "environment")
    ),
    Column(
        "commit", "Commit", ABOUT, lambda run: run.environment.get("commit"), KeyTextTransform("commit", "environment")
    ),
    Column("progress", "Progress", RESULT, lambda run: run.position, "position", "progress"),
    Column("last", "Last event", RESULT, lambda run: run.position, "position", "number"),
    Column("learned", "Learned", RESULT, lambda run: run.learned, "learned", "number"),
    Column("set_aside", "Set aside", RESULT, lambda run: run.set_aside_count, "set_aside_count", "number"),
    Column(
        "duration",
        "Duration",
        RESULT,
        took_seconds,
        _DURATION,
        "duration",
        "From its first event to its end, in seconds.",
    ),
    Column("throughput", "Events/s", RESULT, throughput_of, _PER_SECOND, "rate", "Events per second of learning time."),
    Column("size", "Size", RESULT, lambda run: run.checkpoint_bytes or None, "checkpoint_bytes", "bytes"),
)


def _metric(view: str, name: str) -> Column:
    measure, key = find_measure(name), key_of(view, name)
    title = measure.title if view == OVERALL else f"{measure.title}, {'lately' if view == ROLLING else VIEWS[view]}"
    # JSON's null comes out of SQLite as a word
    order = Cast(NullIf(KeyTextTransform(key, "summary"), Value("null", TextField())), FloatField())
    return Column(f"metric:{key}", title, METRICS, lambda run: run.summary.get(key), order, "metric", measure.help)


def _parameter(name: str) -> Column:
    # A JSON null is a value to the databases, and each puts it elsewhere
    known = IsNull(NullIf(KeyTextTransform(name, "model__parameters"), Value("null", TextField())), False)
    order = Case(When(known, then=KeyTransform(name, "model__parameters")), default=None, output_field=JSONField())
    return Column(f"param:{name}", name, PARAMETERS, lambda run: run.model.parameters.get(name), order, "param")


def default_keys(project: Project) -> list[str]:
    """Return the columns of somebody who chose none."""
    primary = primary_name({}, project)
    metrics = [f"metric:{key_of(view, primary)}" for view in (OVERALL, ROLLING)]
    return ["model", "state", "tags", "progress", "throughput", *metrics, "started"]


def find_columns(project: Project, keys: Iterable[str]) -> list[Column]:
    """Return the columns of these keys that there are, in their order. No query."""
    fixed = {column.key: column for column in _FIXED}
    found: list[Column] = []
    for key in dict.fromkeys(keys):
        kind, _, rest = key.partition(":")
        if key in fixed:
            found.append(fixed[key])
        elif kind == "metric" and (shown := _find_metric(project, *rest.partition(".")[::2])):
            found.append(shown)
        elif kind == "param" and _PARAMETER_NAME.fullmatch(rest):
            found.append(_parameter(rest))
    return found[:MOST_COLUMNS]


def offer_columns(project: Project) -> list[tuple[str, list[Column]]]:
    """Return every column by group, with the parameters of the project's models and its runs' metrics. Two queries."""
    names: dict[str, None] = {}
    for parameters in RegisteredModel.objects.filter(project=project).values_list("parameters", flat=True):
        names |= dict.fromkeys(parameters)
    metrics = [_metric(view, name) for name in _list_metrics(project) for view in _SHOWN_VIEWS]
    groups: list[tuple[str, list[Column]]] = [
        (group, [column for column in _FIXED if column.group == group]) for group in (ABOUT, RESULT)
    ]
    return [*groups, (METRICS, metrics), (PARAMETERS, [_parameter(name) for name in sorted(names)])]


def chosen_keys(user: AbstractBaseUser, project: Project) -> list[str]:
    """Return the columns that a person sees in a project. One query."""
    kept = RunColumns.objects.filter(user_id=user.pk, project=project).values_list("keys", flat=True).first()
    return list(kept) if kept else default_keys(project)


def _list_metrics(project: Project) -> list[str]:
    """Return the metrics that runs of the project may have, its primary one first, and those some have."""
    usual = [each.name for each in measures.list_measures(project.task)]
    kept = Run.objects.filter(project=project).order_by().values_list("options__metrics", flat=True).distinct()
    names = measures.order_names([*usual, *(name for chosen in kept for name in chosen or ())])
    return list(dict.fromkeys((primary_name({}, project), *names)))


def _find_metric(project: Project, view: str, name: str) -> Column | None:
    try:
        fits = project.task in find_measure(name).tasks
    except LookupError:
        return None
    return _metric(view, name) if fits and view in _SHOWN_VIEWS else None


def read_raw(value: Any) -> Any:
    """Return a value as an export has it."""
    return value.isoformat() if isinstance(value, datetime) else value
