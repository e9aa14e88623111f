"""The metrics a run may be judged by: names, meaning and how to show them, without importing River.

A *series* is one metric seen one way; its key is `view.metric`, as in `rolling.F1`. The views are

- `overall`: over every event so far;
- `rolling`: over the last few hundred events (the run's window);
- `fading`: over every event, older ones counting less and less;
- `baseline` and `baseline_rolling`: the same for a guess that ignores the features (the commonest label so far, the
  mean so far, or the last value), scored on the same events.

A metric with parameters is told apart by those that are not at their defaults: `FBeta(beta=0.5)`, `FBeta`. What each
takes is in the catalogue.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .catalogue import BINARY, MULTICLASS, REGRESSION, Parameter, read_catalogue
from .values import accepted, expected

#: From here on a figure is written by its order of magnitude: a model that diverged has an error of thirty digits.
MOST_IN_FULL = 1e6

OVERALL, ROLLING, FADING = "overall", "rolling", "fading"
BASELINE, BASELINE_ROLLING = "baseline", "baseline_rolling"
VIEWS = {
    OVERALL: "overall",
    ROLLING: "rolling",
    FADING: "fading",
    BASELINE: "baseline",
    BASELINE_ROLLING: "baseline, rolling",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric.

    Parameters
    ----------
    name
        River's class name, with the parameters that are not at their defaults; it is the key.
    title
        What people read. Parameters stand in it, and in the help, as `{beta}`.
    tasks
        The tasks it judges.
    greater_is_better
        Its direction.
    style
        How a value is written: `percent` (a share of one), `decimal`, or `label` (in the unit of the label).
    help
        One line on what it says.
    needs_probabilities
        Whether a model that only names a label cannot be judged by it.
    settings
        The values of all its parameters.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    greater_is_better: bool
    style: str
    help: str
    needs_probabilities: bool = False
    settings: tuple[tuple[str, float], ...] = ()

    @property
    def use(self) -> str:
        """River's class name."""
        return self.name.partition("(")[0]

    @property
    def params(self) -> tuple[Parameter, ...]:
        """The parameters it takes."""
        return read_catalogue().entries[f"metrics.{self.use}"].params

    def format(self, value: float | None) -> str:
        """Return a value as people read it.

        Examples
        --------
        >>> find_measure("Accuracy").format(0.91234), find_measure("MAE").format(1234.5)
        ('91.2%', '1,234')
        >>> find_measure("MAE").format(1.2345e20)
        '1.23e+20'
        >>> find_measure("ROCAUC").format(-0.0), find_measure("R2").format(-0.0004)
        ('0.0%', '0.000')
        """
        if value is None or not math.isfinite(value):
            return "-"
        size = abs(value)
        if size >= MOST_IN_FULL:
            return f"{value:.2e}"
        # A zero that is left of a small negative number has no sign.
        if self.style in ("percent", "points"):
            return f"{round(100 * value if self.style == 'percent' else value, 1) + 0.0:.1f}%"
        digits = 0 if size >= 1000 else 1 if size >= 100 else 3
        return f"{round(value, digits) + 0.0:,.{digits}f}"

    def is_better(self, value: float, other: float) -> bool:
        """Whether the first value is the better one."""
        return value > other if self.greater_is_better else value < other


_CLASSES = (BINARY, MULTICLASS)

