"""The table of runs: filters, sorting by any column, chosen columns, tags, notes, archiving, exports."""

from __future__ import annotations

import csv
import io
import json

import pytest

from models_registry.models import RegisteredModel, Run, RunColumns, RunTag
from models_registry.selectors.run_columns import offer_columns
from models_registry.selectors.run_table import RunQuery, list_run_table
from models_registry.services.runs import cancel_run, pause_run, start_run
from models_registry.services.tracking import describe_run
from projects.models import Activity, Task
from tests.factories import make_member, make_project, make_user
from tests.models_registry.learned import make_model, make_run

HTMX = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def kept_runs(kept_project):
    """The key of the model of runs 1 (completed), 2 (paused), 3 (follows), and 4 (cancelled, of another model)."""
    model = make_model(kept_project)
    make_run(model, events=40)
    pause_run(run=start_run(model=model, mode=Run.Mode.REPLAY, actor=None), actor=None)
    start_run(model=model, mode=Run.Mode.FOLLOW, actor=None)
    other = start_run(model=make_model(model.project, "Other"), mode=Run.Mode.REPLAY, actor=None)
    cancel_run(run=other, actor=None)
    describe_run(run=Run.objects.get(number=2), actor=None, tags=["slow", "odd one"], note="Waits for the new labels")
    describe_run(run=other, actor=None, tags=["slow"])
    return model.pk


@pytest.fixture
def several(kept_runs, db):
    return RegisteredModel.objects.select_related("project__team").get(pk=kept_runs)


@pytest.fixture
def project(several):
    return several.project


@pytest.fixture
def team(project):
    return project.team


@pytest.fixture
def owner(team):
    return team.memberships.get().user


