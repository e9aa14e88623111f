"""Labels that come before their event, too late, or never; clocks that differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from ops_portal.errors import UserError
from projects import early_labels
from projects.models import Activity, EarlyLabel, Event, LabelCorrection, MissedLabel, Task
from projects.payload import MISSING, Incoming, IncomingLabel
from projects.services import late_labels
from projects.services.events import Part, accept, accept_labels, accept_together
from projects.stream import read_labelled
from projects.tasks import settle_labels
from tests.factories import NOW, make_events, make_member, make_project, make_team, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def label(project, *pairs, now=NOW):
    labels = [IncomingLabel(line, key, value) for line, (key, value) in enumerate(pairs, start=1)]
    receipt = accept_labels(project_id=project.pk, labels=labels, now=now)
    project.refresh_from_db()
    return receipt


def send(project, *items, now=NOW):
    receipt = accept(project_id=project.pk, items=[Incoming(1, key, {"x": 1.0}, one) for key, one in items], now=now)
    project.refresh_from_db()
    return receipt


def settle(project, now):
    while late_labels.settle_overdue(project_id=project.pk, now=now):
        pass
    project.refresh_from_db()


# --- before the event ---------------------------------------------------------------------------------


def test_a_label_before_its_event_waits_and_joins_it(project):
    assert label(project, ("a", True), ("b", False)).waiting == 2
    assert project.early_labels == 2
    receipt = send(project, ("b", MISSING), ("a", MISSING), ("c", MISSING), now=NOW + HOUR)
    assert (receipt.accepted, receipt.last_position) == (3, 2)
    assert [(position, y) for position, _, y in read_labelled(project.pk, 0, 9)] == [(1, False), (2, True)]
    event = Event.objects.get(key="a")
    assert (event.labelled_at, event.received_at) == (NOW, NOW + HOUR), "both times are kept"
    assert (project.early_labels, EarlyLabel.objects.count()) == (0, 0)


def test_an_early_label_and_its_event_in_one_transaction(project):
    parts = [Part([IncomingLabel(1, "a", True)], NOW), Part([Incoming(1, "a", {"x": 1.0})], NOW)]
    first, second = accept_together(project_id=project.pk, parts=parts)
    project.refresh_from_db()
    assert (first.waiting, second.accepted) == (1, 1)
    assert (project.last_position, project.early_labels, EarlyLabel.objects.count()) == (1, 0, 0)


def test_of_several_early_labels_the_first_counts_and_the_others_are_corrections(project):
    receipt = label(project, ("a", True), ("a", True), ("a", False))
    assert (receipt.waiting, receipt.duplicates) == (2, 1)
    assert label(project, ("a", False)).duplicates == 1
    receipt = send(project, ("a", False))
    assert (receipt.accepted, receipt.corrections, receipt.duplicates) == (1, 0, 0), "each item is counted once"
    assert read_labelled(project.pk, 0, 9) == [(1, {"x": 1.0}, True)]
    assert list(LabelCorrection.objects.values_list("label", flat=True)) == ["false"]
    assert label(project, ("a", True)).duplicates == 1


def test_an_early_label_joins_an_event_that_came_as_a_question(project):
    label(project, ("a", True))
    # What a prediction does: it stores the event past the lock of the stream.
    Event.objects.create(project=project, key="a", features='{"x":1.0}', received_at=NOW + HOUR)
    settle_labels()
    project.refresh_from_db()
    assert read_labelled(project.pk, 0, 9) == [(1, {"x": 1.0}, True)]
    assert (project.early_labels, Event.objects.get().labelled_at) == (0, NOW)


def test_only_so_many_labels_wait(project, monkeypatch):
    monkeypatch.setattr(early_labels, "MOST", 2)
    receipt = label(project, ("a", True), ("b", True), ("c", True))
    assert (receipt.waiting, [r.line for r in receipt.rejected]) == (2, [3])
    assert 'no event is called "c"' in receipt.rejected[0].error


def test_a_label_of_the_wrong_type_does_not_wait(project):
    send(project, ("a", True))
    receipt = label(project, ("b", "spam"))
    assert (receipt.waiting, len(receipt.rejected)) == (0, 1)


def test_early_labels_go_away_after_a_month(project):
    label(project, ("a", True), now=NOW - timedelta(days=31))
    label(project, ("b", True))
    assert late_labels.discard_old_early_labels(now=NOW) == 1
    project.refresh_from_db()
    assert (list(EarlyLabel.objects.values_list("key", flat=True)), project.early_labels) == (["b"], 1)
    assert Activity.objects.get(verb="labels.discarded").actor_name == "portal"


@pytest.mark.django_db(transaction=True)
def test_labels_and_events_that_race_all_meet():
    project = make_project(make_team())
    keys = [f"e{number}" for number in range(200)]

    def work(what):
        try:
            for start in range(0, 200, 10):
                some = keys[start : start + 10]
                if what == "labels":
                    label(project, *((key, True) for key in reversed(some)))
                else:
                    send(project, *((key, MISSING) for key in some))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["labels", "events"]))
    project.refresh_from_db()
    assert (project.last_position, project.early_labels) == (200, 0)
    assert [position for position, _, _ in read_labelled(project.pk, 0, 999)] == list(range(1, 201))


# --- never --------------------------------------------------------------------------------------------


def test_without_a_rule_events_wait_for_ever(project):
    make_events(project, 3, labelled=False)
    settle(project, NOW + timedelta(days=999))
    assert not MissedLabel.objects.exists()


def test_unknown_after_a_while_with_the_reason_and_still_learned_if_it_comes(project, owner):
    send(project, ("old", MISSING), ("labelled", True))
    send(project, ("young", MISSING), now=NOW + 3 * HOUR)
    late_labels.set_label_deadline(project=project, actor=owner, wait=2 * HOUR)
    settle(project, NOW + 4 * HOUR)
    settle(project, NOW + 4 * HOUR)
    missed = MissedLabel.objects.get()
    assert (missed.event.key, missed.default) == ("old", "")
    assert missed.reason == "No label came within 2 hours, so it is unknown."
    assert (project.last_position, project.label_deadline.unknown) == (1, 1)
    assert label(project, ("old", False)).accepted == 1
    settle(project, NOW + 6 * HOUR)
    assert list(MissedLabel.objects.order_by("pk").values_list("event__key", flat=True)) == ["old", "young"]
    assert Activity.objects.get(verb="labels.deadline").actor == owner


def test_a_default_is_learned_and_the_truth_after_it_is_a_correction(project, owner):
    make_events(project, 4)
    send(project, *((f"q{number}", MISSING) for number in range(3)))
    late_labels.set_label_deadline(project=project, actor=owner, wait=HOUR, default=False)
    settle(project, NOW + HOUR)
    assert [y for _, _, y in read_labelled(project.pk, 4, 9)] == [False] * 3
    assert set(MissedLabel.objects.values_list("default", flat=True)) == {"false"}
    assert "the label false was given by the project's rule" in MissedLabel.objects.first().reason
    assert (label(project, ("q1", True)).corrections, project.label_deadline.defaulted) == (1, 3)


def test_events_are_settled_in_bounded_steps(project, owner, monkeypatch):
    monkeypatch.setattr(late_labels, "ROWS", 4)
    make_events(project, 10, labelled=False)
    late_labels.set_label_deadline(project=project, actor=owner, wait=HOUR)
    steps = 1
    while late_labels.settle_overdue(project_id=project.pk, now=NOW + 2 * HOUR):
        steps += 1
    assert (steps, MissedLabel.objects.count()) == (3, 10)


@pytest.mark.parametrize(
    ("wait", "default", "says"),
    [
        (timedelta(seconds=5), MISSING, "a minute at least"),
        (timedelta(days=9999), MISSING, "ten years at most"),
        (HOUR, "spam", 'true or false; "spam" is not one'),
        (HOUR, 7, "expected true, false"),
    ],
)
def test_a_rule_that_cannot_be_applied_is_refused(project, owner, wait, default, says):
    send(project, ("a", True))
    with pytest.raises(UserError, match=says):
        late_labels.set_label_deadline(project=project, actor=owner, wait=wait, default=default)
    assert not hasattr(project, "label_deadline")


def test_an_archived_project_is_left_alone(project, owner):
    make_events(project, 3, labelled=False)
    late_labels.set_label_deadline(project=project, actor=owner, wait=HOUR)
    type(project).objects.update(archived_at=NOW)
    settle(project, NOW + 9 * HOUR)
    settle_labels()
    assert not MissedLabel.objects.exists()


# --- clocks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "taken"), [(-9999, 1), (0, 1), (23, 1), (25, 0)])
def test_a_clock_may_be_a_day_ahead(project, ahead, taken):
    item = Incoming(1, "a", {"x": 1.0}, True, NOW + ahead * HOUR)
    receipt = accept(project_id=project.pk, items=[item], now=NOW)
    assert receipt.accepted == taken
    if not taken:
        assert receipt.rejected[0].error == (
            "at: 2026-05-05 13:00 UTC is more than 24 hours ahead of the portal's clock (2026-05-04 12:00 UTC);"
            " check the sender's clock"
        )


# --- the page -----------------------------------------------------------------------------------------


def page(project, name="labels"):
    return reverse(f"projects:{name}", args=[project.slug])


def test_the_page_previews_a_rule_and_saves_it(client, owner, project):
    client.force_login(owner)
    make_events(project, 5, labelled=False)
    make_events(project, 2, start=5)
    given = {"what": "default", "wait": "3", "unit": "hours", "default": "false"}
    response = client.post(page(project), given | {"do": "preview"})
    assert "5 events would get the default label and be learned at once" in response.content.decode()
    assert not hasattr(project, "label_deadline"), "a preview changes nothing"
    client.post(page(project), given | {"do": "save"})
    project.refresh_from_db()
    assert (project.label_deadline.wait, project.label_deadline.default) == (3 * HOUR, "false")
    form = client.get(page(project)).context["form"]
    assert (form["what"].value(), form["wait"].value(), form["default"].value()) == ("default", 3, "false")
    assert "gets the label false" in client.get(page(project, "settings")).content.decode()
    client.post(page(project), {"what": "forever"})
    project.label_deadline.refresh_from_db()
    assert project.label_deadline.wait is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"what": "unknown"},
        {"what": "default", "wait": "1"},
        {"what": "unknown", "wait": "nan"},
        {"what": "unknown", "wait": "1e300", "unit": "days"},
        {"what": "unknown", "wait": "-1"},
        {"what": "default", "wait": "1", "default": "spam"},
        {"what": "default", "wait": "1", "default": "1e999"},
    ],
)
def test_what_cannot_be_a_rule_is_said_beside_the_field(client, owner, project, given):
    client.force_login(owner)
    send(project, ("a", True))
    for do in ("preview", "save"):
        assert client.post(page(project), given | {"do": do}).status_code == 422


def test_the_page_shows_what_waits_and_was_corrected(client, owner, project, django_assert_num_queries):
    client.force_login(owner)
    label(project, ("lost-1", True), ("lost-2", False))
    send(project, ("a", True))
    label(project, ("a", False))
    text = client.get(page(project)).content.decode()
    assert "lost-1" in text and "Corrected to" in text
    client.post(page(project, "labels_discard"), {"key": "lost-1"})
    assert "lost-1" not in client.get(page(project)).content.decode()
    client.post(page(project, "labels_discard"))
    project.refresh_from_db()
    assert (project.early_labels, EarlyLabel.objects.count()) == (0, 0)


def test_a_viewer_reads_and_may_not_change(client, team, project):
    viewer = make_user()
    make_member(team, viewer)
    client.force_login(viewer)
    assert "waits for its label" in client.get(page(project)).content.decode()
    assert client.post(page(project), {"what": "forever"}).status_code == 403
    assert client.post(page(project, "labels_discard")).status_code == 403


def test_an_events_page_says_why_it_has_no_label_and_that_clocks_differ(client, owner, project):
    client.force_login(owner)
    accept(project_id=project.pk, items=[Incoming(1, "a", {"x": 1.0}, at=NOW + HOUR)], now=NOW)
    late_labels.set_label_deadline(project=project, actor=owner, wait=HOUR)
    settle(project, NOW + 2 * HOUR)
    text = client.get(reverse("projects:event", args=[project.slug, Event.objects.get().pk])).content.decode()
    assert "No label came within 1 hour, so it is unknown." in text
    assert "the clocks differ" in text


def test_a_regression_reads_its_default_as_a_number(client, team, owner):
    project = make_project(team, task=Task.REGRESSION)
    client.force_login(owner)
    client.post(page(project), {"what": "default", "wait": "1", "unit": "days", "default": "0.5"})
    assert project.label_deadline.default == "0.5"
