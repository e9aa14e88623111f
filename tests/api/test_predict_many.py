"""Several predictions by one call: a list or NDJSON, each event with its answer or its error, all by one version."""

from __future__ import annotations

import json

import pytest

from models_registry.models import Prediction, Version
from models_registry.services import serving
from models_registry.services.deployment import deploy
from projects.models import Event, Scope
from tests.api.calls import Calls, refused
from tests.models_registry.learned import make_model, make_run
from tests.models_registry.serving_records import SPEC

pytestmark = pytest.mark.django_db

NDJSON = "application/x-ndjson"


@pytest.fixture
def api(project, owner):
    serving._loaded.clear()
    run = make_run(make_model(project, "linear", SPEC), events=60)
    deploy(project=project, version=Version.objects.get(run=run), actor=owner)
    return Calls(project, Scope.PREDICT)


def event(number, **others):
    return {"id": f"e-{number}", "features": {"x": number / 10, "y": 0.5}} | others


def test_a_list_is_answered_in_its_order(api):
    one_by_one = [api.post("predict/", event(number)).json() for number in range(5)]
    said = api.post("predict/", [event(number) for number in range(10)]).json()
    assert said["failed"] == 0 and said["predictions"][:5] == one_by_one
    assert [each["id"] for each in said["predictions"]] == [f"e-{number}" for number in range(10)]
    kept = {
        key: json.loads(output)["prediction"] for key, output in Prediction.objects.values_list("event__key", "output")
    }
    assert kept == {each["id"]: each["prediction"] for each in said["predictions"]}


def test_a_list_of_one_is_answered_as_a_list(api):
    assert len(api.post("predict/", [event(1)]).json()["predictions"]) == 1


def test_what_is_wrong_is_said_by_line_and_the_rest_is_answered(api):
    body = b"\n".join(
        [
            json.dumps(event(1)).encode(),
            b"{broken",
            b"",
            json.dumps({"features": {"x": float("nan")}}).encode(),
            json.dumps(event(2)).encode(),
            json.dumps({"id": "t", "features": {"x": "a text", "y": 1}}).encode(),
            json.dumps({"id": "e-1", "features": {"x": 77}}).encode(),
        ]
    )
    said = api.post("predict/", body, content_type=NDJSON).json()
    told = {each.get("line"): each["error"]["code"] for each in said["predictions"] if "error" in each}
    assert told == {2: "invalid", 4: "invalid", 6: "prediction_failed", 7: "id_taken"}
    assert [each["id"] for each in said["predictions"] if "id" in each] == ["e-1", "e-2"]
    assert said["failed"] == 4 and Prediction.objects.count() == 2


def test_nothing_predicted_is_422(api):
    answer = api.post("predict/", [{"features": {}}, {"features": {"x": []}}])
    assert answer.status_code == 422
    assert answer.json()["failed"] == 2 and answer.json()["error"]["code"] == "rejected"


def test_limits(api):
    assert len(api.post("predict/", [event(number) for number in range(1_000)]).json()["predictions"]) == 1_000
    before = Event.objects.count()
    refused(api.post("predict/", [event(number) for number in range(2_000, 3_001)]), 400, code="too_many")
    line = json.dumps({"features": {f"t{number}": "x" * 10_000 for number in range(100)}}).encode() + b"\n"
    refused(api.post("predict/", line * 11, content_type=NDJSON), 400, code="invalid")
    refused(api.post("predict/", []), 400)
    refused(api.post("predict/", b"\n \n", content_type=NDJSON), 400)
    refused(api.post("predict/", event(1), content_type="text/plain"), 415)
    assert Event.objects.count() == before


def test_a_batch_asks_few_questions(api, django_assert_max_num_queries):
    api.post("predict/", event(1))
    with django_assert_max_num_queries(8):
        assert api.post("predict/", [event(number) for number in range(100, 600)]).json()["failed"] == 0


def test_a_label_sent_along_is_refused_not_lost(api):
    message = refused(api.post("predict/", event(1, label=True)), 400, code="invalid")["message"]
    assert "send it to labels/" in message
    assert not Event.objects.filter(key="e-1").exists()
