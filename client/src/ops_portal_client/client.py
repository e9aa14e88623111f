"""The client: one project of one portal, with a token."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

import httpx

from ops_portal_client.answers import Challenger, Deployment, Prediction, Proposal, Receipt, Rejection, Run, Version
from ops_portal_client.errors import ApiError
from ops_portal_client.transport import Transport

#: A batch goes as soon as it has so many items or bytes.
BATCH_ITEMS = 1_000
BATCH_BYTES = 4 * 2**20
#: What the portal answers when none of a batch was taken; the receipt is in it.
NOTHING_TAKEN = 422


class Client:
    """One project of one portal.

    Events and labels are sent with ids, made here where there are none, so that repeating a call whose answer got lost
    never doubles anything. Close it, or use it as a context manager.

    Parameters
    ----------
    base_url
        Address of the portal, such as `https://portal.example.org`.
    project
        The project as its address names it.
    token
        A token of the project, with the scopes of what is called: `ingest` (send, label), `predict`, `read` (runs,
        versions, deployments, proposals, challengers), `manage` (start_run, deploy, rollback and every other change).
    timeout, retries, backoff
        Seconds to wait for an answer, how often to repeat, and seconds before the first repetition (doubled each time).

    """

    def __init__(
        self,
        base_url: str,
        project: str,
        token: str,
        *,
        timeout: float = 30.0,
        retries: int = 5,
        backoff: float = 0.2,
        sleep: Callable[[float], object] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(
            base_url, token, timeout=timeout, retries=retries, backoff=backoff, sleep=sleep, transport=transport
        )
        self._root = f"/api/v1/projects/{project}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    # --- the stream -------------------------------------------------------------------------------

    def predict(
        self, features: Mapping[str, Any], *, id: str | None = None, at: datetime | str | None = None
    ) -> Prediction:
        """Ask the deployed model; features and answer are stored, so that the label can follow by `id`."""
        event = {"id": id or uuid4().hex, "features": dict(features)} | _when(at)
        return Prediction.of(self._post("predict/", event, safe=True))

    def label(self, id: str, label: Any, *, at: datetime | str | None = None) -> Receipt:
        """Tell what was observed, and when, for the event `id`; it may come before the event, and waits for it then."""
        return self._stream("labels/", [{"id": id, "label": label} | _when(at)])

    def label_many(self, labels: Iterable[tuple[str, Any] | tuple[str, Any, datetime | str | None]]) -> Receipt:
        """Tell what was observed for many events: tuples of id and label, and when it was observed if known."""
        items = ((*each, None)[:3] for each in labels)
        return self._stream("labels/", ({"id": id, "label": label} | _when(at) for id, label, at in items))

    def send(self, events: Iterable[Mapping[str, Any]]) -> Receipt:
        """Send events in batches: each has `features`, and may have `id`, `label`, `at` and `label_at`.

        Any number of them, from a generator too: they are sent as they come. Rejected items are in the receipt; the
        good ones beside them are taken.
        """
        return self._stream("events/", map(_named, events))

    # --- runs and versions ------------------------------------------------------------------------

    def runs(self, *, state: str | None = None, model: int | None = None) -> Iterator[Run]:
        """Yield the runs, newest first."""
        return map(Run.of, self._pages("runs/", state=state, model=model))

    def run(self, number: int) -> Run:
        """Return one run."""
        return Run.of(self._get(f"runs/{number}/"))

    def start_run(
        self,
        model: int | str,
        mode: str = "replay",
        *,
        from_version: int | None = None,
        seed: int | None = None,
        publish_every: int | None = None,
    ) -> Run:
        """Start a run of a model (its id or name): `replay` or `follow`.

        Two runs of one model are two wishes to the portal, so this call is repeated only where it surely did not
        arrive. On `Unreachable`, look at `runs()` before starting it again.
        """
        asked = {"from_version": from_version, "seed": seed, "publish_every": publish_every}
        body = {"model": model, "mode": mode} | {name: value for name, value in asked.items() if value is not None}
        return Run.of(self._post("runs/", body, safe=False))

    def wait_for_run(self, number: int, *, seconds: float = 600.0, every: float = 0.5) -> Run:
        """Wait until a run is over, and return it; `TimeoutError` when that takes longer than `seconds`."""
        until = time.monotonic() + seconds
        while not (run := self.run(number)).ended:
            if time.monotonic() > until:
                raise TimeoutError(f"Run {number} is {run.state} at position {run.position} after {seconds:.0f} s.")
            time.sleep(every)
        return run

    def versions(self, *, run: int | None = None, model: int | None = None) -> Iterator[Version]:
        """Yield the versions, newest first."""
        return map(Version.of, self._pages("versions/", run=run, model=model))

    # --- serving ----------------------------------------------------------------------------------

    def deployments(self) -> Iterator[Deployment]:
        """Yield the deployments, newest first: the first says what serves now."""
        return map(Deployment.of, self._pages("deployments/"))

    def deploy(
        self,
        version: int,
        *,
        mode: str = "pin",
        canary: int | None = None,
        at: datetime | str | None = None,
        reason: str = "",
    ) -> Deployment | Proposal:
        """Let a version serve from now on; with mode `follow`, its run's newest checkpoint. Safe to repeat.

        With `canary` it answers that many per cent of the traffic beside what serves; deploying it again without
        promotes it. A `Proposal` comes back when it waits: for the time `at`, or for a second person where the project
        asks for one.
        """
        body = {"version": version, "mode": mode, "reason": reason} | _when(at)
        return self._change("deployments/", body | ({} if canary is None else {"canary": canary}))

    def abort_canary(self, reason: str = "") -> Deployment:
        """Take the canary back: what serves answers everything again."""
        return Deployment.of(self._post("deployments/canary/abort/", {"reason": reason}, safe=False))

    def rollback(self, reason: str, *, since: str, to: int | None = None) -> Deployment:
        """Restore a version (by default the last good one): live for the next prediction. Safe to repeat.

        `since` settles what was learned since: `drop`, `replay` (a run learns it again) or `challenger`.
        """
        body = {"reason": reason, "since": since} | ({} if to is None else {"to": to})
        made = self._change("rollback/", body)
        assert isinstance(made, Deployment), "rolling back waits for nobody"
        return made

    # --- challengers ------------------------------------------------------------------------------

    def challengers(self) -> tuple[Challenger, ...]:
        """Return the versions that predict in the shadow, newest first, each with its test against what serves."""
        return _challengers(self._get("challengers/"))

    def add_challenger(self, version: int, reason: str = "") -> tuple[Challenger, ...]:
        """Let a version predict in the shadow of what serves, answering nobody; return all challengers.

        Like `abort_canary`, this is repeated only where it surely did not arrive.
        """
        return _challengers(self._post("challengers/", {"version": version, "reason": reason}, safe=False))

    def stop_challenger(self, version: int) -> tuple[Challenger, ...]:
        """Let a challenger predict no longer; return the others. Repeated only where it surely did not arrive."""
        return _challengers(self._post(f"challengers/{version}/stop/", {}, safe=False))

    # --- proposals --------------------------------------------------------------------------------

    def proposals(self) -> Iterator[Proposal]:
        """Yield what waits or waited for its time or for a second person, newest first."""
        return map(Proposal.of, self._pages("deployments/proposals/"))

    def proposal(self, number: int) -> Proposal:
        """Return one proposal, with what happened to it."""
        return Proposal.of(self._get(f"deployments/proposals/{number}/"))

    def approve(self, number: int, note: str = "") -> Proposal:
        """Agree to what somebody else proposed: it is carried out at once, or at its time. Safe to repeat."""
        return self._settle(number, "approve", "approved", note)

    def decline(self, number: int, note: str) -> Proposal:
        """Refuse a proposal, saying why. Safe to repeat."""
        return self._settle(number, "decline", "declined", note)

    def withdraw(self, number: int, note: str = "") -> Proposal:
        """Take back a proposal, or a deployment that waits for its time. Safe to repeat."""
        return self._settle(number, "withdraw", "withdrawn", note)

    def _settle(self, number: int, decision: str, step: str, note: str) -> Proposal:
        try:
            return Proposal.of(self._post(f"deployments/proposals/{number}/{decision}/", {"note": note}, safe=True))
        except ApiError as refused:
            if refused.code != "conflict":
                raise
            # A repeated call meets its own effect: the step that was asked for is there.
            proposal = self.proposal(number)
            if not any((each.kind, each.note) == (step, note.strip()) for each in proposal.steps):
                raise
            return proposal

    def _change(self, path: str, body: Mapping[str, Any]) -> Deployment | Proposal:
        """Change what serves, saying which deployment is expected to serve now: done once, however often it is sent."""
        newest = next(self.deployments(), None)
        expected = newest.number if newest else 0
        try:
            answer = self._post(path, {**body, "expected": expected}, safe=True)
            return Proposal.of(answer) if "needs_approval" in answer else Deployment.of(answer)
        except ApiError as refused:
            if refused.code != "conflict":
                raise
            # A repeated call meets its own effect: the deployment after the expected one is what was asked for.
            made = next((each for each in self.deployments() if each.number == expected + 1), None)
            if made is None or not _matches(made, path, body):
                raise
            return made

    # --- requests ---------------------------------------------------------------------------------

    def _get(self, path: str, **query: Any) -> Mapping[str, Any]:
        params = {name: value for name, value in query.items() if value is not None}
        return self._transport.request("GET", self._root + path, safe=True, params=params)

    def _post(self, path: str, body: Any, *, safe: bool) -> Mapping[str, Any]:
        return self._transport.request("POST", self._root + path, safe=safe, json=body)

    def _pages(self, path: str, **query: Any) -> Iterator[Mapping[str, Any]]:
        page = self._get(path, **query)
        yield from page["results"]
        while page["next"]:
            page = self._transport.request("GET", page["next"], safe=True)
            yield from page["results"]

    def _stream(self, path: str, items: Iterable[Mapping[str, Any]]) -> Receipt:
        receipt = Receipt()
        sent = 0
        for count, body in _batches(items):
            answer = self._transport.request(
                "POST",
                self._root + path,
                safe=True,
                accept=frozenset({NOTHING_TAKEN}),
                content=body,
                headers={"Content-Type": "application/x-ndjson"},
            )
            receipt = receipt.plus(_receipt(answer, sent))
            sent += count
        return receipt


def _batches(items: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, bytes]]:
    """Yield items as NDJSON, with how many they are."""
    lines: list[bytes] = []
    size = 0
    for item in items:
        line = json.dumps(item, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
        if lines and (len(lines) >= BATCH_ITEMS or size + len(line) > BATCH_BYTES):
            yield len(lines), b"\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield len(lines), b"\n".join(lines)


def _plain(value: Any) -> Any:
    """Write what is no JSON as the plain value it stands for: NumPy's scalars, for instance."""
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{value!r} is neither a number, a text, a boolean nor None")


