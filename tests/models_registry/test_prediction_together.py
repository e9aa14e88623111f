"""Predicting from many threads at once: nothing is lost, counted twice, or answered by what was replaced."""

from __future__ import annotations

import json
import threading
import time

import pytest

from models_registry.models import Prediction
from models_registry.services import serving
from models_registry.services.deployment import roll_back
from models_registry.services.prediction import Answer, predict_many
from ops_portal.errors import UserError
from projects.models import Event
from projects.payload import Incoming
from projects.services.events import accept
from tests.factories import NOW
from tests.models_registry.asked import ask, serve
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_in_memory():
    serving._loaded.clear()


def test_eight_threads_lose_nothing(project, owner):
    serve(project, owner)
    answers = in_threads(8, lambda thread: [ask(project, f"{thread}-{n}", x=n / 40, y=0.5) for n in range(40)])
    given = {answer.id: answer.prediction for part in answers for answer in part}
    kept = dict(Prediction.objects.values_list("event__key", "output"))
    assert {key: json.loads(output)["prediction"] for key, output in kept.items()} == given and len(given) == 320
    project.refresh_from_db()
    assert project.event_count == Event.objects.count() == 440


def test_the_same_id_from_eight_sides_is_one_event_and_one_answer(project, owner):
    serve(project, owner)
    for round_ in range(5):
        answers = in_threads(8, lambda thread, key=f"same-{round_}": ask(project, key, x=0.4, y=0.4))
        assert len(set(map(repr, answers))) == 1
    assert Prediction.objects.count() == 5
    project.refresh_from_db()
    assert project.event_count == Event.objects.count() == 125


def test_one_bad_call_fails_alone(project, owner):
    serve(project, owner)
    ask(project, "taken", x=0.1, y=0.1)

    def work(thread):
        found = []
        for n in range(15):
            try:
                if thread % 2:
                    found.append(ask(project, "taken", x=0.5, y=thread / 10 + n / 1000))
                else:
                    found.append(ask(project, f"good-{thread}-{n}", x=0.5, y=0.5))
            except UserError as error:
                found.append(error.code)
        return found

    results = in_threads(6, work)
    assert all(isinstance(answer, Answer) for part in results[::2] for answer in part)
    assert {code for part in results[1::2] for code in part} == {"id_taken"}


def test_predicting_and_sending_the_same_ids_at_once(project, owner):
    """The one takes the project's lock first, the other last; neither may wait for ever, nor count twice."""
    serve(project, owner)

    def work(thread):
        for n in range(12):
            keys = [f"k{n}-{place}" for place in range(4)]
            items = [Incoming(1, key, {"x": 0.5, "y": 0.5}) for key in keys]
            if thread % 2:
                accept(project_id=project.pk, items=items[::-1], now=NOW)
            else:
                predict_many(project=project, items=items, now=NOW)

    in_threads(6, work)
    project.refresh_from_db()
    assert project.event_count == Event.objects.count() == 120 + 48


def test_every_answer_comes_from_what_was_deployed_while_it_was_asked(project, owner):
    first, second = serve(project, owner), serve(project, owner, events=60)
    #: When each version began to serve, at the latest (`committed`) and at the earliest (`asked`).
    facts = [(0.0, 0.0, second.number)]
    stop = threading.Event()

    def work(thread):
        found = []
        if thread == 0:
            targets = [first, second]
            for turn in range(12):
                asked = time.monotonic()
                roll_back(project=project, actor=owner, since="challenger", reason="test", to=targets[turn % 2])
                facts.append((asked, time.monotonic(), targets[turn % 2].number))
                # After the call returned, the very next answer is the restored version's.
                assert ask(project, x=0.3, y=turn / 12).version == targets[turn % 2].number
                time.sleep(0.02)
            stop.set()
        while not stop.is_set():
            asked = time.monotonic()
            version = ask(project, x=0.3, y=0.3).version
            found.append((asked, time.monotonic(), version))
        return found

    answers = [answer for part in in_threads(8, work) for answer in part]
    assert len(answers) > 30
    ends = [fact[1] for fact in facts[1:]] + [float("inf")]
    for sent, back, version in answers:
        possible = {
            number for (asked, _, number), end in zip(facts, ends, strict=True) if asked <= back and end >= sent
        }
        assert version in possible
