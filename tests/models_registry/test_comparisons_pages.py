"""Pages about comparisons: starting one, its candidates side by side, and what is chance."""

from __future__ import annotations

import csv
import io
import json
import random
from functools import partial

import pytest
from django.core.cache import cache
from django.utils import timezone

from models_registry.learning.measures import find_measure
from models_registry.models import Comparison, Deployment, RegisteredModel, Run, Version
from models_registry.selectors.comparisons import candidates_of, list_comparisons
from models_registry.selectors.curves import draw_curves
from models_registry.selectors.side_by_side import compare_runs
from models_registry.services.comparisons import start_comparison
from models_registry.services.deployment import deploy
from models_registry.services.judging import Judging
from models_registry.services.runs import start_run
from projects.models import Task
from projects.payload import Incoming
from projects.services.events import accept
from tests.factories import make_events, make_member, make_project, make_user
from tests.models_registry.learned import LINE, SHALLOW, TREE, learn, make_model

LINEAR = {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]}
PRIOR = {"use": "dummy.PriorClassifier"}


@pytest.fixture(autouse=True)
def nothing_remembered():
    cache.clear()


def numeric_events(project, count: int, noise: float = 0.1, *, number: bool = False) -> None:
    """Events whose label follows x but for some noise."""
    rng = random.Random(4)
    items = []
    for line in range(1, count + 1):
        x, y = rng.random(), rng.random()
        label = 3 * x + rng.gauss(0, noise) if number else (x > 0.5) != (rng.random() < noise)
        items.append(Incoming(line, None, {"x": x, "y": y}, label))
    accept(project_id=project.pk, items=items, now=timezone.now())
    project.refresh_from_db()


@pytest.fixture
def compared(project, owner):
    """A finished comparison of a linear model, a tree, and a guess that ignores the features."""
    numeric_events(project, 1_500)
    models = [make_model(project, name, spec) for name, spec in (("Guess", PRIOR), ("Linear", LINEAR), ("Tree", TREE))]
    comparison = start_comparison(project=project, name="Three ways", models=models, actor=owner, seed=1)
    for run in comparison.runs.order_by("pk"):
        learn(run)
    return comparison


# --- starting -------------------------------------------------------------------------------------


def test_a_comparison_starts_with_its_models_and_one_ring(
    client, page, project, rung, owner, django_capture_on_commit_callbacks
):
    make_events(project, 20)
    chosen = [make_model(project, "One", TREE), make_model(project, "Other", SHALLOW)]
    html = client.get(page("comparison_create")).content.decode()
    assert "Hoeffding tree" in html and "2 to 16" in html
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            page("comparison_create"),
            {"models": [one.pk for one in chosen], "name": "", "mode": "replay", "publish_every": "0", "seed": "3"},
        )
    made = Comparison.objects.get()
    assert answer["Location"] == page("comparison", made.number)
    assert (made.name, made.created_by) == ("Other against One", owner)
    runs = candidates_of(made)
    assert {(run.seed, run.target_position, run.options["publish_every"]) for run in runs} == {(3, 20, 0)}
    assert [name for name, *_ in rung].count("models_registry.tasks.advance_run") == 1


@pytest.mark.parametrize("count", [0, 1, 17])
def test_too_few_and_too_many_models_are_refused_in_words(client, page, project, count):
    make_events(project, 5)
    RegisteredModel.objects.bulk_create(
        RegisteredModel(project=project, name=f"m{number}", spec=TREE) for number in range(18)
    )
    chosen = list(RegisteredModel.objects.values_list("pk", flat=True)[:count])
    answer = client.post(page("comparison_create"), {"models": chosen, "mode": "replay", "publish_every": "0"})
    assert answer.status_code == 422
    said = "Choose at least two models" if not count else f"Choose 2 to 16 models; {count} are chosen."
    assert said in answer.content.decode()
    assert answer.content.decode().count("checked") >= count, "what was chosen stays chosen"
    assert not Run.objects.exists()


