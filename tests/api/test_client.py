"""The Python client against a live server on the real database, with connections that drop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from ops_portal_client import ApiError, Client, Proposal, Unreachable

from models_registry.models import Deployment, Prediction, Run
from projects.models import Event, Fallback, LabelCorrection, Role
from tests.factories import make_member, make_token, make_user, sample
from tests.models_registry.learned import TREE, learn, make_model
from tests.models_registry.serving_records import add_model, add_run, add_version


class DroppingProxy:
    """Hands connections on to a server; of the next `drops` requests the server's answer is thrown away."""

    def __init__(self, address: str) -> None:
        self.upstream = httpx.URL(address)
        self.drops = 0
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection((self.upstream.host, self.upstream.port))
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(65536):
                if answers and self.drops:
                    self.drops -= 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self.listener.close()


@pytest.fixture
def proxy(live_server) -> Iterator[DroppingProxy]:
    proxy = DroppingProxy(live_server.url)
    yield proxy
    proxy.close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def portal(proxy, project, owner, waits) -> Iterator[Client]:
    with Client(proxy.url, project.slug, make_token(project, actor=owner), sleep=waits.append) as client:
        yield client


def events(count: int, start: int = 0) -> Iterator[dict]:
    for number in range(start, start + count):
        features, label = sample(number)
        yield {"features": features, "label": label}


def test_the_whole_way(portal, project):
    receipt = portal.send(events(120))
    assert (receipt.accepted, receipt.taken, receipt.rejected) == (120, 120, ())
    make_model(project, spec=TREE)
    run = portal.start_run("Tree", seed=1, publish_every=60)
    learn(Run.objects.get(number=run.number))
    done = portal.wait_for_run(run.number, seconds=5)
    assert (done.state, done.position, done.finished_at is not None) == ("completed", 120, True)
    assert [each.number for each in portal.versions(run=run.number)] == [2, 1]
    assert [each.number for each in portal.runs(state="completed")] == [1]
    first, second = portal.deploy(1), portal.deploy(2, reason="better")
    assert (first.previous, second.previous, second.kind) == (None, 1, "deploy")
    answer = portal.predict(sample(500)[0])
    assert answer.version == 2 and sum(answer.probabilities.values()) == pytest.approx(1)
    assert portal.label(answer.id, True, at=timezone.now()).accepted == 1
    assert Event.objects.get(key=answer.id).label_at is not None
    back = portal.rollback("worse", since="challenger")
    assert (back.version, back.kind, back.since) == (1, "rollback", "challenger")
    assert portal.predict(sample(500)[0]).version == 1
    assert [each.number for each in portal.deployments()] == [3, 2, 1]


def test_events_whose_answer_was_lost_are_there_once(portal, proxy, project, waits):
    proxy.drops = 2
    receipt = portal.send(events(2500))
    assert len(waits) == 2
    assert receipt.taken == 2500
    assert receipt.duplicates >= 1000, "what had arrived the first time"
    project.refresh_from_db()
    assert (project.event_count, project.last_position, Event.objects.count()) == (2500, 2500, 2500)
    proxy.drops = 1
    keys = list(Event.objects.values_list("key", flat=True)[:3])
    assert portal.label_many((key, False) for key in keys).taken == 3
    assert LabelCorrection.objects.count() <= 3


def test_a_prediction_whose_answer_was_lost_names_one_event(portal, proxy, project):
    portal.send(events(60))
    make_model(project, spec=TREE)
    learn(Run.objects.get(number=portal.start_run("Tree").number))
    portal.deploy(1)
    portal.predict(sample(1)[0])
    proxy.drops = 1
    answer = portal.predict(sample(7)[0])
    assert Event.objects.filter(key=answer.id).count() == 1
    assert Event.objects.count() == 62
    assert Prediction.objects.filter(event__key=answer.id).exists()


