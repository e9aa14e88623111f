"""The OpenAPI description: complete, valid, with an example for every operation."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from models_registry.services.deployment import deploy
from tests.factories import make_events, make_token
from tests.models_registry.learned import TREE, make_model, make_run

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(schema):
    for path, methods in schema["paths"].items():
        if path.startswith("/api/v1/"):
            yield from ((path, method, each) for method, each in methods.items() if method in METHODS)


def test_it_is_valid_and_without_warnings(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_every_call_of_the_design_is_there(schema):
    found = {(method, path.removeprefix("/api/v1/")) for path, method, _ in operations(schema)}
    project = "projects/{slug}/"
    expected = {("get", "projects/"), ("post", "projects/"), ("get", "principles/"), ("get", project)}
    expected |= {("post", f"{project}{name}/") for name in ("events", "labels", "predict", "rollback")}
    expected |= {
        (method, f"{project}{name}/") for name in ("models", "runs", "deployments") for method in ("get", "post")
    }
    expected |= {("get", f"{project}{name}/") for name in ("versions", "alarms", "monitors", "assessment")}
    expected |= {("get", f"{project}models/{{model_id}}/"), ("post", f"{project}versions/restore/")}
    expected |= {("get", f"{project}runs/{{number}}/{name}") for name in ("", "metrics/", "set-aside/")}
    expected |= {("post", f"{project}runs/{{number}}/{name}/") for name in ("pause", "resume", "cancel", "publish")}
    expected |= {("get", f"{project}versions/{{number}}/"), ("post", f"{project}versions/{{number}}/verify/")}
    assessment = f"{project}assessment/"
    expected |= {(method, f"{assessment}{name}/") for name in ("experts", "rounds") for method in ("get", "post")}
    expected |= {("post", f"{assessment}experts/{{number}}/{name}/") for name in ("renew", "revoke")}
    expected |= {("get", f"{assessment}rounds/open/"), ("post", f"{assessment}rounds/close/")}
    expected |= {("get", f"{assessment}ballot/")}
    expected |= {("put", f"{assessment}ballot/{name}/") for name in ("{principle}", "weights")}
    said = {("put", "scope/"), ("put", "checklist/{practice}/"), ("put", "assumptions/"), ("post", "scope/preview/")}
    said |= {("post", "close/")} | {("get", f"{name}/") for name in ("scope", "checklist", "assumptions")}
    expected |= {(method, f"{assessment}{path}") for method, path in said}
    assert expected <= found


def test_every_operation_is_explained_with_an_example_and_its_refusals(schema):
    for path, method, operation in operations(schema):
        name = operation["operationId"]
        assert operation.get("summary") and operation.get("description"), name
        content = [operation.get("requestBody", {}), *operation["responses"].values()]
        examples = [kind.get("examples") for each in content for kind in each.get("content", {}).values()]
        assert any(examples), name
        assert {"401", "403", "404", "429"} <= set(operation["responses"]), (method, path)
        assert operation["security"], name


def test_verdicts_of_a_panel_are_told_one_by_one(schema):
    shapes = schema["components"]["schemas"]
    for shape, name in (("MovedOut", "verdict_after"), ("ExplainedOut", "verdict_before"), ("PlanLineOut", "panel")):
        assert "PanelVerdict" in str(shapes[shape]["properties"][name]), (shape, name)
    assert set(shapes["PanelVerdict"]["enum"]) > {"not_yet", "does_not_apply", "unrated"}


def test_a_read_that_can_conflict_says_so(schema):
    reading = {each["operationId"]: each for _, method, each in operations(schema) if method == "get"}
    assert {name for name, each in reading.items() if "409" in each["responses"]} == {"assessment_compare"}


def test_every_call_but_a_stream_says_that_a_long_body_needs_a_length(schema):
    refusing = {path for path, method, each in operations(schema) if method != "get" and "411" in each["responses"]}
    others = {path for path, method, _ in operations(schema) if method != "get"} - refusing
    assert others == {f"/api/v1/projects/{{slug}}/{name}/" for name in settings.LEAN_CALLS}
    assert "/api/v1/projects/{slug}/deployments/" in refusing
    told = schema["paths"]["/api/v1/projects/{slug}/deployments/"]["post"]["responses"]["411"]
    assert told["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorOut")
    assert "Content-Length" in told["description"]
    assert not [path for path, method, each in operations(schema) if method == "get" and "411" in each["responses"]]


def test_bodies_are_described_as_closed(schema):
    for name in (
        "ModelIn",
        "RunIn",
        "DeployIn",
        "RollBackIn",
        "RestoreIn",
        "EventIn",
        "LabelIn",
        "PredictIn",
        "ProjectIn",
        "InviteExpertIn",
        "OpenRoundIn",
        "RoundSettingsIn",
        "BallotAnswerIn",
        "LevelAnswerIn",
        "EstimateIn",
        "BallotWeightsIn",
    ):
        assert schema["components"]["schemas"][name]["additionalProperties"] is False


def test_links_lead_to_calls_that_exist(schema):
    there = {operation["operationId"]: operation for _, _, operation in operations(schema)}
    linked = 0
    for _, _, operation in operations(schema):
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                target = there[link["operationId"]]
                assert link["parameters"].keys() == {
                    each["name"] for each in target["parameters"] if each["in"] == "path"
                }
                linked += 1
    assert linked > 40


@pytest.mark.django_db
def test_null_is_no_value_and_described_as_such(schema, client, project, owner):
    """Of an event everything but its features may be null, in the description as in the calls."""
    make_events(project, 2)
    model = make_model(project, spec=TREE)
    deploy(project=project, version=make_run(model, events=60).versions.first(), actor=owner)
    token = {"Authorization": f"Bearer {make_token(project, actor=owner)}"}
    for path, shape in (("events", "EventIn"), ("predict", "PredictIn")):
        described = schema["components"]["schemas"][shape]["properties"]
        names = {name for name, each in described.items() if each.get("nullable")}
        assert names == described.keys() - {"features"}
        body = {"features": {"x": 1.0}, **dict.fromkeys(names)}
        url = f"/api/v1/projects/{project.slug}/{path}/"
        answer = client.post(url, body, content_type="application/json", headers=token)
        assert answer.status_code == 200, answer.content
        refused = client.post(url, {"features": None}, content_type="application/json", headers=token)
        assert refused.status_code in (400, 422)


def test_streams_and_single_objects_are_described_beside_lists(schema):
    for name in ("events", "labels", "predict"):
        content = schema["paths"][f"/api/v1/projects/{{slug}}/{name}/"]["post"]["requestBody"]["content"]
        assert content["application/x-ndjson"]["examples"]
        body = schema["components"]["schemas"][content["application/json"]["schema"]["$ref"].rpartition("/")[2]]
        one, several = body["oneOf"]
        assert several["items"] == one
        given = schema["components"]["schemas"][one["$ref"].rpartition("/")[2]]["properties"]["id"]
        assert {"type": "integer"} in given["oneOf"]


@pytest.mark.django_db
def test_both_browsers_of_it_are_served_from_here(client):
    for name in ("api_docs", "api_docs_redoc"):
        page = client.get(reverse(name))
        assert page.status_code == 200
        assert "cdn" not in page.content.decode().lower()


@pytest.mark.django_db
@pytest.mark.parametrize("lost", ["nothing/", "nothing", "projects/a%0Ab/", "teams/%0A"])
def test_where_nothing_is_the_answer_is_as_elsewhere(client, lost):
    answer = client.get(f"/api/v1/{lost}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
