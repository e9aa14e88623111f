"""The data pages: what they show, how a file comes in through them, and how little they ask the database."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from projects.models import Activity, DataImport, RejectedRow
from projects.payload import IncomingLabel
from projects.services import import_steps
from projects.services.events import accept_labels
from tests.factories import NOW, make_events

pytestmark = pytest.mark.django_db

State = DataImport.State
ROWS = b"id,amount,label\na,1.5,yes\nb,oops,no\nc,2.5,\n" + b"".join(b"r%d,%d,yes\n" % (i, i) for i in range(30))


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def page_of(project):
    def address(name, *args):
        return reverse(f"projects:{name}", args=[project.slug, *args])

    return address


def upload(client, page_of, raw=ROWS, name="rows.csv"):
    response = client.post(page_of("import_file"), {"file": SimpleUploadedFile(name, raw)})
    return response, DataImport.objects.order_by("-pk").first()


def plan(client, page_of, data_import, **changes):
    """The fields of the preview's form as the page offers them."""
    form = client.get(page_of("import_preview", data_import.pk)).context["form"]
    fields = {name: field.value() or "" for name, field in ((name, form[name]) for name in form.fields)}
    return fields | changes


def work(data_import):
    while import_steps.advance_import(import_id=data_import.pk, now=timezone.now()) is not None:
        pass
    data_import.refresh_from_db()


