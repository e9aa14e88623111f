"""Whether the difference between two models on the same events is real."""

import random
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from models_registry.learning.compare import block_bootstrap, compare, compare_pairs, holm, mcnemar
from models_registry.learning.pairing import MAX_BLOCKS, Pairing


@pytest.mark.parametrize(
    ("b", "c"), [(0, 0), (1, 0), (3, 9), (10, 25), (499, 501), (480, 520), (5_000, 5_100), (700, 900)]
)
def test_mcnemar_is_the_binomial_test(b: int, c: int) -> None:
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, abs=0.002 if b + c > 1_000 else 1e-12)


def test_mcnemar_finds_chance_real_in_one_case_of_twenty_at_most() -> None:
    rng = random.Random(1)
    wrongly = 0
    for _ in range(400):
        one = sum(rng.random() < 0.5 for _ in range(200))
        wrongly += mcnemar(one, 200 - one) < 0.05
    assert wrongly / 400 < 0.07


def test_holm_is_stricter_with_more_tests() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_bootstrap_interval_covers_the_truth() -> None:
    """Neighbouring blocks resemble each other; the interval still holds the true difference about 95 times in 100."""
    rng = np.random.default_rng(1)
    covered = 0
    for i in range(100):
        wave = np.cumsum(rng.normal(size=200)) * 0.05
        one = np.stack((np.full(200, 20.0), 20 * (1.0 + wave + rng.normal(size=200) * 0.2)), axis=1)
        other = np.stack((np.full(200, 20.0), 20 * (0.9 + wave + rng.normal(size=200) * 0.2)), axis=1)
        low, high = block_bootstrap(one, other, lambda sums: sums[1] / sums[0], draws=300, seed=i)
        covered += low <= 0.1 <= high
    assert 85 <= covered <= 100


def pairing_of(task: str, labels: list[Any], said: dict[str, list[Any]], step: int = 1_000) -> Pairing:
    pairing = Pairing(task, list(said))
    for start in range(0, len(labels), step):
        pairing.add(labels[start : start + step], [answers[start : start + step] for answers in said.values()])
    return pairing


def test_a_real_difference_is_told_from_chance() -> None:
    rng = random.Random(1)
    labels = [rng.random() < 0.4 for _ in range(4_000)]

    def guess(error: float) -> list[bool]:
        return [label if rng.random() > error else not label for label in labels]

    pairing = pairing_of("binary", labels, {"good": guess(0.1), "same": guess(0.1), "bad": guess(0.15)})
    verdict = compare(pairing, "bad", "good")
    assert verdict.better == "good"
    assert verdict.p is not None
    assert verdict.p < 0.001
    assert verdict.words.startswith("good is better than bad, and not by chance: Accuracy 9")
    assert verdict.words.endswith("on the same 4,000 events (McNemar, p < 0.001).")
    assert compare(pairing, "good", "same").better == ""
    assert compare(pairing, "good", "same").words.startswith("No real difference between ")
    verdict = compare(pairing, "good", "bad", "F1")
    assert verdict.better == "good"
    assert verdict.interval is not None
    assert verdict.interval[0] > 0
    assert "points)" in verdict.words
    assert [v.better for v in compare_pairs("good", dict.fromkeys(["same", "bad"], pairing), "binary")] == ["", "good"]
    with pytest.raises(ValueError, match="ROCAUC cannot be compared block by block; Accuracy, BalancedAccuracy, F1"):
        compare(pairing, "good", "bad", "ROCAUC")


def test_block_metrics_are_the_metrics() -> None:
    rng = random.Random(2)
    labels = [rng.random() < 0.4 for _ in range(2_000)]
    said = [label if rng.random() > 0.2 else not label for label in labels]
    verdict = compare(pairing_of("binary", labels, {"a": said, "b": labels}), "a", "b", "F1")
    assert verdict.values == pytest.approx((f1_score(labels, said), 1.0))
    numbers = [rng.gauss(0, 1) for _ in range(2_000)]
    guesses = [number + rng.gauss(0, 0.5) for number in numbers]
    pairing = pairing_of("regression", numbers, {"a": guesses, "b": [0.0] * 2_000})
    for metric, power in (("MAE", 1), ("MSE", 2)):
        expected = np.mean(np.abs(np.array(numbers) - np.array(guesses)) ** power)
        verdict = compare(pairing, "a", "b", metric)
        assert verdict.values[0] == pytest.approx(expected)
        assert verdict.better == "a"
    assert "difference -" in compare(pairing, "a", "b", "RMSE").words


def test_too_few_events_are_said_to_be_too_few() -> None:
    pairing = pairing_of("regression", [1.0, 2.0], {"a": [1.0, 2.0], "b": [0.0, 0.0]})
    assert compare(pairing, "a", "b").words == "Too few events to tell: both predicted 2."
    assert compare(pairing, "a", "b").better == ""
    assert compare(Pairing("binary", ["a", "b"]), "a", "b").words == "Too few events to tell: both predicted 0."


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_pairings_are_bounded_and_do_not_depend_on_the_cuts(task: str) -> None:
    rng = random.Random(1)
    labels: list[Any] = {
        "binary": [rng.random() < 0.5 for _ in range(30_000)],
        "multiclass": [rng.choice("abc") for _ in range(30_000)],
        "regression": [rng.random() for _ in range(30_000)],
    }[task]
    said = {"a": [labels[i - 1] if i else None for i in range(30_000)], "b": [labels[i - 2] for i in range(30_000)]}
    one, other = pairing_of(task, labels, said), pairing_of(task, labels, said, step=777)
    assert len(one.sum_blocks("a")) < MAX_BLOCKS
    assert one.width == 40
    assert one.count_shared("a", "b") == 29_999
    assert one.count_wins("a", "b") == other.count_wins("a", "b")
    assert one.sum_blocks("a").tobytes() == other.sum_blocks("a").tobytes()
    assert one.sum_blocks("b")[:, 0].sum() == 30_000
