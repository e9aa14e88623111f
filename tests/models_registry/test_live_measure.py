"""The live metric: what sums give is what River gives event by event, and a page says where it is another metric."""

from __future__ import annotations

from random import Random

import pytest
from django.urls import reverse
from river import metrics

from models_registry.learning.compare import BLOCK_METRICS
from models_registry.learning.live import AnswerBook, value_of
from projects.models import Task
from tests.factories import make_project
from tests.models_registry.serving_records import add_deployment, add_model, add_run, add_version


@pytest.mark.parametrize("name", BLOCK_METRICS["binary"])
@pytest.mark.parametrize("share", [0.0, 0.07, 0.5, 1.0])
def test_sums_give_what_river_gives(name, share):
    random = Random(3)
    labels = [random.random() < share for _ in range(400)]
    answers = [label if random.random() < 0.8 else not label for label in labels]
    theirs = getattr(metrics, name)()
    for label, answer in zip(labels, answers, strict=True):
        theirs.update(label, answer)
    sums = AnswerBook("binary", [False, True]).sum_up(labels, answers)
    assert value_of("binary", name, sums) == pytest.approx(theirs.get(), abs=1e-12)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("task", "primary", "note"),
    [
        (Task.BINARY, "MCC", ""),
        (Task.BINARY, "ROCAUC", "Answers are judged by Accuracy"),
        (Task.MULTICLASS, "MacroF1", "Answers are judged by Accuracy"),
        (Task.REGRESSION, "R2", "Answers are judged by Mean absolute error"),
    ],
)
def test_pages_say_why_it_is_another_metric(client, team, owner, task, primary, note):
    project = make_project(team, task=task, primary_metric=primary)
    add_deployment(add_version(add_run(add_model(project))))
    client.force_login(owner)
    for name in ("deployment_list", "timeline"):
        page = client.get(reverse(f"models_registry:{name}", args=[project.slug])).content.decode()
        assert ("Answers are judged by" in page) == bool(note) and note in page
