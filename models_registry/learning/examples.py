"""A small working spec around every entry of the catalogue: where a builder page starts, and what the checks run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import BINARY, MULTICLASS, REGRESSION, Entry, Parameter, read_catalogue

Spec = dict[str, Any]

_LOGISTIC: Spec = {"use": "linear_model.LogisticRegression"}
_LINEAR: Spec = {"use": "linear_model.LinearRegression"}
_BAYES: Spec = {"use": "naive_bayes.GaussianNB"}
_SCALER: Spec = {"use": "preprocessing.StandardScaler"}

# Required parameters that name columns, filled in for the stream of the checks.
_COLUMNS: dict[str, Any] = {
    "feature_extraction.Agg.on": "x1",
    "feature_extraction.Agg.by": "kind",
    "feature_extraction.TargetAgg.by": "kind",
    "compose.Grouper.by": "kind",
    "compose.Renamer.mapping": {"x1": "first"},
    "compose.Select.keys": ["x1", "x2"],
    "compose.Discard.keys": ["x1"],
}
# Where a required parameter has no value that would do for every entry.
_REQUIRED: dict[str, Any] = {
    "compose.Grouper.transformer": {"select": {"types": ["number"]}, "steps": [_SCALER]},
    "compose.Prefixer.prefix": "in_",
    "compose.Suffixer.suffix": "_in",
    "preprocessing.PredClipper.y_min": 0,
    "preprocessing.PredClipper.y_max": 100,
    "bandit.EpsilonGreedy.epsilon": 0.1,
    "bandit.Exp3.gamma": 0.5,
    "bandit.UCB.delta": 1,
    "multiclass.OutputCodeClassifier.code_size": 10,
    "imblearn.HardSamplingClassifier.size": 30,
    "imblearn.HardSamplingClassifier.p": 0.1,
    "imblearn.HardSamplingRegressor.size": 30,
    "imblearn.HardSamplingRegressor.p": 0.1,
    "feature_selection.PoissonInclusion.p": 0.5,
    "model_selection.SuccessiveHalvingClassifier.budget": 1000,
    "model_selection.SuccessiveHalvingRegressor.budget": 1000,
    "optim.schedulers.Constant.learning_rate": 0.01,
    "optim.schedulers.InverseScaling.learning_rate": 0.01,
    "optim.initializers.Constant.value": 0.1,
    "stats.BayesianMean.prior": 0,
    "stats.BayesianMean.prior_weight": 10,
    "stats.RollingQuantile.q": 0.5,
}
_TEXT_COLUMN = {"feature_extraction.BagOfWords", "feature_extraction.TFIDF", "preprocessing.GapEncoder"}
_SLOW: Spec = {"use": "optim.SGD", "params": {"lr": 0.0001}}
_SIZES = {"n_models": 3, "n_estimators": 3}
_REGRESSION_ROLES = {"regression_loss", "quantizer", "bandit_policy", "statistic", "regression_metric"}


def starter(path: str, task: str, *, small: bool = False, columns: bool = True) -> Spec:
    """Return the part of a spec that uses an entry, with what it requires filled in.

    Parameters
    ----------
    path
        The entry.
    task
        What the model around it is for; decides which models go into an ensemble.
    small
        Whether ensembles get three models, for checks.
    columns
        Whether columns are named, as the checks' stream has them; else that is left to whoever knows the columns.

    Examples
    --------
    >>> starter("ensemble.BaggingRegressor", "regression")
    {'use': 'ensemble.BaggingRegressor', 'params': {'model': {'use': 'linear_model.LinearRegression'}}}
    """
    entry = read_catalogue().entries[path]
    params = {
        param.name: _fill(entry, param, task)
        for param in entry.params
        if param.required and (columns or f"{path}.{param.name}" not in _COLUMNS)
    }
    if small:
        params |= {name: size for name, size in _SIZES.items() if entry.find_param(name)}
    if path.startswith("facto.") and task == REGRESSION:
        # At River's default rate these diverge on labels that are not scaled.
        params |= dict.fromkeys(("weight_optimizer", "latent_optimizer", "int_weight_optimizer"), _SLOW)
        params = {name: value for name, value in params.items() if entry.find_param(name)}
    return {"use": path, "params": params} if params else {"use": path}


def _fill(entry: Entry, param: Parameter, task: str) -> Any:
    key = f"{entry.path}.{param.name}"
    if key in _COLUMNS or key in _REQUIRED:
        return _COLUMNS.get(key, _REQUIRED.get(key))
    accepts = param.accepts[0]
    if accepts["type"] == "list":
        return [_SCALER, _SCALER] if "transformer" in accepts["of"]["roles"] else _candidates(task)
    if accepts["type"] == "use":
        wanted = accepts.get("task", "same")
        return _component(accepts["roles"], task if wanted == "same" else wanted)
    if accepts["type"] == "integer":
        return max(accepts.get("min", 0), 50)
    raise LookupError(f"no example for {key}")


def _candidates(task: str) -> list[Spec]:
    if task == REGRESSION:
        return [_LINEAR, {"use": "linear_model.PARegressor"}]
    return [_BAYES, {"use": "tree.HoeffdingTreeClassifier"}]


def _component(roles: list[str], task: str) -> Spec:
    if "classifier" in roles and task != REGRESSION:
        return _LOGISTIC if task == BINARY else _BAYES
    if "regressor" in roles:
        return _LINEAR
    first = next(entry for entry in read_catalogue().select(*roles) if not any(p.required for p in entry.params))
    return {"use": first.path}


def example(path: str) -> tuple[str, Spec]:
    """Return a task and a whole model that uses an entry, over columns `x1` to `x3`, `kind` and `words`."""
    entry = read_catalogue().entries[path]
    task = MULTICLASS if MULTICLASS in entry.tasks else entry.tasks[0] if entry.tasks else BINARY
    role = entry.roles[0]
    if role in _REGRESSION_ROLES:
        task = REGRESSION
    part = starter(path, task, small=True)
    if role == "run_metric":
        return task, _on_numbers(_LOGISTIC if task == BINARY else _BAYES)
    if role in ("classifier", "regressor"):
        return task, _on_numbers(part, scaled=path != "naive_bayes.MultinomialNB" and not path.endswith("ComplementNB"))
    if role == "transformer":
        return task, _around_transformer(part)
    return (task, _on_numbers(_HOLDERS[role](part))) if role in _HOLDERS else (task, _on_numbers(_LOGISTIC))


def _on_numbers(model: Spec, *, scaled: bool = True) -> Spec:
    numbers = {"select": {"types": ["number"]}, "steps": [_SCALER] if scaled else []}
    return {"steps": [numbers, model]}


def _around_transformer(part: Spec) -> Spec:
    path = part["use"]
    if path in _TEXT_COLUMN:
        return {"steps": [{**part, "params": {"on": "words"}}, _LOGISTIC]}
    if path in ("preprocessing.OneHotEncoder", "preprocessing.OrdinalEncoder", "preprocessing.FeatureHasher"):
        return {"steps": [{"select": {"names": ["kind"]}, "steps": [part]}, _LOGISTIC]}
    if path.startswith(("feature_extraction.Agg", "feature_extraction.TargetAgg", "compose.Grouper")):
        return {"steps": [{"use": "compose.Discard", "params": {"keys": ["words"]}}, part, _LOGISTIC]}
    return {"steps": [{"select": {"types": ["number"]}, "steps": [part]}, _LOGISTIC]}


def _is_for(part: Spec, task: str) -> bool:
    return read_catalogue().entries[part["use"]].fits(task)


def _with(path: str, **params: Any) -> Spec:
    return {"use": path, "params": params}


_HOLDERS: dict[str, Callable[[Spec], Spec]] = {
    "optimizer": lambda part: _with("linear_model.LogisticRegression", optimizer=part),
    "scheduler": lambda part: _with("linear_model.LogisticRegression", optimizer=_with("optim.SGD", lr=part)),
    "initializer": lambda part: _with("linear_model.LogisticRegression", initializer=part),
    "binary_loss": lambda part: _with("linear_model.LogisticRegression", loss=part),
    "regression_loss": lambda part: _with("linear_model.LinearRegression", loss=part),
    "multiclass_loss": lambda part: _with("linear_model.SoftmaxRegression", loss=part),
    "drift_detector": lambda part: _with("tree.HoeffdingAdaptiveTreeClassifier", drift_detector=part),
    "warning_detector": lambda part: _with("drift.DriftRetrainingClassifier", model=_BAYES, drift_detector=part),
    "neighbour_search": lambda part: _with("neighbors.KNNClassifier", engine=part),
    "splitter": lambda part: _with(
        "tree.HoeffdingTreeRegressor" if _is_for(part, REGRESSION) else "tree.HoeffdingTreeClassifier",
        grace_period=50,
        splitter=part,
    ),
    "quantizer": lambda part: _with("tree.SGTRegressor", grace_period=50, feature_quantizer=part),
    "bandit_policy": lambda part: _with(
        "model_selection.BanditRegressor",
        models=_candidates(REGRESSION),
        metric={"use": "metrics.MAE"},
        policy=part,
    ),
    "statistic": lambda part: _with("dummy.StatisticRegressor", statistic=part),
    "similarity": lambda part: {"steps": [_with("feature_selection.SelectKBest", similarity=part, k=2), _LOGISTIC]},
    "classification_metric": lambda part: _with(
        "model_selection.BanditClassifier",
        models=_candidates(BINARY),
        metric=part,
        policy=_with("bandit.EpsilonGreedy", epsilon=0.1),
    ),
    "regression_metric": lambda part: _with(
        "model_selection.GreedyRegressor", models=_candidates(REGRESSION), metric=part
    ),
}
