"""Every metric after every event equals River's, whatever the blocks."""

import math
import random
from typing import Any

import numpy as np
import pytest
from river import stats

from models_registry.learning import measures
from models_registry.learning.labels import LabelBook
from models_registry.learning.river_metrics import make_metric
from models_registry.learning.tallies import make_tally
from models_registry.learning.windows import FadingMean, WindowSum

WINDOW = 37
COUNT = 300


def make_answers(task: str, seed: int) -> tuple[list[Any], list[Any], list[Any] | None]:
    """Labels, predictions and probabilities as a model might give them, some of them extreme."""
    rng = random.Random(seed)
    if task == "regression":
        labels = [rng.choice([0, 5, rng.gauss(50, 20)]) for _ in range(COUNT)]
        return labels, [label + rng.gauss(0, 10) if rng.random() < 0.9 else 0.0 for label in labels], None
    if task == "binary":
        labels = [rng.random() < 0.3 for _ in range(COUNT)]
        chances = []
        for label in labels:
            p = rng.choice([0.0, 1.0, 1 / 9, 0.5, min(1.0, max(0.0, rng.gauss(0.7 if label else 0.3, 0.3)))])
            chances.append({False: 1 - p, True: p} if rng.random() < 0.95 else {label: 1.0})
        return labels, [max(chance, key=chance.get) for chance in chances], chances
    classes = [0, 1, 2, 3, 7]
    # One class comes late, and one is predicted but never there.
    labels = [rng.choice(classes[:3] if i < COUNT // 2 else classes[:4]) for i in range(COUNT)]
    chances = []
    for label in labels:
        weights = {c: rng.random() + (c == label) for c in classes if rng.random() < 0.9} or {7: 1.0}
        total = sum(weights.values())
        chances.append({c: weight / total for c, weight in weights.items()})
    return labels, [max(chance, key=chance.get) for chance in chances], chances


def run_river(task: str, metric: str, *, window: int | None) -> list[float]:
    """River's metric after each event, over everything or made anew over each window."""
    labels, said, chances = make_answers(task, seed=3)
    inputs = chances if measures.find_measure(metric).needs_probabilities else said
    values = []
    running = make_metric(metric)
    for i in range(COUNT):
        if window:
            running = make_metric(metric)
            for j in range(max(0, i + 1 - window), i + 1):
                running.update(labels[j], inputs[j])
        else:
            running.update(labels[i], inputs[i])
        values.append(running.get())
    return values


def run_tally(task: str, metrics: list[str], cuts: list[int]) -> dict[str, np.ndarray]:
    labels, said, chances = make_answers(task, seed=3)
    tally = make_tally(task, metrics, WINDOW)
    parts = []
    for start, stop in zip([0, *cuts], [*cuts, COUNT], strict=True):
        if stop > start:
            parts.append(tally.add(labels[start:stop], said[start:stop], chances and chances[start:stop]))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


CASES = [(task, measure.name) for task in measures.DEFAULTS for measure in measures.list_measures(task)]
CASES += [("binary", f"FBeta(beta={beta})") for beta in (0.5, 1, 0.1234567, 100)]
CASES += [("binary", f"ROCAUC(n_thresholds={count})") for count in (3, 8, 9, 16, 17, 20, 50)]
CASES += [("multiclass", name) for name in ("MacroFBeta(beta=0.3)", "WeightedFBeta(beta=3)")]


@pytest.mark.parametrize(("task", "metric"), CASES)
def test_a_metric_equals_rivers_after_every_event(task: str, metric: str) -> None:
    series = run_tally(task, [metric], [])
    assert series[f"overall.{metric}"].tolist() == run_river(task, metric, window=None)


COUNTED = {"Accuracy", "BalancedAccuracy", "F1", "FBeta", "Precision", "Recall", "ROCAUC", "MCC", "CohenKappa"}


@pytest.mark.parametrize(("task", "metric"), CASES)
def test_a_rolling_metric_equals_rivers_over_the_window(task: str, metric: str) -> None:
    rolling, river = run_tally(task, [metric], [])[f"rolling.{metric}"].tolist(), run_river(task, metric, window=WINDOW)
    if metric.partition("(")[0] in COUNTED or metric.startswith(("Macro", "Weighted")):
        assert rolling == river, "made of counts: exact"
    else:
        assert rolling == pytest.approx(river, rel=1e-9, abs=1e-9), "made of sums, formed in another order"


@pytest.mark.parametrize("task", list(measures.DEFAULTS))
@pytest.mark.parametrize("cuts", [[1], [36, 37, 38], list(range(1, COUNT)), [150]])
def test_cutting_the_stream_changes_no_bit(task: str, cuts: list[int]) -> None:
    metrics = [metric for of, metric in CASES if of == task]
    whole, cut = run_tally(task, metrics, []), run_tally(task, metrics, cuts)
    assert {name: values.tobytes() for name, values in whole.items()} == {
        name: values.tobytes() for name, values in cut.items()
    }


def test_a_window_sum_does_not_drift() -> None:
    rng = random.Random(1)
    numbers = np.array([rng.choice([1e12, 1e-6, -1e12]) * rng.random() for _ in range(2_000)])
    sums = WindowSum(100).add(numbers)
    for i in range(0, 2_000, 97):
        exact = math.fsum(numbers[max(0, i - 99) : i + 1])
        assert sums[i] == pytest.approx(exact, rel=1e-12, abs=1e-2)


def test_a_fading_mean_is_the_weighted_mean() -> None:
    numbers = [random.Random(i).random() for i in range(50)]
    means = FadingMean(0.9).add(numbers)
    weights = [0.9 ** (49 - i) for i in range(50)]
    assert means[-1] == pytest.approx(np.average(numbers, weights=weights))


def test_the_running_mean_is_rivers() -> None:
    mean = stats.Mean()
    for number in (3, 0.1, -7.5):
        mean.update(number)
    tally = make_tally("regression", ["MAE"], 10)
    assert tally.add([3.0, 0.1, 7.5], [0.0, 0.0, 0.0], None)["overall.MAE"][-1] == pytest.approx((3 + 0.1 + 7.5) / 3)


def test_measures_say_what_they_need_and_how_they_read() -> None:
    assert measures.title_of("rolling.F1") == "F1 (rolling)"
    assert measures.title_of("overall.MAE") == "Mean absolute error"
    assert measures.find_measure("MAE").is_better(1.0, 2.0)
    assert measures.find_measure("F1").is_better(2.0, 1.0)
    assert measures.find_measure("F1").format(None) == "-"
    assert measures.find_measure("SMAPE").format(12.34) == "12.3%"
    with pytest.raises(LookupError, match="no metric 'Fun'"):
        measures.find_measure("Fun")
    for task, names in measures.DEFAULTS.items():
        assert set(names) <= {measure.name for measure in measures.list_measures(task)}
        assert measures.PRIMARY[task] in names
    for measure in measures.MEASURES:
        river = make_metric(measure.name)
        assert river.bigger_is_better == measure.greater_is_better
        if hasattr(river, "requires_labels"):
            assert river.requires_labels != measure.needs_probabilities


def test_text_classes_are_summed_in_an_order_of_their_own() -> None:
    """River sums the classes as its set gives them; here they are summed in their own order, in any process."""
    book = LabelBook("multiclass")
    labels = [book.encode(word) for word in ("grass", "sky", "brick", "sky", "grass", "brick", "path", "grass")]
    said = [labels[i - 1] for i in range(len(labels))]
    tally = make_tally("multiclass", ["MacroF1"], 10)
    river = make_metric("MacroF1")
    for label, prediction in zip(labels, said, strict=True):
        river.update(label, prediction)
    assert tally.add(labels, said, None)["overall.MacroF1"][-1] == pytest.approx(river.get(), rel=1e-14)


def test_usual_metrics_are_stored_as_before_there_were_other_curves() -> None:
    labels, said, chances = make_answers("binary", seed=3)
    usual, more = (make_tally("binary", ["ROCAUC", *more], WINDOW) for more in ([], ["ROCAUC(n_thresholds=20)"]))
    for tally in (usual, more):
        tally.add(labels, said, chances)
    assert sorted(vars(usual)) == sorted(set(vars(more)) - {"_curves"}), "a state of before is read back as it was"
    assert vars(usual)["_bins"].tolist() == vars(more)["_bins"].tolist()


@pytest.mark.parametrize(
    ("name", "kept", "title"),
    [
        ("F1", "F1", "F1"), ("FBeta", "FBeta", "F-beta 2"), ("FBeta(beta=2.0)", "FBeta", "F-beta 2"),
        ("FBeta( beta = 0.50 )", "FBeta(beta=0.5)", "F-beta 0.5"), ("ROCAUC(n_thresholds=10)", "ROCAUC", "ROC AUC"),
        ("ROCAUC(n_thresholds=20)", "ROCAUC(n_thresholds=20)", "ROC AUC (n_thresholds=20)"),
        ("MacroFBeta(beta=1e-1)", "MacroFBeta(beta=0.1)", "Macro F-beta 0.1"),
    ],
)  # fmt: skip
def test_a_metric_is_called_by_what_is_not_at_its_default(name: str, kept: str, title: str) -> None:
    measure = measures.find_measure(name)
    assert (measure.name, measure.title) == (kept, title)
    assert measures.find_measure(kept) == measure
    view, found = measures.split_key(measures.key_of("baseline_rolling", kept))
    assert (view, found) == ("baseline_rolling", measure)
    assert "{" not in measure.help


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("FBeta(beta=0)", "expected a number > 0 and <= 100, got 0"), ("FBeta(beta=1e400)", "<= 100"),
        ("FBeta(alpha=1)", "no parameter 'alpha'"), ("F1(beta=1)", "no parameter 'beta'"),
        ("FBeta(beta=x)", "expected a parameter and a number"), ("FBeta()", "expected a parameter"),
        ("ROCAUC(n_thresholds=2.5)", "expected a whole number >= 3 and <= 50"), ("FBeta(beta=1", "no metric"),
        ("", "no metric"), ("FBeta(beta=\u0661)", "expected a parameter and a number"), ("(beta=1)", "no metric"),
    ],
)  # fmt: skip
def test_a_metric_that_makes_no_sense_says_why(name: str, why: str) -> None:
    with pytest.raises(LookupError) as caught:
        measures.find_measure(name)
    assert why in caught.value.args[0]


def test_every_parameter_of_a_metric_has_a_range_a_default_and_help() -> None:
    params = [param for measure in measures.MEASURES for param in measure.params]
    assert len(params) == 4
    for param in params:
        assert param.default is not None and param.help and "max" in param.accepts[0]
