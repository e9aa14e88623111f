"""Pages about versions: the list, lineage, and two versions side by side."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from models_registry.models import Run, Verification, Version
from models_registry.selectors.comparison import compare_versions
from models_registry.selectors.versions import SHOWN_ANCESTORS, SHOWN_CHILDREN, list_versions, open_version
from models_registry.services import deployment
from projects.models import Task
from tests.factories import make_events, make_member, make_project, make_user
from tests.models_registry.learned import LINE, SHALLOW, learn, make_model, make_run


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
def versions(model):
    """Versions v1, v2, v3 of a run at 100, 200 and 300."""
    make_run(model, events=300, publish_every=100, seed=1)
    return list(Version.objects.order_by("number"))


# --- the list -------------------------------------------------------------------------------------


def test_a_project_without_versions_says_how_they_come(client, page):
    assert "No versions yet" in client.get(page("version_list")).content.decode()


def test_the_list_shows_what_serves(client, page, project, owner, versions, django_assert_max_num_queries):
    deployment.deploy(project=project, version=versions[1], actor=owner)
    with django_assert_max_num_queries(12):
        answer = client.get(page("version_list"))
    rows = answer.context["page"].object_list
    assert [(row.number, row.position, row.parent, row.serving) for row in rows] == [
        (3, 300, 2, False),
        (2, 200, 1, True),
        (1, 100, None, False),
    ]
    html = answer.content.decode()
    assert html.count('data-state="serving"') == 1
    assert "end of the run" in html and "every N events" in html


def test_a_page_of_versions_takes_three_queries(project, versions, django_assert_num_queries):
    with django_assert_num_queries(3):
        list_versions(project)


def test_versions_are_filtered_by_model_and_run_and_paged(client, page, model, versions):
    other = make_run(make_model(model.project, "Other"), publish_every=10, target_position=300)
    assert other.versions.count() == 30

    def numbers(**asked):
        return [row.number for row in client.get(page("version_list"), asked).context["page"].object_list]

    assert numbers(model=model.pk) == [3, 2, 1]
    assert numbers(run=versions[0].run.number) == [3, 2, 1]
    assert numbers(run=other.number, page=2) == [8, 7, 6, 5, 4]
    assert numbers(run="x", model="y", page="z") == list(range(33, 8, -1))
    assert numbers(run=99) == []
    assert "No version fits" in client.get(page("version_list") + "?run=99").content.decode()


# --- one version ----------------------------------------------------------------------------------


def test_a_version_shows_everything_kept_about_it(
    client, page, project, owner, versions, django_assert_max_num_queries
):
    deployment.deploy(project=project, version=versions[0], actor=owner, reason="The first good one")
    deployment.deploy(project=project, version=versions[1], actor=owner)
    deployment.roll_back(project=project, actor=owner, since="drop", reason="Too many false alarms")
    with django_assert_max_num_queries(15):
        html = client.get(page("version", 1)).content.decode()
    assert 'data-state="serving"' in html
    assert versions[0].artifact in html and versions[0].digest in html
    assert "River 0." in html
    assert "The first good one" in html and "Too many false alarms" in html
    assert "Restored by a rollback from v2" in html
    assert page("run_create") + "?from_version=1" in html
    assert page("deploy") + "?version=1" in html


def test_a_version_takes_five_queries(project, versions, django_assert_num_queries):
    with django_assert_num_queries(5):
        open_version(project, 2)


def test_lineage_runs_through_the_version_a_run_started_from(client, page, model, versions):
    make_events(model.project, 100, start=300)
    branch = make_run(model, from_version=versions[1], publish_every=100)
    lineage = open_version(model.project, branch.versions.latest("number").number).lineage
    assert [relative.number for relative in lineage.ancestors] == [1, 2, 4, 5]
    assert [relative.run_number for relative in lineage.ancestors] == [1, 1, 2, 2]
    children = open_version(model.project, 2).lineage.children
    assert [child.number for child in children] == [3, 4]
    html = client.get(page("version", 2)).content.decode()
    assert page("version", 3) in html and page("version", 4) in html


def test_a_long_lineage_is_cut_in_the_middle(model):
    make_run(model, events=120, publish_every=10)
    lineage = open_version(model.project, 12).lineage
    assert [relative.number for relative in lineage.ancestors] == [1, 10, 11, 12]
    assert len(lineage.ancestors) == SHOWN_ANCESTORS
    assert lineage.ancestors[1].skipped == 8
    root = Version.objects.get(number=1)
    for number in range(SHOWN_CHILDREN + 2):
        make_run(model, from_version=root, target_position=11, publish_every=0)
        assert number >= 0
    lineage = open_version(model.project, 1).lineage
    assert (len(lineage.children), lineage.more_children) == (SHOWN_CHILDREN, 3)


def test_a_version_that_follows_says_so(client, page, model, owner):
    make_events(model.project, 20)
    run = make_run(model, mode=Run.Mode.FOLLOW, publish_every=10)
    deployment.deploy(project=model.project, version=run.versions.first(), actor=owner, mode="follow")
    assert "Serving, follows its run" in client.get(page("version", 2)).content.decode()


def test_versions_that_are_not_there(client, page, team):
    other = make_project(team, name="Other")
    make_run(make_model(other), events=5)
    assert client.get(page("version", 1)).status_code == 404
    assert client.get(page("version", 10**30)).status_code == 404
    assert client.get(page("version_compare") + "?a=1&b=1").status_code == 404


def test_a_version_learned_again_is_the_same_model(client, page, versions, owner):
    assert "Not verified yet." in client.get(page("version", 2)).content.decode()
    answer = client.post(page("version_verify", 2))
    run = Run.objects.get(purpose=Run.Purpose.VERIFY)
    assert answer["Location"] == page("run", run.number)
    assert "Verifies v2" in client.get(page("run", run.number)).content.decode()
    learn(run)
    assert "the same model came out" in client.get(page("run", run.number)).content.decode()
    html = client.get(page("version", 2)).content.decode()
    assert "Identical: the same model" in html
    assert "olga" in html


def test_a_version_that_comes_out_different_says_since_when(client, page, versions):
    Version.objects.filter(number=2).update(digest="0" * 64)
    client.post(page("version_verify", 2))
    learn(Run.objects.get(purpose=Run.Purpose.VERIFY))
    Verification.objects.update(differs_since=150)
    assert "Different since position 150" in client.get(page("version", 2)).content.decode()
    html = client.get(page("run", 2)).content.decode()
    assert "A different model came out" in html and "differ since position 150" in html


# --- comparing ------------------------------------------------------------------------------------


@pytest.fixture
def shallow(model, versions):
    """A version of a model whose spec differs, at the same position as v3."""
    return make_run(make_model(model.project, "Shallow", SHALLOW)).versions.get()


def test_specs_are_compared_place_by_place_with_defaults(project, shallow):
    compared = compare_versions(project, 3, shallow.number)
    lines = {line.place: line for line in compared.spec}
    assert not lines["steps[0].use"].differs
    depth = lines["steps[0].params.max_depth"]
    assert (depth.second, depth.second_is_default, depth.first_is_default) == ("3", False, True)
    assert depth.differs and not compared.same_spec
    assert compared.same_events


def test_which_is_better_follows_the_direction_of_the_metric(project, versions):
    compared = compare_versions(project, 1, 3)
    lines = {(line.measure.name, line.view): line for line in compared.metrics}
    loss = lines["LogLoss", "overall"]
    assert loss.better == ("first" if loss.first.value < loss.second.value else "second")
    accuracy = lines["Accuracy", "overall"]
    assert accuracy.better == ("first" if accuracy.first.value > accuracy.second.value else "second")
    assert re.fullmatch(r"[\d.]+ points", accuracy.difference)
    assert compared.metrics[0].measure.name == project.primary_metric
    assert not compared.same_events


def test_the_smaller_error_of_a_regression_is_better(team):
    project = make_project(team, name="Prices", task=Task.REGRESSION)
    make_run(make_model(project, "Line", LINE), events=200, publish_every=100)
    compared = compare_versions(project, 1, 2)
    line = compared.metrics[0]
    assert (line.measure.name, line.view) == ("MAE", "overall")
    assert line.better == ("first" if line.first.value < line.second.value else "second")


def test_a_version_and_itself_are_even(client, page, versions):
    html = client.get(page("version_compare") + "?a=2&b=2").content.decode()
    assert "Both were scored on the same events." in html
    assert "The same in both." in html
    assert "change-better" not in html


def test_the_comparison_is_in_words_and_symbols(client, page, shallow, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        html = client.get(page("version_compare") + f"?a=3&b={shallow.number}").content.decode()
    assert "diff-added" in html and "diff-removed" in html
    assert "steps[0].params.max_depth" in html
    assert "lately" in html
    assert page("deploy") + f"?version={shallow.number}" in html


def test_two_ticks_are_put_in_order_and_others_explained(client, page, versions):
    assert client.get(page("version_compare") + "?v=3&v=1")["Location"] == page("version_compare") + "?a=1&b=3"
    for asked in ("?v=1", "?v=1&v=1", "?v=1&v=2&v=3", "?v=x", "", "?a=1", "?a=x&b=2", f"?a={10**30}&b=1"):
        answer = client.get(page("version_compare") + asked, follow=True)
        assert answer.redirect_chain[-1][0] == page("version_list")
        assert "wo versions" in answer.content.decode()


# --- who may --------------------------------------------------------------------------------------


def test_a_viewer_reads_and_is_offered_nothing_to_change(client, page, team, versions):
    viewer = make_user()
    make_member(team, viewer)
    client.force_login(viewer)
    html = client.get(page("version", 1)).content.decode()
    assert "Go on learning" not in html and "?version=1" not in html
    assert client.get(page("version_list")).status_code == 200
    assert client.get(page("version_compare") + "?a=1&b=2").status_code == 200
    assert "Verify now" not in html
    assert client.post(page("version_verify", 1)).status_code == 403


def test_an_outsider_finds_nothing(client, page, versions):
    client.force_login(make_user())
    urls = [page("version_list"), page("version", 1), page("version_compare") + "?a=1&b=2"]
    assert [client.get(url).status_code for url in urls] == [404] * 3
    assert [client.post(url).status_code for url in urls] == [405] * 3