def test_a_project_without_two_models_is_told_what_to_do(client, page, project):
    assert "A comparison needs models" in client.get(page("comparison_list")).content.decode()
    assert "There is none yet" in client.get(page("comparison_create")).content.decode()
    assert "A sweep needs a model" in client.get(page("sweep_create")).content.decode()
    make_model(project, "One", TREE)
    html = client.get(page("comparison_create")).content.decode()
    assert "There is one so far" in html and page("sweep_create") in html


# --- looking --------------------------------------------------------------------------------------


def test_champion_and_challengers_are_on_one_chart_with_the_baseline(client, page, compared):
    answer = client.get(page("comparison", compared.number), {"metric": "Accuracy"})
    figure = answer.context["shown"].chart.figure
    assert [trace["name"] for trace in figure["data"]] == ["Guess", "Linear", "Tree", "Baseline"]
    html = answer.content.decode()
    assert "the first of them, because none of them serves" in html
    assert "hx-trigger" not in html.split('id="live"')[1].split(">")[0], "what is over is not polled"


def test_the_difference_is_told_from_chance_in_words_with_numbers_and_method(client, page, compared, project):
    shown = client.get(page("comparison", compared.number), {"metric": "Accuracy"}).context["shown"]
    assert shown.champion.name == "Guess"
    assert shown.challengers[0].name in ("Linear", "Tree")
    for line in shown.challengers:
        assert line.verdict.better == line.name and line.verdict.p < 0.001
        assert "not by chance: Accuracy" in line.verdict.words and "(McNemar, p < 0.001)" in line.verdict.words
        assert line.verdict.events == 1_499, "the guess says nothing about the first event"
    assert "and not by chance; 2 of 2 challengers are" in shown.headline
    twin = Run.objects.get(model__name="Linear")
    again = client.get(page("comparison", compared.number), {"metric": "Accuracy", "champion": str(twin.number)})
    tree = next(line for line in again.context["shown"].challengers if line.name == "Tree")
    assert tree.verdict.test == "McNemar" and "1,499 events" in tree.verdict.words
    f1 = client.get(page("comparison", compared.number), {"metric": "F1"}).context["shown"]
    assert {line.verdict.test for line in f1.challengers} == {"block bootstrap"}
    assert all(line.verdict.interval for line in f1.challengers)
    roc = client.get(page("comparison", compared.number)).content.decode()
    assert "ROC AUC cannot be tested event by event, so the test looks at Accuracy" in roc


def test_twins_could_be_chance(project, owner):
    numeric_events(project, 800)
    models = [make_model(project, "One", LINEAR), make_model(project, "Twin", LINEAR)]
    comparison = start_comparison(project=project, name="", models=models, actor=owner, seed=1)
    runs = [learn(run) for run in comparison.runs.select_related("model", "created_by").order_by("pk")]
    [line] = compare_runs(project, runs, metric="Accuracy").challengers
    assert (line.verdict.better, line.verdict.p, line.standing) == ("", 1.0, "even")
    assert line.verdict.words.startswith("No real difference")


def test_regressions_are_judged_by_the_interval_of_the_difference(owner, team):
    project = make_project(team, name="Prices", task=Task.REGRESSION)
    numeric_events(project, 1_000, number=True)
    mean = {"use": "dummy.StatisticRegressor", "params": {"statistic": {"use": "stats.Mean"}}}
    models = [make_model(project, "Mean", mean), make_model(project, "Line", LINE)]
    comparison = start_comparison(project=project, name="", models=models, actor=owner, seed=1)
    runs = [learn(run) for run in comparison.runs.select_related("model", "created_by").order_by("pk")]
    [line] = compare_runs(project, runs).challengers
    assert line.verdict.better == "Line" and line.verdict.interval[0] > 0
    assert "(block bootstrap, difference +" in line.verdict.words


