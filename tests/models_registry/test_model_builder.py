"""The builder: a form made from the catalogue and the JSON beside it, each following the other."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.http import QueryDict
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.forms.drafts import act, read_draft, start_draft
from models_registry.forms.spec_tree import SpecTree
from models_registry.forms.spec_values import LEFT_OUT, read_value, write_value
from models_registry.forms.specs import read_spec, show_spec
from models_registry.learning.catalogue import read_catalogue
from models_registry.learning.examples import example
from models_registry.learning.spec import validate
from models_registry.learning.templates import TEMPLATES, find_template
from models_registry.models import RegisteredModel

SCALER = {"use": "preprocessing.StandardScaler"}
LOGISTIC = {"use": "linear_model.LogisticRegression"}
TREE = {"use": "tree.HoeffdingTreeClassifier"}
BAGGING = {"use": "ensemble.BaggingClassifier", "params": {"model": TREE, "n_models": 3}}
EXAMPLES = [example(path) for path in read_catalogue().entries]


def post(spec, *, base=None, **fields):
    """What a page drawn for `base` sends with some fields changed."""
    data = QueryDict(mutable=True)
    text = spec if isinstance(spec, str) else json.dumps(spec)
    shown = base or (json.loads(text) if text else {"steps": []})
    data["spec"], data["base"] = text, json.dumps(shown)
    for control in SpecTree(shown, "binary").controls.values():
        if control.slot and not control.many:
            data[f"part:{control.place}"] = control.chosen
        if control.typed:
            data[f"at:{control.place}"] = control.text
    for name, value in fields.items():
        data[name] = value
    return data


def edit(spec, fields, *, base=None, task="binary"):
    return read_draft(post(spec, base=base, **fields), task)


def press(spec, wanted, task="binary", **fields):
    data = post(spec, **fields)
    return act(read_draft(data, task), wanted, data)


# --- what the form says ---------------------------------------------------------------------------


@pytest.mark.parametrize(("task", "spec"), EXAMPLES, ids=list(read_catalogue().entries))
def test_every_entry_has_a_form_and_sending_it_unchanged_changes_nothing(task, spec):
    shown = SpecTree(spec, task)
    entry_controls = [control for control in shown.controls.values() if control.given]
    assert all(control.text or control.inner for control in entry_controls)
    data = post(spec)
    draft = read_draft(data, task)
    assert draft.text == data["spec"]
    assert draft.reading.spec == spec


@pytest.mark.parametrize("path", read_catalogue().entries)
def test_a_default_typed_into_its_field_is_read_as_the_default(path):
    for param in read_catalogue().entries[path].params:
        kinds = {accepts["type"] for accepts in param.accepts}
        if param.required or param.default is None or not kinds & {"number", "integer", "boolean", "choice", "text"}:
            continue
        read = read_value(param, write_value(param.default))
        assert read == (param.default if param.default != "" else LEFT_OUT), param.name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.slug)
def test_what_is_written_is_read_back(template):
    task = template.tasks[0]
    assert read_spec(show_spec(template.spec), task).spec == template.spec


# --- fields change the JSON -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "param", "typed", "value"),
    [
        ("linear_model.LogisticRegression", "l2", "0.5", 0.5),
        ("linear_model.LogisticRegression", "l2", "1e-3", 0.001),
        ("linear_model.LogisticRegression", "l2", "much", "much"),
        ("linear_model.LogisticRegression", "l2", "1e999", "1e999"),
        ("tree.HoeffdingTreeClassifier", "max_depth", "7", 7),
        ("tree.HoeffdingTreeClassifier", "max_depth", "none", None),
        ("tree.HoeffdingTreeClassifier", "split_criterion", "gini", "gini"),
        ("tree.HoeffdingTreeClassifier", "binary_split", "true", True),
        ("tree.HoeffdingTreeClassifier", "nominal_attributes", "kind, site", ["kind", "site"]),
        ("tree.HoeffdingTreeClassifier", "nominal_attributes", '["a,b"]', ["a,b"]),
        ("forest.ARFClassifier", "max_features", "sqrt", "sqrt"),
        ("forest.ARFClassifier", "max_features", "3", 3),
        ("forest.ARFClassifier", "max_features", "0.5", 0.5),
    ],
)
def test_a_typed_value_stands_in_the_json_as_what_it_is(path, param, typed, value):
    draft = edit({"steps": [{"use": path}]}, {f"at:steps[0].params.{param}": typed})
    assert draft.spec == {"steps": [{"use": path, "params": {param: value}}]}
    assert json.loads(draft.text) == draft.spec


def test_an_emptied_field_leaves_its_parameter_to_the_default():
    draft = edit({"steps": [{**LOGISTIC, "params": {"l2": 1}}]}, {"at:steps[0].params.l2": ""})
    assert draft.spec == {"steps": [LOGISTIC]}


def test_a_chosen_part_comes_with_what_it_requires_and_its_own_fields():
    draft = edit({"steps": [LOGISTIC]}, {"part:steps[0].params.optimizer": "optim.Adam"})
    assert draft.spec["steps"][0]["params"] == {"optimizer": {"use": "optim.Adam"}}
    assert "steps[0].params.optimizer.params.beta_1" in draft.tree.controls
    scheduler = {"part:steps[0].params.intercept_lr": "optim.schedulers.Constant"}
    assert edit({"steps": [LOGISTIC]}, scheduler).reading.faults == ()


def test_a_part_that_is_exchanged_keeps_what_the_new_one_takes_too():
    given = {"use": "optim.Adam", "params": {"lr": 0.3, "beta_1": 0.8}}
    spec = {"steps": [{**LOGISTIC, "params": {"optimizer": given}}]}
    draft = edit(spec, {"part:steps[0].params.optimizer": "optim.SGD"})
    assert draft.spec["steps"][0]["params"]["optimizer"] == {"use": "optim.SGD", "params": {"lr": 0.3}}


def test_columns_are_chosen_by_type_or_by_name():
    spec = {"steps": [{"select": {"types": ["number"]}, "steps": [SCALER]}, LOGISTIC]}
    data = post(spec)
    data.setlist("types:steps[0].select", ["", "number", "boolean"])
    assert read_draft(data, "binary").spec["steps"][0]["select"] == {"types": ["number", "boolean"]}
    data["by:steps[0].select"] = "names"
    data["names:steps[0].select"] = "x1, x2"
    assert read_draft(data, "binary").spec["steps"][0]["select"] == {"names": ["x1", "x2"]}


def test_json_and_a_field_edited_at_once_both_count():
    base = {"steps": [SCALER, LOGISTIC]}
    written = {"steps": [SCALER, {**LOGISTIC, "params": {"l1": 0.2}}]}
    draft = edit(written, {"at:steps[1].params.l2": "0.5"}, base=base)
    assert draft.spec["steps"][1]["params"] == {"l1": 0.2, "l2": 0.5}


def test_a_field_of_a_part_that_the_json_no_longer_has_says_nothing():
    draft = edit({"steps": [LOGISTIC]}, {"at:steps[1].params.l2": "0.5"}, base={"steps": [SCALER, LOGISTIC]})
    assert draft.spec == {"steps": [LOGISTIC]}


# --- buttons --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "wanted", "then"),
    [
        ("", "add:steps:linear_model.LogisticRegression", {"steps": [LOGISTIC]}),
        ({"steps": [LOGISTIC]}, "add:steps:preprocessing.StandardScaler", {"steps": [SCALER, LOGISTIC]}),
        ({"steps": [SCALER]}, "add:steps:linear_model.LogisticRegression", {"steps": [SCALER, LOGISTIC]}),
        ({"steps": [LOGISTIC]}, "add:steps:union", {"steps": [{"union": []}, LOGISTIC]}),
        (
            {"steps": [{"union": [SCALER]}, LOGISTIC]},
            "add:steps[0].union:preprocessing.Normalizer",
            {"steps": [{"union": [SCALER, {"use": "preprocessing.Normalizer"}]}, LOGISTIC]},
        ),
        ({"steps": [SCALER, LOGISTIC]}, "exchange:steps[1]:tree.HoeffdingTreeClassifier", {"steps": [SCALER, TREE]}),
        ({"steps": [SCALER, {"union": []}, TREE]}, "up:steps[1]", {"steps": [{"union": []}, SCALER, TREE]}),
        ({"steps": [SCALER, {"union": []}, TREE]}, "down:steps[0]", {"steps": [{"union": []}, SCALER, TREE]}),
        ({"steps": [SCALER, TREE]}, "drop:steps[0]", {"steps": [TREE]}),
        ({"steps": [{**TREE, "params": {"odd": 1}}]}, "drop:steps[0].params.odd", {"steps": [TREE]}),
        (TREE, "wrap:", {"steps": [TREE]}),
        (TREE, "exchange::naive_bayes.GaussianNB", {"use": "naive_bayes.GaussianNB"}),
        (
            {"steps": [{"select": {"types": ["text"]}, "steps": [SCALER]}, TREE]},
            "exchange:steps[0]:steps",
            {"steps": [{"steps": [SCALER]}, TREE]},
        ),
    ],
)
def test_a_button_changes_the_parts(spec, wanted, then):
    assert press(spec, wanted).spec == then


def test_a_list_of_models_grows_moves_and_shrinks():
    spec = {"steps": [{"use": "ensemble.VotingClassifier", "params": {"models": [TREE, LOGISTIC]}}]}
    place = "steps[0].params.models"
    more = press(spec, f"add:{place}:naive_bayes.GaussianNB").spec
    assert [model["use"] for model in more["steps"][0]["params"]["models"]][-1] == "naive_bayes.GaussianNB"
    assert press(spec, f"up:{place}[1]").spec["steps"][0]["params"]["models"] == [LOGISTIC, TREE]
    assert press(spec, f"drop:{place}[0]").spec["steps"][0]["params"]["models"] == [LOGISTIC]


def test_the_catalogue_offers_what_fits_the_place():
    ready = press({"steps": [LOGISTIC]}, "pick:steps").pick
    groups = {group.title for group in ready.offers}
    assert "Preprocessing" in groups
    assert "Trees" not in groups
    empty = press("", "pick:steps").pick
    assert {"Preprocessing", "Trees"} <= {group.title for group in empty.offers}
    found = press("", "apply", picking="pick:steps", q="naive gauss").pick
    assert [offer.path for group in found.offers for offer in group.offers] == ["naive_bayes.GaussianNB"]


NOT_THERE = """up:steps[0] down:steps[9] drop: drop:steps[7] add:nowhere:optim.SGD add:steps:os.system x pick:nowhere
exchange:steps[9]:optim.SGD exchange:steps[0]:os.system change:steps[9] up:use"""


@pytest.mark.parametrize("wanted", NOT_THERE.split())
def test_a_button_for_what_is_not_there_changes_nothing(wanted):
    spec = {"steps": [SCALER, LOGISTIC]}
    assert press(spec, wanted).spec == spec


KEYS = st.sampled_from(["use", "steps", "union", "select", "params", "names", "l2"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from([TREE, BAGGING, SCALER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(json_values, st.sampled_from(["json", "pick:steps", "drop:steps[0]", "up:steps[1]", "wrap:", "add:steps:union"]))
def test_no_json_breaks_the_form(value, wanted):
    draft = press(json.dumps(value), wanted) if isinstance(value, dict | list) else start_draft({}, "binary")
    assert list(draft.tree.holders)
    for fault, anchor in draft.faults:
        assert anchor, fault


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture
def create(client, owner, project):
    client.force_login(owner)
    url = reverse("models_registry:model_create", args=[project.slug])

    def send(data, *, htmx=True):
        headers = {"HX-Request": "true"} if htmx else {}
        return client.post(url, data, headers=headers).content.decode()

    return send


def test_an_error_stands_next_to_its_field_and_the_list_leads_there(create):
    data = post({"steps": [LOGISTIC]}, **{"at:steps[0].params.l2": "x"})
    html = create({**data.dict(), "edited": "field"})
    said = re.search(r'innerHTML:#said-at-steps-0-params-l2">(.*?)</div>', html, re.DOTALL).group(1)
    assert "expected a number &gt;= 0" in said
    assert '<a href="#at-steps-0-params-l2">' in html
    assert 'id="steps"' not in html, "the field that is typed in is left alone"
    assert '"l2": "x"' in unescape(html)
    whole = create({**data.dict(), "do": "apply"}, htmx=False)
    assert "<html" in whole
    assert 'aria-invalid="true"' in whole


def test_json_that_cannot_be_read_keeps_the_form_waiting_and_loses_nothing(create):
    base = {"steps": [{**LOGISTIC, "params": {"l2": 0.25}}]}
    html = create({**post('{"steps": [', base=base).dict(), "edited": "json"})
    assert "The JSON cannot be read now" in html
    assert 'value="0.25"' in html
    assert "<fieldset" in html
    assert "disabled" in html
    back = create({**post('{"steps": [', base=base).dict(), "do": "revert"})
    assert '"l2": 0.25' in unescape(back)
    assert "Valid" in back


def test_registering_without_scripts_takes_what_the_fields_say(create, project):
    data = post({"steps": [LOGISTIC]}, **{"at:steps[0].params.l2": "0.5"})
    create({**data.dict(), "name": "Typed", "note": ""}, htmx=False)
    assert RegisteredModel.objects.get(project=project).spec == {"steps": [{**LOGISTIC, "params": {"l2": 0.5}}]}


def test_what_was_typed_elsewhere_survives_a_button(create):
    html = create({**post({"steps": [LOGISTIC]}).dict(), "name": "Mine", "note": "Why", "do": "pick:steps"}, htmx=False)
    assert 'value="Mine"' in html
    assert "Why</textarea>" in html
    assert "Search the catalogue" in html


def test_the_search_answers_with_what_fits(client, owner, project):
    client.force_login(owner)
    url = reverse("models_registry:model_offers", args=[project.slug])
    html = client.get(url, {"place": "steps", "verb": "add", "roles": "transformer", "q": "scale"}).content.decode()
    assert "add:steps:preprocessing.StandardScaler" in html
    assert "OneHotEncoder" not in html
    assert "Nothing in the catalogue fits" in client.get(url, {"q": "zzz"}).content.decode()


def test_hostile_fields_are_not_a_failure(create):
    data = post({"steps": [LOGISTIC]}).dict()
    for more in (
        {"base": "[" * 5000}, {"base": '{"steps": 3}'}, {"base": "\\ud800"}, {"base": '{"use": "\\ud800"}'},
        {"at:steps[0].params.l2": "\0"}, {"at:steps[0].params.l2": "9" * 5000}, {"picking": "pick:x", "do": "apply"},
        {"part:steps[0].params.optimizer": "os.system"}, {"part:steps[0].params.loss": "tree.HoeffdingTreeClassifier"},
    ):  # fmt: skip
        assert "hx-swap-oob" in create({**data, "edited": "field", **more})


def test_the_templates_validate_as_the_builder_writes_them():
    spec = press(find_template("logistic-regression-mixed").spec, "add:steps[0].union:preprocessing.Normalizer").spec
    validate(spec, "binary")
