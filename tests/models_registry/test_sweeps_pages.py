"""Pages about sweeps: counted before they start, drawn as shown, refused in words."""

from __future__ import annotations

import re

import pytest
from django.utils.html import escape

from models_registry.models import Comparison, RegisteredModel, Run
from models_registry.selectors.comparisons import candidates_of
from models_registry.services.runs import start_run
from tests.factories import make_events, make_project
from tests.models_registry.learned import make_model

HTMX = {"HX-Request": "true"}
LINEAR = {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]}


@pytest.fixture
def linear(project):
    make_events(project, 30)
    return make_model(project, "Linear", LINEAR)


def fields(client, page, model, **named):
    """The form's names for values of parameters by their short names."""
    form = client.get(page("sweep_create") + f"?model={model.pk}").context["form"]
    index = {setting.name: i for i, setting in enumerate(form.settings)}
    given = {"mode": "replay", "publish_every": "0", "seed": "", "how": "grid", "count": "4"}
    for key, value in named.items():
        kind, _, name = key.partition("__")
        given[f"{kind}_{index[name.replace('__', '.')]}" if name else key] = value
    return given


def test_a_grid_is_counted_before_it_starts(client, page, linear):
    asked = fields(client, page, linear, values__LogisticRegression__l2="0, 0.01, 0.1") | {"how": "grid"}
    more = fields(client, page, linear, values__StandardScaler__with_std="true, false")
    asked |= {key: value for key, value in more.items() if key.startswith("values")}
    address = f"?model={linear.pk}"
    html = client.post(page("sweep_count") + address, asked, headers=HTMX).content.decode()
    assert "<strong>6 candidates</strong>" in html and "l2=0.01" in html and "<html" not in html
    whole = client.post(page("sweep_create") + address, asked | {"count_only": "1"})
    assert whole.status_code == 200 and "<strong>6 candidates</strong>" in whole.content.decode()
    assert not Run.objects.exists(), "counting starts nothing"
    answer = client.post(page("sweep_create") + address, asked)
    made = Comparison.objects.get()
    assert answer["Location"] == page("comparison", made.number)
    assert sorted(run.model.parameters["LogisticRegression.l2"] for run in candidates_of(made)) == [
        0,
        0,
        0.01,
        0.01,
        0.1,
        0.1,
    ]


def test_random_draws_are_the_ones_that_were_shown(client, page, linear):
    asked = fields(client, page, linear, low__LogisticRegression__l2="0.001", high__LogisticRegression__l2="1")
    log = fields(client, page, linear, log__LogisticRegression__l2="on")
    asked |= {key: value for key, value in log.items() if key.startswith("log")} | {"how": "random", "count": "5"}
    html = client.post(page("sweep_count") + f"?model={linear.pk}", asked).content.decode()
    shown = re.findall(r"<code>(l2=[^<]+)</code>", html)
    assert len(shown) == 5
    client.post(page("sweep_create") + f"?model={linear.pk}", asked)
    assert [run.model.name for run in candidates_of(Comparison.objects.get())] == [f"Linear · {one}" for one in shown]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({}, "more than one value"),
        ({"values__LogisticRegression__l2": "0.1"}, "makes 1 candidate; a sweep needs at least 2"),
        ({"values__LogisticRegression__l2": ", ".join(map(str, range(17)))}, "makes 17 candidates; at most 16"),
        ({"values__LogisticRegression__l2": "lots, few"}, "expected a number"),
        ({"values__LogisticRegression__l2": "-1, 0"}, "expected a number &gt;= 0"),
        ({"values__LogisticRegression__l2": "nan, 1e999"}, "expected a number"),
        ({"values__LogisticRegression__l2": ",".join("12345678901234567890" * 3 for _ in range(51))}, "at most 500"),
        ({"low__LogisticRegression__l2": "1", "how": "random"}, "both ends of the range"),
        ({"low__LogisticRegression__l2": "1", "high__LogisticRegression__l2": "x", "how": "random"}, "Enter a number"),
        ({"low__LogisticRegression__l2": "2", "high__LogisticRegression__l2": "1", "how": "random"}, "the smaller one"),
        ({"how": "sideways"}, "not one of the available choices"),
        ({"how": "random", "count": "17"}, "less than or equal to 16"),
    ],
)  # fmt: skip
def test_a_sweep_that_makes_no_sense_says_so_at_its_place(client, page, linear, named, said):
    asked = fields(client, page, linear, **named)
    for name in ("sweep_count", "sweep_create"):
        answer = client.post(page(name) + f"?model={linear.pk}", asked)
        assert answer.status_code == (200 if name == "sweep_count" else 422)
        assert said in answer.content.decode()
    assert not Run.objects.exists() and RegisteredModel.objects.count() == 1


def test_a_sweep_knows_how_many_runs_may_be_at_work(client, page, linear):
    for _ in range(18):
        start_run(model=linear, mode="follow", actor=None)
    asked = fields(client, page, linear, values__LogisticRegression__l2="0, 0.01, 0.1")
    html = client.post(page("sweep_count") + f"?model={linear.pk}", asked).content.decode()
    assert "18 runs of this project are at work; with 3 more" in html


def test_models_of_other_projects_cannot_be_varied(client, page, linear, team):
    theirs = make_model(make_project(team, name="Other"), "Theirs")
    for model in (theirs.pk, 10**8):
        assert client.get(page("sweep_create") + f"?model={model}").status_code == 404
        assert client.post(page("sweep_count") + f"?model={model}").status_code == 404
    assert client.post(page("sweep_count") + "?model=x").status_code == 404


def test_a_sweep_says_what_there_is_now_in_full_and_what_an_empty_seed_does(client, page, project):
    model = make_model(project, "Linear", LINEAR)
    answer = client.get(page("sweep_create") + f"?model={model.pk}")
    html = answer.content.decode()
    assert "now 1e+12<" in html and "1000000000000" not in html
    help_text = next(
        one.param.help for one in answer.context["form"].settings if one.name == "LogisticRegression.intercept_lr"
    )
    assert len(help_text) > 160 and escape(help_text) in html
    assert "the draws are made with seed 0" in html


def test_a_sweep_takes_no_weights_that_start_out_of_all_bounds(client, page, project):
    start = {"use": "optim.initializers.Constant", "params": {"value": 1}}
    linear = {"use": "linear_model.LogisticRegression", "params": {"initializer": start}}
    model = make_model(project, "Linear", {"steps": [linear]})
    shown = client.get(page("sweep_create") + f"?model={model.pk}")
    field = f"values_{[one.name for one in shown.context['form'].settings].index('Constant.value')}"
    given = {"mode": "replay", "publish_every": "0", "how": "grid"}
    for values, said in (
        ("1e210, 0", "expected a number &gt;= -1000000 and &lt;= 1000000"),
        ("0, 0.1", "2 candidates"),
    ):
        html = client.post(page("sweep_count") + f"?model={model.pk}", given | {field: values}).content.decode()
        assert said in html
