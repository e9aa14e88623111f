"""What a page needs to try the deployed model: an event to start from, and an answer that was given."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models_registry.models import Prediction
from projects.models import Event, Fallback, Project, Task

#: Classes shown with their probability; the others are summed up.
SHOWN_CLASSES = 12


@dataclass(frozen=True)
class Example:
    """An event whose features a form starts from."""

    pk: int
    key: str
    features: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class Chance:
    """The probability of one class."""

    name: str
    share: float
    chosen: bool


@dataclass(frozen=True)
class GivenAnswer:
    """An answer as it was given and kept."""

    id: str
    prediction: str
    chances: tuple[Chance, ...]
    other_classes: int
    other_share: float
    #: None when no version answered but the project's fallback; then `fallback` and `because` say which and why.
    version: int | None
    model: str
    deployment: int | None
    fallback: str
    because: str
    at: datetime
    features: dict[str, Any]
    label: str | None
    right: bool | None
    miss: float | None


def find_example(project: Project, event_id: int | None = None) -> Example | None:
    """Return the event `event_id`, or the newest one: one query."""
    events = Event.objects.filter(project=project)
    event = (events.filter(pk=event_id) if event_id else events.order_by("-id")).first()
    return Example(event.pk, event.key, json.loads(event.features), event.received_at) if event else None


def find_answer(project: Project, key: str) -> tuple[Example, GivenAnswer] | None:
    """Return the newest answer given for the event called `key`, with that event: one query."""
    row = (
        Prediction.objects.filter(project=project, event__project=project, event__key=key)
        .select_related("event", "deployment", "version__model")
        .defer("version__spec", "version__metrics", "version__environment", "version__model__spec")
        .first()
    )
    if row is None:
        return None
    event = row.event
    output, features = json.loads(row.output), json.loads(event.features)
    label = None if event.label is None else json.loads(event.label)
    given = output["prediction"]
    chances = _chances(output.get("probabilities") or {}, say(given))
    shown, rest = chances[:SHOWN_CLASSES], chances[SHOWN_CLASSES:]
    regression = project.task == Task.REGRESSION
    answer = GivenAnswer(
        id=event.key,
        prediction=say(given),
        chances=tuple(shown),
        other_classes=len(rest),
        other_share=sum(chance.share for chance in rest),
        version=row.version.number if row.version else None,
        model=row.version.model.name if row.version else "",
        deployment=row.deployment.number if row.deployment else None,
        fallback=Fallback(row.fallback).named_for(project.task) if row.fallback else "",
        because=output.get("fallback", {}).get("message", ""),
        at=row.at,
        features=features,
        label=None if label is None else say(label),
        right=None if label is None or regression else bool(given == label),
        miss=abs(given - label) if regression and label is not None and given is not None else None,
    )
    return Example(event.pk, event.key, features, event.received_at), answer


def _chances(probabilities: dict[str, float], chosen: str) -> list[Chance]:
    chances = [Chance(name, float(share), name == chosen) for name, share in probabilities.items()]
    return sorted(chances, key=lambda chance: (-chance.share, chance.name))


def say(value: object) -> str:
    """Write a label the way people read it: text as it is, a number short, the rest as in JSON."""
    if value is None:
        return "no answer yet"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return json.dumps(value)


def write_curl(url: str, features: dict[str, Any]) -> str:
    """Write the call that asks the same by the HTTP API, ready for a shell."""
    body = shlex.quote(json.dumps({"features": features}, ensure_ascii=False))
    lines = [
        f"curl -X POST {shlex.quote(url)}",
        '-H "Authorization: Bearer $OPS_PORTAL_TOKEN"',
        '-H "Content-Type: application/json"',
        f"-d {body}",
    ]
    return " \\\n  ".join(lines)
