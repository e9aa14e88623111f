"""Predicting: stored before it is answered, by what is deployed at that moment."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from models_registry import artifacts, engine
from models_registry.learning.purity import changes_by_predicting
from models_registry.models import Deployment, Prediction, Run, Version
from models_registry.services import prediction, serving
from models_registry.services.deployment import deploy
from models_registry.services.prediction import predict, predict_many
from models_registry.services.runs import start_run
from models_registry.services.training import advance
from ops_portal.errors import UserError
from projects.models import Event, Scope
from projects.payload import Incoming
from projects.services.events import accept
from tests.factories import NOW, make_events, make_token, sample
from tests.models_registry.asked import ask, serve
from tests.models_registry.learned import make_model
from tests.models_registry.serving_records import SPEC

NEIGHBOURS = {
    "steps": [
        {"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]},
        {"use": "neighbors.KNNClassifier"},
    ]
}
#: The size of the window of a few models, small enough to learn quickly and large enough for a random walk.
ENOUGH = 700


@pytest.fixture(autouse=True)
def nothing_in_memory():
    serving._loaded.clear()


@pytest.mark.django_db
class TestOneAnswer:
    def test_event_and_answer_are_kept(self, project, owner):
        version = serve(project, owner)
        answer = ask(project, "a")
        kept = Prediction.objects.get()
        assert (kept.event.key, json.loads(kept.event.features)) == ("a", {"x": 0.2, "y": 0.7})
        assert json.loads(kept.output) == {"prediction": answer.prediction, "probabilities": answer.probabilities}
        assert (kept.version, kept.deployment.number, kept.at) == (version, answer.deployment, NOW)
        assert (kept.project_id, kept.event.project_id) == (project.pk, project.pk)
        project.refresh_from_db()
        assert project.event_count == Event.objects.count() == 121

    def test_without_an_id_one_is_made(self, project, owner):
        serve(project, owner)
        assert ask(project).id != ask(project).id
        assert Event.objects.exclude(key__startswith="e").count() == 2

    def test_nothing_deployed(self, project):
        with pytest.raises(UserError) as refused:
            ask(project)
        assert (refused.value.code, refused.value.status) == ("nothing_deployed", 409)
        assert not Event.objects.exists()

    def test_a_retry_gets_the_answer_that_was_given(self, project, owner):
        serve(project, owner)
        first = ask(project, "a")
        assert ask(project, "a") == first
        assert Prediction.objects.count() == 1
        # Not computed again: what was stored is what is said.
        Prediction.objects.update(output='{"prediction":"kept","probabilities":null}')
        assert ask(project, "a").prediction == "kept"
        project.refresh_from_db()
        assert project.event_count == 121

    def test_another_deployment_answers_anew(self, project, owner):
        first = serve(project, owner)
        before = ask(project, "a")
        second = serve(project, owner, events=80)
        after = ask(project, "a")
        assert (before.version, after.version) == (first.number, second.number)
        assert list(Prediction.objects.order_by("pk").values_list("version", flat=True)) == [first.pk, second.pk]
        assert Event.objects.filter(key="a").count() == 1

    def test_other_features_under_the_same_id_are_refused(self, project, owner):
        serve(project, owner)
        ask(project, "a")
        with pytest.raises(UserError) as refused:
            ask(project, "a", x=0.9)
        assert (refused.value.code, refused.value.status) == ("id_taken", 409)
        assert Prediction.objects.count() == 1

    def test_features_are_the_same_in_any_order_and_with_numbers_written_otherwise(self, project, owner):
        serve(project, owner)

        def send(**features):
            return predict(project=project, item=Incoming(1, "a", features), now=NOW)

        first = send(x=1.0, y=3)
        assert send(y=3.0, x=1) == first
        with pytest.raises(UserError, match="other features"):
            send(x=True, y=3)
        twins = [Incoming(1, "b", {"x": 1, "y": 2}), Incoming(2, "b", {"y": 2.0, "x": 1})]
        answers = predict_many(project=project, items=twins, now=NOW)
        assert answers[0] == answers[1] and Prediction.objects.count() == 2

    def test_an_event_that_was_sent_before_gets_its_answer(self, project, owner):
        serve(project, owner)
        accept(project_id=project.pk, items=[Incoming(1, "sent", {"x": 0.2, "y": 0.7}, True)], now=NOW)
        ask(project, "sent")
        assert Prediction.objects.get().event.position == 121

    def test_what_the_model_cannot_take_stores_nothing(self, project, owner):
        serve(project, owner)
        with pytest.raises(UserError) as refused:
            ask(project, "a", x="a text", y=1)
        assert refused.value.status == 422
        assert not Prediction.objects.exists() and not Event.objects.filter(key="a").exists()


@pytest.mark.django_db
class TestMany:
    def test_each_has_its_answer_or_its_reason(self, project, owner):
        version = serve(project, owner)
        ask(project, "known")
        items = [
            Incoming(1, "a", {"x": 0.1, "y": 0.1}),
            Incoming(2, "known", {"x": 0.9, "y": 0.9}),
            Incoming(3, "bad", {"x": "text"}),
            Incoming(4, "a", {"x": 0.1, "y": 0.1}),
            Incoming(5, "a", {"x": 0.8, "y": 0.8}),
            Incoming(6, None, {"x": 0.8, "y": 0.8}),
            Incoming(7, None, {"x": 0.8, "y": 0.8}),
            Incoming(8, "known", {"x": 0.2, "y": 0.7}),
        ]
        answers = predict_many(project=project, items=items, now=NOW)
        codes = [answer.code if isinstance(answer, UserError) else answer.version for answer in answers]
        v = version.number
        assert codes == [v, "id_taken", "prediction_failed", v, "id_taken", v, v, v]
        assert answers[0] == answers[3] and answers[5].id != answers[6].id
        project.refresh_from_db()
        assert project.event_count == Event.objects.count() == 120 + 1 + 3
        assert Prediction.objects.count() == 4

    def test_thousands_at_once(self, project, owner):
        serve(project, owner)
        items = [Incoming(n, f"k{n}", {"x": n / 2500, "y": 0.5}) for n in range(2_500)]
        answers = predict_many(project=project, items=items, now=NOW)
        alone = [serving.find_served(prediction.serving(project.pk).artifact).predict(item.features) for item in items]
        assert [answer.prediction for answer in answers] == [one.label for one in alone]
        kept = dict(Prediction.objects.values_list("event__key", "output"))
        assert all(json.loads(kept[answer.id])["prediction"] == answer.prediction for answer in answers)
        project.refresh_from_db()
        assert project.event_count == Event.objects.count()


@pytest.mark.django_db
def test_a_call_asks_few_questions(project, owner, client, django_assert_num_queries):
    serve(project, owner)
    token = make_token(project, Scope.PREDICT)
    url = f"/api/v1/projects/{project.slug}/predict/"

    def call(key):
        headers = {"Authorization": f"Bearer {token}"}
        body = json.dumps({"id": key, "features": {"x": 0.2, "y": 0.7}})
        return client.post(url, body, content_type="application/json", headers=headers)

    assert call("a").status_code == 200
    # Token, project and deployment are one query. The write: one on PostgreSQL; on SQLite four, between its
    # savepoint's two.
    with django_assert_num_queries(2 if connection.vendor == "postgresql" else 7) as asked:
        assert call("b").status_code == 200
    said = [query["sql"] for query in asked.captured_queries if "INSERT" not in query["sql"]]
    reads = [sql for sql in said if "projects_apitoken" in sql]
    assert len(reads) == 1
    for table in ("projects_project", "models_registry_deployment", "models_registry_version", "models_registry_run"):
        assert [sql for sql in said if f"FROM {table}" in sql or f"JOIN {table}" in sql] == reads


@pytest.mark.django_db
class TestNeighbours:
    """Nearest neighbours move a random generator on with each prediction: what is served must not."""

    def test_served_answers_are_those_of_a_fresh_copy(self, project, owner):
        version = serve(project, owner, NEIGHBOURS, events=ENOUGH)
        data = artifacts.read(version.artifact)
        for number in range(15):
            features = {name: value for name, value in sample(number * 7)[0].items() if name != "colour"}
            fresh = engine.load(data).predict(features)
            answer = ask(project, **features)
            assert answer.prediction == fresh.label
            assert list(answer.probabilities.values()) == list(fresh.probabilities.values())

    def test_the_kept_model_is_not_touched(self, project, owner):
        version = serve(project, owner, NEIGHBOURS, events=ENOUGH)
        served = serving.load_served(version.artifact)
        before = engine.dump(served.learner)
        for number in range(15):
            ask(project, x=number / 15, y=0.5)
        assert engine.dump(served.learner) == before

    @pytest.mark.parametrize(
        ("spec", "changes"),
        [
            (NEIGHBOURS, True),
            (SPEC, False),
            ({"steps": [{"use": "neighbors.KNNRegressor", "params": {"engine": {"use": "neighbors.SWINN"}}}]}, True),
            (
                {"steps": [{"use": "neighbors.KNNClassifier", "params": {"engine": {"use": "neighbors.LazySearch"}}}]},
                False,
            ),
            ({"steps": [{"use": "ensemble.BaggingClassifier", "params": {"model": NEIGHBOURS["steps"][1]}}]}, True),
        ],
    )
    def test_which_models_change(self, spec, changes):
        assert changes_by_predicting(spec) is changes


@pytest.mark.django_db
class TestFollowing:
    def test_the_checkpoint_is_replaced_underneath(self, project, owner):
        """Each new checkpoint removes the file of the one before; whoever had just read its name takes the next."""
        model = make_model(project, "followed", SPEC)
        make_events(project, 100)
        run = start_run(model=model, mode=Run.Mode.FOLLOW, actor=None)
        advance(run.pk)
        run.refresh_from_db()
        version = Version.objects.filter(run=run).first()
        if version is None:
            from models_registry.services.versions import publish

            version = publish(run=run, reason=Version.Reason.REQUEST, actor=None)
        deploy(project=project, version=version, actor=owner, mode=Deployment.Mode.FOLLOW)
        stale = prediction.serving(project.pk)
        make_events(project, 100, start=100)
        advance(run.pk)
        run.refresh_from_db()
        assert stale.artifact != run.checkpoint == prediction.serving(project.pk).artifact
        # A request that read the old name just before the file went: it must take the new one, not fail.
        reads = []
        real = prediction.serving

        def read_late(project_id):
            reads.append(project_id)
            return stale if len(reads) == 1 else real(project_id)

        artifacts.discard(stale.artifact)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(prediction, "serving", read_late)
            answer = ask(project)
        fresh = engine.load(artifacts.read(run.checkpoint)).predict({"x": 0.2, "y": 0.7})
        assert answer.prediction == fresh.label and len(reads) >= 2

    def test_a_file_that_is_gone_for_good_is_said(self, project, owner):
        version = serve(project, owner)
        artifacts.discard(version.artifact)
        with pytest.raises(UserError, match="no longer in the storage"):
            ask(project)
