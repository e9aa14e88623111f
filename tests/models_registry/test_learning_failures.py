"""What cannot be learned: bad events are set aside, a failing model stops at its event and says why."""

import pickle
from typing import Any

import pytest

from models_registry.learning.errors import DataError, EstimatorFailed
from models_registry.learning.progressive import Learner
from models_registry.learning.templates import find_template
from tests.models_registry.test_learning_progressive import take

LOGISTIC = find_template("logistic-regression").spec


def test_bad_events_are_set_aside_with_the_reason_and_learning_goes_on() -> None:
    good = {"a": 1.0, "b": "oak"}
    events: list[Any] = [
        (1, good, True),
        (2, good, None),
        (3, {"a": float("nan"), "b": "oak"}, True),
        (4, {"a": "tall", "b": "oak"}, True),
        (5, {"a": [1], "b": "oak"}, True),
        (6, {"a": 1.0, "b": "oak"}, "perhaps"),
        (7, [], True),
        (8, {}, True),
        (9, {"a": None, "b": "elm"}, False),
        (10, {"a": 1e300, "b": "elm"}, False),
        (11, {"a": 10**400, "b": "elm"}, False),
        (12, good, ["x"]),
        (13, good, False),
    ]
    learner = Learner.create(find_template("logistic-regression-mixed").spec, "binary", seed=1)
    result = learner.learn(events)
    assert dict(result.set_aside) == {
        2: "the label is missing",
        3: 'feature "a" is not a finite number',
        4: 'feature "a" is "tall"; expected a number, as before',
        5: 'feature "a" is [1]; expected a number, text, true or false',
        6: 'the label is "perhaps"; expected the opposite of true, or the same',
        7: "the features are []; expected an object of names and values",
        8: "there are no features",
        10: 'feature "a" is too large to compute with',
        11: 'feature "a" is too large to compute with',
        12: 'the label is ["x"]; expected text or a number',
    }
    assert (learner.events, learner.learned, learner.set_aside, result.position) == (13, 3, 10, 13)


def test_an_event_without_a_feature_that_the_spec_names_is_set_aside() -> None:
    spec = {"steps": [{"select": {"names": ["a"]}, "steps": []}, {"use": "linear_model.LogisticRegression"}]}
    learner = Learner.create(spec, "binary", seed=1)
    result = learner.learn([(1, {"a": 1.0, "b": 2.0}, True), (2, {"b": 2.0}, True), (3, {"a": None, "b": 1}, False)])
    reason = 'feature "a" is missing, and the model needs it'
    assert result.set_aside == [(2, reason), (3, reason)]
    with pytest.raises(DataError, match="is missing, and the model needs it"):
        learner.predict({"b": 1.0})


def test_labels_only_inside_an_ensemble_is_explained() -> None:
    pairs = {
        "use": "multiclass.OneVsOneClassifier",
        "params": {"classifier": {"use": "linear_model.LogisticRegression"}},
    }
    learner = Learner.create({"use": "ensemble.BaggingClassifier", "params": {"model": pairs}}, "multiclass", seed=1)
    with pytest.raises(EstimatorFailed, match="a model inside it gives labels only, where probabilities are needed"):
        learner.learn(take("multiclass", 5))


def test_an_event_cannot_be_learned_twice() -> None:
    learner = Learner.create(LOGISTIC, "binary", seed=1)
    learner.learn(take("binary", 5))
    with pytest.raises(ValueError, match="event 5 comes after event 5"):
        learner.learn(take("binary", 5)[4:])
    later = Learner.create(LOGISTIC, "binary", seed=1, start=4)
    later.learn(take("binary", 5)[4:])
    assert later.position == 5


def test_a_failing_model_stops_at_the_event_and_says_why() -> None:
    events: list[Any] = take("binary", 20)
    events[12] = (13, {**events[12][1], "note": "text that a scaler cannot take"}, True)
    learner = Learner.create(LOGISTIC, "binary", seed=1)
    with pytest.raises(EstimatorFailed) as caught:
        learner.learn(events)
    assert caught.value.position == 13
    assert caught.value.message.startswith("TypeError: ")
    assert isinstance(caught.value.__cause__, TypeError)
    before = Learner.create(LOGISTIC, "binary", seed=1)
    before.learn(events[:12])
    assert (learner.summary(), learner.digest(), learner.position) == (before.summary(), before.digest(), 12)
    assert pickle.loads(pickle.dumps(caught.value)).position == 13


def test_a_model_that_has_no_number_to_say_at_first_goes_on() -> None:
    """A range scaler divides by a range it does not know before the first event."""
    scaler = {"use": "preprocessing.MinMaxScaler"}
    learner = Learner.create({"steps": [scaler, {"use": "linear_model.LinearRegression"}]}, "regression", seed=1)
    learner.learn(take("regression", 50))
    assert learner.learned == 50
    assert learner.summary()["overall.MAE"] > 0
    learner = Learner.create({"steps": [scaler, {"use": "linear_model.LogisticRegression"}]}, "binary", seed=1)
    assert learner.predict(take("binary", 1)[0][1]).probabilities is None
    learner.learn(take("binary", 50))
    assert learner.summary()["overall.LogLoss"] > 0


def test_a_diverging_regression_is_stopped() -> None:
    wild = {"use": "linear_model.LinearRegression", "params": {"clip_gradient": 1e300}}
    events = [(i, {"a": float(i % 7) * 1e6}, float(i)) for i in range(1, 2_000)]
    with pytest.raises(EstimatorFailed, match="diverged: too many of its predictions are not numbers") as caught:
        Learner.create(wild, "regression", seed=1).learn(events)
    assert 100 < caught.value.position < 200
    cut = Learner.create(wild, "regression", seed=1)
    with pytest.raises(EstimatorFailed) as again:
        for event in events:
            cut.learn([event])
    assert again.value.position == caught.value.position
    assert cut.position == caught.value.position - 1
