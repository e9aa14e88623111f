"""A table of thousands of runs: sorted by any column, in a few queries."""

from __future__ import annotations

import pytest

from models_registry.models import Run, RunTag
from models_registry.selectors.run_columns import default_keys, find_columns, offer_columns
from models_registry.selectors.run_table import RunQuery, export_runs, list_run_table
from projects.models import Project
from tests.models_registry.learned import TREE, make_model


@pytest.fixture(scope="module")
def kept_thousands(kept_project):
    """The key of a project with 3,000 runs of three models, some without a metric, some that name it null."""
    models = [make_model(kept_project, f"Depth {n}", _tree(n)) for n in (2, 11, None)]
    values = [{"overall.Accuracy": 0.5 + n / 10_000} for n in range(2_000)]
    values += [{"overall.Accuracy": None}] * 500 + [{}] * 500
    Run.objects.bulk_create(
        Run(project=kept_project, number=n + 1, model=models[n % 3], mode="replay", spec=TREE, seed=n,
            state="cancelled", summary=summary, learned=n, learning_seconds=1.0 + n % 7)
        for n, summary in enumerate(values)
    )  # fmt: skip
    swept = Run.objects.filter(project=kept_project, number__gt=1_000)
    RunTag.objects.bulk_create(RunTag(run=run, name="swept") for run in swept)
    return kept_project.pk


@pytest.fixture
def thousands(kept_thousands, db):
    return Project.objects.select_related("team").get(pk=kept_thousands)


@pytest.fixture
def project(thousands):
    return thousands


@pytest.fixture
def owner(project):
    return project.team.memberships.get().user


def _tree(depth: int | None) -> dict:
    return {"use": "tree.HoeffdingTreeClassifier", "params": {"max_depth": depth}}


def test_thousands_of_runs_take_no_more_queries_than_a_few(client, page, thousands, django_assert_num_queries):
    columns = find_columns(thousands, default_keys(thousands))
    with django_assert_num_queries(3):
        first = list_run_table(thousands, RunQuery(), columns, None)
    assert (first.paginator.count, len(first.object_list)) == (3_000, 25)
    with django_assert_num_queries(3):
        list_run_table(thousands, RunQuery(tag="swept", search="depth", sort="-metric:overall.Accuracy"), columns, "7")
    with django_assert_num_queries(2):
        offer_columns(thousands)
    second = client.get(page("run_list"), {"page": "2"})
    assert [row.number for row in second.context["page"].object_list] == list(range(2_975, 2_950, -1))
    assert len(second.content) < 150_000


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [
        ("-metric:overall.Accuracy", 2_000, 501), ("metric:overall.Accuracy", 1, 501),
        ("number", 1, 3_000), ("-seed", 3_000, 1), ("-throughput", 2_997, 1),
    ],
)  # fmt: skip
def test_any_column_sorts_and_what_has_no_value_comes_last(thousands, sort, first, last):
    columns = find_columns(thousands, ["metric:overall.Accuracy"])
    query = RunQuery(sort=sort)
    assert list_run_table(thousands, query, columns, "1").object_list[0].number == first
    if "metric" in sort:
        end = list_run_table(thousands, query, columns, "120").object_list
        assert {row.cells[0].value for row in end} == {None}


def test_parameters_sort_as_numbers(thousands):
    columns = find_columns(thousands, ["param:HoeffdingTreeClassifier.max_depth"])

    def depths(sort, page):
        rows = list_run_table(thousands, RunQuery(sort=sort), columns, page).object_list
        return {row.cells[0].value for row in rows}

    key = columns[0].key
    assert (depths(key, "1"), depths(key, "60"), depths(key, "120")) == ({2}, {11}, {None})
    assert (depths(f"-{key}", "1"), depths(f"-{key}", "60"), depths(f"-{key}", "120")) == ({11}, {2}, {None})


def test_an_export_has_every_page_and_few_queries(thousands, django_assert_num_queries):
    columns = find_columns(thousands, ["model", "tags", "seed"])
    with django_assert_num_queries(7):  # the runs once, their tags per 500
        rows = list(export_runs(thousands, RunQuery(), columns))
    assert [row["Run"] for row in rows] == list(range(3_000, 0, -1))
