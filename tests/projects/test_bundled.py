"""What is written about the bundled data sets is what River ships."""

from __future__ import annotations

import pytest

from models_registry.learning.measures import MEASURES as LEARNED
from projects.bundled import DATA_SETS
from projects.labels import LabelRule
from projects.measures import MEASURES
from projects.payload import read_features, read_label
from projects.river_streams import _events


@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.name)
def test_a_data_set_is_what_its_description_says(data_set):
    rule = LabelRule(data_set.task, "", [])
    events = list(_events(data_set.name))
    assert len(events) == data_set.events
    assert len({event.key for event in events}) == data_set.events
    assert set(events[0].features) == set(data_set.features)
    for event in events:
        read_features(event.features)
        rule.check(read_label(event.label, data_set.task))


def test_metrics_are_the_ones_the_learning_library_knows():
    known = {(task, m.name, m.title) for m in LEARNED for task in m.tasks}
    assert {(task, m.name, m.title) for task, measures in MEASURES.items() for m in measures} <= known
