"""What tests of pages about runs share."""

from __future__ import annotations

import pytest
from django.urls import reverse

from models_registry.models import Run
from models_registry.services import training
from models_registry.services.runs import start_run
from tests.factories import make_events
from tests.models_registry.learned import make_model


@pytest.fixture
def page(client, owner, project):
    client.force_login(owner)

    def url(name, *args, of=project):
        return reverse(f"models_registry:{name}", args=[of.slug, *args])

    return url


@pytest.fixture
def model(project):
    return make_model(project)


@pytest.fixture
def run(model):
    """A run at work that has learned 100 of 300 events."""
    make_events(model.project, 100)
    started = start_run(model=model, mode=Run.Mode.REPLAY, actor=None, target_position=100)
    make_events(model.project, 200, start=100)
    Run.objects.filter(pk=started.pk).update(target_position=300)
    Run.objects.filter(pk=started.pk).update(options=started.options | {"publish_every": 100})
    training.advance(started.pk)
    started.refresh_from_db()
    assert (started.state, started.position) == (Run.State.RUNNING, 100)
    return started
