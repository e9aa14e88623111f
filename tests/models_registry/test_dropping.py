"""A rollback that drops what was learned since: which runs it ends, and which go on."""

from __future__ import annotations

import pytest

from models_registry.models import Run
from models_registry.services.deployment import roll_back
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version

pytestmark = pytest.mark.django_db

AT_WORK = {"mode": Run.Mode.FOLLOW, "state": Run.State.RUNNING, "checkpoint": ""}


@pytest.mark.parametrize("state", [Run.State.RUNNING, Run.State.PAUSED])
def test_only_what_is_built_upon_the_replaced_version_ends(project, owner, state):
    model = add_model(project)
    good = add_version(add_run(model))
    came_from = add_run(model, **AT_WORK | {"state": state})
    earlier = add_version(came_from, 100)
    replaced = add_version(came_from, 500)
    later = add_version(came_from, 700)
    went_on = add_run(model, from_version=replaced, **AT_WORK)
    after_later = add_run(model, from_version=later)
    and_on = add_run(model, from_version=add_version(after_later), **AT_WORK)
    from_before = add_run(model, from_version=earlier, **AT_WORK)
    from_good = add_run(model, from_version=good, **AT_WORK)
    by_itself = add_run(model, **AT_WORK)
    other = add_run(add_model(project, "another"), **AT_WORK)
    add_deployment(good)
    add_deployment(replaced)
    roll_back(project=project, actor=owner, since="drop", reason="worse", to=good)
    ended = set(project.runs.filter(state=Run.State.CANCELLED))
    assert ended == {came_from, went_on, and_on}
    assert not ended & {from_before, from_good, by_itself, other}
