"""Events come in exactly once and in one gapless order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from ops_portal.errors import UserError
from projects.models import Event, LabelCorrection, Task
from projects.payload import MISSING, Incoming, IncomingLabel
from projects.services.events import accept, accept_labels
from projects.stream import read_labelled
from tests.factories import NOW, make_events, make_project, make_team

pytestmark = pytest.mark.django_db


def event(key, label=MISSING, line=1, **features):
    return Incoming(line, key, features or {"x": 1.5}, label)


def take(project, *items):
    receipt = accept(project_id=project.pk, items=items, now=NOW)
    project.refresh_from_db()
    return receipt


def label(project, *pairs):
    labels = [IncomingLabel(line, key, value) for line, (key, value) in enumerate(pairs, start=1)]
    receipt = accept_labels(project_id=project.pk, labels=labels, now=NOW)
    project.refresh_from_db()
    return receipt


def positions(project):
    return dict(project.events.exclude(position=None).values_list("key", "position"))


def test_labelled_events_get_gapless_positions_in_order(project):
    receipt = take(project, event("a", True), event("b"), event("c", False), event(None, True))
    assert (receipt.accepted, receipt.duplicates, receipt.rejected, receipt.last_position) == (4, 0, [], 3)
    assert list(project.events.order_by("pk").values_list("position", flat=True)) == [1, None, 2, 3]
    assert (project.last_position, project.event_count) == (3, 4)


def test_what_was_sent_is_what_is_kept(project):
    at = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
    features = {"z": 1.0, "a": None, "m": "ü\x00\"'", "b": True, "n": -(2**63)}
    accept(project_id=project.pk, items=[Incoming(1, "k", features, "yes", at)], now=NOW)
    [(position, kept, kept_label)] = read_labelled(project.pk, 0, 10)
    assert (position, kept, kept_label) == (1, features, "yes")
    assert list(kept) == list(features), "the order of the features is kept"
    assert [type(v) for v in kept.values()] == [type(v) for v in features.values()]
    stored = Event.objects.get()
    assert (stored.event_at, stored.received_at, stored.labelled_at) == (at, NOW, NOW)


def test_a_repeated_batch_changes_nothing(project):
    batch = [event("a", True), event("b", False), event("c")]
    take(project, *batch)
    before = list(Event.objects.values())
    receipt = take(project, *batch)
    assert (receipt.accepted, receipt.duplicates, receipt.last_position) == (0, 3, 2)
    assert list(Event.objects.values()) == before


def test_other_features_under_a_known_id_are_rejected_and_what_is_known_stays(project):
    take(project, event("a", x=2, y=1), event("b", x=1))
    before = list(Event.objects.values())
    receipt = take(
        project,
        event("a", "a third class is not noted", line=1, x=3, y=1),
        event("a", y=1.0, x=2, line=2),
        event("b", line=3, x=True),
        event("new", line=4, x=1),
        event("new", line=5, x=2),
        event("a", "yes", line=6, y=1, x=2),
    )
    assert (receipt.accepted, receipt.duplicates, [one.line for one in receipt.rejected]) == (2, 1, [1, 3, 5])
    assert 'the event "a" is here with other features' in receipt.rejected[0].error
    assert project.label_classes == ["yes"]
    assert list(Event.objects.exclude(key__in=["a", "new"]).values()) == before[1:]
    assert Event.objects.get(key="a").features == before[0]["features"]


def test_the_same_id_twice_in_one_batch(project):
    receipt = take(project, event("a"), event("b", True), event("a", False), event("a", False), event("a"))
    assert (receipt.accepted, receipt.duplicates, receipt.corrections) == (3, 2, 0)
    assert positions(project) == {"b": 1, "a": 2}
    assert project.event_count == 2


def test_a_label_joins_the_features_kept_before(project):
    take(project, event("a", x=1.0), event("b", x=2.0))
    receipt = label(project, ("b", True), ("a", False))
    assert (receipt.accepted, receipt.last_position) == (2, 2)
    assert read_labelled(project.pk, 0, 10) == [(1, {"x": 2.0}, True), (2, {"x": 1.0}, False)]
    assert set(Event.objects.values_list("labelled_at", flat=True)) == {NOW}


def test_a_label_that_comes_with_a_known_event_joins_it(project):
    take(project, event("a", x=1.0))
    assert len(take(project, event("a", True, x=99.0)).rejected) == 1, "the features at prediction time stay"
    receipt = take(project, event("a", True, x=1.0))
    assert receipt.accepted == 1
    assert read_labelled(project.pk, 0, 10) == [(1, {"x": 1.0}, True)]
    assert project.event_count == 1


def test_a_second_different_label_is_a_recorded_correction(project):
    take(project, event("a", True))
    receipt = label(project, ("a", False), ("a", True), ("a", False))
    assert (receipt.accepted, receipt.corrections, receipt.duplicates) == (0, 1, 2)
    again = label(project, ("a", False))
    assert (again.corrections, again.duplicates) == (0, 1), "a retried correction is not a second one"
    assert list(LabelCorrection.objects.values_list("label", flat=True)) == ["false"]
    assert read_labelled(project.pk, 0, 10)[0][2] is True, "what was learned stays as it was"


def test_a_correction_within_the_batch_that_brings_the_event(project):
    receipt = take(project, event("a", True), event("a", False))
    assert (receipt.accepted, receipt.corrections) == (1, 1)
    assert LabelCorrection.objects.get().event.key == "a"


def test_equal_numbers_are_one_label(team):
    project = make_project(team, task=Task.REGRESSION)
    take(project, event("a", 3))
    receipt = label(project, ("a", 3.0), ("a", 3.5), ("a", 3.5))
    assert (receipt.duplicates, receipt.corrections) == (2, 1)


def test_a_project_keeps_to_one_type_of_label(project):
    receipt = take(project, event("a", True), event("b", "yes", line=7), event("d", False))
    assert receipt.accepted == 2
    assert [(r.line, r.error) for r in receipt.rejected] == [
        (7, 'label: this project\'s labels are true or false; "yes" is not one'),
    ]
    assert positions(project) == {"a": 1, "d": 2}
    assert (project.label_type, project.label_classes) == ("boolean", [True, False])


@pytest.mark.parametrize(("first", "kept"), [(True, [True, False, True]), (1, [1, 0, 1])])
def test_one_and_true_are_one_answer_kept_as_the_first_was_given(project, first, kept):
    take(
        project, event("a", first), event("b", 0 if first is True else False), event("c", 1 if first is True else True)
    )
    labels = [found for _, _, found in read_labelled(project.pk, 0, 10)]
    assert labels == kept
    assert {type(one) for one in labels} == {type(first)}
    assert label(project, ("a", 1), ("a", True)).duplicates == 2


def test_a_binary_project_takes_two_texts_and_no_third(project):
    take(project, event("a", "ham"), event("b", "spam"))
    receipt = take(project, event("c", "eggs"), event("d", "ham"))
    assert receipt.accepted == 1
    assert receipt.rejected[0].error == ('label: this project has two classes ("ham" and "spam"); "eggs" is a third')


def test_an_archived_project_takes_nothing(project):
    project.archived_at = NOW
    project.save()
    with pytest.raises(UserError, match="archived"):
        take(project, event("a", True))


def test_the_same_id_in_two_projects_is_two_events(project, team):
    other = make_project(team)
    take(project, event("a", True))
    assert take(other, event("a", False)).accepted == 1


def test_reading_in_parts_equals_reading_at_once(project):
    make_events(project, 250)
    whole = read_labelled(project.pk, 0, 1000)
    parts, after = [], 0
    while batch := read_labelled(project.pk, after, 70, upto=200):
        parts += batch
        after = batch[-1][0]
    assert parts == whole[:200]
    assert [row[0] for row in whole] == list(range(1, 251))


def test_reading_goes_on_after_old_events_were_removed(project):
    make_events(project, 30)
    project.events.filter(position__lte=20).delete()
    assert [row[0] for row in read_labelled(project.pk, 0, 5)] == [21, 22, 23, 24, 25]


def test_a_batch_costs_the_same_queries_however_long_it_is(project, django_assert_num_queries):
    with django_assert_num_queries(7):  # savepoint, lock, keys, insert, counts, label type, release
        accept(project_id=project.pk, items=[event(f"e{i}", True) for i in range(500)], now=NOW)
    with django_assert_num_queries(5):  # nothing new: no insert, no counts, but the features that were sent before
        accept(project_id=project.pk, items=[event(f"e{i}", True) for i in range(500)], now=NOW)


def test_followers_are_rung_after_the_commit_and_only_for_labels(
    project, rung, settings, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        take(project, event("a"))
    assert rung == []
    with django_capture_on_commit_callbacks(execute=True):
        label(project, ("a", True))
        assert rung == []
    assert [(name, args) for name, args, _ in rung] == [(settings.FOLLOWERS_TASK, (project.pk,))]


@pytest.mark.django_db(transaction=True)
def test_eight_writers_at_once_leave_no_gap_and_no_duplicate():
    project = make_project(make_team())
    shared = [event(f"shared{i}", i % 2 == 0) for i in range(40)]

    def write(writer):
        try:
            for batch in range(6):
                own = [event(f"w{writer}-{batch}-{i}", i % 2 == 0) for i in range(20)]
                accept(project_id=project.pk, items=own + shared, now=NOW + timedelta(seconds=batch))
                accept(project_id=project.pk, items=[event(f"late{writer}-{batch}")], now=NOW)
                accept_labels(project_id=project.pk, labels=[IncomingLabel(1, f"late{writer}-{batch}", True)], now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    project.refresh_from_db()
    expected = 8 * 6 * 20 + 40 + 8 * 6
    assert project.last_position == project.event_count == expected
    assert [row[0] for row in read_labelled(project.pk, 0, 10_000)] == list(range(1, expected + 1))


@pytest.mark.django_db(transaction=True)
def test_a_late_commit_cannot_hide_behind_a_position():
    """Whoever reads position n has every position below it: a reader beside eight writers never sees a hole."""
    project = make_project(make_team())
    done = []

    def write(writer):
        try:
            for batch in range(10):
                accept(project_id=project.pk, items=[event(f"w{writer}-{batch}-{i}", True) for i in range(5)], now=NOW)
        finally:
            done.append(writer)
            connection.close()

    seen = []
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(write, writer) for writer in range(7)]
        over = False
        while not over:
            over = len(done) == 7  # asked before reading: what was committed by then is read
            batch = read_labelled(project.pk, seen[-1] if seen else 0, 1000)
            seen += [row[0] for row in batch]
            assert seen == list(range(1, len(seen) + 1))
        [future.result() for future in futures]
    assert len(seen) == 350
