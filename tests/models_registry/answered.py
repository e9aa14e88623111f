"""Answers that were given and labels that came for them, as rows: for tests of what is made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from models_registry.models import Deployment, Prediction, Version
from models_registry.services.live_scoring import score_answers
from projects.models import Project
from projects.payload import Incoming, IncomingLabel
from projects.services.events import accept, accept_labels
from tests.factories import NOW

BEFORE, AFTER = NOW, NOW.replace(hour=13)


def answer(
    project: Project,
    deployment: Deployment,
    pairs: Iterable[tuple[object, object]],
    *,
    version: Version | None = None,
    start: int = 0,
    scored: bool = True,
) -> None:
    """Let `deployment` answer, then bring the labels: one pair of prediction and label per event."""
    known = list(pairs)
    keys = [f"a{start + number}" for number in range(len(known))]
    items = [Incoming(1, key, {"x": number % 7, "y": 1}) for number, key in enumerate(keys)]
    accept(project_id=project.pk, items=items, now=BEFORE)
    events = dict(project.events.values_list("key", "pk"))
    Prediction.objects.bulk_create(
        Prediction(
            project=project,
            event_id=events[key],
            deployment=deployment,
            version=version or deployment.version,
            output=json.dumps({"prediction": said, "probabilities": None}),
            at=BEFORE,
        )
        for key, (said, _) in zip(keys, known, strict=True)
    )
    labels = [IncomingLabel(1, key, label) for key, (_, label) in zip(keys, known, strict=True) if label is not None]
    accept_labels(project_id=project.pk, labels=labels, now=AFTER)
    project.refresh_from_db()
    if scored:
        while score_answers(project.pk):
            pass


def rights(right: int, wrong: int) -> list[tuple[bool, bool]]:
    """So many right and so many wrong answers, mixed."""
    answers = [(True, True)] * right + [(True, False)] * wrong
    return [answers[number * 7919 % len(answers)] for number in range(len(answers))]
