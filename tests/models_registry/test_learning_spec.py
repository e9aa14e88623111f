"""Specs: what is accepted, and where and why the rest is not."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.learning import catalogue, generate_catalogue, outline, spec
from models_registry.learning.build import build
from models_registry.learning.catalogue import read_catalogue
from models_registry.learning.errors import SpecError
from models_registry.learning.examples import example
from models_registry.learning.templates import TEMPLATES, find_template, list_templates

TREE = {"use": "tree.HoeffdingTreeClassifier"}
LOGISTIC = {"use": "linear_model.LogisticRegression"}


def use(path: str, **params: Any) -> dict[str, Any]:
    return {"use": path, "params": params}


def test_the_committed_catalogue_is_what_river_says() -> None:
    assert generate_catalogue.TARGET.read_text(encoding="utf-8") == generate_catalogue.render()


def test_every_default_is_a_value_its_own_parameter_accepts() -> None:
    for entry in read_catalogue().entries.values():
        for param in entry.params:
            checker = spec._Checker()
            if not param.required:
                checker._check_value(param, param.default, f"{entry.path}.{param.name}", "binary", 0)
            assert checker.faults == []


def test_parameters_have_help() -> None:
    params = [param for entry in read_catalogue().entries.values() for param in entry.params]
    assert all(param.help for param in params)


def test_pages_need_no_river() -> None:
    """Importing River takes three seconds; validating a spec and listing templates and metrics must not pay for it."""
    code = (
        "import sys\n"
        "from models_registry.learning import baselines, catalogue, codec, compare, errors, examples, labels\n"
        "from models_registry.learning import measures, outline, points, spec, sweeps, templates\n"
        "spec.validate(templates.TEMPLATES[0].spec, 'binary'); measures.list_measures('binary');\n"
        "outline.outline(templates.TEMPLATES[0].spec)\n"
        "sys.exit(any(name in sys.modules for name in ('river', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.slug)
def test_templates_are_valid_and_can_be_built_and_drawn(template: Any) -> None:
    for task in template.tasks:
        spec.validate(template.spec, task)
        assert template in list_templates(task)
    assert build(template.spec, seed=1) is not None
    assert outline.describe(template.spec)
    assert find_template(template.slug) is template


@pytest.mark.parametrize(
    ("model", "task", "place", "message"),
    [
        (
            {"steps": [{"use": "preprocessing.StandardScaler"}, use("linear_model.LogisticRegression", l2="x")]},
            "binary",
            "steps[1].params.l2",
            'expected a number >= 0, got "x"',
        ),
        (use("linear_model.LogisticRegression", l2=-1), "binary", "params.l2", "expected a number >= 0, got -1"),
        (use("linear_model.LogisticRegression", l2=True), "binary", "params.l2", "expected a number >= 0, got true"),
        (use("linear_model.LogisticRegression", ll=1), "binary", "params.ll", "linear_model.LogisticRegression has no"),
        (
            use("tree.HoeffdingTreeClassifier", max_depth=2.5),
            "binary",
            "params.max_depth",
            "expected a whole number >=",
        ),
        (use("forest.ARFClassifier", n_models=101), "binary", "params.n_models", "expected a whole number >= 1 and <="),
        (use("forest.ARFClassifier", max_features="all"), "binary", "params.max_features", 'expected one of "sqrt", '),
        (use("ensemble.BaggingClassifier"), "binary", "params.model", "ensemble.BaggingClassifier needs this: a class"),
        (
            use("ensemble.BaggingClassifier", model={"use": "optim.SGD"}),
            "binary",
            "params.model.use",
            "expected a classifier, but optim.SGD is an optimizer",
        ),
        (
            use("linear_model.LogisticRegression", optimizer=use("optim.SGD", lr=use("optim.schedulers.Constant"))),
            "binary",
            "params.optimizer.params.lr.params.learning_rate",
            "optim.schedulers.Constant needs this: a number > 0",
        ),
        (LOGISTIC, "multiclass", "use", "linear_model.LogisticRegression does binary, not multiclass"),
        (LOGISTIC, "regression", "use", "expected a regressor, but linear_model.LogisticRegression is a classifier"),
        (
            use("multiclass.OneVsRestClassifier", classifier={"use": "linear_model.LinearRegression"}),
            "multiclass",
            "params.classifier.use",
            "expected a classifier, but linear_model.LinearRegression is a regressor",
        ),
        ({"use": "os.system"}, "binary", "use", '"os.system" is not offered'),
        ({"use": ["x"]}, "binary", "use", "is not offered"),
        ({"use": "compose.FuncTransformer"}, "binary", "use", "it takes a function, and a spec holds no code"),
        ({"steps": []}, "binary", "steps", "expected between 1 and 20 items, got 0"),
        ({"steps": [TREE, TREE]}, "binary", "steps[0].use", "expected a transformer, but tree.Hoeffding"),
        ({"steps": [{"union": [TREE]}, TREE]}, "binary", "steps[0].union", "expected between 2 and 20 items, got 1"),
        ({"union": [TREE, TREE]}, "binary", "", "a union only transforms, so it cannot come last"),
        (
            {"steps": [{"select": {"types": ["date"]}, "steps": []}, TREE]},
            "binary",
            "steps[0].select.types[0]",
            'expected one of number, text, boolean, got "date"',
        ),
        ({"steps": [TREE], "params": {}}, "binary", "params", "unknown key; here go steps, select"),
        ([], "binary", "", 'expected an object such as {"use": "..."}, got []'),
        (None, "binary", "", "got null"),
        ({"use": "tree.HoeffdingTreeClassifier", "steps": []}, "binary", "", "expected exactly one of"),
        ({"use": "optim.SGD", "x": {1, 2}}, "binary", "", "it is not plain JSON"),
        (use("compose.Select", keys=["a"] * 70_000), "binary", "", "bytes long; at most"),
    ],
)
def test_a_wrong_spec_says_where_and_why(model: Any, task: str, place: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec.validate(model, task)
    assert caught.value.place == place
    assert message in caught.value.message


NUL, HALF = "it holds a NUL character", "it holds half of a character"


@pytest.mark.parametrize(
    ("part", "place", "message"),
    [
        ({"select": {"names": ["x1", "a\0"]}, "steps": []}, "steps[0].select.names[1]", NUL),
        ({"select": {"names": ["\ud800"]}, "steps": []}, "steps[0].select.names[0]", HALF),
        (use("compose.Prefixer", prefix="\0"), "steps[0].params.prefix", NUL),
        (use("compose.Renamer", mapping={"x1": "\udfff"}), "steps[0].params.mapping.x1", HALF),
        (use("compose.Renamer", mapping={"\0": "x"}), "steps[0].params.mapping", f"a name in it is not text: {NUL}"),
        ({"use": "\ud800"}, "steps[0].use", HALF),
    ],
)
def test_text_that_no_database_can_keep_is_refused_where_it_stands(part: Any, place: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec.validate({"steps": [part, LOGISTIC]}, "binary")
    assert (caught.value.place, caught.value.message) == (place, message)


def test_all_faults_are_reported() -> None:
    with pytest.raises(SpecError) as caught:
        spec.validate({"steps": [{"use": "x"}, use("linear_model.LogisticRegression", l2="a", l1="b")]}, "binary")
    assert [fault.place for fault in caught.value.errors] == [
        "steps[0].use",
        "steps[1].params.l2",
        "steps[1].params.l1",
    ]


def test_ensembles_of_ensembles_are_bounded() -> None:
    inner = use("ensemble.BaggingClassifier", n_models=100, model=TREE)
    with pytest.raises(SpecError, match="it comes to 10,000 models in all; at most 1,000 are allowed"):
        spec.validate(use("ensemble.BaggingClassifier", n_models=100, model=inner), "binary")


def test_nesting_is_bounded() -> None:
    model: dict[str, Any] = TREE
    for _ in range(spec.MAX_DEPTH + 1):
        model = {"steps": [model]}
    with pytest.raises(SpecError, match="nested more than 8 deep"):
        spec.validate(model, "binary")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([TREE, LOGISTIC]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["use", "steps", "union", "select", "params", "types", "l2"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(json_values)
def test_no_input_breaks_the_validator(model: Any) -> None:
    try:
        spec.validate(model, "binary")
    except SpecError:
        return
    assert build(model, seed=1) is not None


@pytest.mark.parametrize("path", read_catalogue().entries)
def test_writing_out_the_defaults_changes_nothing(path: str) -> None:
    task, model = example(path)
    resolved = spec.resolve(model)
    spec.validate(resolved, task)
    assert describe(build(resolved, seed=1)) == describe(build(model, seed=1))


def describe(model: Any) -> list[str]:
    """All parameters of all steps; River cannot write those of a type selection."""
    steps = model.steps.values() if hasattr(model, "steps") else [model]
    return [str(step) if "Select" in str(step) or "Grouper" in str(step) else repr(step) for step in steps]


def test_seeds_are_set_everywhere() -> None:
    model = build(
        use(
            "ensemble.BaggingClassifier", model=use("ensemble.BaggingClassifier", model={"use": "forest.ARFClassifier"})
        ),
        seed=11,
    )
    assert (model.seed, model.model.seed, model.model.model.seed) == (11, 11, 11)
    assert model.clone()._is_stochastic is False


def test_trees_have_a_size_limit_by_default() -> None:
    assert build(TREE, seed=1).max_size == 32.0
    assert build({"use": "forest.ARFClassifier"}, seed=1).max_size == 4.0
    assert build(use("tree.HoeffdingTreeClassifier", max_size=7), seed=1).max_size == 7


def test_steps_inside_steps_are_one_pipeline() -> None:
    """River takes a pipeline within a pipeline for its last step and would learn without transforming."""
    nested = build(
        {"steps": [{"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]}, TREE]}, 1
    )
    assert [type(step).__name__ for step in nested.steps.values()] == [
        "SelectType",
        "StandardScaler",
        "HoeffdingTreeClassifier",
    ]


def test_what_river_refuses_names_the_place() -> None:
    with pytest.raises(SpecError) as caught:
        build({"steps": [use("linear_model.LogisticRegression", l1=1, l2=1)]}, seed=1)
    assert caught.value.place == "steps[0]"
    assert caught.value.message.startswith("River refuses it: ")


def test_the_outline_shows_what_is_set_and_nested() -> None:
    box = outline.outline(
        {"steps": [{"union": [LOGISTIC, TREE]}, use("ensemble.BaggingClassifier", model=TREE, n_models=3)]}
    )
    assert [item.kind for item in box.items] == ["union", "component"]
    bagging = box.items[1]
    assert bagging.settings == (("n_models", "3"),)
    assert [(inner.name, inner.title, inner.place) for inner in bagging.items] == [
        ("model", "Hoeffding tree classifier", "steps[1].params.model")
    ]


def test_tasks_are_the_three() -> None:
    assert catalogue.TASKS == ("binary", "multiclass", "regression")
    with pytest.raises(ValueError, match="unknown task"):
        spec.validate(TREE, "clustering")
