"""Progressive learning is exact: River's numbers, however the stream is cut, resumed or repeated."""

import functools
import itertools
import math
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from river import datasets, evaluate, stream
from river.datasets import synth

from models_registry.learning import codec, measures
from models_registry.learning.build import build
from models_registry.learning.errors import DataError, SpecError
from models_registry.learning.points import merge_points
from models_registry.learning.progressive import Learner
from models_registry.learning.river_metrics import make_metric
from models_registry.learning.templates import TEMPLATES, find_template

KEY = b"a key that only tests sign with"
LOGISTIC = find_template("logistic-regression").spec
TREE = find_template("hoeffding-tree").spec
LINEAR = find_template("linear-regression").spec
STREAMS = {"binary": datasets.Phishing, "multiclass": datasets.ImageSegments, "regression": datasets.TrumpApproval}


def take(task: str, count: int) -> list[tuple[int, dict[str, Any], Any]]:
    return [(i, x, y) for i, (x, y) in enumerate(STREAMS[task]().take(count), start=1)]


CASES = [(template, task) for template in TEMPLATES for task in template.tasks]


#: So many events that the trees of every template have split, where the stream lets them (see the first test).
COUNTS = {"binary": 1_000, "multiclass": 250, "regression": 400}
TREES = ("tree", "forest")


def count_branches(model: Any) -> int:
    """Count the inner nodes of all the trees that a model consists of."""
    seen, waiting, found = set(), [model], 0
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        found += "Branch" in type(part).__name__
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
        elif type(part).__module__.startswith("river.") and hasattr(part, "__dict__"):
            waiting += vars(part).values()
    return found


@dataclass(frozen=True)
class Learned:
    """A template that has learned all events of its case: what it was at two positions on the way, and at the end."""

    events: list[Any]
    kept_at: int
    kept: bytes
    asked: int
    then: tuple[Any, ...]
    end: Learner


def say_all(learner: Learner, features: dict[str, Any]) -> tuple[Any, ...]:
    return learner.model_digest(), learner.digest(), learner.predict(features)


@functools.cache  # two tests look at the same learning, which takes most of their time
def learn_all(slug: str, task: str) -> Learned:
    events = take(task, COUNTS[task])
    asked = len(events) - 47
    kept_at = asked // 2
    names = [measure.name for measure in measures.list_measures(task)]
    learner = Learner.create(find_template(slug).spec, task, seed=42, metrics=names)
    learner.learn(events[:kept_at])
    kept = codec.dump(learner, KEY)
    learner.learn(events[kept_at:asked])
    then = say_all(learner, events[-1][1])
    learner.learn(events[asked:])
    return Learned(events, kept_at, kept, asked, then, learner)


@pytest.mark.parametrize(("template", "task"), CASES, ids=lambda value: getattr(value, "slug", value))
def test_final_metrics_equal_rivers_own_evaluation(template: Any, task: str) -> None:
    learned = learn_all(template.slug, task)
    learner = learned.end
    if task != "multiclass" and any(word in template.slug for word in TREES):
        assert count_branches(learner.model), "a tree that never splits would show little"
    encode = learner.labels.encode
    # One label-only and one probability metric drive River; all the others were compared with River's event by event.
    asked = {"binary": ("Accuracy", "LogLoss"), "multiclass": ("Accuracy", "CrossEntropy"), "regression": ("MAE", "R2")}
    river = [make_metric(name) for name in asked[task]]
    dataset = ((x, encode(y)) for _, x, y in learned.events)
    evaluate.progressive_val_score(dataset, build(template.spec, 42), river[0] + river[1])
    assert [learner.summary()[f"overall.{name}"] for name in asked[task]] == [metric.get() for metric in river]