def test_a_file_is_uploaded_checked_confirmed_and_imported(
    signed_in, page_of, project, rung, django_capture_on_commit_callbacks
):
    response, data_import = upload(signed_in, page_of)
    assert response["Location"] == page_of("import_preview", data_import.pk)
    preview = signed_in.get(response["Location"]).content.decode()
    assert "1 of 33 is not a number" in preview
    assert project.events.count() == 0, "nothing comes in before it is confirmed"

    with django_capture_on_commit_callbacks(execute=True):
        response = signed_in.post(page_of("import_preview", data_import.pk), plan(signed_in, page_of, data_import))
    assert response["Location"] == page_of("import", data_import.pk)
    assert [args for name, args, _ in rung if name == "projects.tasks.run_import"] == [(data_import.pk,)]
    live = signed_in.get(page_of("import", data_import.pk), {"part": "live"}).content.decode()
    assert "Waiting for a worker" in live
    assert 'hx-trigger="every 1s"' in live
    assert "<html" not in live

    work(data_import)
    page = signed_in.get(page_of("import", data_import.pk)).content.decode()
    assert "32 of 33 rows were taken in. 1 were set aside." in page
    assert "amount: &quot;oops&quot; is not a number" in page
    assert "hx-trigger" not in page
    project.refresh_from_db()
    assert (project.event_count, project.last_position) == (32, 31)
    verbs = list(Activity.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["import.started", "import.completed"]
    assert signed_in.get(page_of("import_preview", data_import.pk))["Location"] == page_of("import", data_import.pk)


def test_columns_can_be_changed_before_the_import(signed_in, page_of, project):
    _, data_import = upload(signed_in, page_of)
    fields = plan(signed_in, page_of, data_import, **{"use-1": "text", "use-0": "skip"})
    signed_in.post(page_of("import_preview", data_import.pk), fields)
    work(data_import)
    assert (data_import.accepted, data_import.rejected) == (33, 0)
    assert project.events.get(key=f"{data_import.options['digest']}-3").features == '{"amount":"oops"}'


def test_a_file_with_the_most_columns_can_be_confirmed(signed_in, page_of, project):
    header = ",".join(["label", *(f"c{i}" for i in range(989))])
    _, data_import = upload(signed_in, page_of, f"{header}\n{'1,' * 989}1\n".encode())
    signed_in.post(page_of("import_preview", data_import.pk), plan(signed_in, page_of, data_import))
    work(data_import)
    assert data_import.accepted == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use-0": "label"}, "2 columns are marked as the label"),
        ({"use-1": "skip"}, "Mark at least one column as a feature"),
        ({"use-1": "number()"}, "Select a valid choice"),
        ({"label_type": "number"}, "Select a valid choice"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(signed_in, page_of, changes, message):
    _, data_import = upload(signed_in, page_of)
    response = signed_in.post(
        page_of("import_preview", data_import.pk), plan(signed_in, page_of, data_import, **changes)
    )
    assert response.status_code == 422
    assert message in response.content.decode()
    data_import.refresh_from_db()
    assert data_import.state == State.PREVIEW


@pytest.mark.parametrize(
    ("raw", "message"),
    [(b"", "This file is empty"), (b"PK\x03\x04", "Excel workbook"), (b"a,a\n1,2\n", "Two columns are called")],
)
def test_an_unreadable_file_says_what_to_do(signed_in, page_of, raw, message):
    response, data_import = upload(signed_in, page_of, raw)
    page = signed_in.get(response["Location"])
    assert page.status_code == 422
    assert message in page.content.decode()
    assert signed_in.post(page_of("import_discard", data_import.pk))["Location"] == page_of("data")
    assert not DataImport.objects.exists()


def test_a_file_can_be_read_another_way(signed_in, page_of):
    _, data_import = upload(signed_in, page_of, b"a;b,label\n1;2,0\n")
    page = signed_in.get(page_of("import_preview", data_import.pk), {"delimiter": ";", "encoding": "cp1252"})
    assert page.context["seen"].plan.columns == [("a", "number"), ("b,label", "number")] or (
        [name for name, _ in page.context["seen"].plan.columns] == ["a", "b,label"]
    )
    nonsense = signed_in.get(page_of("import_preview", data_import.pk), {"delimiter": "x", "encoding": "y"})
    assert nonsense.status_code == 200


@pytest.mark.parametrize("name", ["a\0b.csv", "../../etc/passwd", "ü" * 150 + ".csv", "<b>.csv", "x"])
def test_a_file_of_any_name_is_taken(signed_in, page_of, name):
    response, data_import = upload(signed_in, page_of, name=name)
    assert response.status_code == 302
    assert data_import.file.name.startswith("imports/")
    assert b"<b>.csv" not in signed_in.get(response["Location"]).content


def test_no_file_is_told(signed_in, page_of):
    response = signed_in.post(page_of("import_file"), {})
    assert response.status_code == 422
    assert b"This field is required" in response.content


def test_a_bundled_data_set_is_started_from_its_page(
    signed_in, page_of, project, rung, django_capture_on_commit_callbacks
):
    page = signed_in.get(page_of("import_bundled")).content.decode()
    assert "Phishing websites" in page
    assert "Approval ratings" not in page
    with django_capture_on_commit_callbacks(execute=True):
        response = signed_in.post(page_of("import_bundled"), {"data_set": "Phishing", "events": 40, "rate": 5})
    data_import = DataImport.objects.get()
    assert response["Location"] == page_of("import", data_import.pk)
    assert (data_import.total_rows, data_import.options["rate"]) == (40, 5.0)
    assert rung


@pytest.mark.parametrize(
    "fields",
    [{}, {"data_set": "TrumpApproval"}, {"data_set": "Phishing", "rate": "nan"}, {"data_set": "Phishing", "events": 0}],
)
def test_a_bundled_import_that_cannot_be_is_refused(signed_in, page_of, fields):
    assert signed_in.post(page_of("import_bundled"), fields).status_code == 422
    assert not DataImport.objects.exists()


def test_an_import_is_paused_resumed_and_cancelled_from_its_page(
    signed_in, page_of, rung, django_capture_on_commit_callbacks
):
    signed_in.post(page_of("import_bundled"), {"data_set": "Phishing"})
    data_import = DataImport.objects.get()

    def state_after(name):
        with django_capture_on_commit_callbacks(execute=True):
            assert signed_in.post(page_of(name, data_import.pk))["Location"] == page_of("import", data_import.pk)
        data_import.refresh_from_db()
        return data_import.state

    assert state_after("import_pause") == State.PAUSED
    assert b"Resume" in signed_in.get(page_of("import", data_import.pk)).content
    rung.clear()
    assert state_after("import_resume") == State.QUEUED
    assert rung
    assert b"Cancel this import?" in signed_in.get(page_of("import_cancel", data_import.pk)).content
    assert state_after("import_cancel") == State.CANCELLED
    refused = signed_in.post(page_of("import_pause", data_import.pk), follow=True)
    assert b"is cancelled and cannot be paused" in refused.content


def test_rows_set_aside_are_paged_and_can_be_downloaded(signed_in, page_of, project, owner):
    data_import = DataImport.objects.create(
        project=project, kind="csv", name="x.csv", state=State.COMPLETED, rejected=60, created_by=owner
    )
    RejectedRow.objects.bulk_create(
        RejectedRow(data_import=data_import, line=line, reason="amount: no", raw="=1+1,<b>") for line in range(60)
    )
    page = signed_in.get(page_of("import", data_import.pk)).content.decode()
    assert "50 of 60 rows" in page
    assert "<b>" not in page
    response = signed_in.get(page_of("import_rejected", data_import.pk))
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert rows[:2] == [["line", "reason", "row"], ["0", "amount: no", "'=1+1,<b>"]]
    assert len(rows) == 61


def test_the_data_page_shows_counts_and_newest_events(signed_in, page_of, project, django_assert_max_num_queries):
    empty = signed_in.get(page_of("data")).content.decode()
    assert "five ways to bring them" in empty
    make_events(project, 20)
    make_events(project, 5, labelled=False, start=20)
    with django_assert_max_num_queries(7):
        page = signed_in.get(page_of("data"))
    shown = page.context["data"]
    assert (shown.events, shown.labelled, shown.waiting, shown.share) == (25, 20, 5, 0.8)
    assert [row.key for row in shown.newest[:2]] == ["e24", "e23"]
    assert shown.columns == ["x", "y", "colour"]
    assert "curl http://testserver/api/v1/projects/phishing-pages/events/" in page.content.decode()
    assert "{&quot;x&quot;" not in page.content.decode(), "no raw JSON of events"


def test_an_event_shows_everything_known_about_it(signed_in, page_of, project):
    make_events(project, 1)
    accept_labels(project_id=project.pk, labels=[IncomingLabel(1, "e0", True)], now=NOW)
    event = project.events.get()
    page = signed_in.get(page_of("event", event.pk)).content.decode()
    assert "Number 1 in the order of learning" in page
    assert "colour" in page
    assert "Corrected to" in page


def test_activity_is_filtered_and_paged(signed_in, page_of, project, owner, django_assert_max_num_queries):
    for number in range(50):
        Activity.objects.create(
            team=project.team,
            project=project,
            actor=owner,
            actor_name="olga",
            verb="run.started",
            summary=f"did {number}",
        )
    Activity.objects.create(
        team=project.team, project=project, actor_name="portal", verb="deployed", summary="deployed v1"
    )
    with django_assert_max_num_queries(8):
        page = signed_in.get(page_of("activity"))
    assert "40 of 51 entries" in page.content.decode()
    assert page.context["kinds"] == [("deployed", "Deployments"), ("run", "Runs")]
    assert page.context["people"] == ["olga", "portal"]

    def found(**query):
        return [entry.summary for entry in signed_in.get(page_of("activity"), query).context["entries"]]

    assert found(kind="deployed") == ["deployed v1"]
    assert found(who="portal") == ["deployed v1"]
    assert len(found(kind="run", page=2)) == 10
    assert found(kind="run", who="portal") == []
    assert len(found(page="nonsense")) == 40
    assert found(who="\0") == found()
