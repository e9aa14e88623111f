"""Answering with what is deployed: the features and the answer are stored before the answer leaves.

Requests that come at the same time are answered together: one thread reads what is deployed, predicts for all of them
and stores everything in one transaction. Each of them came before that read, so a rollback that was committed before a
request came is live for it, in every process.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from models_registry.models import Prediction
from models_registry.services.answer_store import NewAnswer, store_new
from models_registry.services.fallback import NoLabelError, stand_in
from models_registry.services.live import Serving, serving
from models_registry.services.serving import Served, find_served, load_served
from ops_portal.errors import UserError
from ops_portal.group_commit import GroupCommit
from projects.event_store import StoredFeatures, find_events, same_features, stored_time
from projects.models import Fallback, Project
from projects.payload import Incoming, PayloadError, check_clock

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

#: How often a model is fetched again because something newer was deployed while it was loaded.
ATTEMPTS = 5


class FellBack(msgspec.Struct, frozen=True):
    """Says that no model answered: by which rule of the project, and why."""

    rule: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction, with everything needed to explain it and to send its label later.

    `version` is None when no version answered but the project's fallback; then `fallback` says why.
    """

    id: str
    prediction: Any
    probabilities: dict[str, float] | None
    version: int | None
    deployment: int | None
    fallback: FellBack | None = None


#: What was loaded for an ask, by artifact: a model, or why it cannot be had.
Loaded = Mapping[str, Served | UserError]


@dataclass(frozen=True, slots=True)
class Ask:
    """Events of one project to predict for, what is deployed there, and the models loaded that were not in memory."""

    project_id: int
    task: str
    #: The project's rule for when there is no model's answer.
    fallback: str
    items: Sequence[Incoming]
    now: datetime
    #: Or why nothing may be asked.
    live: Serving | UserError | None
    loaded: Loaded


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
    live: Serving | None
    #: Whether the key came with the event, so that it may have come before.
    named: bool
    prediction: Any = None
    probabilities: dict[str, float] | None = None
    fallback: FellBack | None = None
    error: UserError | None = None

    def output(self) -> str:
        said: dict[str, Any] = {"prediction": self.prediction, "probabilities": self.probabilities}
        if self.fallback is not None:
            said["fallback"] = self.fallback
        return _encode(said).decode()

    def recall(self, output: str) -> None:
        """Take over an answer that was given before."""
        said = _decode(output)
        self.prediction, self.probabilities = said["prediction"], said["probabilities"]
        self.fallback = msgspec.convert(said["fallback"], FellBack) if "fallback" in said else None

    @property
    def deployment_id(self) -> int | None:
        return None if self.live is None else self.live.deployment_id

    @property
    def version_id(self) -> int | None:
        return None if self.live is None or self.fallback else self.live.version_id

    def as_new(self) -> NewAnswer:
        return NewAnswer(
            self.key,
            self.features,
            stored_time(self.at),
            stored_time(self.now),
            self.output(),
            self.deployment_id,
            self.version_id,
            self.fallback.rule if self.fallback else "",
        )

    def settle(self) -> Answer | UserError:
        if self.error is not None:
            return self.error
        version = None if self.live is None or self.fallback else self.live.version
        deployment = None if self.live is None else self.live.deployment
        return Answer(self.key, self.prediction, self.probabilities, version, deployment, self.fallback)


def predict(*, project: Project, item: Incoming, now: datetime) -> Answer:
    """Predict for one event with the deployed model; keep its features and the answer for the later label.

    The same id asked again gives the answer it got first, or, when something else is deployed by now, that model's
    answer for the same features; other features under the same id are refused. When there is no model's answer, the
    project's fallback decides.
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
        Nothing is deployed, or what is deployed cannot be loaded, and the project has no fallback.

    """

    def ask(loaded: Loaded) -> Outcome:
        live = serving(project.pk)
        return _together.call(Ask(project.pk, project.task, project.fallback, items, now, live, loaded))

    return with_model(ask)


def with_model(ask: Callable[[Loaded], Outcome]) -> list[Answer | UserError]:
    """Ask, load the model that is missing in memory, and ask again with it.

    Parameters
    ----------
    ask
        Asks with the models given, which it may need no longer: something else can be deployed meanwhile.

    """
    loaded: dict[str, Served | UserError] = {}
    for _ in range(ATTEMPTS):
        try:
            return ask(loaded)
        except NotLoaded as missing:
            artifact = missing.artifact
        try:
            loaded[artifact] = load_served(artifact)
        except UserError as gone:
            # A run that is followed may have replaced its checkpoint meanwhile: then the newer one is asked for next.
            loaded[artifact] = gone
    raise UserError("What is deployed changes faster than it can be loaded. Try again.", code="busy", status=503)


def answer_together(asks: Sequence[Ask]) -> list[Outcome | Exception]:
    """Answer asks that came together, in one transaction."""
    found = [_predict_all(ask) for ask in asks]
    rows = [row for part in found if isinstance(part, list) for row in part if row.error is None]
    if rows:
        _store(rows)
    return [[row.settle() for row in part] if isinstance(part, list) else part for part in found]


#: What pages ask; the API's calls share the check of their token too (`api.predict`).
_together: GroupCommit[Ask, Outcome] = GroupCommit(answer_together)


