"""Answering with what is deployed: the features and the answer are stored before the answer leaves.

Requests that come at the same time are answered together: one thread reads what is deployed, predicts for all of them
and stores everything in one transaction. Each of them came before that read, so a rollback that was committed before a
request came is live for it, in every process.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction

from models_registry.learning.traffic import falls_into
from models_registry.models import Deployment, Prediction
from models_registry.services.answer_store import NewAnswer, store_new
from models_registry.services.serving import Served, find_served, load_served
from ops_portal.errors import UserError
from ops_portal.group_commit import GroupCommit
from projects.event_store import stored_time
from projects.models import Event, Project
from projects.payload import Incoming, PayloadError, check_clock

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

#: How often a model is fetched again because something newer was deployed while it was loaded.
ATTEMPTS = 5
_LIVE = """
SELECT d.id, d.number, d.mode, v.id, v.number, v.artifact, r.checkpoint, d.canary_share, c.id, c.number, c.artifact
FROM models_registry_deployment d
JOIN models_registry_version v ON v.id = d.version_id JOIN models_registry_run r ON r.id = v.run_id
LEFT JOIN models_registry_version c ON c.id = d.canary_id
WHERE d.project_id = %s ORDER BY d.number DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction, with everything needed to explain it and to send its label later."""

    id: str
    prediction: Any
    probabilities: dict[str, float] | None
    version: int
    deployment: int


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers for a project at this moment."""

    deployment_id: int
    deployment: int
    version_id: int
    version: int
    artifact: str
    #: What answers a share of the traffic instead, in per cent.
    canary: Serving | None = None
    share: int = 0

    def side_of(self, key: str) -> Serving:
        """Return what answers for this event: the canary for its share of the ids."""
        if self.canary is not None and falls_into(key, self.canary.version, self.share):
            return self.canary
        return self


@dataclass(frozen=True, slots=True)
class Ask:
    """Events of one project to predict for, and the model loaded for them when none was in memory."""

    project_id: int
    items: Sequence[Incoming]
    now: datetime
    loaded: tuple[str, Served] | None = None


class NotLoaded(Exception):  # noqa: N818 - nothing went wrong
    """The outcome of an ask whose model is not in memory: loading it must not keep the others waiting."""

    def __init__(self, artifact: str) -> None:
        super().__init__(artifact)
        self.artifact = artifact


#: What becomes of an ask: an answer or a reason for each of its events.
Outcome = list[Answer | UserError]


@dataclass(slots=True)
class _Row:
    """One event on its way to its answer."""

    project_id: int
    key: str
    features: str
    at: datetime | None
    now: datetime
    live: Serving
    #: Whether the key came with the event, so that it may have come before.
    named: bool
    prediction: Any = None
    probabilities: dict[str, float] | None = None
    error: UserError | None = None

    def output(self) -> str:
        return _encode({"prediction": self.prediction, "probabilities": self.probabilities}).decode()

    def as_new(self) -> NewAnswer:
        return NewAnswer(self.key, self.features, stored_time(self.at), stored_time(self.now), self.output())

    def settle(self) -> Answer | UserError:
        if self.error is not None:
            return self.error
        return Answer(self.key, self.prediction, self.probabilities, self.live.version, self.live.deployment)


def predict(*, project: Project, item: Incoming, now: datetime) -> Answer:
    """Predict for one event with the deployed model; keep its features and the answer for the later label.

    The same id asked again gives the answer it got first, or, when something else is deployed by now, that model's
    answer for the same features; other features under the same id are refused.
    """
    answer = predict_many(project=project, items=[item], now=now)[0]
    if isinstance(answer, UserError):
        raise answer
    return answer


def predict_many(*, project: Project, items: Sequence[Incoming], now: datetime) -> list[Answer | UserError]:
    """Predict for some events with one model, in one transaction: an answer or a reason for each.

    Raises
    ------
    UserError
        Nothing is deployed, or what is deployed cannot be loaded.

    """
    return with_model(lambda loaded: _together.call(Ask(project.pk, items, now, loaded)))


def with_model(ask: Callable[[tuple[str, Served] | None], Outcome]) -> list[Answer | UserError]:
    """Ask, load the model that is missing in memory, and ask again with it.

    Parameters
    ----------
    ask
        Asks with the model given, which it may need no longer: something else can be deployed meanwhile.

    """
    loaded: tuple[str, Served] | None = None
    gone = ""
    for _ in range(ATTEMPTS):
        try:
            return ask(loaded)
        except NotLoaded as missing:
            artifact = missing.artifact
        try:
            loaded = (artifact, load_served(artifact))
        except UserError:
            # A run that is followed may have replaced its checkpoint meanwhile: then the newer one is asked for next.
            if gone == artifact:
                raise
            gone = artifact
    raise UserError("What is deployed changes faster than it can be loaded. Try again.", code="busy", status=503)