def numbers(answer) -> list[int]:
    return [row.number for row in answer.context["page"].object_list]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"state": "active"}, [3]),
        ({"state": "completed"}, [1]),
        ({"mode": "follow"}, [3]),
        ({"mode": "replay", "state": "paused"}, [2]),
        ({"tag": "slow"}, [4, 2]),
        ({"tag": "odd one"}, [2]),
        ({"search": "labels"}, [2]),
        ({"search": "other"}, [4]),
        ({"search": "ODD waits"}, [2]),
        ({"shown": "archived"}, []),
        ({"state": "asleep", "mode": "x", "model": "y", "page": "z", "tag": "no", "shown": "x"}, [4, 3, 2, 1]),
        ({"model": str(10**30), "page": str(10**30), "sort": "'; --"}, [4, 3, 2, 1]),
        *(
            ({"sort": f"{sign}param:{name}"}, [4, 3, 2, 1])
            for sign in ("", "-")
            for name in (
                "-1",
                "0",
                "5",
                "-99999999999999999999",
                "\u0661",
                "1_0",
                "$",
                'A."b',
                "A.b.c",
                "[0]",
                "A.b[0]",
                "x" * 120,
            )
        ),
        ({"mode": "follow", "state": "failed"}, []),
    ],
)
def test_runs_are_filtered(client, page, several, asked, found, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        answer = client.get(page("run_list"), asked)
    assert numbers(answer) == found
    if not found:
        assert "No run fits" in answer.content.decode()


def test_runs_are_filtered_by_model_and_live_while_one_is_at_work(client, page, several):
    answer = client.get(page("run_list"), {"model": several.pk})
    assert numbers(answer) == [3, 2, 1]
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    assert 'hx-trigger="every 2s"' not in client.get(page("run_list"), {"state": "completed"}).content.decode()


@pytest.mark.django_db
def test_every_column_reads_and_sorts(several):
    project = several.project
    for _, columns in offer_columns(project):
        for column in columns:
            for sort in (column.key, f"-{column.key}"):
                rows = list_run_table(project, RunQuery(sort=sort), [column], None).object_list
                assert len(rows) == 4, column.key


# --- columns --------------------------------------------------------------------------------------


def test_columns_are_chosen_and_kept_per_person_and_project(client, page, several, team, owner):
    html = client.get(page("run_columns")).content.decode()
    assert "HoeffdingTreeClassifier.max_depth" in html and "Balanced accuracy" in html
    chosen = [
        "seed",
        "param:HoeffdingTreeClassifier.grace_period",
        "metric:baseline.Accuracy",
        "nonsense",
        "metric:x.y",
        "param:-1",
    ]
    assert client.post(page("run_columns"), {"column": chosen})["Location"] == page("run_list")
    answer = client.get(page("run_list"))
    assert [column.key for column in answer.context["columns"]] == chosen[:3]
    html = answer.content.decode()
    assert "HoeffdingTreeClassifier.grace_period" in html and "Accuracy, baseline" in html and "Progress" not in html
    other = make_project(team, name="Other")
    make_run(make_model(other), events=5)
    assert "Progress" in client.get(page("run_list", of=other)).content.decode()
    colleague = make_user()
    make_member(team, colleague)
    client.force_login(colleague)
    assert "Progress" in client.get(page("run_list")).content.decode()
    client.force_login(owner)
    client.post(page("run_columns"), {"usual": "1", "column": chosen})
    assert "Progress" in client.get(page("run_list")).content.decode()
    assert not RunColumns.objects.exists()


def test_too_many_columns_are_refused_and_stay_ticked(client, page, several):
    every = [column.key for _, columns in offer_columns(several.project) for column in columns]
    answer = client.post(page("run_columns"), {"column": every})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert f"{len(every)} columns are chosen; a table takes at most 24." in html
    assert html.count(" checked") == len(every)


def test_headers_sort_both_ways_and_keep_the_filters(client, page, several):
    html = client.get(page("run_list"), {"mode": "replay", "page": "1"}).content.decode()
    assert 'href="?mode=replay&amp;sort=-throughput"' in html
    html = client.get(page("run_list"), {"mode": "replay", "sort": "-throughput"}).content.decode()
    assert 'href="?mode=replay&amp;sort=throughput"' in html
    assert 'aria-sort="descending"' in html
    assert '<input type="hidden" name="sort" value="-throughput"' in html, "a filter keeps the order"


# --- marks ----------------------------------------------------------------------------------------


def test_runs_are_archived_and_brought_back(client, page, several, owner):
    answer = client.post(page("run_ticked"), {"r": ["1", "4"], "do": "archive"}, follow=True)
    html = answer.content.decode()
    assert numbers(answer) == [3, 2]
    assert "Archived 2 runs. Nothing of them is lost." in html and ">Undo</button>" in html
    assert numbers(client.get(page("run_list"), {"shown": "archived"})) == [4, 1]
    assert numbers(client.get(page("run_list"), {"shown": "all"})) == [4, 3, 2, 1]
    assert client.get(page("run", 1)).status_code == 200
    answer = client.post(page("run_ticked"), {"r": ["1", "4"], "do": "unarchive"}, follow=True)
    assert numbers(answer) == [4, 3, 2, 1]
    verbs = list(Activity.objects.filter(verb__contains="archived").values_list("verb", "actor_id"))
    assert verbs == [("run.unarchived", owner.pk), ("run.archived", owner.pk)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"r": ["1", "3"], "do": "archive"}, "Run 3 is not over"),
        ({"r": ["2"], "do": "archive"}, "Run 2 is not over"),
        ({"do": "archive"}, "Tick some runs first"),
        ({"r": ["99", "x"], "do": "archive"}, "Tick some runs first"),
        ({"r": ["1"], "do": "tag", "tags": " , "}, "Write the tag"),
        ({"r": ["1"], "do": "tag", "tags": "x" * 41}, "is no tag"),
        ({"r": ["1"], "do": "tag", "tags": ",".join(map(str, range(21)))}, "at most 20"),
        ({"r": ["1"], "do": "compare"}, "Tick 2 to 50 runs"),
    ],
)
def test_what_cannot_be_done_to_ticked_runs_is_explained(client, page, several, given, said):
    referer = {"Referer": f"http://testserver{page('run_list')}"}
    html = client.post(page("run_ticked"), given, headers=referer, follow=True).content.decode()
    assert said in html
    assert not Run.objects.filter(archived_at__isnull=False).exists()
    assert RunTag.objects.count() == 3


def test_ticked_runs_are_compared_and_tagged(client, page, several):
    answer = client.post(page("run_ticked"), {"r": ["1", "4"], "do": "compare", "tags": ""})
    assert answer["Location"] == page("run_compare") + "?r=1&r=4"
    client.post(page("run_ticked"), {"r": ["1", "2"], "do": "tag", "tags": " keep , slow", "next": "/nowhere.example/"})
    tags = {run.number: [tag.name for tag in run.tags.all()] for run in Run.objects.prefetch_related("tags")}
    assert tags == {1: ["keep", "slow"], 2: ["keep", "odd one", "slow"], 3: [], 4: ["slow"]}


def test_tags_and_note_of_a_run_are_kept_as_they_are_written(client, page, several):
    html = client.get(page("run", 2)).content.decode()
    assert 'value="odd one, slow"' in html and "Waits for the new labels" in html
    answer = client.post(page("run_describe", 2), {"tags": "new,  slow ,", "note": " Done\nnow "}, headers=HTMX)
    assert answer.status_code == 204
    run = Run.objects.get(number=2)
    assert ([tag.name for tag in run.tags.all()], run.note) == (["new", "slow"], "Done\nnow")
    changed = Activity.objects.filter(verb="run.described").first()
    assert changed.summary == "changed the tags and the note of run 2"
    assert changed.data["before"] == {"tags": ["odd one", "slow"], "note": "Waits for the new labels"}
    client.post(page("run_describe", 2), {"tags": "new, slow", "note": "Done\nnow"})
    assert Activity.objects.filter(verb="run.described").count() == 3, "what changes nothing is not logged"
    answer = client.post(page("run_describe", 2), {"tags": "x" * 50, "note": "y"}, headers=HTMX)
    assert answer.status_code == 400 and "is no tag" in answer.json()["error"]["message"]
    assert client.post(page("run_describe", 2), {"tags": "", "note": "a\0b"}, headers=HTMX).status_code == 400
    assert Run.objects.get(number=2).note == "Done\nnow", "all or nothing"