def test_a_canary_and_what_waits(portal, project):
    for number in (1, 2, 3):
        add_version(add_run(add_model(project, f"m{number}")))
    portal.deploy(1)
    canary = portal.deploy(2, canary=5, reason="try")
    assert (canary.kind, canary.version, canary.canary, canary.canary_share) == ("canary", 1, 2, 5)
    assert portal.abort_canary("slow").canary is None
    at = timezone.now() + timedelta(hours=2)
    waiting = portal.deploy(3, at=at, reason="tonight")
    assert isinstance(waiting, Proposal) and (waiting.version, waiting.at, waiting.needs_approval) == (3, at, False)
    assert portal.deploy(3, at=at, reason="tonight").number == waiting.number, "the same again is the same"
    assert Deployment.objects.count() == 3


def test_a_second_person_settles_what_was_proposed(portal, proxy, project, team):
    project.deploys_need_approval = True
    project.save()
    for number in (1, 2, 3):
        add_version(add_run(add_model(project, f"m{number}")))
    mia = make_user("mia")
    make_member(team, mia, Role.MAINTAINER)
    first, second, third = (portal.deploy(number, reason="try") for number in (1, 2, 3))
    with pytest.raises(ApiError) as refused:
        portal.approve(first.number)
    assert refused.value.code == "own_proposal"
    with Client(proxy.url, project.slug, make_token(project, actor=mia), sleep=lambda _: None) as colleague:
        proxy.drops = 1
        done = colleague.approve(first.number, "looked at the curve")
        assert [step.kind for step in done.steps] == ["approved", "done"] and done.settled
        assert (done.steps[0].created_by, done.steps[0].note) == ("mia", "looked at the curve")
        no = colleague.decline(second.number, "too few labels")
        assert [(step.kind, step.note) for step in no.steps] == [("declined", "too few labels")]
        with pytest.raises(ApiError) as refused:
            colleague.approve(second.number)
        assert refused.value.code == "conflict", "it was declined"
    assert portal.withdraw(third.number).steps[0].kind == "withdrawn"
    assert [each.number for each in portal.proposals()] == [3, 2, 1]
    assert portal.proposal(1).action == "deploy"
    assert next(portal.deployments()).proposal == first.number
    assert Deployment.objects.count() == 1


def test_challengers_predict_in_the_shadow(portal, project):
    for number in (1, 2, 3):
        add_version(add_run(add_model(project, f"m{number}")))
    portal.deploy(1)
    assert portal.challengers() == ()
    portal.add_challenger(2, "newer")
    both = portal.add_challenger(3)
    assert [each.version for each in both] == [3, 2]
    newer = both[1]
    assert (newer.reason, newer.asked, newer.verdict, newer.created_by) == ("newer", 0, None, "olga")
    assert newer.since <= timezone.now()
    with pytest.raises(ApiError) as refused:
        portal.add_challenger(2)
    assert refused.value.code == "already_shadow"
    assert [each.version for each in portal.stop_challenger(3)] == [2]


def test_a_fallback_is_told_apart(portal, project):
    project.fallback = Fallback.LAST
    project.save()
    portal.send(events(3))
    answer = portal.predict(sample(7)[0])
    assert (answer.version, answer.deployment) == (None, None)
    assert (answer.fallback["rule"], answer.fallback["code"]) == ("last", "nothing_deployed")


def test_deploying_and_rolling_back_twice_changes_things_once(portal, proxy, project, owner):
    for number in (1, 2, 3):
        add_version(add_run(add_model(project, f"m{number}")))
    for number in (1, 2, 3):
        portal.deploy(number)
    assert next(portal.deployments()).number == 3

    def lose_the_answer_to_the_post(change, **arguments):
        ask = portal._transport._http.request

        def request(method, path, **options):
            if method == "POST" and "lost" not in seen:
                seen.append("lost")
                proxy.drops = 1
            return ask(method, path, **options)

        seen: list[str] = []
        portal._transport._http.request = request
        made = change(**arguments)
        portal._transport._http.request = ask
        assert seen == ["lost"] and proxy.drops == 0
        return made

    back = lose_the_answer_to_the_post(portal.rollback, reason="worse", since="challenger")
    assert (back.number, back.version) == (4, 2)
    again = lose_the_answer_to_the_post(portal.deploy, version=3, reason="mended")
    assert (again.number, again.version) == (5, 3)
    assert Deployment.objects.count() == 5


