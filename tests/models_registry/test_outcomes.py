"""How each prediction turned out is kept once, in order, bounded, and enough for a paired test of any two runs."""

from __future__ import annotations

import random

import numpy as np
import pytest

from models_registry.learning import outcomes as packing
from models_registry.learning.outcomes import SPAN, Pair, fill_segment, note_outcomes, split_segments, unpack_segment
from models_registry.learning.pairing import MAX_BLOCKS, Pairing
from models_registry.models import OutcomeSegment, Run
from models_registry.services import training
from models_registry.services.comparisons import start_comparison
from models_registry.services.outcomes import keep_outcomes
from models_registry.services.restoring import restore
from models_registry.services.runs import register_model
from tests.factories import make_project
from tests.models_registry.learned import learn
from tests.streams import bundled_events

SPECS = {
    "linear": {"steps": [{"use": "preprocessing.StandardScaler"}, {"use": "linear_model.LogisticRegression"}]},
    "tree": {"steps": [{"use": "tree.HoeffdingTreeClassifier"}]},
}


def labels_and_answers(task: str, events: int):
    rng = random.Random(3)
    labels = {
        "binary": lambda: rng.random() < 0.4,
        "multiclass": lambda: rng.randrange(3),
        "regression": lambda: rng.gauss(0, 1),
    }[task]
    truth = [labels() for _ in range(events)]
    said = {name: [y if rng.random() < share else labels() for y in truth] for name, share in (("a", 0.8), ("b", 0.6))}
    said["a"][0] = said["b"][5] = None
    return truth, said


def packed(task: str, truth, answers, step: int, start: int = 0) -> dict[int, bytes]:
    segments: dict[int, bytes] = {}
    for at in range(0, len(truth), step):
        positions = range(start + at + 1, start + min(at + step, len(truth)) + 1)
        found = note_outcomes(task, positions, truth[at : at + step], answers[at : at + step])
        for number, part in split_segments([found]).items():
            segments[number] = fill_segment(task, number, segments.get(number, b""), part)
    return segments


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_pair_knows_what_was_really_said(task):
    truth, said = labels_and_answers(task, SPAN * 2 + 700)
    one, other = (packed(task, truth, said[name], 997) for name in "ab")
    assert one == packed(task, truth, said["a"], 4_000), "it does not matter how the stream was cut"
    pair = Pair(task, ("a", "b"), one, other)
    both = [i for i in range(len(truth)) if said["a"][i] is not None and said["b"][i] is not None]
    assert pair.count_shared("a", "b") == len(both) == len(truth) - 2
    expected = Pairing(task, ["a", "b"])
    expected.add([truth[i] for i in both], [[said[name][i] for i in both] for name in "ab"])
    for name in "ab":
        blocks = pair.sum_blocks(name)
        assert len(blocks) <= MAX_BLOCKS
        assert blocks[:, 0].sum() == len(both)
        whole = sum(expected._blocks) + expected._open
        assert blocks.sum(axis=0) == pytest.approx(whole["ab".index(name)], rel=1e-5)
    if task != "regression":
        assert pair.count_wins("a", "b") == expected.count_wins("a", "b")
        assert pair.count_wins("b", "a") == expected.count_wins("b", "a")


def test_runs_that_share_only_a_stretch_are_paired_on_that():
    truth, said = labels_and_answers("binary", 500)
    early, late = (
        packed("binary", truth, said["b"], 100),
        packed("binary", truth[300:], said["b"][300:], 100, start=300),
    )
    assert Pair("binary", ("a", "b"), early, late).count_shared("a", "b") == 200
    assert Pair("binary", ("a", "b"), early, late).count_wins("a", "b") == (0, 0)
    assert Pair("binary", ("a", "b"), early, {}).count_shared("a", "b") == 0
    assert Pair("binary", ("a", "b"), early, {}).sum_blocks("a").shape == (0, 5)


@pytest.mark.django_db
def test_a_run_keeps_the_outcome_of_every_event_once(owner, monkeypatch):
    monkeypatch.setattr(packing, "SPAN", 640)  # several segments in a short stream
    project = make_project(task="binary")
    bundled_events(project, "Phishing", 1_250)
    models = [register_model(project=project, name=name, spec=spec, actor=None) for name, spec in SPECS.items()]
    comparison = start_comparison(project=project, name="", models=models, actor=owner, seed=1, publish_every=500)
    runs = [learn(run) for run in comparison.runs.order_by("pk")]
    for run in runs:
        kept = {row.number: unpack_segment("binary", bytes(row.data)) for row in run.outcomes.all()}
        values = np.concatenate([kept[number] for number in sorted(kept)])
        assert sorted(kept) == [0, 1]
        assert (len(kept[0]), len(values)) == (640, 1_250)
        scored = values & packing.SCORED > 0
        right = float((values[scored] & packing.WRONG == 0).mean())
        assert right == pytest.approx(run.summary["overall.Accuracy"], abs=1e-12)
    restored = restore(run=runs[0], position=700, actor=owner)
    assert isinstance(restored, Run)
    learn(restored)
    assert not restored.outcomes.exists(), "a replay of what is known adds nothing"


@pytest.mark.django_db
def test_only_the_newest_segments_stay(owner, django_assert_num_queries, monkeypatch):
    project = make_project(task="binary")
    bundled_events(project, "Phishing", 10)
    model = register_model(project=project, name="tree", spec=SPECS["tree"], actor=None)
    run = training.Run.objects.create(project=project, number=1, model=model, mode="follow", spec=model.spec, seed=1)
    truth = [True] * (SPAN * 3)
    first = note_outcomes("binary", range(1, SPAN + 11), truth[: SPAN + 10], truth[: SPAN + 10])
    monkeypatch.setattr("models_registry.services.outcomes.MOST_SEGMENTS", 2)
    keep_outcomes(run=run, outcomes=[first])
    rest = note_outcomes("binary", range(SPAN + 11, 2 * SPAN + 21), truth[: SPAN + 10], truth[: SPAN + 10])
    with django_assert_num_queries(4):
        keep_outcomes(run=run, outcomes=[rest])
    assert list(run.outcomes.values_list("number", flat=True)) == [1, 2]
    assert OutcomeSegment.objects.get(run=run, number=1).data
    assert len(unpack_segment("binary", bytes(run.outcomes.get(number=1).data))) == SPAN
