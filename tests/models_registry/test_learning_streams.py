"""The streams that come with the portal can be learned, and are what is said of them."""

import itertools
import json

import pytest

from models_registry.learning.progressive import Learner
from models_registry.learning.stream_readers import read_stream
from models_registry.learning.streams import STREAMS, find_stream, list_streams
from models_registry.learning.templates import list_templates


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.slug)
def test_a_stream_is_as_long_as_said_and_every_event_can_be_learned(stream: object) -> None:
    learner = Learner.create(list_templates(stream.task)[0].spec, stream.task, seed=1)
    events = [(i, features, label) for i, (features, label) in enumerate(read_stream(stream.slug), start=1)]
    assert len(events) == stream.events
    assert json.loads(json.dumps(events[:300])) == [list(event) for event in events[:300]]
    assert not learner.learn(events[:300]).set_aside


@pytest.mark.parametrize("stream", list_streams(real=False), ids=lambda stream: stream.slug)
def test_generators_repeat_themselves(stream: object) -> None:
    def take(seed: int) -> list[object]:
        return list(read_stream(stream.slug, 300, seed=seed))

    assert len(take(1)) == 300
    assert take(1) == take(1)
    assert take(1) != take(2)


@pytest.mark.parametrize("slug", ["sea-abrupt", "agrawal-abrupt"])
def test_an_abrupt_drift_is_where_it_is_said_to_be(slug: str) -> None:
    learner = Learner.create(list_templates("binary")[4].spec, "binary", seed=1)
    events = [(i, x, y) for i, (x, y) in enumerate(read_stream(slug, 6_000, seed=3), start=1)]
    drifts = [drift.position for drift in learner.learn(events).drifts if "rose" in drift.what]
    assert any(3_000 < position < 3_600 for position in drifts), drifts


def test_a_gradual_drift_mixes_two_concepts() -> None:
    gradual, abrupt = (list(read_stream(f"sea-{kind}", 1_000, seed=3)) for kind in ("gradual", "abrupt"))
    assert gradual[:400] == abrupt[:400]
    assert gradual[400:600] != abrupt[400:600]


def test_streams_are_found_by_slug_and_task() -> None:
    assert find_stream("phishing").task == "binary"
    with pytest.raises(LookupError):
        find_stream("nothing")
    assert {stream.task for stream in list_streams("regression")} == {"regression"}
    assert len({stream.slug for stream in STREAMS}) == len(STREAMS)
    assert all(stream.positive for stream in list_streams("binary"))
    for _, group in itertools.groupby(STREAMS, key=lambda stream: stream.real):
        assert group