def test_starting_a_run_is_not_repeated_when_it_may_have_arrived(portal, proxy, project):
    portal.send(events(30))
    make_model(project, spec=TREE)
    proxy.drops = 1
    with pytest.raises(Unreachable):
        portal.start_run("Tree")
    assert [run.number for run in portal.runs()] == [1], "it did arrive"


def test_refusals_say_why(portal, project):
    with pytest.raises(ApiError) as refused:
        portal.predict({"x": 1})
    assert (refused.value.status, refused.value.code) == (409, "nothing_deployed")
    with pytest.raises(ApiError) as refused:
        portal.start_run("Nobody")
    assert "model" in refused.value.fields
    with pytest.raises(ApiError) as refused:
        portal.deploy(1)
    assert "version" in refused.value.fields
    receipt = portal.send([{"features": {"x": 1.0}}, {"features": {}}, {"features": {"x": float("nan")}}])
    assert (receipt.accepted, receipt.rejected_count) == (1, 2)
    assert [each.index for each in receipt.rejected] == [1, 2]
    nothing = portal.send([{"features": {}}])
    assert (nothing.taken, nothing.rejected[0].index) == (0, 0)
    assert portal.send([]).taken == 0


def test_lists_of_many_pages_come_whole(portal, project):
    model = add_model(project)
    for _ in range(55):
        add_run(model)
    assert [run.number for run in portal.runs()] == list(range(55, 0, -1))


# --- without a server -----------------------------------------------------------------------------


def answering(*answers: httpx.Response | Exception, waits: list[float], **options) -> Client:
    """A client whose portal gives these answers one after the other."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client("http://portal", "p", "t", sleep=waits.append, transport=httpx.MockTransport(handle), **options)


OK = httpx.Response(200, json={"id": "a", "prediction": True, "version": 1, "deployment": 1, "newer": "field"})


def test_it_waits_as_long_as_it_is_told_and_longer_each_time(waits):
    client = answering(
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(500),
        httpx.ReadError("gone"),
        httpx.ConnectError("down"),
        OK,
        waits=waits,
    )
    assert client.predict({"x": 1}).prediction is True
    assert waits[0] == 7
    assert waits[1] < waits[2] < waits[3]


def test_it_gives_up(waits):
    with pytest.raises(Unreachable):
        answering(*[httpx.ConnectError("down")] * 3, waits=waits, retries=2).predict({"x": 1})
    with pytest.raises(ApiError) as refused:
        answering(*[httpx.Response(502, text="<html>")] * 3, waits=waits, retries=2).predict({"x": 1})
    assert refused.value.status == 502
    assert len(waits) == 4


def test_a_run_is_started_again_only_where_it_surely_did_not_arrive(waits):
    started = httpx.Response(
        201,
        json={
            **dict.fromkeys(("number", "model", "seed", "position", "start_position", "learned", "set_aside"), 1),
            "model_name": "m",
            "mode": "replay",
            "purpose": "learn",
            "state": "queued",
            "target_position": 5,
            "created_at": "2026-05-04T12:00:00Z",
        },
    )
    client = answering(httpx.ConnectError("down"), httpx.Response(429), httpx.Response(503), started, waits=waits)
    assert client.start_run(1).created_at.year == 2026
    with pytest.raises(Unreachable):
        answering(httpx.ReadTimeout("slow"), started, waits=waits).start_run(1)
    with pytest.raises(ApiError):
        answering(httpx.Response(500), started, waits=waits).start_run(1)