def test_what_serves_is_the_champion(compared, project, owner):
    run = Run.objects.get(model__name="Tree")
    version = run.versions.get()
    deploy(project=project, version=version, actor=owner)
    shown = compare_runs(project, candidates_of(compared))
    assert (shown.champion.name, shown.why_champion) == ("Tree", f"its v{version.number} serves now")
    newer = learn(start_run(model=run.model, mode="replay", actor=None))
    deploy(project=project, version=newer.versions.get(), actor=owner)
    shown = compare_runs(project, candidates_of(compared))
    assert (shown.champion.name, shown.why_champion) == ("Tree", "v4 of the same model serves now")
    assert Deployment.objects.count() == 2 and Version.objects.count() == 4


def test_a_failed_run_is_no_champion_while_another_has_learned(compared, project):
    failed, *_ = runs = candidates_of(compared)
    failed.state = Run.State.FAILED
    failed.save()
    shown = compare_runs(project, runs)
    assert shown.champion.name == "Linear"
    assert shown.why_champion == "the first of them that did not fail, because none of them serves"
    assert compare_runs(project, runs, champion=failed.number).champion.name == "Guess"
    Run.objects.update(state=Run.State.FAILED)
    assert compare_runs(project, candidates_of(compared)).champion.name == "Guess", "one of them has to be"


def test_the_baseline_goes_as_far_as_any_of_the_runs(project):
    numeric_events(project, 1_200)
    model = make_model(project, "Linear", LINEAR)
    start = partial(start_run, model=model, mode="replay", actor=None, seed=1)
    early = [learn(start(target_position=400)) for _ in range(2)]
    late = learn(start(from_version=early[0].versions.get()))
    assert (late.start_position, late.position) == (400, 1_200)
    for runs in ([*early, late], [late, *early]):
        [drawn] = _baselines(runs)
        assert drawn["name"] == "Baseline"
        assert (drawn["x"][0] < 50, drawn["x"][-1]) == (True, 1_200)
        assert drawn["x"] == sorted(set(drawn["x"])) and None not in drawn["y"]
    last = learn(start(judging=Judging(baseline="last"), target_position=300))
    names = [one["name"] for one in _baselines([early[0], last])]
    assert names == ["Baseline: the commonest label so far", "Baseline: the last label"]


def _baselines(runs):
    chart = draw_curves(runs, {run.pk: str(run.number) for run in runs}, find_measure("Accuracy"), summary="")
    return [trace for trace in chart.figure["data"] if trace["name"].startswith("Baseline")]


def read_files(client, page, name, *args, query):
    found = json.loads(client.get(page(f"{name}_json", *args) + query).getvalue())
    answer = client.get(page(f"{name}_csv", *args) + query)
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [list(row) for row in rows] == [list(row) for row in found], "both have the same columns"
    assert [row["Name"] for row in rows] == [row["Name"] for row in found]
    return answer["Content-Disposition"], found


def test_what_is_compared_is_sent_as_a_file(client, page, compared):
    query = "?metric=F1&champion=2"
    shown = client.get(page("comparison", 1) + query)
    disposition, rows = read_files(client, page, "comparison", 1, query=query)
    assert disposition == 'attachment; filename="phishing-pages-comparison-1.csv"'
    lines = shown.context["shown"].lines
    assert [row["Name"] for row in rows] == [line.name for line in lines] and rows[0]["Champion"] is True
    assert [row["F1"] for row in rows] == [line.figures[0].value for line in lines], "every digit"
    assert [row["F1, lately"] for row in rows] == [line.rolling.value for line in lines]
    assert rows[1]["Real or chance"] == lines[1].verdict.words and rows[1]["Against the champion"].split()[-1] in (
        "better", "worse",
    )  # fmt: skip
    assert rows[0]["Duration"] > 0 and set(shown.context["shown"].parameters) <= set(rows[0])
    html = shown.content.decode()
    assert f'href="{page("comparison_csv", 1)}?champion=2&amp;metric=F1"' in html
    html = client.get(page("run_compare") + "?r=3&r=1").content.decode()
    assert f'href="{page("run_compare_json")}?r=3&amp;r=1&amp;metric=' in html
    disposition, rows = read_files(client, page, "run_compare", query="?r=3&r=1")
    assert {row["Run"] for row in rows} == {1, 3}
    for wrong in ("", "?r=x&r=99", "?metric=nonsense"):
        assert client.get(page("run_compare_csv") + wrong).getvalue().strip() == b""
        assert json.loads(client.get(page("run_compare_json") + wrong).getvalue()) == []


