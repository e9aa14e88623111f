"""Ready-made specs to start from, one per well-tried way of learning incrementally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .catalogue import BINARY, MULTICLASS, REGRESSION

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """A spec with a name people know it by."""

    slug: str
    title: str
    help: str
    tasks: tuple[str, ...]
    spec: Spec


def _use(path: str, **params: Any) -> Spec:
    return {"use": path, "params": params} if params else {"use": path}


def _scaled(*steps: Spec) -> Spec:
    return {"steps": [_use("preprocessing.StandardScaler"), *steps]}


_CLASSES = (BINARY, MULTICLASS)
_NUMERIC_AND_TEXT = {
    "union": [
        {"select": {"types": ["number", "boolean"]}, "steps": [_use("preprocessing.StandardScaler")]},
        {"select": {"types": ["text"]}, "steps": [_use("preprocessing.OneHotEncoder")]},
    ]
}

TEMPLATES: tuple[Template, ...] = (
    Template(
        "logistic-regression",
        "Logistic regression",
        "Fast, small and easy to explain; numbers are scaled first.",
        (BINARY,),
        _scaled(_use("linear_model.LogisticRegression")),
    ),
    Template(
        "logistic-regression-mixed",
        "Logistic regression for numbers and text",
        "Numbers are scaled, text columns become one column per value.",
        (BINARY,),
        {"steps": [_NUMERIC_AND_TEXT, _use("linear_model.LogisticRegression")]},
    ),
    Template(
        "softmax-regression",
        "Softmax regression",
        "Logistic regression for any number of classes.",
        _CLASSES,
        _scaled(_use("linear_model.SoftmaxRegression")),
    ),
    Template(
        "one-vs-rest",
        "One logistic regression per class",
        "Each class against all the others; the most certain one wins.",
        (MULTICLASS,),
        _scaled(
            _use("multiclass.OneVsRestClassifier", classifier=_use("linear_model.LogisticRegression")),
        ),
    ),
    Template(
        "hoeffding-tree",
        "Hoeffding tree",
        "Grows a decision tree as evidence comes in; no scaling needed.",
        _CLASSES,
        {"steps": [_use("tree.HoeffdingTreeClassifier")]},
    ),
    Template(
        "hoeffding-adaptive-tree",
        "Hoeffding adaptive tree",
        "A Hoeffding tree that replaces branches when the data changes.",
        _CLASSES,
        {"steps": [_use("tree.HoeffdingAdaptiveTreeClassifier")]},
    ),
    Template(
        "adaptive-random-forest",
        "Adaptive random forest",
        "Ten trees on random features, each replaced when it drifts. Strong, slower, larger.",
        _CLASSES,
        {"steps": [_use("forest.ARFClassifier", n_models=10)]},
    ),
    Template(
        "gaussian-naive-bayes",
        "Gaussian naive Bayes",
        "One bell curve per feature and class; a quick first model.",
        _CLASSES,
        {"steps": [_use("naive_bayes.GaussianNB")]},
    ),
    Template(
        "nearest-neighbours",
        "Nearest neighbours",
        "Votes among the most similar of the last 500 events.",
        _CLASSES,
        _scaled(
            _use("neighbors.KNNClassifier", n_neighbors=5, engine=_use("neighbors.LazySearch", window_size=500)),
        ),
    ),
    Template(
        "bagging-trees",
        "Bagged Hoeffding trees",
        "Ten trees on resampled events, the worst replaced when the error rises.",
        _CLASSES,
        {"steps": [_use("ensemble.ADWINBaggingClassifier", model=_use("tree.HoeffdingTreeClassifier"), n_models=10)]},
    ),
    Template(
        "boosting-trees",
        "Boosted Hoeffding trees",
        "Trees that each concentrate on what the one before got wrong.",
        _CLASSES,
        {"steps": [_use("ensemble.AdaBoostClassifier", model=_use("tree.HoeffdingTreeClassifier"), n_models=5)]},
    ),
    Template(
        "linear-regression",
        "Linear regression",
        "Fast, small and easy to explain; numbers are scaled first.",
        (REGRESSION,),
        _scaled(_use("linear_model.LinearRegression")),
    ),
    Template(
        "hoeffding-tree-regressor",
        "Hoeffding tree regressor",
        "A growing tree with a small linear model in each leaf.",
        (REGRESSION,),
        _scaled(_use("tree.HoeffdingTreeRegressor")),
    ),
    Template(
        "adaptive-random-forest-regressor",
        "Adaptive random forest regressor",
        "Ten regression trees, each replaced when it drifts. Strong, slower, larger.",
        (REGRESSION,),
        _scaled(_use("forest.ARFRegressor", n_models=10)),
    ),
    Template(
        "nearest-neighbours-regressor",
        "Nearest neighbours regressor",
        "The mean of the most similar of the last 500 events.",
        (REGRESSION,),
        _scaled(
            _use("neighbors.KNNRegressor", n_neighbors=5, engine=_use("neighbors.LazySearch", window_size=500)),
        ),
    ),
    Template(
        "bagging-regressor",
        "Bagged linear regressions",
        "Ten linear regressions on resampled events, averaged.",
        (REGRESSION,),
        _scaled(_use("ensemble.BaggingRegressor", model=_use("linear_model.LinearRegression"), n_models=10)),
    ),
    Template(
        "model-rules",
        "Adaptive model rules",
        "If-then rules with a linear model each; readable and drift-aware.",
        (REGRESSION,),
        _scaled(_use("rules.AMRules")),
    ),
)


def list_templates(task: str) -> list[Template]:
    """Return the templates that fit a task, in the order they are offered.

    Examples
    --------
    >>> [template.slug for template in list_templates("regression")][:2]
    ['linear-regression', 'hoeffding-tree-regressor']
    """
    return [template for template in TEMPLATES if task in template.tasks]


def find_template(slug: str) -> Template:
    """Return the template with this slug, or raise `LookupError`."""
    for template in TEMPLATES:
        if template.slug == slug:
            return template
    raise LookupError(f"no template {slug!r}")
