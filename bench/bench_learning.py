"""The learner alone against a bare River loop: the same model, seed and metrics, in one process.

    python -m bench.bench_learning [--events 20000] [--repeats 5]

The two loops take turns on the same events. A ratio is the bare loop's time over the learner's: 1.00 is no overhead,
more means the learner is faster although it also keeps the rolling, fading and baseline series, the drift detector, the
metric points and the digest. Times are of the processor, so that other work on the machine disturbs them little.
"""

from __future__ import annotations

import argparse
import gc
import pickle
import statistics
import time
from collections.abc import Callable
from typing import Any

from river.datasets import synth

from models_registry.learning import codec
from models_registry.learning.build import build
from models_registry.learning.measures import DEFAULTS
from models_registry.learning.progressive import Learner
from models_registry.learning.river_metrics import make_metric
from models_registry.learning.templates import find_template

CHUNK = 1_000
KEY = b"a key that only this signs with"


def run_bare(spec: dict[str, Any], events: list[Any], names: tuple[str, ...]) -> None:
    """Predict, score and learn as one writes it by hand."""
    model = build(spec, 1)
    metrics = [make_metric(name) for name in names]
    for _, x, y in events:
        chances = model.predict_proba_one(x)
        if chances:
            label = max(chances, key=chances.get)
            for metric in metrics:
                metric.update(y, label if metric.requires_labels else chances)
        model.learn_one(x, y)


def run_bare_regression(spec: dict[str, Any], events: list[Any], names: tuple[str, ...]) -> None:
    """The same for numbers."""
    model = build(spec, 1)
    metrics = [make_metric(name) for name in names]
    for _, x, y in events:
        value = model.predict_one(x)
        for metric in metrics:
            metric.update(y, value)
        model.learn_one(x, y)


def run_learner(spec: dict[str, Any], events: list[Any], names: tuple[str, ...], task: str) -> Learner:
    """Learn in chunks, as a worker does."""
    learner = Learner.create(spec, task, 1, metrics=names)
    for start in range(0, len(events), CHUNK):
        learner.learn(events[start : start + CHUNK])
    return learner


def take_time(work: Callable[[], object]) -> float:
    """Return the processor seconds of one run."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(title: str, task: str, slug: str, names: tuple[str, ...], events: list[Any], repeats: int) -> None:
    """Print one line: microseconds per event of both loops, and the median of the paired ratios."""
    spec = find_template(slug).spec
    bare = run_bare_regression if task == "regression" else run_bare
    pairs = [
        (take_time(lambda: bare(spec, events, names)), take_time(lambda: run_learner(spec, events, names, task)))
        for _ in range(repeats)
    ]
    micro = 1e6 / len(events)
    ratios = [one / other for one, other in pairs]
    print(
        f"{title:34} {'+'.join(names):32} {statistics.median(p[0] for p in pairs) * micro:8.1f}"
        f" {statistics.median(p[1] for p in pairs) * micro:8.1f} {statistics.median(ratios):7.2f}"
        f"  ({min(ratios):.2f}-{max(ratios):.2f})",
        flush=True,
    )


def weigh(slug: str, events: list[Any]) -> None:
    """Print what a checkpoint of a learner costs."""
    learner = run_learner(find_template(slug).spec, events, DEFAULTS["binary"], "binary")
    start = time.process_time()
    data = codec.dump(learner, KEY)
    middle = time.process_time()
    codec.load(data, KEY)
    end = time.process_time()
    model = len(pickle.dumps(learner.model))
    write, read = 1e3 * (middle - start), 1e3 * (end - middle)
    print(f"{slug:34} {len(data):12,} bytes ({model:,} of model), {write:.1f} ms, {read:.1f} ms")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    agrawal = synth.Agrawal(classification_function=0, seed=1).take(options.events)
    events = [(i, x, bool(y)) for i, (x, y) in enumerate(agrawal, start=1)]
    numbers = [(i, x, y) for i, (x, y) in enumerate(synth.Friedman(seed=1).take(options.events), start=1)]
    print(f"{options.events:,} events, {options.repeats} paired repeats\n")
    print(f"{'model':34} {'metrics':32} {'bare us':>8} {'ours us':>8} {'ratio':>7}")
    one, default = ("Accuracy",), DEFAULTS["binary"]
    for names in (one, default):
        compare("StandardScaler | LogisticRegression", "binary", "logistic-regression", names, events, options.repeats)
    for names in (one, default):
        compare("HoeffdingTreeClassifier", "binary", "hoeffding-tree", names, events, max(3, options.repeats // 2))
    compare("ARFClassifier(10), a fifth", "binary", "adaptive-random-forest", default, events[: options.events // 5], 1)
    compare(
        "StandardScaler | LinearRegression",
        "regression",
        "linear-regression",
        DEFAULTS["regression"],
        numbers,
        options.repeats,
    )
    print(f"\n{'a checkpoint after':34} {'size':>12}, to write, to read")
    for slug in ("logistic-regression", "hoeffding-tree"):
        weigh(slug, events)
    weigh("adaptive-random-forest", events[: options.events // 10])


if __name__ == "__main__":
    main()