def serving(project_id: int) -> Serving | None:
    """Return what is deployed now, asked of the database each time: a rollback is live for the next prediction."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [project_id])
        row = cursor.fetchone()
    if row is None:
        return None
    pk, number, mode, version_id, version, artifact, checkpoint, share, *canary = row
    follows = mode == Deployment.Mode.FOLLOW and checkpoint
    beside = Serving(pk, number, *canary) if canary[0] is not None else None
    return Serving(pk, number, version_id, version, checkpoint if follows else artifact, beside, share)


def answer_together(asks: Sequence[Ask]) -> list[Outcome | Exception]:
    """Answer asks that came together, in one transaction."""
    live = {project_id: serving(project_id) for project_id in {ask.project_id for ask in asks}}
    found = [_predict_all(ask, live[ask.project_id]) for ask in asks]
    rows = [row for part in found if isinstance(part, list) for row in part if row.error is None]
    if rows:
        _store(rows)
    return [[row.settle() for row in part] if isinstance(part, list) else part for part in found]


#: What pages ask; the API's calls share the check of their token too (`api.predict`).
_together: GroupCommit[Ask, Outcome] = GroupCommit(answer_together)


def _predict_all(ask: Ask, live: Serving | None) -> list[_Row] | NotLoaded | UserError:
    if live is None:
        return UserError(
            "No model is deployed in this project yet. Deploy a version first.", code="nothing_deployed", status=409
        )
    models: dict[str, Served] = dict([ask.loaded]) if ask.loaded is not None else {}
    # Unique without asking the database, and rising with time, which keeps the index's newest page warm.
    made_up = f"{int(ask.now.timestamp() * 1000):011x}{secrets.token_hex(6)}"
    rows = []
    for place, item in enumerate(ask.items):
        key = item.key or (f"{made_up}{place:04x}" if place else made_up)
        side = live.side_of(key)
        served = models.get(side.artifact) or find_served(side.artifact)
        if served is None:
            return NotLoaded(side.artifact)
        models[side.artifact] = served
        row = _Row(ask.project_id, key, _encode(item.features).decode(), item.at, ask.now, side, item.key is not None)
        _predict(row, served, item.features)
        rows.append(row)
    return rows


def _predict(row: _Row, served: Served, features: dict[str, Any]) -> None:
    try:
        check_clock(row.at, row.now)
    except PayloadError as wrong:
        row.error = UserError(f"{wrong}.", fields={wrong.place: wrong.problem})
        return
    try:
        row.prediction, probabilities = served.predict(features)
    except Exception as failed:  # noqa: BLE001
        # River validates no input: a text where the model learned numbers surfaces here, as any exception at all.
        row.error = UserError(
            f"The deployed model cannot predict for these features: {failed}. "
            "Send the same features, with the same types, as it learned from.",
            code="prediction_failed",
            status=422,
        )
        return
    if probabilities is not None:
        row.probabilities = {_name(label): share for label, share in probabilities.items()}


def _name(label: object) -> str:
    """A class as the key of a JSON object: `true`, `1`, `sky`."""
    return label if isinstance(label, str) else _encode(label).decode()


def _store(rows: list[_Row]) -> None:
    """Store the events and the answers; settle what is asked again."""
    # One id always falls on the same side of a canary, so its twins are all here.
    for project_id, version_id in {(row.project_id, row.live.version_id) for row in rows}:
        mine = [row for row in rows if row.live.version_id == version_id and row.project_id == project_id]
        first: dict[str, _Row] = {}
        twins = [row for row in mine if first.setdefault(row.key, row) is not row]
        live = next(iter(first.values())).live
        stored = store_new(
            [row.as_new() for row in first.values()],
            project_id=project_id,
            deployment_id=live.deployment_id,
            version_id=live.version_id,
            may_be_known=any(row.named for row in first.values()),
        )
        known = [row for row in [*first.values(), *twins] if row.key not in stored]
        if known:
            _recall(project_id, live, known)
        for row in twins:
            if row.key in stored:
                _agree(row, first[row.key])


@transaction.atomic
def _recall(project_id: int, live: Serving, rows: list[_Row]) -> None:
    """Give known events the answer they got from this deployment, or keep the one they get now."""
    found = Event.objects.filter(project_id=project_id, key__in=[row.key for row in rows])
    events = {key: (pk, features) for key, pk, features in found.values_list("key", "pk", "features")}
    earlier = Prediction.objects.filter(
        event_id__in=[pk for pk, _ in events.values()], deployment_id=live.deployment_id
    )
    given = dict(earlier.order_by("-pk").values_list("event_id", "output"))  # of several, the first one given stays
    fresh = []
    for row in rows:
        pk, features = events[row.key]
        if features != row.features:
            row.error = _taken(row.key)
        elif pk in given:
            output = _decode(given[pk])
            row.prediction, row.probabilities = output["prediction"], output["probabilities"]
        else:
            given[pk] = row.output()
            fresh.append(
                Prediction(
                    project_id=project_id,
                    event_id=pk,
                    deployment_id=live.deployment_id,
                    version_id=live.version_id,
                    output=given[pk],
                    at=row.now,
                )
            )
    Prediction.objects.bulk_create(fresh)


def _agree(row: _Row, first: _Row) -> None:
    """Settle a row whose event another row of the same group has just brought."""
    if row.features != first.features:
        row.error = _taken(row.key)
    else:
        row.prediction, row.probabilities = first.prediction, first.probabilities


def _taken(key: str) -> UserError:
    return UserError(
        f"The id {key!r} belongs to an event with other features. Use a new id for a new event.",
        code="id_taken",
        status=409,
    )
