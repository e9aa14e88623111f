"""Answering with what is deployed: the features and the answer are stored before the answer leaves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection, transaction
from django.db.models import F

from models_registry.models import Deployment
from models_registry.services.serving import learner_of
from ops_portal.errors import UserError
from projects.event_store import stored_time
from projects.models import Event, Project
from projects.payload import Incoming

if TYPE_CHECKING:
    from models_registry.learning.progressive import Learner

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Answer:
    """A prediction, with everything needed to explain it and to send its label later."""

    id: str
    prediction: Any
    probabilities: dict[str, float] | None
    version: int
    deployment: int


@dataclass(frozen=True)
class Serving:
    """What answers for a project at this moment."""

    deployment_id: int
    deployment: int
    version_id: int
    version: int
    artifact: str


def serving(project_id: int) -> Serving:
    """Return what is deployed now, asked of the database each time: a rollback is live for the next prediction.

    Raises
    ------
    UserError
        Nothing is deployed.

    """
    row = (
        Deployment.objects.filter(project_id=project_id)
        .order_by("-number")
        .values_list(
            "pk", "number", "mode", "version_id", "version__number", "version__artifact", "version__run__checkpoint"
        )
        .first()
    )
    if row is None:
        raise UserError(
            "No model is deployed in this project yet. Deploy a version first.", code="nothing_deployed", status=409
        )
    pk, number, mode, version_id, version, artifact, checkpoint = row
    follows = mode == Deployment.Mode.FOLLOW and checkpoint
    return Serving(pk, number, version_id, version, checkpoint if follows else artifact)


def predict(*, project: Project, item: Incoming, now: datetime) -> Answer:
    """Predict for one event with the deployed model; keep its features and the answer for the later label.

    The same id asked again gives a prediction for the features it came with first; other features under the same id
    are refused.
    """
    live, learner = _load(project.pk)
    prediction, probabilities = _predict(learner, item.features)
    key = item.key or f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(6)}"
    features = _encode(item.features).decode()
    output = _encode({"prediction": prediction, "probabilities": probabilities}).decode()
    with transaction.atomic():
        event_id = _store_event(project.pk, key, features, item.at, now)
        _store_prediction(project.pk, event_id, live, output, now)
    return Answer(key, prediction, probabilities, live.version, live.deployment)


def _load(project_id: int) -> tuple[Serving, Learner]:
    live = serving(project_id)
    try:
        return live, learner_of(live.artifact)
    except UserError:
        # The checkpoint of a followed run was replaced between the two reads; the newer one is there.
        newer = serving(project_id)
        if newer.artifact == live.artifact:
            raise
        return newer, learner_of(newer.artifact)


def _predict(learner: Learner, features: dict[str, Any]) -> tuple[Any, dict[str, float] | None]:
    try:
        prediction, probabilities = learner.predict(features)
    except Exception as failed:
        # River validates no input: a text where the model learned numbers surfaces here, as any exception at all.
        raise UserError(
            f"The deployed model cannot predict for these features: {failed}. "
            "Send the same features, with the same types, as it learned from.",
            code="prediction_failed",
            status=422,
        ) from failed
    named = None if probabilities is None else {_name(label): share for label, share in probabilities.items()}
    return prediction, named


def _name(label: object) -> str:
    """A class as the key of a JSON object: `true`, `1`, `sky`."""
    return label if isinstance(label, str) else _encode(label).decode()


def _store_event(project_id: int, key: str, features: str, at: datetime | None, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO projects_event (project_id, key, features, event_at, received_at)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (project_id, key) DO NOTHING RETURNING id",
            [project_id, key, features, stored_time(at), stored_time(now)],
        )
        row = cursor.fetchone()
    if row is not None:
        Project.objects.filter(pk=project_id).update(event_count=F("event_count") + 1)
        return int(row[0])
    known = Event.objects.only("features").get(project_id=project_id, key=key)
    if known.features != features:
        raise UserError(
            f"The id {key!r} belongs to an event with other features. Use a new id for a new event.",
            code="id_taken",
            status=409,
        )
    return known.pk


def _store_prediction(project_id: int, event_id: int, live: Serving, output: str, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO models_registry_prediction (project_id, event_id, deployment_id, version_id, output, at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [project_id, event_id, live.deployment_id, live.version_id, output, stored_time(now)],
        )