MEASURES: tuple[Measure, ...] = (
    Measure("Accuracy", "Accuracy", _CLASSES, True, "percent", "Share of events predicted right."),
    Measure(
        "BalancedAccuracy",
        "Balanced accuracy",
        _CLASSES,
        True,
        "percent",
        "Share predicted right per class, averaged over the classes: rare classes count as much as common ones.",
    ),
    Measure("F1", "F1", (BINARY,), True, "percent", "Harmonic mean of precision and recall."),
    Measure(
        "FBeta",
        "F-beta {beta}",
        (BINARY,),
        True,
        "percent",
        "Mean of precision and recall in which recall counts {beta} times as much.",
    ),
    Measure("Precision", "Precision", (BINARY,), True, "percent", "Of the events called positive, the share that is."),
    Measure("Recall", "Recall", (BINARY,), True, "percent", "Of the positive events, the share that was found."),
    Measure(
        "ROCAUC",
        "ROC AUC",
        (BINARY,),
        True,
        "percent",
        "Chance that a positive event gets a higher probability than a negative one ({n_thresholds} thresholds).",
        needs_probabilities=True,
    ),
    Measure(
        "LogLoss",
        "Log loss",
        (BINARY,),
        False,
        "decimal",
        "How surprised the probabilities were by the labels, in nats.",
        needs_probabilities=True,
    ),
    Measure("MCC", "Matthews correlation", (BINARY,), True, "decimal", "Correlation of prediction and label, -1 to 1."),
    Measure(
        "CohenKappa", "Cohen's kappa", _CLASSES, True, "decimal", "Agreement beyond what guessing would reach, up to 1."
    ),
    Measure("MacroF1", "Macro F1", (MULTICLASS,), True, "percent", "F1 per class, averaged over the classes."),
    Measure(
        "MacroFBeta",
        "Macro F-beta {beta}",
        (MULTICLASS,),
        True,
        "percent",
        "F-beta per class, averaged over the classes; recall counts {beta} times as much as precision.",
    ),
    Measure(
        "MacroPrecision", "Macro precision", (MULTICLASS,), True, "percent", "Precision per class, averaged over them."
    ),
    Measure("MacroRecall", "Macro recall", (MULTICLASS,), True, "percent", "Recall per class, averaged over them."),
    Measure("WeightedF1", "Weighted F1", (MULTICLASS,), True, "percent", "F1 per class, weighted by how common it is."),
    Measure(
        "WeightedFBeta",
        "Weighted F-beta {beta}",
        (MULTICLASS,),
        True,
        "percent",
        "F-beta per class, weighted by how common it is; recall counts {beta} times as much as precision.",
    ),
    Measure(
        "CrossEntropy",
        "Cross entropy",
        (MULTICLASS,),
        False,
        "decimal",
        "How surprised the probabilities were by the labels, in nats.",
        needs_probabilities=True,
    ),
    Measure("MAE", "Mean absolute error", (REGRESSION,), False, "label", "Mean distance of prediction and label."),
    Measure(
        "RMSE",
        "Root mean squared error",
        (REGRESSION,),
        False,
        "label",
        "Like the mean absolute error, but large misses count more.",
    ),
    Measure("MSE", "Mean squared error", (REGRESSION,), False, "label", "Mean of the squared misses."),
    Measure(
        "R2", "R squared", (REGRESSION,), True, "decimal", "Share of the label's variance that is explained, up to 1."
    ),
    Measure(
        "MAPE", "Mean absolute percentage error", (REGRESSION,), False, "points", "Mean miss relative to the label."
    ),
    Measure(
        "SMAPE",
        "Symmetric percentage error",
        (REGRESSION,),
        False,
        "points",
        "Mean miss relative to both.",
    ),
)
_BY_NAME = {measure.name: measure for measure in MEASURES}
#: How parameters are called where they have no value.
_ANY = {"beta": "beta", "n_thresholds": "evenly spaced"}
_PLACES = {name: place for place, name in enumerate(_BY_NAME)}

DEFAULTS: dict[str, tuple[str, ...]] = {
    BINARY: ("Accuracy", "F1", "ROCAUC", "LogLoss"),
    MULTICLASS: ("Accuracy", "BalancedAccuracy", "MacroF1", "CohenKappa"),
    REGRESSION: ("MAE", "RMSE", "R2"),
}
PRIMARY: dict[str, str] = {BINARY: "Accuracy", MULTICLASS: "Accuracy", REGRESSION: "MAE"}
"""The metric whose loss is faded and watched for drift."""
USUAL_DETECTOR: dict[str, Any] = {"use": "drift.ADWIN"}
"""What watches a run's error unless it says otherwise."""


def list_measures(task: str) -> list[Measure]:
    """Return the metrics that judge a task, in the order they are offered, their parameters at their defaults.

    Examples
    --------
    >>> [measure.name for measure in list_measures("regression")]
    ['MAE', 'RMSE', 'MSE', 'R2', 'MAPE', 'SMAPE']
    """
    return [find_measure(measure.name) for measure in MEASURES if task in measure.tasks]


