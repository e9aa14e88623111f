"""The version a rollback offers first, and the live metric it is chosen by."""

from __future__ import annotations

import pytest

from models_registry.models import Deployment, LivePoint, ScoredUpTo
from models_registry.selectors.last_good import find_last_good
from models_registry.selectors.live import live_figures, live_lately, live_of_deployments
from models_registry.services import live_scoring
from models_registry.services.canary import start_canary
from models_registry.services.deployment import roll_back
from projects.models import Task
from tests.factories import make_project
from tests.models_registry.answered import answer, rights
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions(project):
    run = add_run(add_model(project))
    return [add_version(run, position=position) for position in (100, 200, 300)]


def number_of(project):
    found = find_last_good(project)
    return found.number if found else None


# --- without labels: the order of history ---------------------------------------------------------


def test_it_served_before_and_was_not_rolled_back(project, versions):
    first, second, third = versions
    assert number_of(project) is None
    add_deployment(first)
    assert number_of(project) is None
    add_deployment(second)
    assert number_of(project) == first.number
    add_deployment(third)
    assert number_of(project) == second.number
    add_deployment(second, kind=Deployment.Kind.ROLLBACK)
    assert number_of(project) == first.number, "v3 was rolled back"
    add_deployment(first, kind=Deployment.Kind.ROLLBACK)
    assert number_of(project) is None, "v2 was too"
    add_deployment(third)
    assert number_of(project) == first.number
    add_deployment(second)
    assert number_of(project) == third.number, "deployed again, it had another chance"


def test_without_labels_the_reason_says_so(project, versions):
    add_deployment(versions[0])
    add_deployment(versions[1])
    assert "served last before v2; too few of their answers have a label" in find_last_good(project).reason


def test_a_version_whose_file_is_gone_is_not_offered(project, versions):
    add_deployment(versions[0])
    versions[0].artifact_removed_at = versions[0].created_at
    versions[0].save()
    add_deployment(versions[1])
    assert number_of(project) is None


# --- with labels ----------------------------------------------------------------------------------


def test_the_last_one_that_did_better_is_chosen_with_its_figures(project, versions, django_assert_max_num_queries):
    rows = [add_deployment(version) for version in versions]
    answer(project, rows[0], rights(90, 10))
    answer(project, rows[1], rights(50, 50), start=100)
    answer(project, rows[2], rights(60, 40), start=200)
    with django_assert_max_num_queries(3):
        found = find_last_good(project)
    assert found.number == 1, "v2 served last, but did worse than v3 does"
    assert found.reason == (
        "v1 is the last one whose live Accuracy was better: 90.0% over 100 labelled answers, "
        "against 60.0% over 100 labelled answers of v3 lately."
    )


def test_where_none_did_better_the_best_is_offered_and_it_is_said(project, versions):
    rows = [add_deployment(version) for version in versions]
    answer(project, rows[0], rights(70, 30))
    answer(project, rows[1], rights(50, 50), start=100)
    answer(project, rows[2], rights(95, 5), start=200)
    found = find_last_good(project)
    assert found.number == 1
    assert found.reason.startswith("None that served before did better than v3 does lately")


def test_lately_counts_for_what_serves(project, versions):
    rows = [add_deployment(version) for version in versions[:2]]
    answer(project, rows[0], rights(80, 20))
    answer(project, rows[1], rights(1000, 0), start=1000)
    answer(project, rows[1], rights(100, 900), start=2000)
    assert find_last_good(project).reason.endswith("against 10.0% over 1,000 labelled answers of v2 lately.")


def test_the_rollback_takes_it_by_itself(project, versions, owner):
    rows = [add_deployment(version) for version in versions]
    answer(project, rows[0], rights(90, 10))
    answer(project, rows[1], rights(50, 50), start=100)
    answer(project, rows[2], rights(60, 40), start=200)
    done = roll_back(project=project, actor=owner, since="challenger", reason="worse")
    assert done.deployment.version.number == 1


# --- the live metric ------------------------------------------------------------------------------


def test_only_answers_given_before_their_label_count_and_each_once(project, versions):
    row = add_deployment(versions[0])
    answer(project, row, [(True, True), (True, False), (None, True), (True, None)])
    figure = live_figures(project)[1]
    assert (figure.answers, figure.figure.value) == (2, 0.5), "no answer and no label are not scored"
    answer(project, row, [(False, False)], start=10)
    live_scoring.score_answers(project.pk)
    assert live_figures(project)[1].answers == 3
    late = row.predictions.last()
    late.at = late.event.labelled_at.replace(hour=23)
    late.save()
    ScoredUpTo.objects.update(position=0)
    LivePoint.objects.all().delete()
    live_scoring.score_answers(project.pk)
    assert live_figures(project)[1].answers == 2, "an answer given after its label is no prediction"


@pytest.mark.parametrize("positions", [1, 7, 5_000])
def test_the_points_do_not_depend_on_how_the_stream_is_cut(project, versions, monkeypatch, positions):
    monkeypatch.setattr(live_scoring, "POSITIONS", positions)
    row = add_deployment(versions[0])
    answer(project, row, rights(130, 120))
    points = LivePoint.objects.order_by("stretch").values_list("stretch", "events", "wrong")
    assert [(stretch, events) for stretch, events, _ in points] == [(stretch, 50) for stretch in range(5)]
    assert sum(wrong for _, _, wrong in points) == 120


def test_a_canary_and_what_serves_are_scored_apart(project, versions, owner):
    row = add_deployment(versions[0])
    answer(project, row, rights(30, 10))
    canary = start_canary(project=project, version=versions[1], share=10, actor=owner)
    answer(project, canary, rights(35, 5), version=versions[1], start=100)
    answer(project, canary, rights(15, 25), version=versions[0], start=200)
    found = live_of_deployments(project, [row.pk])
    assert found[row.pk, versions[0].pk].figure.value == 45 / 80, "also while the canary ran"
    assert found[row.pk, versions[1].pk].figure.value == 35 / 40
    assert live_lately(project, row.pk, versions[0].pk).answers == 80


def test_numbers_are_scored_by_their_distance(team, owner):
    project = make_project(team, task=Task.REGRESSION)
    row = add_deployment(add_version(add_run(add_model(project))))
    answer(project, row, [(1.0, 2.0), (5.0, 2.0)])
    figure = live_figures(project)[1]
    assert (figure.measure.name, figure.figure.value) == ("MAE", 2.0)


def test_words_are_scored_by_the_class_they_mean(team):
    project = make_project(team, primary_metric="Recall")
    row = add_deployment(add_version(add_run(add_model(project))))
    answer(project, row, [("no", "yes"), ("yes", "yes"), ("no", "no"), ("no", "no")])
    figure = live_figures(project)[1]
    assert (figure.measure.name, figure.figure.value) == ("Recall", 0.5)
