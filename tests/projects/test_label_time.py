"""When a label was observed, as its sender says: kept beside the time it was received, whichever way it comes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from projects.messages import Message
from projects.models import EarlyLabel, Event, LabelCorrection
from projects.services.consuming import open_stream, take_messages
from projects.services.import_steps import advance_import
from projects.services.imports import confirm_file, upload_file
from projects.services.late_labels import join_early_labels
from projects.uploads import look_into
from tests.factories import make_token

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
TEXT = "2026-05-01T08:30:00Z"


@pytest.fixture
def send(client, project, owner):
    token = make_token(project, actor=owner)

    def send(path: str, *items: dict):
        url = f"/api/v1/projects/{project.slug}/{path}/"
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.post(url, json.dumps(items), content_type="application/json", headers=headers)
        return answer.json()

    return send


def event_of(key: str) -> Event:
    return Event.objects.get(key=key)


def test_with_the_event_or_after_it(send):
    send("events", {"id": "a", "features": {"x": 1}, "label": True, "label_at": TEXT, "at": "2026-04-30T00:00:00Z"})
    send("events", {"id": "b", "features": {"x": 1}})
    before = timezone.now()
    assert send("labels", {"id": "b", "label": False, "at": "2026-05-01T10:30:00+02:00"})["accepted"] == 1
    for key in "ab":
        event = event_of(key)
        assert event.label_at == EARLIER
        assert abs(event.labelled_at - before) < timedelta(minutes=1), "when it was received, in any case"
    assert event_of("a").event_at.day == 30


def test_a_known_event_and_one_of_the_same_body_take_it_too(send):
    send("events", {"id": "a", "features": {"x": 1}})
    send("events", {"id": "a", "features": {"x": 1}, "label": True, "label_at": TEXT})
    fresh = {"id": "b", "features": {"x": 1}}
    send("events", fresh, fresh | {"label": True, "label_at": TEXT})
    assert event_of("a").label_at == event_of("b").label_at == EARLIER


def test_early_labels_and_corrections_keep_theirs(send, project):
    assert send("labels", {"id": "a", "label": True, "at": TEXT}, {"id": "a", "label": False})["waiting"] == 2
    assert EarlyLabel.objects.first().label_at == EARLIER
    send("events", {"id": "a", "features": {"x": 1}})
    event = event_of("a")
    assert (event.label, event.label_at) == ("true", EARLIER)
    assert LabelCorrection.objects.get().label_at is None
    send("events", {"id": "b", "features": {"x": 1}, "label": True})
    assert send("labels", {"id": "b", "label": False, "at": TEXT})["corrections"] == 1
    assert LabelCorrection.objects.get(event__key="b").label_at == EARLIER
    assert event_of("b").label_at is None, "the first label had none"


def test_an_event_that_came_as_a_question_gets_it(send, project):
    send("labels", {"id": "q", "label": True, "at": TEXT})
    Event.objects.create(project=project, key="q", features='{"x":1}', received_at=timezone.now())
    join_early_labels(project_id=project.pk, now=timezone.now())
    assert event_of("q").label_at == EARLIER


def test_what_cannot_be_a_time_is_refused(send):
    send("events", {"id": "a", "features": {"x": 1}})
    ahead = (timezone.now() + timedelta(hours=25)).isoformat()
    skewed = (timezone.now() + timedelta(hours=23)).isoformat()
    for at, why in ((ahead, "at: "), ("noon", "at: expected a time"), (5, "at: expected a time")):
        told = send("labels", {"id": "a", "label": True, "at": at})
        assert told["rejected_count"] == 1 and told["rejected"][0]["error"].startswith(why)
    told = send("events", {"features": {"x": 1}, "label": True, "label_at": ahead})
    assert "label_at: " in told["rejected"][0]["error"] and "24 hours" in told["rejected"][0]["error"]
    told = send("events", {"features": {"x": 1}, "label_at": TEXT})
    assert told["rejected"][0]["error"].startswith("label_at: there is no label")
    assert not Event.objects.exclude(label=None).exists()
    assert send("labels", {"id": "a", "label": True, "at": skewed})["accepted"] == 1, "clocks differ"


def test_from_a_file(project, owner):
    data = (
        "x,label,labelled_at,when\n1,true,2026-05-01 08:30:00,2026-04-30\n2,false,,2026-04-30\n3,,2026-05-01,2026-04-30"
    )
    file = SimpleUploadedFile("labels.csv", data.encode())
    made = upload_file(project=project, actor=owner, file=file)
    with made.file.open("rb") as opened:
        plan = look_into("csv", opened, "", project)[0].plan
    assert dict(plan.columns) == {"x": "number", "label": "label", "labelled_at": "label_time", "when": "time"}
    confirm_file(data_import=made, actor=owner, plan=plan)
    advance_import(import_id=made.pk, now=timezone.now())
    events = {json.loads(event.features)["x"]: event for event in Event.objects.all()}
    assert [events[number].label_at for number in (1, 2, 3)] == [EARLIER, None, None]
    assert all(event.event_at for event in events.values())
    ndjson = SimpleUploadedFile(
        "e.ndjson", b'{"features": {"x": 9}, "label": true, "label_at": "2026-05-01T08:30:00Z"}'
    )
    made = upload_file(project=project, actor=owner, file=ndjson)
    with made.file.open("rb") as opened:
        plan = look_into("ndjson", opened, "", project)[0].plan
    confirm_file(data_import=made, actor=owner, plan=plan)
    advance_import(import_id=made.pk, now=timezone.now())
    assert Event.objects.latest("pk").label_at == EARLIER


def test_from_a_stream_and_a_command(project, owner, send):
    address = "redis://x/payments"
    stream = open_stream(
        project=project, actor=owner, kind="redis", name="payments", address=address, now=timezone.now()
    )
    send("events", {"id": "a", "features": {"x": 1}}, {"id": "b", "features": {"x": 1}})
    messages = [Message("1-0", json.dumps({"id": "a", "label": True, "at": TEXT}).encode())]
    take_messages(stream=stream, messages=messages, source="payments", now=timezone.now())
    call_command("label", project.slug, "b", "false", "--at", TEXT, "--as", owner.username, stdout=io.StringIO())
    assert event_of("a").label_at == event_of("b").label_at == EARLIER


def test_the_page_of_an_event_shows_both_times(client, owner, project, send):
    send("events", {"id": "a", "features": {"x": 1}, "label": True, "label_at": TEXT})
    send("labels", {"id": "a", "label": False, "at": "2026-05-02T08:30:00Z"})
    client.force_login(owner)
    page = client.get(reverse("projects:event", args=[project.slug, event_of("a").pk])).content.decode()
    assert "Label observed" in page and "Label received" in page
    assert "2026-05-01T08:30" in page and "2026-05-02T08:30" in page
