"""How a run is judged: metrics, window, baseline and drift detector are chosen when it starts, and written down."""

from __future__ import annotations

import itertools
import json

import pytest
from django.urls import reverse

from models_registry.learning.catalogue import read_catalogue
from models_registry.models import Run
from models_registry.selectors.metrics import metric_names, read_chart
from models_registry.selectors.runs import find_run
from models_registry.services.judging import Judging, watcher_roles
from models_registry.services.runs import start_run
from ops_portal.errors import UserError
from projects.models import Task
from tests.api.calls import Calls
from tests.factories import make_events, make_project
from tests.models_registry.learned import LINE, SHALLOW, learn, make_model

ADWIN = {"use": "drift.ADWIN", "params": {"delta": 0.01}}


@pytest.fixture
def model(project):
    make_events(project, 300)
    return make_model(project)


@pytest.fixture
def page(client, owner, project):
    client.force_login(owner)
    return reverse("models_registry:run_create", args=[project.slug])


def start(model, judging=None, **more):
    return start_run(model=model, mode=Run.Mode.REPLAY, actor=None, seed=1, judging=judging or Judging(), **more)


def test_a_run_is_judged_as_was_asked_for(model):
    run = start(model, Judging(("F1", "Precision"), 50, "last", ADWIN))
    assert run.options["metrics"] == [model.project.primary_metric, "F1", "Precision"]
    assert (run.options["window"], run.options["baseline"], run.options["drift"]) == (50, "last", ADWIN)
    learn(run)
    overall = {key.removeprefix("overall.") for key in run.summary if key.startswith("overall.")}
    assert overall == {model.project.primary_metric, "F1", "Precision"}
    assert run.summary["baseline.F1"] is not None


def test_the_chosen_baseline_is_the_one_that_is_scored(model):
    usual, last = start(model), start(model, Judging(baseline="last"))
    learn(usual)
    learn(last)
    labels = [event.label for event in model.project.events.order_by("position")]
    hits = sum(one == other for one, other in itertools.pairwise(labels))
    assert last.summary["baseline.Accuracy"] == pytest.approx(hits / (len(labels) - 1))
    assert usual.options["baseline"] == "majority"
    assert usual.summary["baseline.Accuracy"] != last.summary["baseline.Accuracy"]


def test_every_metric_chart_has_a_baseline(model):
    run = start(model)
    learn(run)
    for name in metric_names(run.summary):
        chart = read_chart(find_run(run.project, run.number), name)
        drawn = [trace["name"] for trace in chart.figure["data"] if trace.get("name")]
        assert "Baseline: the commonest label so far" in drawn, name
        assert "the baseline (the commonest label so far) reaches" in chart.summary, name


@pytest.mark.parametrize("detector", [entry.path for entry in read_catalogue().select(*watcher_roles("binary"))])
def test_every_detector_may_watch_a_run(model, detector):
    run = start(model, Judging(drift={"use": detector}))
    learn(run)
    assert run.state == Run.State.COMPLETED


@pytest.mark.parametrize(
    ("judging", "field"),
    [
        (Judging(metrics=("MAE",)), "metrics"),
        (Judging(window=1), "window"),
        (Judging(baseline="mean"), "baseline"),
        (Judging(drift={"use": "drift.ADWIN", "params": {"delta": 3}}), "drift"),
        (Judging(drift={"use": "optim.SGD"}), "drift"),
    ],
)
def test_what_does_not_fit_the_task_is_refused_at_its_field(model, judging, field):
    with pytest.raises(UserError) as caught:
        start(model, judging)
    assert list(caught.value.fields) == [field]
    assert not Run.objects.exists()


def test_a_detector_of_right_and_wrong_does_not_watch_a_regression(team):
    project = make_project(team, task=Task.REGRESSION, name="Numbers")
    make_events(project, 5)
    with pytest.raises(UserError, match="expected a drift detector"):
        start(make_model(project, "Line", LINE), Judging(drift={"use": "drift.binary.DDM"}))


def test_a_run_that_goes_on_from_a_version_is_judged_as_that_one_was(model):
    first = start(model, Judging(("F1",), 50, "last", ADWIN))
    learn(first)
    make_events(model.project, 20, start=1000)
    second = start(model, from_version=first.versions.get())
    assert {key: second.options[key] for key in ("metrics", "window", "baseline", "drift")} == {
        key: first.options[key] for key in ("metrics", "window", "baseline", "drift")
    }
    with pytest.raises(UserError, match="judged as that version was"):
        start(model, Judging(window=60), from_version=first.versions.get())


# --- the page and the API -------------------------------------------------------------------------


