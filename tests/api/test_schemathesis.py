"""Generated requests against the OpenAPI description, in this process: no 5xx, no answer that is not described."""

from __future__ import annotations

import os

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from assessments.services.board import open_board, say
from assessments.services.editions import start_draft
from assessments.services.panel_rounds import invite_member, open_round
from assessments.services.scope import ProfileDraft, save_profile
from models_registry.services.deployment import deploy
from tests.assessments.test_results import hold_round
from tests.factories import make_events, make_token
from tests.models_registry.learned import TREE, make_model, make_run

#: Requests that fit and that do not, for each operation; more of them find more, and take longer.
EXAMPLES = int(os.environ.get("OPS_PORTAL_EXAMPLES", "3"))


@pytest.fixture
def used_project(project, owner, client):
    """A project with a past: events, runs, versions, deployments, closed rounds of a panel."""
    model = make_model(project, spec=TREE)
    make_run(model, events=60, publish_every=30, seed=1)
    for version in model.versions.order_by("number"):
        deploy(project=project, version=version, actor=owner)
    make_events(project, 5, start=60)
    project.secret = make_token(project, actor=owner)
    for vote in (6, 7):
        hold_round(project, owner, votes=(vote,))
    expert = invite_member(project=project, user=owner, actor=owner).expert
    known = ProfileDraft({"people": 3.0}, True)
    save_profile(project=project, kind="current", draft=known, measured=None, actor=owner)
    open_round(project=project, actor=owner)
    open_board(project=project, anonymous=True, actor=owner)
    say(expert=expert, principle="testing", kind="benefit", text="It was found in minutes.")
    start_draft(team=project.team, actor=owner)
    client.force_login(owner)
    project.session = client.cookies["sessionid"].value
    return project


@pytest.fixture
def kept_connection():
    """Requests leave the connection open, as with Django's own test client: it holds this test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def api_schema(used_project, kept_connection):
    from ops_portal.wsgi import application  # only now is there the directory of static files that it asks for

    return schemathesis.openapi.from_wsgi("/api/schema/", app=application).include(path_regex="^/api/v1/")


def test_requests_that_are_made_up(api_schema, used_project):
    found: dict[str, Exception] = {}
    asked = 0
    for result in api_schema.get_all_operations():
        operation = result.ok()
        for mode in GenerationMode:
            try:
                asked += _ask(operation, mode, used_project)
            except (FailureGroup, ExceptionGroup) as wrong:
                found[f"{operation.method.upper()} {operation.path}, {mode.value}"] = wrong
    assert not found, "\n\n".join(f"{name}: {_explain(wrong)}" for name, wrong in found.items())
    assert asked > 200


def _ask(operation, mode: GenerationMode, project) -> int:
    asked = 0
    # The description says what a spec or a set of features looks like as JSON, not which models there are or what they
    # learned from: a request that fits it may well be refused.
    left_out = [positive_data_acceptance]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case) -> None:
        nonlocal asked
        asked += 1
        parameters = case.path_parameters or {}
        if "slug" in parameters:
            parameters["slug"] = project.team.slug if "/teams/" in operation.path else project.slug
        for name in ("number", "model_id"):  # most numbers there are would find nothing
            if isinstance(parameters.get(name), int):
                parameters[name] = parameters[name] % 3 + 1
        if "assessment" in parameters:
            parameters["assessment"] = 1
        if "principle" in parameters:
            parameters["principle"] = "testing"
        if "practice" in parameters:
            parameters["practice"] = "monitoring.owners"
        case.call_and_validate(
            headers=_headers(operation.path, project),
            excluded_checks=left_out,
        )

    try:
        ask()
    except Unsatisfiable:  # nothing about this operation can be wrong
        return 0
    return asked


def _headers(path: str, project) -> dict[str, str]:
    """A person asks where no token may, a token everywhere else."""
    if any(part in path for part in ("/teams/", "/statements/", "/ballot/")):
        crumb = "a" * 32
        return {"Cookie": f"sessionid={project.session}; csrftoken={crumb}", "X-CSRFToken": crumb}
    return {"Authorization": f"Bearer {project.secret}"}


def _explain(wrong: BaseException) -> str:
    if isinstance(wrong, BaseExceptionGroup):
        return "; ".join(_explain(each) for each in wrong.exceptions)
    return str(wrong)