def _predict_all(ask: Ask) -> list[_Row] | NotLoaded | UserError:
    if isinstance(ask.live, UserError):
        return ask.live
    models: dict[str, Served | UserError] = dict(ask.loaded)
    nothing = UserError(
        "No model is deployed in this project yet. Deploy a version first.", code="nothing_deployed", status=409
    )
    # Unique without asking the database, and rising with time, which keeps the index's newest page warm.
    made_up = f"{int(ask.now.timestamp() * 1000):011x}{secrets.token_hex(6)}"
    rows, unanswered, without_model = [], [], 0
    for place, item in enumerate(ask.items):
        key = item.key or (f"{made_up}{place:04x}" if place else made_up)
        side = None if ask.live is None else ask.live.side_of(key)
        served: Served | UserError = nothing
        if side is not None:
            known = models.get(side.artifact) or find_served(side.artifact)
            if known is None:
                return NotLoaded(side.artifact)
            served = models[side.artifact] = known
        features = _encode(item.features).decode()
        row = _Row(ask.project_id, key, features, item.at, ask.now, side, item.key is not None)
        row.error = _check_time(row)
        if row.error is None:
            row.error = served if isinstance(served, UserError) else _predict(row, served, item.features)
            without_model += row.error is served
            if row.error is not None or row.prediction is None:
                unanswered.append(row)
        rows.append(row)
    if unanswered and ask.fallback != Fallback.ERROR:
        _fall_back(ask, unanswered)
    if without_model == len(rows) > 0 and rows[0].error is not None:
        return rows[0].error  # nothing about the events: the call as a whole is refused
    return rows


def _check_time(row: _Row) -> UserError | None:
    try:
        check_clock(row.at, row.now)
    except PayloadError as wrong:
        return UserError(f"{wrong}.", fields={wrong.place: wrong.problem})
    return None


def _fall_back(ask: Ask, rows: list[_Row]) -> None:
    """Answer rows without a model's answer by the project's rule; without any label yet they stay as they are."""
    try:
        value = stand_in(project_id=ask.project_id, task=ask.task, rule=ask.fallback)
    except NoLabelError:
        return
    for row in rows:
        why = row.error or _UNDECIDED
        row.prediction, row.probabilities = value, None
        row.fallback = FellBack(ask.fallback, why.code, why.message)
        row.error = None


#: Why the project's rule answers in the place of a model that answered null. Without a rule that answer stands: an
#: event that is kept can be labelled, and learned from.
_UNDECIDED = UserError(
    "The deployed model has no answer for these features: it has seen too little, or its answer is not a number.",
    code="no_answer",
)


def _predict(row: _Row, served: Served, features: dict[str, Any]) -> UserError | None:
    try:
        row.prediction, probabilities = served.predict(features)
    except Exception as failed:  # noqa: BLE001
        # River validates no input: a text where the model learned numbers surfaces here, as any exception at all.
        return UserError(
            f"The deployed model cannot predict for these features: {failed}. "
            "Send the same features, with the same types, as it learned from.",
            code="prediction_failed",
            status=422,
        )
    if probabilities is not None:
        row.probabilities = {_name(label): share for label, share in probabilities.items()}
    return None


def _name(label: object) -> str:
    """A class as the key of a JSON object: `true`, `1`, `sky`."""
    return label if isinstance(label, str) else _encode(label).decode()


def _store(rows: list[_Row]) -> None:
    """Store the events and the answers; settle what is asked again."""
    projects = sorted({row.project_id for row in rows})
    # Of several projects all or none: where one fails, each ask is tried alone, and none may have been stored before.
    with transaction.atomic() if len(projects) > 1 else nullcontext():
        for project_id in projects:
            _store_of(project_id, [row for row in rows if row.project_id == project_id])


def _store_of(project_id: int, rows: list[_Row]) -> None:
    first: dict[str, _Row] = {}
    twins = [row for row in rows if first.setdefault(row.key, row) is not row]
    stored = store_new(
        [row.as_new() for row in first.values()],
        project_id=project_id,
        may_be_known=any(row.named for row in first.values()),
    )
    known = [row for row in [*first.values(), *twins] if row.key not in stored]
    if known:
        _recall(project_id, known)
    for row in twins:
        if row.key in stored:
            _agree(row, first[row.key])


@transaction.atomic
def _recall(project_id: int, rows: list[_Row]) -> None:
    """Give known events the answer they got from this deployment, or keep the one they get now."""
    keys = [row.key for row in rows]
    events = find_events(project_id, keys)
    features = StoredFeatures(project_id, events, keys)
    earlier = Prediction.objects.filter(event_id__in=[event.pk for event in events.values()]).order_by("-pk")
    # Of several answers of one deployment, the first one given stays.
    given = {(event, deployment): output for event, deployment, output in earlier.values_list(*_GIVEN)}
    fresh = []
    for row in rows:
        pk = events[row.key].pk
        asked = pk, row.deployment_id
        if not same_features(features.of(row.key), row.features):
            row.error = _taken(row.key)
        elif asked in given:
            row.recall(given[asked])
        else:
            given[asked] = row.output()
            fresh.append(
                Prediction(
                    project_id=project_id,
                    event_id=pk,
                    deployment_id=row.deployment_id,
                    version_id=row.version_id,
                    fallback=row.fallback.rule if row.fallback else "",
                    output=given[asked],
                    at=row.now,
                )
            )
    Prediction.objects.bulk_create(fresh)


_GIVEN = ("event_id", "deployment_id", "output")


def _agree(row: _Row, first: _Row) -> None:
    """Settle a row whose event another row of the same group has just brought."""
    if not same_features(row.features, first.features):
        row.error = _taken(row.key)
    else:
        row.prediction, row.probabilities, row.fallback = first.prediction, first.probabilities, first.fallback


def _taken(key: str) -> UserError:
    return UserError(
        f"The id {key!r} belongs to an event with other features. Use a new id for a new event.",
        code="id_taken",
        status=409,
    )
