"""The pages: what people of each role see, what saving does with and without scripts, and what bad input gets."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from assessments.models import Answer, Assessment, ScopeProfile
from assessments.principles import load_catalogue
from projects.models import Activity, Role
from tests.assessments import records as made
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
READ = ["overview", "panel", "recommendation", "assumptions", "sources", "scope"]
POSITION = "versioning.stream-position"
SNAPSHOTS = "versioning.immutable-snapshots"


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


def page(project, name="checklist", *args):
    return reverse(
        f"assessments:{name}", args=[project.slug, *(args or (["versioning"] if name == "checklist" else []))]
    )


def fields(practice, **given):
    return {"practice": practice} | {f"{practice}-{name}": value for name, value in ({"version": 0} | given).items()}


def save(client, project, practice, *, htmx=True, **given):
    data = fields(practice, **given)
    if htmx:
        return client.post(page(project), data | {"only": practice}, headers=HTMX)
    return client.post(page(project), data)


@pytest.mark.parametrize("name", READ)
def test_every_page_works_for_an_empty_project_and_for_one_that_was_worked_in(as_owner, project, owner, name):
    assert as_owner.get(page(project, name)).status_code == 200
    made.lived_in(project, owner)
    response = as_owner.get(page(project, name))
    assert response.status_code == 200
    assert b"{'" not in response.content


def test_every_principle_has_its_page_with_all_its_practices(as_owner, project):
    for principle in load_catalogue().principles:
        html = as_owner.get(page(project, "checklist", principle.slug)).content.decode()
        for practice in principle.practices:
            assert f'name="practice" value="{practice.id}"' in html
        assert html.count("portal's own</a>") >= sum(practice.own for practice in principle.practices)
    assert as_owner.get(page(project, "checklist", "nonsense")).status_code == 404


def test_outsiders_get_404_viewers_read_and_experts_answer(client, project, team):
    people = {role: make_user(f"a-{role}") for role in (Role.VIEWER, Role.EXPERT, Role.MAINTAINER)}
    for role, user in people.items():
        make_member(team, user, role)
    client.force_login(make_user("outsider"))
    for name in READ:
        assert client.get(page(project, name)).status_code == 404
    assert save(client, project, POSITION, value="yes").status_code == 404
    client.force_login(people[Role.VIEWER])
    for name in [*READ, "checklist"]:
        assert client.get(page(project, name)).status_code == 200
    assert save(client, project, POSITION, value="yes").status_code == 403
    assert client.post(page(project, "scope"), {}).status_code == 403
    assert (client.get(page(project, "close")).status_code, client.post(page(project, "close")).status_code) == (
        403,
        403,
    )
    assert "disabled" in client.get(page(project)).content.decode()
    assert client.post(page(project, "scope_preview"), {"current-people": "3"}).status_code == 200
    for role in (Role.EXPERT, Role.MAINTAINER):
        client.force_login(people[role])
        version = Answer.objects.filter(practice=POSITION).values_list("version", flat=True).first() or 0
        assert save(client, project, POSITION, value="no", comment=role, version=version).status_code == 200
    client.logout()
    assert client.get(page(project)).status_code == 302


def test_an_answer_is_saved_at_once_and_says_when(as_owner, project):
    response = save(as_owner, project, POSITION, value="partly", comment="by hand")
    html = response.content.decode()
    assert response.status_code == 200
    assert re.search(r"olga, <time datetime", html)
    assert re.search(rf'name="{POSITION}-version"\s+value="1"', html)
    assert "3 of 79 practices answered" in html  # two more from the records: roles and goal
    assert re.search(r'id="checklist-progress"\s+hx-swap-oob="true"', html)
    answer = Answer.objects.get()
    assert (answer.value, answer.comment, answer.answered_by_name) == ("partly", "by hand", "olga")


def test_nothing_is_preselected_unless_the_records_filled_it(as_owner, project, owner):
    assert "checked" not in as_owner.get(page(project)).content.decode()
    made.lived_in(project, owner)
    html = as_owner.get(page(project)).content.decode()
    assert html.count("checked") == html.count("Filled from records") - 1  # one more in the legend beside the list
    assert "record their position; the newest, v2, was taken at event 100." in html


def test_without_scripts_one_button_saves_the_whole_page(as_owner, project):
    data = {"save": "1", "practice": [POSITION, SNAPSHOTS]}
    data |= {
        f"{POSITION}-value": "yes",
        f"{POSITION}-version": "0",
        f"{SNAPSHOTS}-value": "no",
        f"{SNAPSHOTS}-version": "0",
    }
    response = as_owner.post(page(project), data, follow=True)
    assert "Saved 2 answers." in response.content.decode()
    assert dict(Answer.objects.values_list("practice", "value")) == {POSITION: "yes", SNAPSHOTS: "no"}
    going_on = as_owner.post(page(project), data | {"go_on": "1"})
    assert going_on["Location"] == page(project, "checklist", "reproducibility")


def test_without_scripts_what_cannot_be_saved_is_shown_again_and_the_rest_is_kept(as_owner, project):
    data = {"save": "1", "practice": [POSITION, SNAPSHOTS]}
    data |= {f"{POSITION}-value": "yes", f"{SNAPSHOTS}-value": "does_not_apply", f"{SNAPSHOTS}-comment": "a thought"}
    response = as_owner.post(page(project), data)
    html = response.content.decode()
    assert response.status_code == 422
    assert "Say why this does not apply" in html and "a thought" in html
    assert list(Answer.objects.values_list("practice", flat=True)) == [POSITION]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"value": "maybe"}, "Answer with yes, partly, no or does not apply."),
        ({"value": "does_not_apply"}, "Say why this does not apply"),
        ({"value": "yes", "evidence_url": "javascript:alert(1)"}, "starts with https:// or http://"),
        ({"value": "yes", "evidence_url": "data:text/html,x"}, "starts with https:// or http://"),
        ({"value": "yes", "evidence_url": "https://x.org/" + "a" * 600}, "at most 500 fit"),
        ({"value": "yes", "comment": "x" * 2**20}, "at most 2,000 fit"),
        ({"value": "does_not_apply", "reason": "x" * 501}, "at most 500 fit"),
        ({"value": "yes", "comment": "a\x00b"}, "Null characters are not allowed"),
        ({"value": "yes", "version": "many"}, "whole number"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_bad_input_gets_a_sentence_and_loses_nothing(as_owner, project, given, message, htmx):
    save(as_owner, project, POSITION, value="no")
    response = save(as_owner, project, POSITION, htmx=htmx, **({"version": 1} | given))
    html = response.content.decode()
    assert response.status_code == 422
    assert message in html
    assert Answer.objects.get().value == "no"
    if not htmx and "comment" in given and "\x00" not in given["comment"]:
        assert given["comment"] in html


def test_an_unknown_practice_is_not_found(as_owner, project):
    for practice in ("versioning.nonsense", "reproducibility.seeds-recorded", "x' OR 1=1"):
        assert save(as_owner, project, practice, value="yes").status_code == 404
    # In a whole page it is passed over.
    assert save(as_owner, project, "versioning.nonsense", htmx=False, value="yes").status_code == 302
    assert not Answer.objects.exists()


def test_a_clash_between_two_tabs_shows_both_answers_and_lets_one_choose(as_owner, client, project, team):
    other = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, other, Role.EXPERT)
    save(as_owner, project, POSITION, value="yes")
    client.force_login(other)
    save(client, project, POSITION, value="no", version=1, comment="the position is missing in old ones")
    response = save(client, project, POSITION, value="partly", version=1)
    html = response.content.decode()
    assert response.status_code == 422
    assert "Nora Lind" in html and "the position is missing in old ones" in html
    assert "Keep mine" in html and "Take theirs" in html
    assert re.search(rf'name="{POSITION}-version"\s+value="2"', html)
    assert Answer.objects.get().value == "no"
    # Keep mine: the same fields again, from the version just shown.
    assert save(client, project, POSITION, value="partly", version=2).status_code == 200
    assert Answer.objects.get().value == "partly"
    # Take theirs: the practice as it is stored.
    theirs = client.get(page(project), {"practice": POSITION}, headers=HTMX).content.decode()
    assert re.search(r'value="partly"\s+form="answers"\s+checked', theirs)


def test_taking_an_answer_back(as_owner, project, owner):
    made.lived_in(project, owner)
    save(as_owner, project, POSITION, value="no")
    data = fields(POSITION, value="no", version=1) | {"clear": POSITION}
    html = as_owner.post(page(project), data, headers=HTMX).content.decode()
    assert "Filled from records" in html
    assert Answer.objects.get().value == ""


def test_the_next_step_leads_through_scope_checklist_and_recommendation(as_owner, project):
    def next_step():
        html = as_owner.get(page(project, "overview")).content.decode()
        return re.search(r'class="note-title">([^<]+)<', html)[1]

    assert next_step() == "Describe the scope first"
    as_owner.post(page(project, "scope"), {"current-people": "2", "current-first_version": "yes"})
    assert next_step() == "Go on with Versioning"
    for principle in load_catalogue().principles:
        data = {"practice": [practice.id for practice in principle.practices]}
        data |= {f"{practice.id}-value": "yes" for practice in principle.practices}
        as_owner.post(page(project, "checklist", principle.slug), data)
    assert next_step() == "Everything is answered"
    html = as_owner.get(page(project, "overview")).content.decode()
    assert html.count('data-state="in_place"') >= 12
    assert "79 of 79 practices are answered" in as_owner.get(page(project, "close")).content.decode()
    assert Assessment.objects.get().state == "open", "asking closes nothing"
    as_owner.post(page(project, "close"))
    assert Assessment.objects.get().state == "closed"
    assert as_owner.get(page(project, "close"))["Location"] == page(project, "overview")
    assert "Milestones" in as_owner.get(page(project, "overview")).content.decode()
    assert Activity.objects.filter(verb="assessment.closed").exists()


def test_the_panel_is_a_fragment_with_progress_and_what_to_do(as_owner, project, owner):
    html = as_owner.get(page(project, "panel")).content.decode()
    assert "<html" not in html
    assert "Describe the scope" in html
    as_owner.post(page(project, "scope"), {"current-people": "12", "current-deployments_per_week": "7"})
    assert "Adopt now" in as_owner.get(page(project, "panel")).content.decode()


def test_the_overview_reads_a_fixed_number_of_queries(as_owner, project, owner, django_assert_max_num_queries):
    made.lived_in(project, owner)
    as_owner.get(page(project, "overview"))
    with django_assert_max_num_queries(15):  # 11 of its own; the session, the user, the project and its switch
        as_owner.get(page(project, "overview"))


def test_sources_are_listed_with_how_much_was_read(as_owner, project):
    html = as_owner.get(page(project, "sources")).content.decode()
    for source in load_catalogue().sources:
        assert f'id="{source.tag}"' in html
    assert 'id="own"' in html


def test_evidence_links_are_kept_and_shown(as_owner, project):
    save(as_owner, project, POSITION, value="yes", evidence_url="https://wiki.example.org/positions")
    html = as_owner.get(page(project)).content.decode()
    assert re.search(r'href="https://wiki.example.org/positions"\s+rel="noopener noreferrer nofollow"', html)


def test_scope_profiles_are_never_written_by_looking(as_owner, project, owner):
    made.lived_in(project, owner)
    for name in READ:
        as_owner.get(page(project, name))
    as_owner.post(page(project, "scope_preview"), {"current-people": "3"}, headers=HTMX)
    assert not ScopeProfile.objects.exists()
    assert not Assessment.objects.exists()
