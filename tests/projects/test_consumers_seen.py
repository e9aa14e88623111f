"""A stream from outside is running only while a consumer was seen lately; else the page says how one is started."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from projects.models import DataImport, Project, Role
from projects.redis_streams import without_secrets
from projects.services import imports
from projects.services.consuming import open_stream, say_alive
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db

SILENCE = timedelta(seconds=60)


@pytest.fixture
def stream(project, owner, settings):
    """A stream whose consumer was seen just now."""
    settings.CONSUMER_SILENCE_SECONDS = SILENCE.total_seconds()
    arguments = ["card payments", "--url", "redis://host/0", "--group", "portal"]
    return open_stream(
        project=project,
        actor=owner,
        kind="redis",
        name="card payments",
        address="redis://host/0 card payments portal",
        now=timezone.now(),
        arguments=arguments,
    )


@pytest.fixture
def look(client, project, stream):
    """Open the stream's page, or the list it stands in, as somebody."""

    def open_page(user, *, in_list=False):
        client.force_login(user)
        name, args = ("data", []) if in_list else ("import", [stream.pk])
        answer = client.get(reverse(f"projects:{name}", args=[project.slug, *args]))
        assert answer.status_code == 200
        return unescape(answer.content.decode())

    return open_page


def seen(stream, ago):
    DataImport.objects.filter(pk=stream.pk).update(seen_at=None if ago is None else timezone.now() - ago)


def state_in(page):
    return page.partition('data-state="')[2].partition('"')[0]


@pytest.mark.parametrize("in_list", [False, True])
@pytest.mark.parametrize(
    ("ago", "state"),
    [
        (timedelta(0), "running"),
        (SILENCE - timedelta(seconds=5), "running"),
        (SILENCE + timedelta(seconds=1), "no_process"),
        (timedelta(days=3), "no_process"),
        (None, "no_process"),
    ],
)
def test_it_runs_only_while_a_consumer_was_seen_lately(stream, look, owner, ago, state, in_list):
    seen(stream, ago)
    page = look(owner, in_list=in_list)
    assert state_in(page) == state
    assert ("No process" in page) == (state == "no_process")
    assert ("last seen" in page) == (state == "no_process" and ago is not None)


def test_the_page_says_how_one_is_started_again_to_those_who_may(stream, look, owner, project):
    seen(stream, timedelta(hours=2))
    page = look(owner)
    assert "last seen" in page and "2 h ago" in page
    command = f"python manage.py consume {project.slug} 'card payments' --url redis://host/0 --group portal --as olga"
    assert command in page
    viewer = make_user()
    make_member(project.team, viewer, Role.VIEWER)
    page = look(viewer)
    assert "last seen" in page and "2 h ago" in page and "by a maintainer" in page and "manage.py" not in page
    seen(stream, timedelta(0))
    assert "consume card" not in look(owner) and "No process" not in look(owner)


def test_no_command_that_an_archived_project_refuses(stream, look, owner, project):
    seen(stream, timedelta(hours=2))
    Project.objects.filter(pk=project.pk).update(archived_at=timezone.now())
    text = " ".join(look(owner).split())
    assert "until the project is brought back and one is started." in text and "manage.py consume" not in text


def test_nobody_of_another_team_sees_it(stream, client, project):
    client.force_login(make_user())
    assert client.get(reverse("projects:import", args=[project.slug, stream.pk])).status_code == 404


def test_a_sign_of_life_brings_it_back(stream, look, owner):
    seen(stream, timedelta(hours=2))
    assert state_in(look(owner)) == "no_process"
    say_alive(stream=stream, now=timezone.now())
    assert state_in(look(owner)) == "running"


def test_paused_and_ended_streams_keep_their_state(stream, look, owner):
    seen(stream, timedelta(hours=2))
    imports.pause_import(data_import=stream, actor=owner)
    page = look(owner)
    assert state_in(page) == "paused" and "No process takes this stream in" in page
    imports.resume_import(data_import=stream, actor=owner)
    assert state_in(look(owner)) == "no_process", "resumed, but nothing is there to go on"
    seen(stream, timedelta(0))
    assert state_in(look(owner)) == "running", "nothing has to come for it to run"
    imports.cancel_import(data_import=stream, actor=owner)
    seen(stream, timedelta(hours=2))
    page = look(owner)
    assert state_in(page) == "cancelled" and "No process" not in page


def test_imports_of_the_worker_need_no_consumer(project, owner, look):
    DataImport.objects.all().delete()
    DataImport.objects.create(project=project, kind="csv", name="rows.csv", state="running", created_by=owner)
    page = look(owner, in_list=True)
    assert state_in(page) == "running" and "No process" not in page


def test_what_prometheus_reads_agrees(stream, client, settings):
    settings.METRICS_TOKEN = "m"

    def read():
        return client.get("/metrics", headers={"Authorization": "Bearer m"}).content.decode()

    assert 'ops_portal_imports{state="running"} 1.0' in read()
    seen(stream, timedelta(hours=2))
    told = read()
    assert 'ops_portal_imports{state="no_process"} 1.0' in told and 'state="running"' not in told


def test_a_stream_that_is_joined_is_seen_and_keeps_one_row(stream, project, owner):
    seen(stream, timedelta(hours=2))
    again = open_stream(
        project=project,
        actor=owner,
        kind="redis",
        name="card payments",
        address="redis://host/0 card payments portal",
        now=timezone.now(),
        arguments=["card payments", "--url", "redis://host/0", "--group", "portal", "--field", "body"],
    )
    assert again.pk == stream.pk
    stream.refresh_from_db()
    assert timezone.now() - stream.seen_at < SILENCE
    assert stream.options["arguments"][-2:] == ["--field", "body"]


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://ann:hidden@host/0", "redis://host/0"),
        ("rediss://:hid@den@host/0?ssl_cert_reqs=none", "rediss://host/0?ssl_cert_reqs=none"),
        ("unix://ann:hidden@/run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
        ("unix:///run/redis.sock?password=hid@den&db=1&username=ann", "unix:///run/redis.sock?db=1"),
        ("redis://host?password=hidden", "redis://host"),
    ],
)
def test_what_is_kept_of_an_address_has_no_secret(url, kept):
    assert without_secrets(url) == kept