def _named(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give an event an id where it has none: made before it is sent, so that repeating changes nothing."""
    given = {name: value for name, value in event.items() if not (name in ("id", "at", "label_at") and value is None)}
    return {"id": uuid4().hex} | given


def _when(at: datetime | str | None) -> dict[str, str]:
    return {} if at is None else {"at": at.isoformat() if isinstance(at, datetime) else at}


def _receipt(answer: Mapping[str, Any], before: int) -> Receipt:
    rejected = tuple(Rejection(before + each["line"] - 1, each["error"]) for each in answer.get("rejected", ()))
    return Receipt(
        answer["accepted"],
        answer["duplicates"],
        answer["corrections"],
        answer["rejected_count"],
        rejected,
        answer.get("waiting", 0),
    )


def _challengers(answer: Mapping[str, Any]) -> tuple[Challenger, ...]:
    return tuple(map(Challenger.of, answer["results"]))


def _matches(made: Deployment, path: str, body: Mapping[str, Any]) -> bool:
    if path == "rollback/":
        kinds, version = {"rollback"}, body.get("to", made.version)
    elif "canary" in body:
        kinds, version = {"canary", "widen"}, made.version
    else:
        kinds, version = {"deploy", "promote"}, body["version"]
    same = (made.version, made.reason) == (version, str(body["reason"]).strip())
    return same and made.kind in kinds and ("canary" not in body or made.canary == body["version"])
