"""Canaries: a share of the traffic, always the same ids, widened, promoted, taken back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models_registry.models import Deployment, Prediction, Version
from models_registry.services import serving
from models_registry.services.canary import abort_canary, start_canary
from models_registry.services.deployment import deploy, roll_back
from models_registry.services.prediction import predict, predict_many
from ops_portal.errors import UserError
from projects.models import Activity
from projects.payload import Incoming
from tests.factories import NOW
from tests.models_registry.learned import TREE, make_model, make_run

pytestmark = pytest.mark.django_db

FEATURES = {"x": 0.3, "y": 0.9, "colour": "red"}


@pytest.fixture(autouse=True)
def nothing_in_memory():
    serving._loaded.clear()


@pytest.fixture
def versions(project, owner):
    """Three real versions, the first one serving."""
    make_run(make_model(project, spec=TREE), events=180, publish_every=60, seed=1)
    found = list(Version.objects.select_related("model", "run").order_by("number"))
    deploy(project=project, version=found[0], actor=owner)
    return found


def ask(project, keys):
    return predict_many(project=project, items=[Incoming(1, key, FEATURES) for key in keys], now=NOW)


KEYS = [f"event-{number}" for number in range(400)]


def test_a_share_of_the_ids_gets_the_canary_and_the_rest_what_serves(project, versions, owner):
    start_canary(project=project, version=versions[1], share=10, actor=owner, reason="try it")
    answers = ask(project, KEYS)
    sides = {answer.id: answer.version for answer in answers}
    assert set(sides.values()) == {1, 2}
    assert 20 <= list(sides.values()).count(2) <= 60
    assert {answer.deployment for answer in answers} == {2}
    kept = dict(Prediction.objects.values_list("event__key", "version__number"))
    assert kept == sides, "each answer is kept with the version that gave it"
    assert {answer.id: answer.version for answer in ask(project, KEYS)} == sides, "asked again, the same answers"
    assert Prediction.objects.count() == len(KEYS)


def test_widening_keeps_everybody_who_was_in(project, versions, owner):
    start_canary(project=project, version=versions[1], share=10, actor=owner)
    before = {answer.id for answer in ask(project, KEYS) if answer.version == 2}
    made = start_canary(project=project, version=versions[1], share=40, actor=owner)
    after = {answer.id for answer in ask(project, KEYS) if answer.version == 2}
    assert before < after and made.kind == Deployment.Kind.WIDEN
    assert 120 <= len(after) <= 200


def test_promoting_and_aborting_are_live_for_the_next_prediction(project, versions, owner):
    start_canary(project=project, version=versions[1], share=50, actor=owner)
    aborted = abort_canary(project=project, actor=owner, reason="slow")
    assert {answer.version for answer in ask(project, KEYS[:50])} == {1}
    assert (aborted.version, aborted.canary, aborted.origin.number) == (versions[0], None, 1)
    start_canary(project=project, version=versions[2], share=50, actor=owner)
    promoted = deploy(project=project, version=versions[2], actor=owner)
    assert (promoted.kind, promoted.canary, promoted.origin) == (Deployment.Kind.PROMOTE, None, None)
    assert {answer.version for answer in ask(project, KEYS[50:100])} == {3}
    verbs = list(Activity.objects.filter(project=project).order_by("pk").values_list("verb", flat=True))
    assert verbs[-5:] == ["deployed", "canary.started", "canary.aborted", "canary.started", "deployed"]


def test_rolling_back_ends_the_canary(project, versions, owner):
    deploy(project=project, version=versions[1], actor=owner)
    start_canary(project=project, version=versions[2], share=50, actor=owner)
    roll_back(project=project, actor=owner, since="drop", reason="worse")
    assert {answer.version for answer in ask(project, KEYS[:50])} == {1}


def test_no_query_more_is_needed_to_answer(project, versions, owner, django_assert_num_queries):
    one = predict(project=project, item=Incoming(1, "warm", FEATURES), now=NOW)
    assert one.version == 1
    with CaptureQueriesContext(connection) as without:
        predict(project=project, item=Incoming(1, "without", FEATURES), now=NOW)
    start_canary(project=project, version=versions[1], share=50, actor=owner)
    ask(project, KEYS[:20])
    with django_assert_num_queries(len(without.captured_queries)):
        predict(project=project, item=Incoming(1, "with", FEATURES), now=NOW)


def test_what_cannot_be_a_canary_says_why(project, versions, owner):
    def refused(code, **changes):
        with pytest.raises(UserError) as error:
            start_canary(**{"project": project, "version": versions[1], "share": 10, "actor": owner} | changes)
        assert error.value.code == code, error.value.message

    refused("already_deployed", version=versions[0])
    refused("invalid", share=0)
    refused("invalid", share=51)
    start_canary(project=project, version=versions[1], share=10, actor=owner)
    refused("unchanged")
    refused("canary_runs", version=versions[2])
    abort_canary(project=project, actor=owner)
    with pytest.raises(UserError, match="No canary runs here"):
        abort_canary(project=project, actor=owner)
    assert Deployment.objects.count() == 3


def test_a_canary_needs_something_beside_it(project, owner):
    make_run(make_model(project, spec=TREE), events=60, seed=1)
    with pytest.raises(UserError, match="nothing is deployed yet"):
        start_canary(project=project, version=Version.objects.get(), share=10, actor=owner)