@pytest.mark.parametrize(("template", "task"), CASES, ids=lambda value: getattr(value, "slug", value))
def test_any_position_can_be_had_back_from_an_earlier_state(template: Any, task: str) -> None:
    learned = learn_all(template.slug, task)
    restored = codec.load(learned.kept, KEY)
    restored.learn(learned.events[learned.kept_at : learned.asked])
    assert say_all(restored, learned.events[-1][1]) == learned.then
    assert learned.end.model_digest() != learned.then[0]


def test_text_labels_give_what_river_gives_for_them() -> None:
    events = take("multiclass", 700)
    learner = Learner.create(TREE, "multiclass", seed=42)
    learner.learn(events)
    river = evaluate.progressive_val_score(((x, y) for _, x, y in events), build(TREE, 42), make_metric("Accuracy"))
    assert learner.summary()["overall.Accuracy"] == river.get()
    assert learner.predict(events[0][1]).label in {label for _, _, label in events}


def learn_in_chunks(learner: Learner, events: list[Any], cuts: list[int]) -> tuple[Learner, list[Any]]:
    """Learn as a service would: chunk by chunk, through files, keeping and compacting points."""
    points: list[Any] = []
    drifts: list[Any] = []
    set_aside: list[Any] = []
    for start, stop in itertools.pairwise([0, *sorted(set(cuts)), len(events)]):
        result = learner.learn(events[start:stop])
        points += result.points
        if result.compact_to:
            points = merge_points(points, result.compact_to)
        drifts += result.drifts
        set_aside += result.set_aside
        learner = codec.load(codec.dump(learner, KEY), KEY)
    return learner, [points, drifts, set_aside]


@pytest.mark.parametrize(
    ("template", "task"),
    [(find_template(slug), task) for slug, task in [
        ("logistic-regression", "binary"), ("hoeffding-adaptive-tree", "multiclass"),
        ("nearest-neighbours", "multiclass"), ("adaptive-random-forest", "binary"), ("linear-regression", "regression"),
    ]],
    ids=lambda value: getattr(value, "slug", value),
)  # fmt: skip
def test_chunks_and_files_in_between_change_nothing(template: Any, task: str) -> None:
    events = take(task, 220)
    events[100] = (101, events[100][1], None)
    events[200] = (201, {**events[200][1], next(iter(events[200][1])): float("nan")}, events[200][2])

    def make() -> Learner:
        return Learner.create(template.spec, task, seed=42, window=50)

    whole, found = learn_in_chunks(make(), events, [])
    for cuts in ([1, 2, 3, 99, 100, 101], [10, 20, 205], list(range(0, 220, 37))):
        cut, found_cut = learn_in_chunks(make(), events, cuts)
        assert found_cut == found
        assert cut.summary() == whole.summary()
        assert cut.digest() == whole.digest()
        assert cut.model_digest() == whole.model_digest()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 1250), max_size=12))
def test_any_cuts_change_nothing(whole_run: Any, cuts: list[int]) -> None:
    events, whole, found = whole_run
    cut, found_cut = learn_in_chunks(Learner.create(LOGISTIC, "binary", seed=1), events, cuts)
    assert (cut.digest(), found_cut) == (whole.digest(), found)


@pytest.fixture(scope="module")
def whole_run() -> Any:
    events = take("binary", 1250)
    whole, found = learn_in_chunks(Learner.create(LOGISTIC, "binary", seed=1), events, [])
    return events, whole, found


def test_points_hold_the_true_extremes_and_the_last_value() -> None:
    events = take("binary", 200)
    learner = Learner.create(LOGISTIC, "binary", seed=1, metrics=["Accuracy", "F1"], window=20)
    stepwise = learner.copy()
    values = []
    for event in events:
        stepwise.learn([event])
        values.append(stepwise.summary())
    points = learner.learn(events).points
    assert [(point.first, point.position) for point in points] == [(i + 1, i + 10) for i in range(0, 200, 10)]
    for point in points:
        for name, (last, low, high) in point.values.items():
            seen = [value[name] for value in values[point.first - 1 : point.position] if value[name] is not None]
            assert (last, low, high) == (values[point.position - 1][name], min(seen), max(seen))


