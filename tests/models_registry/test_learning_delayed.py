"""Late labels: the same numbers as River's delayed evaluation."""

import itertools
from typing import Any

import pytest
from river import datasets, evaluate, stream

from models_registry.learning import codec, delayed
from models_registry.learning.build import build
from models_registry.learning.delayed import Answer, Occurrence, Question
from models_registry.learning.errors import EstimatorFailed
from models_registry.learning.progressive import Learner
from models_registry.learning.river_metrics import make_metric
from models_registry.learning.templates import TEMPLATES, find_template

KEY = b"a key that only tests sign with"
STREAMS = {"binary": datasets.Phishing, "multiclass": datasets.ImageSegments, "regression": datasets.TrumpApproval}
LOGISTIC = find_template("logistic-regression").spec
SLOW = ("adaptive-random-forest", "bagging", "boosting")


def occurrences_of(pairs: list[Any], delay: int) -> list[Occurrence]:
    """Questions and answers in the order in which River's own simulation has them."""
    positions = itertools.count(1)
    return [
        Question(i, dict(x)) if y is None else Answer(next(positions), i, y)
        for i, x, y in stream.simulate_qa(pairs, moment=None, delay=delay)
    ]


@pytest.mark.parametrize(
    ("template", "task", "delay"),
    [
        *((template, task, 25) for template in TEMPLATES for task in template.tasks),
        *((template, template.tasks[0], 1) for template in TEMPLATES if not template.slug.startswith(SLOW)),
    ],
    ids=lambda value: getattr(value, "slug", value),
)
def test_delayed_metrics_equal_rivers(template: Any, task: str, delay: int) -> None:
    metric = {"binary": "LogLoss", "multiclass": "Accuracy", "regression": "R2"}[task]
    # Enough for the trees of every template to split, where their labels do not take too many classes for that.
    pairs = list(STREAMS[task]().take({"binary": 1_000, "multiclass": 120, "regression": 400}[task]))
    learner = Learner.create(template.spec, task, seed=42, metrics=[metric])
    result = learner.learn_delayed(occurrences_of(pairs, delay))
    encoded = [(x, learner.labels.encode(y)) for x, y in pairs]
    river = evaluate.progressive_val_score(encoded, build(template.spec, 42), make_metric(metric), delay=delay)
    assert learner.summary()[f"overall.{metric}"] == river.get()
    assert (result.events, result.position, len(learner.waiting)) == (len(pairs), len(pairs), 0)


@pytest.mark.parametrize("slug", ["logistic-regression", "nearest-neighbours", "hoeffding-adaptive-tree"])
def test_cutting_and_resuming_change_nothing(slug: str) -> None:
    pairs = list(datasets.Phishing().take(200))
    occurrences = occurrences_of(pairs, 20)
    whole = Learner.create(find_template(slug).spec, "binary", seed=1)
    points = whole.learn_delayed(occurrences).points
    cut = Learner.create(find_template(slug).spec, "binary", seed=1)
    cut_points = []
    for start in range(0, len(occurrences), 33):
        cut_points += cut.learn_delayed(occurrences[start : start + 33]).points
        cut = codec.load(codec.dump(cut, KEY), KEY)
    assert cut_points == points
    assert (cut.digest(), cut.model_digest()) == (whole.digest(), whole.model_digest())


def test_labels_at_once_are_learning_as_usual() -> None:
    pairs = list(datasets.Phishing().take(100))
    plain, asked = Learner.create(LOGISTIC, "binary", seed=1), Learner.create(LOGISTIC, "binary", seed=1)
    plain.learn((i, x, y) for i, (x, y) in enumerate(pairs, start=1))
    both = ((Question(i, x), Answer(i, i, y)) for i, (x, y) in enumerate(pairs, start=1))
    asked.learn_delayed(itertools.chain.from_iterable(both))
    assert asked.digest() == plain.digest()


def test_what_cannot_be_scored_is_set_aside() -> None:
    learner = Learner.create(LOGISTIC, "binary", seed=1)
    features = {"a": 1.0}
    result = learner.learn_delayed(
        [
            Question("good", features),
            Question("bad", {"a": float("nan")}),
            Question("unlabelled", features),
            Answer(1, "good", True),
            Answer(2, "bad", True),
            Answer(3, "unlabelled", None),
            Answer(4, "never asked", True),
            Answer(5, "good", True),
        ]
    )
    features["a"] = 99
    assert dict(result.set_aside) == {
        2: 'feature "a" is not a finite number',
        3: "the label is missing",
        4: "no prediction waits for this label: never asked for, or given up as too old",
        5: "no prediction waits for this label: never asked for, or given up as too old",
    }
    assert (learner.events, learner.learned, learner.position) == (5, 1, 5)
    with pytest.raises(ValueError, match="event 5 comes after event 5"):
        learner.learn_delayed([Answer(5, "x", True)])


def test_the_oldest_of_too_many_questions_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delayed, "MAX_WAITING", 2)
    learner = Learner.create(LOGISTIC, "binary", seed=1)
    learner.learn_delayed([Question(key, {"a": 1.0}) for key in "xyz"])
    result = learner.learn_delayed([Answer(1, "x", True), Answer(2, "z", True)])
    assert [position for position, _ in result.set_aside] == [1]


def test_a_failing_model_names_the_label_it_failed_at() -> None:
    learner = Learner.create(LOGISTIC, "binary", seed=1)
    with pytest.raises(EstimatorFailed) as caught:
        learner.learn_delayed(
            [Question(1, {"a": 1.0}), Answer(1, 1, True), Question(2, {"a": 1.0, "b": "text"}), Answer(2, 2, True)]
        )
    assert caught.value.position == 2