def test_facts_that_differ_are_told_with_why_a_run_failed(client, page, project, owner):
    numeric_events(project, 300)
    model = make_model(project, "Linear", LINEAR)
    learn(start_run(model=model, mode="replay", actor=owner, seed=1))
    judging = Judging(baseline="last", drift={"use": "drift.PageHinkley"})
    other = learn(start_run(model=model, mode="replay", actor=None, seed=1, trigger="api", judging=judging))
    Run.objects.filter(pk=other.pk).update(state=Run.State.FAILED, error="It ran out of <digits>")
    answer = client.get(page("run_compare") + "?r=1&r=2")
    shown = answer.context["shown"]
    assert shown.facts == ("Baseline", "Watched by", "Trigger", "Started by")
    assert [cell.text for cell in shown.lines[1].facts] == ["Last label", "Page hinkley", "api", "the portal"]
    assert [cell.differs for cell in shown.lines[1].facts] == [True] * 4
    html = answer.content.decode()
    assert "It ran out of &lt;digits&gt;" in html and ">Duration</th>" in html
    _, rows = read_files(client, page, "run_compare", query="?r=1&r=2")
    assert [row["Error"] for row in rows] == ["", "It ran out of <digits>"]


def test_the_next_step_deploys_the_best_that_has_a_version(client, page, compared, project):
    version = Version.objects.get(run__model__name="Tree")
    runs = candidates_of(compared)
    shown = compare_runs(project, runs, metric="Accuracy")
    best = max(shown.lines, key=lambda line: line.figures[0].value)
    html = client.get(page("comparison", 1) + "?metric=Accuracy").content.decode()
    assert f'href="{page("deploy")}?version={best.version}"' in html
    Version.objects.exclude(pk=version.pk).delete()
    html = client.get(page("comparison", 1)).content.decode()
    assert f"Deploy Tree (v{version.number})" in html, "though the champion has none"
    Run.objects.filter(pk=version.run_id).update(state=Run.State.FAILED)
    assert "?version=" not in client.get(page("comparison", 1)).content.decode(), "a failed one is not recommended"
    Run.objects.update(state=Run.State.COMPLETED)
    version.delete()
    assert "?version=" not in client.get(page("comparison", 1)).content.decode()


def test_only_what_differs_is_in_the_table(client, page, project, owner):
    numeric_events(project, 100)
    specs = {"Deep": {}, "Shallow": {"max_depth": 3}, "Patient": {"max_depth": 3, "grace_period": 300}}
    models = [
        make_model(project, name, {"use": "tree.HoeffdingTreeClassifier", "params": params})
        for name, params in specs.items()
    ]
    comparison = start_comparison(project=project, name="", models=models, actor=owner, seed=1)
    for run in comparison.runs.all():
        learn(run)
    shown = client.get(page("comparison", comparison.number)).context["shown"]
    assert set(shown.parameters) == {"HoeffdingTreeClassifier.grace_period", "HoeffdingTreeClassifier.max_depth"}
    cells = {
        line.name: {
            name: (cell.text, cell.differs) for name, cell in zip(shown.parameters, line.parameters, strict=True)
        }
        for line in shown.lines
    }
    assert cells["Patient"]["HoeffdingTreeClassifier.grace_period"] == ("300", True)
    assert cells["Shallow"]["HoeffdingTreeClassifier.max_depth"][0] == "3"
    assert not any(differs for _, differs in cells["Deep"].values()), "the champion does not differ from itself"
    parallel = shown.parallel.figure
    assert len(parallel["data"]) == 3
    assert any("grace_period" in text for text in parallel["layout"]["xaxis"]["ticktext"])
    sides = {mark["x"]: (mark["xanchor"], mark["xshift"]) for mark in parallel["layout"]["annotations"]}
    last = max(sides)
    assert sides.pop(last) == ("right", -8), "beyond the last axis there is no room"
    assert set(sides.values()) == {("left", 8)}
    assert all(0 <= y <= 1 for trace in parallel["data"] for y in trace["y"] if y is not None)