def test_tags_and_a_note_that_are_refused_stay_in_their_fields(client, page, several):
    answer = client.post(page("run_describe", 2), {"tags": "x" * 50, "note": "A long thought <b>"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert f'value="{"x" * 50}"' in html and "A long thought &lt;b&gt;</textarea>" in html
    assert "is no tag: at most 40 characters" in html
    assert Run.objects.get(number=2).note == "Waits for the new labels"


# --- exports --------------------------------------------------------------------------------------


def test_exports_are_exactly_what_is_shown(client, page, several):
    client.post(page("run_columns"), {"column": ["model", "tags", "note", "metric:overall.Accuracy", "started"]})
    describe_run(run=Run.objects.get(number=4), actor=None, note="=HYPERLINK(1)")
    query = {"tag": "slow", "sort": "number"}
    shown = client.get(page("run_list"), query)
    answer = client.get(page("run_export_csv"), query)
    assert answer["Content-Disposition"] == 'attachment; filename="phishing-pages-runs.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [int(row["Run"]) for row in rows] == numbers(shown) == [2, 4]
    assert list(rows[0]) == ["Run", *(column.title for column in shown.context["columns"]), "Started by"]
    assert rows[0]["Started by"] == "the portal" and "by the portal" in shown.content.decode()
    assert rows[0]["Tags"] == "odd one, slow"
    assert rows[1]["Note"] == "'=HYPERLINK(1)", "no spreadsheet takes it for a formula"
    found = json.loads(client.get(page("run_export_json"), query).getvalue())
    assert [row["Run"] for row in found] == [2, 4] and found[1]["Note"] == "=HYPERLINK(1)"
    whole = json.loads(client.get(page("run_export_json"), {"state": "completed"}).getvalue())
    assert whole[0]["Accuracy"] == Run.objects.get(number=1).summary["overall.Accuracy"], "every digit"
    assert json.loads(client.get(page("run_export_json"), {"tag": "slow", "mode": "follow"}).getvalue()) == []


def test_an_export_has_the_progress_as_the_table_says_it(client, page, several):
    client.post(page("run_columns"), {"column": ["progress", "started"]})
    html = client.get(page("run_list")).content.decode()
    rows = json.loads(client.get(page("run_export_json")).getvalue())
    assert [row["Progress"] for row in rows] == ["0 of 40", "follows, 0 of 40", "0 of 40", "40 of 40"]
    assert [row["Progress, share"] for row in rows] == [0.0, 0.0, 0.0, 1.0]
    for row in rows:
        assert f"<span>{row['Progress']}</span>" in html


# --- who may --------------------------------------------------------------------------------------


def test_a_viewer_looks_compares_and_chooses_columns_and_changes_nothing(client, page, several, team):
    viewer = make_user()
    make_member(team, viewer)
    client.force_login(viewer)
    html = client.get(page("run_list")).content.decode()
    assert "Compare the ticked" in html and "Archive</button>" not in html
    assert client.post(page("run_columns"), {"column": ["seed"]}).status_code == 302
    assert client.get(page("run_export_csv")).status_code == 200
    assert client.post(page("run_ticked"), {"r": ["1", "4"], "do": "compare"}).status_code == 302
    for what in ("archive", "unarchive", "tag", ""):
        assert client.post(page("run_ticked"), {"r": ["1"], "do": what, "tags": "x"}).status_code == 403
    assert client.post(page("run_describe", 1), {"tags": "x"}).status_code == 403
    assert "Waits for the new labels" in client.get(page("run", 2)).content.decode()
    client.force_login(make_user())
    for name in ("run_list", "run_columns", "run_export_csv", "run_export_json"):
        assert client.get(page(name)).status_code == 404
    assert client.post(page("run_ticked")).status_code == 404


def test_other_tasks_offer_their_own_metrics(team):
    project = make_project(team, name="Prices", task=Task.REGRESSION)
    RegisteredModel.objects.create(project=project, name="m", spec={}, parameters={"A.b": 1})
    groups = dict(offer_columns(project))
    assert [column.key for column in groups["Parameters"]] == ["param:A.b"]
    assert "metric:overall.MAE" in [column.key for column in groups["Metrics"]]
    assert "metric:overall.Accuracy" not in [column.key for column in groups["Metrics"]]
