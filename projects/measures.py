"""The metrics a project may be judged by, with the names the learning library gives them. Pure data."""

from __future__ import annotations

from typing import NamedTuple


class Measure(NamedTuple):
    """A metric: its name in specs and records, and what people read."""

    name: str
    title: str


#: By task, the usual choice first.
MEASURES: dict[str, tuple[Measure, ...]] = {
    "binary": (
        Measure("Accuracy", "Accuracy"),
        Measure("BalancedAccuracy", "Balanced accuracy"),
        Measure("F1", "F1"),
        Measure("Precision", "Precision"),
        Measure("Recall", "Recall"),
        Measure("ROCAUC", "ROC AUC"),
        Measure("LogLoss", "Log loss"),
        Measure("MCC", "Matthews correlation"),
        Measure("CohenKappa", "Cohen's kappa"),
    ),
    "multiclass": (
        Measure("Accuracy", "Accuracy"),
        Measure("BalancedAccuracy", "Balanced accuracy"),
        Measure("MacroF1", "Macro F1"),
        Measure("MacroPrecision", "Macro precision"),
        Measure("MacroRecall", "Macro recall"),
        Measure("WeightedF1", "Weighted F1"),
        Measure("CohenKappa", "Cohen's kappa"),
        Measure("CrossEntropy", "Cross entropy"),
    ),
    "regression": (
        Measure("MAE", "Mean absolute error"),
        Measure("RMSE", "Root mean squared error"),
        Measure("MSE", "Mean squared error"),
        Measure("R2", "R squared"),
        Measure("MAPE", "Mean absolute percentage error"),
        Measure("SMAPE", "Symmetric percentage error"),
    ),
}


def metric_names(task: str) -> list[str]:
    """Return the names of the metrics that judge `task`."""
    return [measure.name for measure in MEASURES[task]]


def metric_title(name: str) -> str:
    """Return what people read for a metric; an unknown one by its own name."""
    return next((m.title for measures in MEASURES.values() for m in measures if m.name == name), name)
