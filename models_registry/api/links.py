"""OpenAPI links: which call takes what another one answered, so that tools can chain them."""

from __future__ import annotations

from typing import Any

_NUMBER = {"number": "$response.body#/number"}
_VERSION = {"version": "$response.body#/number"}
_FIRST = {"number": "$response.body#/results/0/number"}
_RUN = ("runs_get", "runs_metrics", "runs_set_aside", "runs_pause", "runs_resume", "runs_cancel", "runs_publish")
_PROPOSAL = ("proposals_read", "proposals_approve", "proposals_decline", "proposals_withdraw")

#: Operation and status of the answer, the operations that go on from it, their parameters and fields of their body.
LINKS: tuple[tuple[str, str, tuple[str, ...], dict[str, str], dict[str, str]], ...] = (
    ("models_create", "201", ("models_get",), {"model_id": "$response.body#/id"}, {}),
    ("models_create", "201", ("runs_create",), {}, {"model": "$response.body#/id"}),
    ("models_list", "200", ("runs_create",), {}, {"model": "$response.body#/results/0/id"}),
    ("runs_create", "201", (*_RUN, "runs_describe"), _NUMBER, {}),
    ("runs_create", "201", ("versions_restore",), {}, {"run": "$response.body#/number"}),
    ("runs_list", "200", _RUN, _FIRST, {}),
    ("runs_publish", "200", ("versions_get", "versions_verify"), _NUMBER, {}),
    ("runs_publish", "200", ("deployments_create", "challengers_create"), {}, _VERSION),
    ("versions_restore", "200", ("deployments_create", "challengers_create"), {}, _VERSION),
    ("versions_restore", "202", ("runs_get", "runs_cancel"), _NUMBER, {}),
    ("versions_verify", "202", ("runs_get", "runs_cancel"), _NUMBER, {}),
    ("versions_list", "200", ("versions_get", "versions_verify", "challengers_stop"), _FIRST, {}),
    ("versions_list", "200", ("deployments_create",), {}, {"version": "$response.body#/results/0/number"}),
    ("deployments_create", "201", ("predict", "canary_abort", "deployments_live"), {}, {}),
    ("deployments_create", "201", ("rollback",), {}, {"expected": "$response.body#/number"}),
    ("deployments_create", "202", _PROPOSAL, _NUMBER, {}),
    ("proposals_list", "200", _PROPOSAL, _FIRST, {}),
    (
        "challengers_create",
        "201",
        ("challengers_stop",),
        {"number": "$response.body#/results/0/version"},
        {},
    ),
    ("comparisons_create", "201", ("comparisons_get",), _NUMBER, {}),
    ("rollback", "201", ("predict", "deployments_live"), {}, {}),
)


def add_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the links to the description, all within one project."""
    operations = {
        operation["operationId"]: operation
        for methods in result.get("paths", {}).values()
        for operation in methods.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    for source, status, targets, parameters, fields in LINKS:
        answer = operations[source]["responses"][status]
        for target in targets:
            link: dict[str, Any] = {
                "operationId": target,
                "parameters": {"slug": "$request.path.slug"} | parameters,
            }
            if fields:
                link["requestBody"] = dict(fields)
            answer.setdefault("links", {})[target] = link
    return result
