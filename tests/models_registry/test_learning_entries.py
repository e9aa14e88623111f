"""One list of checks over every entry of the catalogue: an entry that fails one may not be offered."""

import copy
import importlib
import inspect
import json
import math
import os
import pkgutil
import random
import subprocess
import sys
from typing import Any

import pytest
import river
from river import evaluate
from river.metrics.base import Metrics

from models_registry.learning import codec, spec
from models_registry.learning.build import build
from models_registry.learning.catalogue import read_catalogue
from models_registry.learning.examples import example, starter
from models_registry.learning.measures import MEASURES, find_class
from models_registry.learning.progressive import Learner
from models_registry.learning.river_metrics import make_metric

KEY = b"a key that only tests sign with"
ENTRIES = list(read_catalogue().entries)
_WORDS = ("red", "green", "blue", "sky", "sea", "river", "stone")


def make_stream(task: str, count: int = 130) -> list[tuple[int, dict[str, Any], Any]]:
    """Numbers, a category and a text, with a change of concept in the middle."""
    rng = random.Random(1)
    events = []
    for i in range(1, count + 1):
        features = {
            "x1": rng.random(),
            "x2": rng.random() * 10,
            "x3": rng.randint(0, 5),
            "kind": rng.choice(["oak", "elm", "ash"]),
            "words": " ".join(rng.choices(_WORDS, k=4)),
        }
        value = 3 * features["x1"] + features["x2"] * (1 if i < count // 2 else -1) + (features["kind"] == "oak")
        label: Any = {
            "binary": value > 3,
            "multiclass": ["low", "mid", "high"][min(2, max(0, int(value // 3)))],
            "regression": value * 5,
        }[task]
        events.append((i, features, label))
    return events


def make_learner(path: str) -> tuple[Learner, list[tuple[int, dict[str, Any], Any]]]:
    """A learner around an entry; a drift detector also watches the error."""
    task, model = example(path)
    spec.validate(model, task)
    roles = read_catalogue().entries[path].roles
    drift = starter(path, task) if {"drift_detector", "binary_drift_detector"} & set(roles) else True
    metrics = ["R2"] if task == "regression" else ["Accuracy", "LogLoss" if task == "binary" else "CrossEntropy"]
    if "run_metric" in roles:
        metrics.append(path.removeprefix("metrics."))
    return Learner.create(model, task, seed=3, drift=drift, metrics=metrics), make_stream(task)


@pytest.mark.parametrize("path", ENTRIES)
def test_entry_keeps_what_the_portal_promises(path: str) -> None:
    learner, events = make_learner(path)
    before = copy.deepcopy(events)
    result = learner.learn(events)

    assert learner.learned == len(events), "every event is learned"
    assert result.set_aside == []
    assert events == before, "the features are not changed"
    roles = read_catalogue().entries[path].roles
    if {"classifier", "regressor", "splitter"} & set(roles):
        assert path in json.dumps(learner.spec)
    if "run_metric" in roles:
        assert f"overall.{path.removeprefix('metrics.')}" in learner.summary()

    # River scores each prediction before it learns on; a model that hands out a dictionary it goes on changing would
    # be scored differently here.
    names = [key.removeprefix("overall.") for key in learner.summary() if key.startswith("overall.")]
    theirs = [make_metric(name) for name in names]
    encoded = ((features, learner.labels.encode(label)) for _, features, label in events)
    evaluate.progressive_val_score(encoded, build(learner.spec, 3), Metrics(theirs))
    for name, metric in zip(names, theirs, strict=True):
        if math.isfinite(metric.get()):
            assert learner.summary()[f"overall.{name}"] == metric.get(), name

    repeated, _ = make_learner(path)
    repeated.learn(events)
    assert repeated.digest() == learner.digest(), "the same seed gives the same predictions"
    assert repeated.model_digest() == learner.model_digest()

    asked = learner.copy()
    for _, features, _ in events[::5]:
        asked.predict(features)
    assert asked.probe_digest() == learner.probe_digest(), "predicting changes no prediction"

    resumed, _ = make_learner(path)
    for start in range(0, len(events), 50):
        resumed.learn(events[start : start + 50])
        resumed.probe_digest()
        resumed = codec.load(codec.dump(resumed, KEY), KEY)
    assert resumed.digest() == learner.digest(), "neither looking at it nor resuming it from a file changes anything"
    assert resumed.model_digest() == learner.model_digest()


def digests() -> dict[str, list[str]]:
    """The digests of every entry, to compare between processes."""
    found = {}
    for path in ENTRIES:
        learner, events = make_learner(path)
        learner.learn(events[:80])
        found[path] = [learner.digest(), learner.model_digest()]
    return found


def test_no_entry_depends_on_the_process() -> None:
    """Python hashes text differently in each process; a model that minds would not resume alike in another worker."""
    code = "import json; from tests.models_registry.test_learning_entries import digests; print(json.dumps(digests()))"
    other = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert json.loads(other.stdout) == digests()


def list_river() -> list[str]:
    """Every public class of every module of River."""
    found = []
    for module in pkgutil.iter_modules(river.__path__):
        if module.ispkg and module.name not in ("checks", "datasets", "evaluate", "stream", "base"):
            found += _list_classes(module.name)
    return found + [name for part in PARTS for name in _list_classes(part)]


PARTS = ("drift.binary", "optim.initializers", "optim.losses", "optim.schedulers", "tree.splitter")


def _list_classes(module: str) -> list[str]:
    inside = importlib.import_module(f"river.{module}")
    names = getattr(inside, "__all__", ())
    return [f"{module}.{name}" for name in names if inspect.isclass(getattr(inside, name, None))]


def test_every_class_of_river_is_offered_or_refused_with_a_reason() -> None:
    catalogue = read_catalogue()
    classes = list_river()
    assert len(classes) > 250
    assert [path for path in classes if path not in catalogue.entries and not catalogue.why_refused(path)] == []
    modules = {path.partition(".")[0] for path in classes}
    gone = [path for path in catalogue.refused if "." in path and path not in classes]
    assert gone == [], "a reason for a class that River does not have"
    assert {path for path in catalogue.refused if "." not in path} <= modules


def test_the_metrics_a_run_may_be_judged_by_are_entries() -> None:
    entries = read_catalogue().select("run_metric")
    assert {(entry.path, entry.tasks) for entry in entries} == {
        (f"metrics.{measure.name}", measure.tasks) for measure in MEASURES
    }


def test_refused_entries_say_why_and_are_not_offered() -> None:
    catalogue = read_catalogue()
    assert not set(catalogue.refused) & set(catalogue.entries)
    assert all(len(reason.split()) > 3 and not reason.endswith(".") for reason in catalogue.refused.values())
    with pytest.raises(spec.SpecError, match="not offered: it knows its trees by their place in memory"):
        spec.validate({"use": "feature_extraction.RandomTreesEmbedding"}, "binary")


def test_titles_and_help_are_words_that_people_read() -> None:
    catalogue = read_catalogue()
    for measure in MEASURES:
        assert catalogue.entries[f"metrics.{measure.name}"].title == find_class(measure.name).title
    for entry in catalogue.entries.values():
        for text in (entry.title, entry.summary, *(param.help for param in entry.params)):
            assert "\\" not in text and "$" not in text, (entry.path, text)
    assert catalogue.entries["bandit.EpsilonGreedy"].summary.startswith("ε-greedy")