def find_class(use: str) -> Measure:
    """Return what is said of a class of River whatever its parameters; `KeyError` where no run is judged by it.

    Examples
    --------
    >>> find_class("FBeta").title, find_class("FBeta").tasks
    ('F-beta', ('binary',))
    """
    base = _BY_NAME[use]
    return replace(base, title=base.title.partition(" {")[0], help=base.help.format(**_ANY))


@functools.lru_cache(maxsize=4_096)
def find_measure(name: str) -> Measure:
    """Return the metric of this name, or raise `LookupError` with what is wrong with it.

    Examples
    --------
    >>> measure = find_measure("FBeta( beta = 0.50 )")
    >>> measure.name, measure.title, measure.settings
    ('FBeta(beta=0.5)', 'F-beta 0.5', (('beta', 0.5),))
    >>> find_measure("ROCAUC(n_thresholds=10)").name
    'ROCAUC'
    """
    use, bracket, rest = name.partition("(")
    base = _BY_NAME.get(use)
    if base is None or (bracket and not rest.endswith(")")):
        raise LookupError(f"no metric {name[:80]!r}")
    said = [_read_setting(use, part) for part in rest[:-1].split(",")] if bracket else []
    given = dict(said)
    if len(given) < len(said):
        raise LookupError(f"{use}: a parameter stands twice")
    settings = tuple((param.name, given.pop(param.name, param.default)) for param in base.params)
    if given:
        raise LookupError(f"{use}: no parameter {next(iter(given))!r}")
    words = {param: _show(value) for param, value in settings}
    defaults = {param.name: param.default for param in base.params}
    told = ", ".join(f"{param}={words[param]}" for param, value in settings if value != defaults[param])
    title, text = base.title.format(**words), base.help.format(**words)
    if told and title == base.title:
        title = f"{title} ({told})"
    return replace(base, name=f"{use}({told})" if told else use, title=title, help=text, settings=settings)


_SETTING = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(-?\d{1,20}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,3})?)\s*", re.ASCII)


def _read_setting(use: str, text: str) -> tuple[str, float]:
    found = _SETTING.fullmatch(text)
    if found is None:
        raise LookupError(f"{use}: expected a parameter and a number, as in beta=0.5, got {text[:40]!r}")
    name, number = found.groups()
    value = int(number) if number.lstrip("-").isdecimal() else float(number)
    param = read_catalogue().entries[f"metrics.{use}"].find_param(name)
    if param is not None and not any(accepted(accepts, value) for accepts in param.accepts):
        raise LookupError(f"{use}: {name}: expected {expected(param)}, got {number}")
    return name, float(value) if param is not None and param.accepts[0]["type"] == "number" else value


def _show(value: float) -> str:
    return repr(value).removesuffix(".0")


def order_names(names: Iterable[str]) -> list[str]:
    """Return the metrics among some names in the order they are offered; what is no metric is left out.

    Examples
    --------
    >>> order_names(["Recall", "FBeta(beta=2.5)", "Magic", "FBeta(beta=0.5)", "F1"])
    ['F1', 'FBeta(beta=0.5)', 'FBeta(beta=2.5)', 'Recall']
    """
    known: dict[str, tuple[int, tuple[tuple[str, float], ...]]] = {}
    for name in names:
        try:
            measure = find_measure(name)
        except LookupError:
            continue
        known[measure.name] = (_PLACES[measure.use], measure.settings)
    return sorted(known, key=lambda name: known[name])


def key_of(view: str, metric: str) -> str:
    """Return the key of a series."""
    return f"{view}.{metric}"


def split_key(key: str) -> tuple[str, Measure]:
    """Return the view and the metric of a series.

    Examples
    --------
    >>> view, measure = split_key("rolling.F1")
    >>> view, measure.title
    ('rolling', 'F1')
    """
    view, _, name = key.partition(".")
    return view, find_measure(name)


def title_of(key: str) -> str:
    """Return what a series is called: `F1 (rolling)`."""
    view, measure = split_key(key)
    return measure.title if view == OVERALL else f"{measure.title} ({VIEWS[view]})"
