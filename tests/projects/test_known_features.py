"""The features of known events are compared a few megabytes at a time: a small body may name gigabytes of them."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models_registry.models import Prediction
from models_registry.services.deployment import deploy
from projects import event_store
from projects.models import Event, Scope
from projects.payload import Incoming
from projects.services.events import accept
from tests.api.calls import Calls
from tests.factories import NOW
from tests.models_registry.learned import make_model, make_run
from tests.models_registry.serving_records import SPEC

pytestmark = pytest.mark.django_db

MB = 2**20
#: What comparing may take beside the slice itself: its decoded texts, and what the two sides of one event take.
MOST = 20 * MB


def large(number):
    """About a megabyte of features."""
    return {f"t{part}": f"{number}-{part}-" + "x" * 9_980 for part in range(100)} | {"x": 1.0, "y": 1.0}


def known(project, count):
    for number in range(count):
        accept(project_id=project.pk, items=[Incoming(1, f"k{number}", large(number))], now=NOW)


def traced(call):
    """Return what a call returned, and how much memory it took at most."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        return call(), tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_what_is_known(project):
    known(project, 60)
    items = [Incoming(number, f"k{number}", {"x": 1.0}) for number in range(60)]
    receipt, taken = traced(lambda: accept(project_id=project.pk, items=items, now=NOW))
    assert [one.line for one in receipt.rejected] == list(range(60))
    assert taken < MOST, f"{taken / MB:.0f} MB"


def test_nor_that_of_predictions(project, owner):
    run = make_run(make_model(project, "linear", SPEC), events=60)
    deploy(project=project, version=run.versions.first(), actor=owner)
    known(project, 60)
    api = Calls(project, Scope.PREDICT)
    before = Prediction.objects.count()
    body = [{"id": f"k{number}", "features": {"x": 1.0, "y": 1.0}} for number in range(60)]
    assert api.post("predict/", {"features": {"x": 1.0, "y": 1.0}}).status_code == 200  # River is here, the model too
    answer, taken = traced(lambda: api.post("predict/", body))
    assert {each["error"]["code"] for each in json.loads(answer.content)["predictions"]} == {"id_taken"}
    assert Prediction.objects.count() == before + 1
    assert taken < MOST, f"{taken / MB:.0f} MB"


def test_each_is_compared_with_its_own_whatever_the_order(project):
    known(project, 12)
    order = [11, 3, 0, 3, 7, 0, 11, 5]
    items = [
        Incoming(line, f"k{number}", large(number if line % 2 else number + 100)) for line, number in enumerate(order)
    ]
    receipt = accept(project_id=project.pk, items=items, now=NOW)
    assert [one.line for one in receipt.rejected] == [0, 2, 4, 6]
    assert (receipt.duplicates, Event.objects.count()) == (4, 12)


def test_what_is_asked_in_order_is_read_once(project):
    known(project, 12)
    items = [Incoming(line, f"k{line}", large(line)) for line in range(12)]
    with CaptureQueriesContext(
        connection,
    ) as seen:
        receipt = accept(project_id=project.pk, items=items, now=NOW)
    assert receipt.duplicates == 12
    reads = [one for one in seen.captured_queries if one["sql"].startswith("SELECT key, features")]
    assert len(reads) == -(-12 // (event_store.SLICE // MB))
