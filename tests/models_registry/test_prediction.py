"""Predicting: stored before it is answered, together with others, by what is deployed at that moment."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection

from models_registry import artifacts, engine
from models_registry.learning.purity import changes_by_predicting
from models_registry.models import Deployment, Prediction, Run, Version
from models_registry.services import prediction, serving
from models_registry.services.deployment import deploy, roll_back
from models_registry.services.prediction import Answer, predict, predict_many
from models_registry.services.runs import start_run
from models_registry.services.training import advance
from ops_portal.errors import UserError
from ops_portal.group_commit import GroupCommit
from projects.models import Event, Scope
from projects.payload import Incoming
from projects.services.events import accept
from tests.factories import NOW, make_events, make_token, sample
from tests.models_registry.learned import make_model, make_run

LINEAR = {
    "steps": [
        {"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]},
        {"use": "linear_model.LogisticRegression"},
    ]
}
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


def ask(project, key=None, **features):
    return predict(project=project, item=Incoming(1, key, features or {"x": 0.2, "y": 0.7}), now=NOW)


def serve(project, actor, spec=LINEAR, events=120, **options) -> Version:
    run = make_run(make_model(project, f"m{Run.objects.count()}", spec), events=events, **options)
    version = Version.objects.filter(run=run).order_by("position").last()
    deploy(project=project, version=version, actor=actor)
    return version


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
    with django_assert_num_queries(2 if connection.vendor == "postgresql" else 7):
        assert call("b").status_code == 200


@pytest.mark.django_db
class TestNeighbours:
    """Nearest neighbours move a random generator on with each prediction: what is served must not."""

    def test_served_answers_are_those_of_a_fresh_copy(self, project, owner):
        version = serve(project, owner, NEIGHBOURS, events=ENOUGH)
        data = artifacts.read(version.artifact)
        for number in range(40):
            features = {name: value for name, value in sample(number * 7)[0].items() if name != "colour"}
            fresh = engine.load(data).predict(features)
            answer = ask(project, **features)
            assert answer.prediction == fresh.label
            assert list(answer.probabilities.values()) == list(fresh.probabilities.values())

    def test_the_kept_model_is_not_touched(self, project, owner):
        version = serve(project, owner, NEIGHBOURS, events=ENOUGH)
        served = serving.load_served(version.artifact)
        before = engine.dump(served.learner)
        for number in range(30):
            ask(project, x=number / 30, y=0.5)
        assert engine.dump(served.learner) == before

    @pytest.mark.parametrize(
        ("spec", "changes"),
        [
            (NEIGHBOURS, True),
            (LINEAR, False),
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
        model = make_model(project, "followed", LINEAR)
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


# --- together -------------------------------------------------------------------------------------


def in_threads(count, work):
    """Run `work(number)` in threads that start at the same time; each closes its connection."""
    gate = threading.Barrier(count)

    def run(number):
        try:
            gate.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_eight_threads_lose_nothing(self, project, owner):
        serve(project, owner)
        answers = in_threads(8, lambda thread: [ask(project, f"{thread}-{n}", x=n / 40, y=0.5) for n in range(40)])
        given = {answer.id: answer.prediction for part in answers for answer in part}
        kept = dict(Prediction.objects.values_list("event__key", "output"))
        assert {key: json.loads(output)["prediction"] for key, output in kept.items()} == given and len(given) == 320
        project.refresh_from_db()
        assert project.event_count == Event.objects.count() == 440

    def test_the_same_id_from_eight_sides_is_one_event_and_one_answer(self, project, owner):
        serve(project, owner)
        for round_ in range(5):
            answers = in_threads(8, lambda thread, key=f"same-{round_}": ask(project, key, x=0.4, y=0.4))
            assert len(set(map(repr, answers))) == 1
        assert Prediction.objects.count() == 5
        project.refresh_from_db()
        assert project.event_count == Event.objects.count() == 125

    def test_one_bad_call_fails_alone(self, project, owner):
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

    def test_predicting_and_sending_the_same_ids_at_once(self, project, owner):
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

    def test_every_answer_comes_from_what_was_deployed_while_it_was_asked(self, project, owner):
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


class TestGroupCommit:
    """The queue by itself, without a database behind the work."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_calls_that_come_meanwhile_share_the_next_turn(self):
        sizes = []
        slow = threading.Event()

        def carry_out(jobs):
            sizes.append(len(jobs))
            slow.wait(0.2)
            return [job * 2 for job in jobs]

        group = GroupCommit(carry_out)
        assert in_threads(8, group.call) == [number * 2 for number in range(8)]
        assert sum(sizes) == 8 and len(sizes) <= 4

    def test_an_outcome_that_is_an_exception_is_raised_where_it_belongs(self):
        group = GroupCommit(lambda jobs: [ValueError(job) if job == 3 else job for job in jobs])

        def work(number):
            try:
                return group.call(number)
            except ValueError as error:
                return str(error)

        assert in_threads(6, work) == [0, 1, 2, "3", 4, 5]

    def test_a_transaction_that_fails_is_tried_job_by_job(self, caplog):
        alone = []

        def carry_out(jobs):
            if 4 in jobs:
                raise DatabaseError("not that one")
            if len(jobs) == 1:
                alone.append(jobs[0])
            time.sleep(0.05)
            return jobs

        group = GroupCommit(carry_out)

        def work(number):
            try:
                return group.call(number)
            except DatabaseError as error:
                return str(error)

        assert in_threads(8, work) == [0, 1, 2, 3, "not that one", 5, 6, 7]

    def test_a_stopped_thread_lets_the_others_go(self):
        def carry_out(jobs):
            time.sleep(0.05)
            if 0 in jobs:
                raise SystemExit
            return jobs

        group = GroupCommit(carry_out)

        def work(number):
            try:
                return group.call(number)
            except SystemExit:
                return "stopped"

        results = in_threads(6, work)
        assert results[0] == "stopped" and set(results[1:]) <= {1, 2, 3, 4, 5, "stopped"}
        assert group.call(9) == 9, "and the next caller finds it free"