def test_rows_stay_few_however_long_the_run() -> None:
    labels = itertools.cycle([0, 0, 1, 0, 1])
    learner = Learner.create({"use": "dummy.NoChangeClassifier"}, "binary", seed=1, drift=False)
    points: list[Any] = []
    most = 0
    for start in range(1, 100_001, 5_000):
        result = learner.learn((i, {"a": 1}, next(labels)) for i in range(start, start + 5_000))
        points += result.points
        if result.compact_to:
            points = merge_points(points, result.compact_to)
        most = max(most, len(points))
    assert 500 <= len(points) <= 1_000
    assert most <= 1_001
    assert points[0].first == 1
    assert points[-1].position == 100_000


def test_the_baseline_is_scored_on_the_same_events() -> None:
    events = [(i, {"a": 1.0}, label) for i, label in enumerate(["no", "no", "yes", "no", "yes", "yes", "yes"], start=1)]
    learner = Learner.create(LOGISTIC, "binary", seed=1, metrics=["Accuracy"])
    learner.learn(events)
    # Guesses: none, no, no, no, no, then a tie that the earlier one keeps, then yes would lead only after the last.
    assert learner.summary()["baseline.Accuracy"] == 2 / 6
    loss = Learner.create(LOGISTIC, "binary", seed=1, metrics=["LogLoss"])
    loss.learn(events)
    shares = [2 / 3, 1 - 3 / 4, 3 / 5, 1 - 4 / 6, 3 / 7, 4 / 8]
    assert loss.summary()["baseline.LogLoss"] == pytest.approx(-sum(map(math.log, shares)) / 6)
    last = Learner.create(LOGISTIC, "binary", seed=1, metrics=["Accuracy"], baseline="last")
    last.learn(events)
    assert last.summary()["baseline.Accuracy"] == 3 / 6
    mean = Learner.create(LINEAR, "regression", seed=1, metrics=["MAE"])
    mean.learn([(1, {"a": 1.0}, 10), (2, {"a": 1.0}, 20), (3, {"a": 1.0}, 0)])
    assert mean.summary()["baseline.MAE"] == (10 + 15) / 2


def test_drift_is_found_and_put_in_words() -> None:
    events = [(i, x, bool(y)) for i, (x, y) in enumerate(synth.SEA(seed=1).take(3_000), start=1)]
    flipped = [(i, x, y if i <= 1_500 else not y) for i, x, y in events]
    result = Learner.create(TREE, "binary", seed=1).learn(flipped)
    drift = next(drift for drift in result.drifts if drift.position > 1_500)
    assert drift.position < 1_700
    assert drift.detector == "ADWIN"
    assert drift.what.startswith("the error rate rose from ")
    assert Learner.create(TREE, "binary", seed=1, drift=False).learn(flipped).drifts == []
    other = Learner.create(TREE, "binary", seed=1, drift={"use": "drift.binary.DDM"}).learn(flipped)
    assert {drift.what for drift in other.drifts} == {"the error rate changed"}
    with pytest.raises(SpecError, match="expected a drift detector or a binary drift detector"):
        Learner.create(TREE, "binary", seed=1, drift={"use": "optim.SGD"})


def test_predicting_changes_nothing_that_is_learned() -> None:
    spec = find_template("nearest-neighbours").spec
    events = take("binary", 300)
    plain, asked = Learner.create(spec, "binary", seed=1), Learner.create(spec, "binary", seed=1)
    plain.learn(events[:150])
    asked.learn(events[:150])
    asked.probe_digest()
    asked.model_digest()
    plain.learn(events[150:])
    asked.learn(events[150:])
    assert asked.digest() == plain.digest()


