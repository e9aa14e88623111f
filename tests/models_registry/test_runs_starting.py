"""Starting a run: what is kept, what is refused, what links preselect."""

from __future__ import annotations

import pytest

from models_registry.models import Run
from tests.factories import make_events, make_project
from tests.models_registry.learned import SHALLOW, make_model, make_run

HTMX = {"HX-Request": "true"}


def form_of(chosen, **more):
    return {"model": chosen.pk, "mode": "replay", "from_version": "", "publish_every": "5000", "seed": "", **more}


def test_starting_keeps_what_was_chosen_and_rings(client, page, model, owner, rung, django_capture_on_commit_callbacks):
    make_events(model.project, 30)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(page("run_create"), form_of(model, seed="7", publish_every="10"))
    run = Run.objects.get()
    assert answer["Location"] == page("run", run.number)
    assert (run.seed, run.options["publish_every"], run.target_position, run.created_by) == (7, 10, 30, owner)
    assert ("models_registry.tasks.advance_run", (run.pk,)) in [(name, args) for name, args, _ in rung]


def test_a_run_that_follows_needs_no_events_and_draws_a_seed(client, page, model):
    client.post(page("run_create"), form_of(model, mode="follow"))
    run = Run.objects.get()
    assert (run.mode, run.target_position) == (Run.Mode.FOLLOW, None)
    assert 0 <= run.seed < 2**31


def test_a_replay_without_events_is_explained(client, page, model):
    answer = client.post(page("run_create"), form_of(model))
    assert answer.status_code == 422
    assert "bring labelled data first" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_project_without_models_is_led_to_describe_one(client, page):
    html = client.get(page("run_create")).content.decode()
    assert "A run needs a model" in html
    assert page("model_create") in html


def test_links_preselect_the_model_and_the_version(client, page, model):
    other = make_model(model.project, "Newer")
    version = make_run(model, events=20).versions.get()
    html = client.get(page("run_create") + f"?model={model.pk}").content.decode()
    assert f'<option value="{model.pk}" selected' in html
    html = client.get(page("run_create") + f"?from_version={version.number}").content.decode()
    assert f'<option value="{version.pk}" selected' in html
    assert f'<option value="{other.pk}" selected' not in html
    assert client.get(page("run_create") + "?from_version=99").status_code == 404


def test_going_on_from_a_version_starts_after_its_position(client, page, model):
    version = make_run(model, events=40).versions.get()
    make_events(model.project, 10, start=40)
    client.post(page("run_create"), form_of(model, from_version=version.pk))
    run = Run.objects.latest("number")
    assert (run.from_version, run.start_position, run.target_position) == (version, 40, 50)
    html = client.get(page("run", run.number)).content.decode()
    assert "going on from" in html
    assert page("version", version.number) in html


def test_a_version_of_another_model_is_refused_at_its_field(client, page, model):
    version = make_run(make_model(model.project, "Shallow", SHALLOW), events=20).versions.get()
    answer = client.post(page("run_create"), form_of(model, from_version=version.pk))
    assert answer.status_code == 422
    assert "is a version of Shallow" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""}, {"model": "x"}, {"model": str(10**30)}, {"model": "-1"}, {"mode": "sideways"}, {"mode": ""},
        {"from_version": "x"}, {"from_version": str(10**30)}, {"publish_every": "-1"}, {"publish_every": "many"},
        {"publish_every": ""}, {"publish_every": str(10**30)}, {"seed": "-1"}, {"seed": str(2**31)}, {"seed": "1.5"},
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_a_word(client, page, model, wrong):
    make_events(model.project, 5)
    answer = client.post(page("run_create"), form_of(model, **wrong))
    assert answer.status_code == 422
    assert "field-errors" in answer.content.decode()
    assert not Run.objects.exists()


def test_models_and_versions_of_another_project_are_not_offered(client, page, model, team):
    other = make_model(make_project(team, name="Other"), "Theirs")
    version = make_run(other, events=10).versions.get()
    make_events(model.project, 5)
    html = client.get(page("run_create")).content.decode()
    assert "Theirs" not in html
    assert client.post(page("run_create"), form_of(other)).status_code == 422
    assert client.post(page("run_create"), form_of(model, from_version=version.pk)).status_code == 422
    assert client.get(page("run_create") + f"?model={other.pk}").status_code == 200
