"""What outside monitoring reads: the monitors of a project over the API, the whole portal for Prometheus."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models_registry.models import Run
from projects.models import Scope
from projects.payload import Incoming
from projects.services.events import accept
from tests.api.calls import Calls
from tests.factories import NOW, make_project, make_user
from tests.models_registry.serving_records import add_model, add_run, serve

pytestmark = pytest.mark.django_db


class TestMonitors:
    def test_each_watched_run_has_one(self, project):
        model = add_model(project)
        quiet, loud = add_run(model), add_run(model, mode=Run.Mode.FOLLOW, state=Run.State.RUNNING, position=900)
        add_run(model, options={"drift": False})
        add_run(model, options={"drift": {"use": "drift.PageHinkley"}})
        for position in (40, 800):
            loud.alarms.create(position=position, detail={"detector": "ADWIN", "what": "the error rose"})
        found = {one["run"]: one for one in Calls(project, Scope.READ).get("monitors/").json()["results"]}
        assert list(found) == [4, 2, 1]
        assert found[4]["detector"] == "drift.PageHinkley"
        one = found[loud.number]
        assert (one["detector"], one["watching"], one["position"], one["alarms"]) == ("drift.ADWIN", True, 900, 2)
        assert one["last_alarm_position"] == 800 and one["last_alarm_at"]
        assert (found[quiet.number]["alarms"], found[quiet.number]["watching"]) == (0, False)
        assert found[quiet.number]["last_alarm_at"] is None

    def test_three_queries_whatever_their_number(self, project, django_assert_num_queries):
        model = add_model(project)
        for _ in range(5):
            add_run(model)
        api = Calls(project, Scope.READ)
        api.get("monitors/")
        with django_assert_num_queries(2):
            assert len(api.get("monitors/").json()["results"]) == 5


class TestPrometheus:
    @pytest.fixture
    def read(self, client, settings):
        settings.METRICS_TOKEN = "a token"

        def read() -> dict:
            answer = client.get("/metrics", headers={"Authorization": "Bearer a token"})
            assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
            families = text_string_to_metric_families(answer.content.decode())
            return {
                (sample.name, *sorted(sample.labels.values())): sample.value
                for family in families
                for sample in family.samples
            }

        return read

    def test_it_tells_what_the_database_says(self, read, project, team):
        serve(project)
        run = add_run(add_model(project, "m2"), mode=Run.Mode.FOLLOW, state=Run.State.RUNNING, position=1)
        run.alarms.create(position=1)
        items = [Incoming(n, None, {"x": n}, True) for n in range(3)]
        accept(project_id=project.pk, items=[*items, Incoming(9, None, {"x": 1})], now=NOW)
        make_project(team, name="Idle")
        found = read()
        slug = project.slug
        assert found["ops_portal_events_total", slug] == 4 and found["ops_portal_labelled_events_total", slug] == 3
        assert found["ops_portal_run_lag_events", str(run.number), slug] == 2
        assert found["ops_portal_runs", slug, "running"] == 1 and found["ops_portal_runs", "completed", slug] == 1
        assert found["ops_portal_serving_version", slug] == 1 and found["ops_portal_alarms_total", slug] == 1
        assert (
            found["ops_portal_deployments_total", "idle"] == 0 and ("ops_portal_serving_version", "idle") not in found
        )
        assert found["process_resident_memory_bytes",] > 0

    def test_who_may_read_it(self, client, settings):
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401, "no token is set"
        settings.METRICS_TOKEN = "a token"
        assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
        client.force_login(make_user("vera"))
        assert client.get("/metrics").status_code == 401
        root = make_user("root")
        root.is_superuser = True
        root.save()
        client.force_login(root)
        assert client.get("/metrics").status_code == 200

    def test_its_queries_do_not_grow_with_the_projects(self, read, team, django_assert_num_queries):
        for number in range(4):
            serve(make_project(team, name=f"P{number}"))
        read()
        with django_assert_num_queries(6):
            read()