def test_the_page_offers_the_metrics_of_the_task_and_the_detectors_with_their_fields(client, page, model):
    html = client.get(page).content.decode()
    assert "Matthews correlation" in html and "Mean absolute error" not in html
    assert "Commonest label so far" in html and "Page hinkley" in html
    fields = client.post(page, {"detector": "drift.ADWIN", "edited": "detector"}).content.decode()
    assert "<html" not in fields
    assert 'name="at:params.delta"' in fields
    assert "number &gt; 0 and &lt; 1" in fields


def test_a_run_is_started_with_what_the_page_says(client, page, model, rung):
    given = {"model": model.pk, "mode": "replay", "publish_every": 0, "metrics": ["F1", "MCC"], "window": 80}
    given |= {"baseline": "last", "detector": "drift.ADWIN", "at:params.delta": "0.01"}
    client.post(page, given)
    options = Run.objects.get().options
    assert options["drift"] == ADWIN
    assert (options["metrics"][1:], options["window"], options["baseline"]) == (["F1", "MCC"], 80, "last")
    shown = client.get(reverse("models_registry:run", args=[model.project.slug, 1])).content.decode()
    assert "ADWIN (delta = 0.01)" in shown
    assert "Last label" in shown


def test_a_wrong_parameter_of_a_detector_stands_next_to_its_field_and_starts_nothing(client, page, model):
    given = {"model": model.pk, "mode": "replay", "publish_every": 0, "detector": "drift.ADWIN"}
    answer = client.post(page, given | {"at:params.delta": "3"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "expected a number &gt; 0 and &lt; 1, got 3" in html
    assert 'value="3"' in html
    assert not Run.objects.exists()


def test_no_detector_at_all(client, page, model, rung):
    client.post(page, {"model": model.pk, "mode": "replay", "publish_every": 0, "detector": "none"})
    assert Run.objects.get().options["drift"] is False


def test_the_api_takes_the_same(client, owner, model, rung):
    client.force_login(owner)
    url = f"/api/v1/projects/{model.project.slug}/runs/"
    body = {"model": model.pk, "mode": "replay", "metrics": ["F1"], "window": 40, "baseline": "last", "drift": ADWIN}
    answer = client.post(url, json.dumps(body), content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert Run.objects.get().options["drift"] == ADWIN
    for wrong in ({"metrics": ["MAE"]}, {"drift": 3}, {"drift": {"use": "x"}}, {"window": 1}, {"baseline": "mean"}):
        answer = client.post(url, json.dumps(body | wrong), content_type="application/json")
        assert answer.status_code == 400, (wrong, answer.content)


# --- comparisons and sweeps -----------------------------------------------------------------------


ASKED = {"mode": "replay", "publish_every": 0, "seed": 3, "metrics": ["F1", "MCC"], "window": 80, "baseline": "last"}
ASKED |= {"detector": "drift.ADWIN", "at:params.delta": "0.01"}


def judged_as_asked() -> bool:
    runs = list(Run.objects.all())
    kept = [(r.options["metrics"][1:], r.options["window"], r.options["baseline"], r.options["drift"]) for r in runs]
    return len(runs) == 2 and kept == [(["F1", "MCC"], 80, "last", ADWIN)] * 2


@pytest.fixture
def comparison_page(client, owner, project):
    client.force_login(owner)
    return reverse("models_registry:comparison_create", args=[project.slug])


@pytest.fixture
def sweep_page(client, owner, project, model):
    client.force_login(owner)
    return reverse("models_registry:sweep_create", args=[project.slug]) + f"?model={model.pk}"


def test_a_comparison_is_judged_as_its_page_says(client, comparison_page, model, rung):
    other = make_model(model.project, "Other", SHALLOW)
    html = client.get(comparison_page).content.decode()
    assert "Correlation of prediction and label" in html and "Higher is better." in html and "Page hinkley" in html
    client.post(comparison_page, ASKED | {"models": [model.pk, other.pk]})
    assert judged_as_asked()


def test_a_sweep_is_judged_as_its_page_says(client, sweep_page, model, rung):
    shown = client.get(sweep_page)
    assert 'name="detector"' in shown.content.decode()
    names = [one.name for one in shown.context["form"].settings]
    setting = names.index("HoeffdingTreeClassifier.grace_period")
    given = ASKED | {"how": "grid", f"values_{setting}": "100, 300"}
    wrong = client.post(sweep_page, given | {"at:params.delta": "3"})
    assert wrong.status_code == 422 and "got 3" in wrong.content.decode() and not Run.objects.exists()
    wrong = client.post(sweep_page, given | {"window": "1"})
    assert wrong.status_code == 422 and "<details open" in wrong.content.decode() and not Run.objects.exists()
    client.post(sweep_page, given)
    assert judged_as_asked()


@pytest.mark.parametrize("what", ["models", "sweep"])
def test_the_api_judges_comparisons_as_asked(project, owner, model, what):
    api, other = Calls(project, actor=owner), make_model(model.project, "Other", SHALLOW)
    values = {"model": model.pk, "values": {"steps[0].params.grace_period": [100, 300]}}
    body = {"models": [model.pk, other.pk]} if what == "models" else {"sweep": values}
    body |= {"metrics": ["F1", "MCC"], "window": 80, "baseline": "last", "drift": ADWIN}
    assert api.post("comparisons/", body | {"metrics": ["MAE"]}).status_code == 400
    assert api.post("comparisons/", body | {"window": 1}).status_code == 400
    assert not Run.objects.exists(), "all or nothing"
    assert api.post("comparisons/", body).status_code == 201
    assert judged_as_asked()


# --- metrics with parameters ----------------------------------------------------------------------


def test_a_metric_with_a_parameter_is_one_of_its_own_everywhere(client, owner, project, model):
    names = ["F1", "FBeta(beta=0.5)", "FBeta(beta=3)", "ROCAUC(n_thresholds=20)"]
    run = start(model, Judging(("F1", "FBeta(beta=0.50)", *names[2:])))
    assert run.options["metrics"] == [project.primary_metric, *names]
    learn(run)
    assert set(metric_names(run.summary)) - {"Accuracy"} == {project.primary_metric, *names}
    values = [run.summary[f"overall.{name}"] for name in names]
    assert None not in values and len(set(values)) == 4
    assert run.summary["baseline.FBeta(beta=3)"] is not None
    assert run.summary["baseline.ROCAUC(n_thresholds=20)"] == 0.5
    client.force_login(owner)
    html = client.get(reverse("models_registry:run", args=[project.slug, 1]), {"metric": names[1]}).content.decode()
    assert "F-beta 0.5 (higher is better)" in html and "recall counts 0.5 times as much" in html
    assert "?metric=FBeta%28beta%3D3%29" in html
    choose = reverse("models_registry:run_columns", args=[project.slug])
    assert 'value="metric:rolling.FBeta(beta=0.5)"' in client.get(choose).content.decode()
    client.post(choose, {"column": ["metric:overall.FBeta(beta=0.5)", "metric:overall.FBeta(beta=0)", "metric:x.F1"]})
    table = reverse("models_registry:run_list", args=[project.slug])
    shown = client.get(table, {"sort": "-metric:overall.FBeta(beta=0.5)"})
    assert [column.title for column in shown.context["columns"]] == ["F-beta 0.5"]
    assert f"{100 * values[1]:.1f}%" in shown.content.decode()


def test_the_page_takes_parameters_of_metrics(client, page, model, rung):
    html = client.get(page).content.decode()
    assert 'name="set:FBeta.beta"' in html and 'name="set:ROCAUC.n_thresholds"' in html
    assert "Takes a number &gt; 0 and &lt;= 100" in html and "MacroFBeta" not in html
    given = {"model": model.pk, "mode": "replay", "publish_every": 0, "metrics": ["F1", "FBeta", "ROCAUC"]}
    client.post(page, given | {"set:FBeta.beta": "0.5, 2, 0.50", "set:ROCAUC.n_thresholds": ""})
    assert Run.objects.get().options["metrics"] == ["ROCAUC", "F1", "FBeta(beta=0.5)", "FBeta"]
    client.post(page, given | {"metrics": ["F1"], "set:FBeta.beta": "nonsense"})
    assert Run.objects.order_by("-pk")[0].options["metrics"] == ["ROCAUC", "F1"], "what is not ticked is not read"


@pytest.mark.parametrize("typed", ["0", "x", "0.5; 2", "beta", "1e999", "0.5)", "-1"])
def test_a_wrong_parameter_of_a_metric_stands_next_to_its_field(client, page, model, typed):
    given = {"model": model.pk, "mode": "replay", "publish_every": 0, "metrics": ["FBeta"], "set:FBeta.beta": typed}
    answer = client.post(page, given)
    assert answer.status_code == 422 and not Run.objects.exists()
    html = answer.content.decode()
    assert "<details open" in html and "FBeta: " in html and f'value="{typed}"' in html
    assert list(answer.context["form"].errors) == ["set:FBeta.beta"]


def test_the_api_takes_parameters_of_metrics(project, owner, model):
    api = Calls(project, actor=owner)
    body = {"model": model.pk, "mode": "replay", "metrics": ["FBeta(beta=0.5)"]}
    run = api.post("runs/", body).json()
    learn(Run.objects.get(number=run["number"]))
    found = api.get("runs/1/metrics/", {"name": "FBeta(beta=0.5)"}).json()
    assert found["metric"] == "FBeta(beta=0.5)" and found["series"][0]["points"]
    for wrong in ("FBeta(beta=0)", "MacroFBeta", "FBeta(", "F1(beta=2)", "x" * 61):
        answer = api.post("runs/", body | {"metrics": [wrong]})
        assert answer.status_code == 400 and "metrics" in answer.json()["error"]["fields"], wrong
