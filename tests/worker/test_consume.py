"""Consumers of a Redis stream, real processes on a real server, some of them killed: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from html import unescape

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from projects.messages import Message
from projects.models import Activity, DataImport, Event
from projects.redis_streams import RedisStream
from projects.services import imports
from projects.services.consuming import open_stream, take_messages
from projects.services.projects import archive_project
from projects.stream import read_labelled
from tests.factories import make_project, make_team, make_user
from tests.threads import in_threads
from tests.worker.conftest import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

#: No database has room for a null character in a text, or for half of a surrogate pair.
UNSTORABLE = [
    {"features": {"x": 1}, "label": "a\0b"},
    {"id": "a", "label": "a\0b"},
    {"features": {"x": 1}, "a\0b": 1},
    {"features": {"x": 1}, "\ud800": 1},
]


@pytest.fixture
def url(broker_url):
    """The address of a real Redis where one is given, else of the bundled broker."""
    # Celery's word for a socket is another one than Redis's.
    return broker_url.replace("redis+socket://", "unix://")


@pytest.fixture
def stream(url):
    client = redis.Redis.from_url(url)
    name = f"test-{uuid.uuid4().hex}"
    yield client, name
    client.delete(name)
    client.close()


@pytest.fixture
def project(transactional_db):
    return make_project(make_team(owner=make_user("olga")))


@pytest.fixture
def consume(project, url, stream, tmp_path):
    """Start a consumer process; all are stopped after the test."""
    started = []

    def start(consumer, *arguments, **more):
        environment = {
            **os.environ,
            **more,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "OPS_PORTAL_TEST_DATABASE": str(connection.settings_dict["NAME"]),
        }
        command = [sys.executable, "manage.py", "consume", project.slug, stream[1], "--url", url, "--as", "olga"]
        log = (tmp_path / f"{consumer}-{len(started)}.log").open("w+")
        process = subprocess.Popen(
            [*command, "--consumer", consumer, *map(str, arguments)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=log,
            stderr=log,
        )
        process.log = log
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.log.close()


def said(process):
    process.log.seek(0)
    return process.log.read()


def fill(stream, count, start=0):
    client, name = stream
    pipe = client.pipeline()
    for number in range(start, start + count):
        body = {"features": {"x": number}, "label": number % 2 == 0}
        if number % 3:
            body["id"] = f"k{number}"
        pipe.xadd(name, {"event": json.dumps(body)})
    pipe.execute()


def pending(stream, group="ops-portal"):
    client, name = stream
    return client.xpending(name, group)["pending"]


def kill_at_work(process, consumer, stream, sent):
    """kill -9 for a consumer that has entries open; return how many were sent to the stream by then.

    Perhaps it has read them, perhaps committed them: it is stopped, and looked at as it stands. However fast it is,
    there is work for it: more is sent before every look.
    """
    client, name = stream
    until = time.monotonic() + 60
    while True:
        fill(stream, 200, start=sent)
        sent += 200
        process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"{consumer} ended by itself with {status}: {said(process)}"
        if client.xpending_range(name, "ops-portal", "-", "+", 1, consumername=consumer):
            break
        process.send_signal(signal.SIGCONT)
        assert time.monotonic() < until, f"{consumer} was never seen at work"
    process.kill()
    process.wait()
    return sent


def test_killed_consumers_lose_and_repeat_nothing(consume, stream, project):
    fill(stream, 2_000)
    first = consume("one", "--batch", 10, "--claim-after", 1)
    second = consume("two", "--batch", 10, "--claim-after", 1)
    wait_until(lambda: Event.objects.count() > 500)
    sent = kill_at_work(first, "one", stream, 2_000)
    sent = kill_at_work(second, "two", stream, sent)
    fill(stream, 1_000, start=sent)
    sent += 1_000
    left = sent - Event.objects.count()
    assert 1_000 <= left < sent and pending(stream) > 0
    # One comes back under its name, the other's open entries are claimed by a new one.
    last = [
        consume("one", "--claim-after", 1, "--idle-exit", 4),
        consume("three", "--claim-after", 1, "--idle-exit", 4),
    ]
    wait_until(lambda: all(process.poll() is not None for process in last))
    assert [process.returncode for process in last] == [0, 0], said(last[0]) + said(last[1])
    seen = sorted(features["x"] for _, features, _ in read_labelled(project.pk, 0, 2 * sent))
    assert seen == list(range(sent))
    project.refresh_from_db()
    assert (project.event_count, project.last_position) == (sent, sent)
    assert pending(stream) == 0
    record = DataImport.objects.get()
    assert (record.accepted, record.rejected, record.row) == (sent, 0, sent + record.duplicates)


def test_a_crash_between_commit_and_acknowledgement_repeats_nothing(consume, stream, project, url):
    fill(stream, 20)
    dead = RedisStream(url, stream[1], group="ops-portal", consumer="one")
    olga = project.team.memberships.get().user
    address = f"{url} {stream[1]} ops-portal"
    record = open_stream(project=project, actor=olga, kind="redis", name=stream[1], address=address, now=timezone.now())
    messages = dead.receive(100, 1)
    assert take_messages(stream=record, messages=messages, source=dead.title, now=timezone.now())
    dead.close()
    assert (Event.objects.count(), pending(stream)) == (20, 20), "committed, and open in the group"
    again = consume("one", "--idle-exit", 1)
    again.wait(timeout=60)
    record.refresh_from_db()
    assert (record.accepted, record.duplicates, Event.objects.count(), pending(stream)) == (20, 20, 20, 0)


def test_consumers_that_start_and_those_at_work_do_not_lock_each_other_out(project):
    olga = project.team.memberships.get().user

    def again():
        return open_stream(project=project, actor=olga, kind="redis", name="s", address="a", now=timezone.now())

    record = again()

    def work(number):
        for step in range(40):
            if number % 2:
                body = json.dumps({"features": {"x": step}, "label": True}).encode()
                assert take_messages(
                    stream=record, messages=[Message(f"{number}-{step}", body)], source="s", now=timezone.now()
                )
            else:
                assert again() == record

    in_threads(4, work)
    assert Event.objects.count() == 80


def test_entries_are_open_until_they_are_committed(consume, stream, project):
    fill(stream, 20)
    archive_project(project=project, actor=make_user())
    refused = consume("one", "--idle-exit", 1)
    refused.wait(timeout=60)
    assert refused.returncode == 1
    assert "archived" in said(refused)
    assert Event.objects.count() == 0
    type(project).objects.update(archived_at=None)
    done = consume("one", "--idle-exit", 1)
    done.wait(timeout=60)
    assert (Event.objects.count(), pending(stream)) == (20, 0)


def test_labels_events_and_rubbish_in_one_stream(consume, stream, project):
    client, name = stream
    for body in (
        {"id": "late", "label": True},
        {"id": "late", "features": {"x": 1}},
        {"id": "a", "features": {"x": 2}},
        {"id": "a", "label": False},
        {"id": "a", "label": True},
    ):
        client.xadd(name, {"event": json.dumps(body)})
    for fields in ({"event": "{oops"}, {"other": "1"}, {"event": b"\xff"}, {"event": '{"features": {"x": [1]}}'}):
        client.xadd(name, fields)
    for body in UNSTORABLE:
        client.xadd(name, {"event": json.dumps(body)})
    process = consume("one", "--idle-exit", 1)
    process.wait(timeout=60)
    assert "13 entries done." in said(process)
    record = DataImport.objects.get()
    assert (record.kind, record.accepted, record.corrections, record.rejected) == ("redis", 4, 1, 8)
    assert [(y, x["x"]) for _, x, y in read_labelled(project.pk, 0, 9)] == [(True, 1), (False, 2)]
    reasons = [row.reason.split(": ", 1)[1] for row in record.rejected_rows.all()]
    assert reasons[0].startswith("not JSON") and "features.x" in reasons[3]
    assert reasons[4:] == [
        "label: has a null character",
        "label: has a null character",
        "a\ufffdb: unknown field; the fields are at, features, id, label, label_at",
        "?: unknown field; the fields are at, features, id, label, label_at",
    ]
    assert pending(stream) == 0
    assert Activity.objects.filter(verb="import.started", actor__username="olga").exists()


def test_a_pause_holds_all_consumers_and_a_cancel_ends_them(consume, stream, project):
    process = consume("one")
    wait_until(lambda: DataImport.objects.exists())
    record = DataImport.objects.get()
    olga = record.created_by
    imports.pause_import(data_import=record, actor=olga)
    time.sleep(1.5)
    fill(stream, 10)
    time.sleep(2)
    assert Event.objects.count() == 0
    imports.resume_import(data_import=record, actor=olga)
    wait_until(lambda: Event.objects.count() == 10)
    imports.cancel_import(data_import=record, actor=olga)
    process.wait(timeout=30)
    assert process.returncode == 0


def test_the_page_tells_a_killed_consumer_from_an_idle_one(consume, stream, project, url, client, settings):
    settings.CONSUMER_SILENCE_SECONDS = 6
    client.force_login(project.team.memberships.get().user)

    def state():
        page = client.get(reverse("projects:data", args=[project.slug])).content.decode()
        return page.partition('data-state="')[2].partition('"')[0]

    first = consume("one", CONSUMER_SILENCE_SECONDS="6")
    wait_until(DataImport.objects.exists)
    record = DataImport.objects.get()
    at_first = record.seen_at

    def seen_again():
        record.refresh_from_db()
        return record.seen_at > at_first + timedelta(seconds=2)

    wait_until(seen_again)
    assert state() == "running", "idle, and there"
    first.kill()
    first.wait()
    wait_until(lambda: state() == "no_process", seconds=15)
    fill(stream, 10)
    page = client.get(reverse("projects:import", args=[project.slug, record.pk])).content.decode()
    command = f"consume {project.slug} {stream[1]} --url {url} --group ops-portal --consumer one --as olga"
    assert command in unescape(page)
    # As the page says, under another name: the state comes back, and nothing that waited is missing.
    consume("two", CONSUMER_SILENCE_SECONDS="6")
    wait_until(lambda: state() == "running")
    wait_until(lambda: Event.objects.count() == 10)
    assert DataImport.objects.count() == 1


def test_a_signal_ends_it_after_its_batch(consume, stream, project):
    fill(stream, 10)
    process = consume("one")
    wait_until(lambda: Event.objects.count() == 10)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert process.returncode == 0
    assert "10 entries done." in said(process)


def test_a_server_that_is_not_there_is_said(project):
    done = subprocess.run(
        [sys.executable, "manage.py", "consume", "p", "s", "--url", "redis://127.0.0.1:1/0", "--as", "olga"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "OPS_PORTAL_TEST_DATABASE": str(connection.settings_dict["NAME"]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "no project" in done.stderr
