"""Generated chains of requests along the links of the OpenAPI description: no 5xx, no answer that is not described."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import schemathesis
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    ignored_auth,
    positive_data_acceptance,
    use_after_free,
)

from models_registry.api.links import LINKS
from models_registry.models import Version
from models_registry.services.proposals import propose
from tests.api.test_schemathesis import EXAMPLES, kept_connection, used_project  # noqa: F401 - fixtures
from tests.models_registry.learned import TREE

CHAINS, STEPS = 15 * EXAMPLES, 8
#: A greater number is made up: no chain makes so many things.
MOST_THINGS = 50
LIKELY = {
    "spec": TREE,
    "features": {"x": 0.5, "y": 0.5, "colour": "red"},
    "at": None,
    "from_version": None,
    "position": 30,
    **dict.fromkeys(("model", "version", "run", "to"), 1),
}


@pytest.fixture
def linked_schema(used_project, kept_connection, owner):  # noqa: F811
    from ops_portal.wsgi import application  # only now is there the directory of static files that it asks for

    for version in Version.objects.filter(project=used_project):
        now = timezone.now()
        propose(
            project=used_project, version=version, actor=owner, now=now, due_at=now + timedelta(hours=version.number)
        )
    names = {source for source, *_ in LINKS} | {target for _, _, targets, *_ in LINKS for target in targets}
    schema = schemathesis.openapi.from_wsgi("/api/schema/", app=application)
    schema.config.generation.update(modes=[GenerationMode.POSITIVE])  # what does not fit is asked one by one elsewhere
    return schema.include(operation_id=sorted(names))


def test_chains_of_requests_that_are_made_up(linked_schema, used_project):  # noqa: F811
    asked: Counter[str] = Counter()
    answers: Counter[int] = Counter()

    class Chains(linked_schema.as_state_machine()):  # type: ignore[misc]
        # Every chain begins with the same project: a chain tried again must find what it found.
        def setup(self) -> None:
            self.beginning = transaction.savepoint()

        def teardown(self) -> None:
            transaction.savepoint_rollback(self.beginning)

        def before_call(self, case) -> None:
            _make_likely(case, used_project)

        def get_call_kwargs(self, case) -> dict:
            return {"headers": {"Authorization": f"Bearer {used_project.secret}"}}

        def after_call(self, response, case) -> None:
            super().after_call(response, case)
            asked[case.operation.definition.raw["operationId"]] += 1
            answers[response.status_code // 100] += 1

        def validate_response(self, response, case, additional_checks=None, **options) -> None:
            # As for single requests; and a thing that cannot be had now (a run that is over) is no thing that is lost.
            left_out = [positive_data_acceptance, ensure_resource_availability, use_after_free, ignored_auth]
            case.validate_response(
                response, additional_checks=additional_checks, excluded_checks=left_out, transport_kwargs=options
            )

    Chains.run(
        settings=settings(
            max_examples=CHAINS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
    )
    assert len(asked) > 15 and answers[2] > 80, (asked, answers)


def _make_likely(case, project) -> None:
    """Let a request that no link filled in find something: most numbers and names there are would not."""
    case.path_parameters["slug"] = project.slug
    for name in ("number", "model_id"):
        if isinstance(number := case.path_parameters.get(name), int) and number > MOST_THINGS:
            case.path_parameters[name] = number % 3 + 1
    if not isinstance(body := case.body, dict):
        return
    for name, known in LIKELY.items():
        if name in body and not (isinstance(body[name], int) and 0 < body[name] <= MOST_THINGS):
            body[name] = known