def test_any_runs_can_be_compared_and_the_queries_do_not_grow(
    client, page, compared, project, django_assert_num_queries
):
    two = "?r=1&r=2"
    whole = "?" + "&".join(f"r={number}" for number in (1, 2, 3))
    for query, count in ((two, 2), (whole, 3)):
        cache.clear()
        answer = client.get(page("run_compare") + query)
        assert len(answer.context["shown"].lines) == count
    runs = candidates_of(compared)
    for some in (runs[:2], runs):
        cache.clear()
        with django_assert_num_queries(5):
            compare_runs(project, some, metric="Accuracy")
        with django_assert_num_queries(4):
            compare_runs(project, some, metric="Accuracy")  # what was found about chance is remembered
    with django_assert_num_queries(3):
        list_comparisons(project)


@pytest.mark.parametrize("query", ["", "?r=1", "?r=1&r=1", "?r=1&r=99", "?r=x&r=-1&r=" + "9" * 30])
def test_too_few_runs_to_compare_lead_back_with_a_word(client, page, compared, query):
    answer = client.get(page("run_compare") + query, follow=True)
    assert answer.redirect_chain[0][0] == page("run_list")
    assert "Tick 2 to 50 runs to compare" in answer.content.decode()


def test_a_comparison_at_work_is_polled_and_can_be_cancelled(client, page, project, owner):
    make_events(project, 20)
    models = [make_model(project, "One", TREE), make_model(project, "Other", SHALLOW)]
    comparison = start_comparison(project=project, name="", models=models, actor=owner, mode="follow")
    html = client.get(page("comparison", comparison.number)).content.decode()
    assert 'hx-trigger="every 2s"' in html and "Nothing was predicted yet" in html
    assert "2 of its runs are not over" in client.get(page("comparison_cancel", comparison.number)).content.decode()
    client.post(page("comparison_cancel", comparison.number))
    assert {run.state for run in candidates_of(comparison)} == {"cancelled"}


def test_odd_questions_get_a_sensible_answer(client, page, compared):
    for query in ("?metric=Nonsense", "?champion=x", "?champion=99", f"?champion={10**30}&metric=R2"):
        assert client.get(page("comparison", compared.number) + query).status_code == 200
    assert client.get(page("comparison", 99)).status_code == 404


def test_who_may(client, page, compared, team):
    viewer = make_user()
    make_member(team, viewer)
    client.force_login(viewer)
    assert client.get(page("comparison", 1)).status_code == 200
    assert client.get(page("comparison_list")).status_code == 200
    assert client.get(page("run_compare") + "?r=1&r=2").status_code == 200
    for name in ("comparison_create", "sweep_create"):
        assert client.get(page(name)).status_code == 403
    assert client.post(page("comparison_cancel", 1)).status_code == 403
    client.force_login(make_user())
    for name, args in (("comparison", [1]), ("comparison_list", []), ("run_compare", []), ("sweep_count", [])):
        assert client.get(page(name, *args)).status_code == 404 or name == "sweep_count"
    assert client.post(page("sweep_count")).status_code == 404


def test_tables_of_figures_name_their_columns_where_rows_are_blocks(client, page, compared):
    html = client.get(page("comparison", 1) + "?metric=F1").content.decode()
    for label in ("State", "F1", "Lately", "Against the champion", "ROC AUC", "Duration", "Events/s"):
        assert f'data-label="{label}"' in html, label
    html = client.get(page("run", 2)).content.decode()
    assert html.count('data-label="Against it"') > 3
    html = client.get(page("version_compare") + "?a=1&b=2").content.decode()
    assert 'data-label="Better"' in html and 'data-label="v1"' in html