def test_predictions_speak_the_labels_of_the_project() -> None:
    for classes in (("ham", "spam"), ("no", "yes"), (0, 1), (False, True), ("0", "1")):
        learner = Learner.create(LOGISTIC, "binary", seed=1)
        learner.learn((i, {"a": i % 2 * 1.0}, classes[i % 2]) for i in range(1, 201))
        label, chances = learner.predict({"a": 1.0})
        assert label == classes[1]
        assert type(label) is type(classes[1])
        assert chances is not None
        assert set(chances) == set(classes)
    with pytest.raises(DataError, match="expected a number, as before"):
        learner.predict({"a": "x"})


def test_models_without_probabilities_are_judged_by_labels() -> None:
    spec = {
        "steps": [
            {"use": "preprocessing.StandardScaler"},
            {
                "use": "multiclass.OneVsOneClassifier",
                "params": {"classifier": {"use": "linear_model.LogisticRegression"}},
            },
        ]
    }
    learner = Learner.create(spec, "multiclass", seed=1, metrics=["Accuracy", "CrossEntropy"])
    learner.learn(take("multiclass", 100))
    assert "overall.Accuracy" in learner.summary()
    assert "overall.CrossEntropy" not in learner.summary()
    assert learner.predict(take("multiclass", 1)[0][1]).probabilities is None


def test_what_does_not_fit_the_task_is_refused() -> None:
    with pytest.raises(ValueError, match="MAE: no metric of a binary task"):
        Learner.create(LOGISTIC, "binary", seed=1, metrics=["MAE"])
    with pytest.raises(ValueError, match="mean: no baseline of a binary task"):
        Learner.create(LOGISTIC, "binary", seed=1, baseline="mean")
    with pytest.raises(ValueError, match="the window has to hold"):
        Learner.create(LOGISTIC, "binary", seed=1, window=1)
    with pytest.raises(SpecError):
        Learner.create(LOGISTIC, "regression", seed=1)


def test_a_copy_learns_apart() -> None:
    learner = Learner.create(TREE, "binary", seed=1)
    learner.learn(take("binary", 100))
    digest = learner.digest()
    twin = learner.copy()
    assert twin.model_digest() == learner.model_digest()
    twin.learn(take("binary", 200)[100:])
    assert learner.digest() == digest
    assert learner.measure_size() > 1_000


@pytest.mark.parametrize("name", ["HoeffdingTreeClassifier", "HoeffdingAdaptiveTreeClassifier"])
def test_a_tree_keeps_to_its_size(name: str) -> None:
    sizes = []
    for limit in (32, 0.1):
        params = {"max_size": limit, "memory_estimate_period": 500}
        learner = Learner.create({"use": f"tree.{name}", "params": params}, "binary", seed=1)
        rows = synth.RandomRBF(seed_model=1, seed_sample=1, n_features=10).take(5_000)
        learner.learn((i, {str(k): v for k, v in x.items()}, y) for i, (x, y) in enumerate(rows, start=1))
        sizes.append(learner.measure_size())
    assert sizes[1] < 0.8 * sizes[0]


def test_a_learner_does_not_grow_with_the_events() -> None:
    learner = Learner.create(LOGISTIC, "binary", seed=1)
    sizes = []
    for start in range(1, 60_002, 20_000):
        learner.learn((i, {"a": i % 7 / 7, "b": i % 11 / 11}, i % 3 == 0) for i in range(start, start + 20_000))
        sizes.append(len(pickle.dumps(learner)))
    # The drift detector's buckets grow with the logarithm of the events, a block of records waits for its digest.
    assert max(sizes) < min(sizes) + 3_000
    assert max(sizes) < 40_000


def test_river_reads_streams_as_we_do() -> None:
    """The pinned River still takes plain pairs; `simulate_qa` is what delayed labels are compared with."""
    assert next(iter(stream.simulate_qa([({"a": 1}, True)], moment=None, delay=None)))[1:] == ({"a": 1}, None)
