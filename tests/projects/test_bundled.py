"""What is written about the bundled data sets is what River ships."""

from __future__ import annotations

import pytest

from models_registry.learning.measures import MEASURES as LEARNED
from ops_portal.errors import UserError
from projects.bundled import DATA_SETS
from projects.labels import LabelRule
from projects.measures import MEASURES
from projects.models import DataImport, Task
from projects.payload import Incoming, read_features, read_label
from projects.river_streams import _events
from projects.services.events import accept
from projects.services.imports import start_bundled
from tests.factories import NOW, make_project


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
    assert rule.kind == data_set.labels


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("task", "first", "name", "reason"),
    [
        (Task.BINARY, "spam", "Phishing", "are texts, and those of Phishing websites are true or false"),
        (Task.BINARY, 1, "Phishing", ""),
        (Task.BINARY, True, "Shuttle", ""),
        (Task.MULTICLASS, 3, "ImageSegments", "are whole numbers, and those of Image segments are texts"),
        (Task.MULTICLASS, "sky", "ImageSegments", ""),
        (Task.MULTICLASS, "sky", "Phishing", "is a stream for binary classification, and this project is one of multi"),
        (Task.REGRESSION, 1.5, "ChickWeights", ""),
        (Task.REGRESSION, 1.5, "ImageSegments", "is a stream for multiclass classification"),
    ],
)
def test_labels_that_do_not_fit_are_refused_before_anything_comes_in(team, owner, task, first, name, reason):
    project = make_project(team, task=task)
    accept(project_id=project.pk, items=[Incoming(1, "a", {"x": 1.0}, first)], now=NOW)
    project.refresh_from_db()
    if not reason:
        assert start_bundled(project=project, actor=owner, name=name).state == DataImport.State.QUEUED
        return
    with pytest.raises(UserError, match=reason) as refused:
        start_bundled(project=project, actor=owner, name=name)
    assert refused.value.code == "does_not_fit" and not DataImport.objects.exists()


def test_metrics_are_the_ones_the_learning_library_knows():
    known = {(task, m.name, m.title) for m in LEARNED for task in m.tasks}
    assert {(task, m.name, m.title) for task, measures in MEASURES.items() for m in measures} <= known
