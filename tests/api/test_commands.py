"""The commands for scripts and CI: thin over the services, with somebody who acts."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from models_registry.models import Deployment, Run
from projects.models import Activity, DataImport, Event, Role
from projects.services.import_steps import advance_import
from tests.factories import make_events, make_member, make_user, sample
from tests.models_registry.learned import TREE, learn, make_model
from tests.models_registry.serving_records import add_model, add_run, add_version
from tests.portal import ROOT

pytestmark = pytest.mark.django_db


def call(*arguments: object, user: str = "olga") -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), "--as", user, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def fails(*arguments: object, code: int = 1, user: str = "olga") -> str:
    with pytest.raises(CommandError) as refused:
        call(*arguments, user=user)
    assert refused.value.returncode == code
    return str(refused.value)


def test_from_a_file_to_a_rollback(project, owner, tmp_path):
    lines = []
    for number in range(120):
        features, label = sample(number)
        lines.append(json.dumps({"features": features, "label": label}))
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(lines))
    assert json.loads(call("send_events", project.slug, file))["accepted"] == 120
    again = json.loads(call("send_events", project.slug, file))
    assert (again["accepted"], again["duplicates"]) == (0, 120), "the same file again changes nothing"
    make_model(project, spec=TREE)
    assert call("start_run", project.slug, "Tree", "--seed", 1, "--publish-every", 60) == "1"
    run = learn(Run.objects.get())
    assert (run.position, run.trigger, run.created_by) == (120, "command", owner)
    assert call("deploy", project.slug, "v1") == "1"
    assert call("deploy", project.slug, 2, "--reason", "better") == "2"
    assert call("rollback", project.slug, "--since", "challenger", "--reason", "worse") == "3"
    newest = Deployment.objects.first()
    assert (newest.version.number, newest.kind, newest.created_by) == (1, "rollback", owner)
    assert Activity.objects.filter(verb="rolled_back", actor=owner).exists()


def test_runs_ring_and_go_on_from_versions(project, owner, rung, django_capture_on_commit_callbacks):
    make_events(project, 50)
    make_model(project, spec=TREE)
    with django_capture_on_commit_callbacks(execute=True):
        call("start_run", project.slug, "Tree", "--publish-every", 20)
    learn(Run.objects.get())
    assert [args for name, args, _ in rung if name.endswith("advance_run")] == [(Run.objects.get().pk,)]
    call("deploy", project.slug, 2)
    with django_capture_on_commit_callbacks(execute=True):
        call("rollback", project.slug, "--to", "v1", "--since", "replay", "--reason", "again")
    replay = Run.objects.get(number=2)
    assert (replay.from_version.number, replay.start_position) == (1, 20)
    assert (replay.pk,) in [args for name, args, _ in rung if name.endswith("advance_run")]
    assert call("start_run", project.slug, "Tree", "--mode", "follow", "--from-version", 2) == "3"


def test_csv_from_a_pipe(project, monkeypatch):
    rows = ["id,x,colour,label"] + [f"r{n},{n / 7:.3f},{'red' if n % 2 else 'blue'},{n % 2}" for n in range(30)]
    rows.insert(5, "r99,not,enough,1,values")
    data = "\n".join(rows).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert "1 lines were rejected" in fails("send_events", project.slug, "-")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    counts = json.loads(call("send_events", project.slug, "-", "--allow-rejected"))
    assert counts == {"accepted": 0, "duplicates": 30, "corrections": 0, "rejected": 1}
    event = Event.objects.get(key="r4")
    assert (json.loads(event.features), event.label) == ({"x": 0.571, "colour": "blue"}, "0")


def test_refusals_say_why_with_their_code(project, team, tmp_path):
    add_version(add_run(add_model(project)))
    assert "no model 'Nobody'. It has: logistic-1" in fails("start_run", project.slug, "Nobody")
    assert "nothing to learn yet" in fails("start_run", project.slug, "logistic-1")
    assert "seed" in fails("start_run", project.slug, "logistic-1", "--mode", "follow", "--seed", -1)
    assert "no version 7" in fails("deploy", project.slug, 7)
    assert "Nothing is deployed" in fails("rollback", project.slug, "--since", "drop", "--reason", "r")
    assert "no user" in fails("deploy", project.slug, 1, user="nobody", code=2)
    assert "not in its team" in fails("deploy", project.slug, 1, user=make_user().username, code=2)
    assert "no project" in fails("deploy", "no-such-project", 1, code=2)
    expert = make_user()
    make_member(team, expert, Role.EXPERT)
    assert "Only maintainers" in fails("deploy", project.slug, 1, user=expert.username)
    assert "No such file" in fails("send_events", project.slug, tmp_path / "nothing.csv", code=2)
    empty = tmp_path / "empty.csv"
    empty.write_text(" \n")
    assert "nothing to read" in fails("send_events", project.slug, empty)
    empty.write_text('{"features": {"x": [1]}}')
    assert "No line of this file is an event" in fails("send_events", project.slug, empty)
    assert not Deployment.objects.exists() and not Event.objects.exists()


def test_canaries_and_proposals(project, team, owner):
    run = add_run(add_model(project))
    for position in (100, 200, 300):
        add_version(run, position=position)
    assert call("deploy", project.slug, 1) == "1"
    assert call("deploy", project.slug, 2, "--canary", 5) == "2"
    assert Deployment.objects.first().canary_share == 5
    assert call("abort_canary", project.slug, "--reason", "slow") == "3"
    assert "No canary runs here" in fails("abort_canary", project.slug)
    project.deploys_need_approval = True
    project.save()
    assert call("deploy", project.slug, 3, "--reason", "better") == "proposal 1"
    assert "second person has to approve" in fails("settle_proposal", project.slug, 1, "approve")
    mia = make_user()
    make_member(team, mia, Role.MAINTAINER)
    assert call("settle_proposal", project.slug, 1, "approve", user=mia.username) == "4"
    assert Deployment.objects.first().version.number == 3
    at = (timezone.now() + timedelta(hours=1)).isoformat()
    assert call("deploy", project.slug, 2, "--at", at) == "proposal 2"
    assert "Say why" in fails("settle_proposal", project.slug, 2, "decline", user=mia.username)
    assert call("settle_proposal", project.slug, 2, "withdraw") == ""
    assert "no proposal 9" in fails("settle_proposal", project.slug, 9, "withdraw")
    with pytest.raises(CommandError, match="is no time"):
        call("deploy", project.slug, 2, "--at", "tonight")


def test_waiting_for_a_run_tells_how_it_ended(project, monkeypatch):
    monkeypatch.setattr("models_registry.management.commands.start_run.STEP", 0.01)
    make_events(project, 30)
    make_model(project, spec=TREE)
    assert "is queued at position 0" in fails("start_run", project.slug, "Tree", "--wait", 0.05)
    ends = iter(["completed", "failed"])

    def sleep(seconds: float) -> None:
        Run.objects.filter(pk=Run.objects.first().pk).update(state=next(ends), error="It diverged.")

    monkeypatch.setattr("models_registry.management.commands.start_run.time.sleep", sleep)
    assert call("start_run", project.slug, "Tree", "--wait", 5) == "2"
    assert "Run 3 is failed. It diverged." in fails("start_run", project.slug, "Tree", "--wait", 5)


def test_a_wrong_command_line_exits_with_2():
    done = subprocess.run(
        [sys.executable, "manage.py", "deploy", "some-project", "vX", "--as", "olga"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "'vX' is no version" in done.stderr


def test_a_stream_is_started_paced_and_ended(project, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        number = call("start_stream", project.slug, "sea", "--rate", 20, "--events", 500, "--drift", "abrupt")
    stream = DataImport.objects.get(pk=number)
    assert (stream.total_rows, stream.options["rate"], stream.options["drift_at"]) == (500, 20, 250)
    assert (stream.pk,) in [args for name, args, _ in rung if name.endswith("run_import")]
    advance_import(import_id=stream.pk, now=timezone.now())
    assert call("change_stream", project.slug, number, "--rate", 0) == "Running: 20 of 500"
    assert call("change_stream", project.slug, number, "--pause") == "Paused: 20 of 500"
    assert "cannot be paused" in fails("change_stream", project.slug, number, "--pause")
    assert call("change_stream", project.slug, number, "--resume") == "Queued: 20 of 500"
    assert call("change_stream", project.slug, number, "--cancel") == "Cancelled: 20 of 500"
    assert Event.objects.count() == 20
    bundled = call("start_stream", project.slug, "Phishing", "--events", 5)
    assert DataImport.objects.get(pk=bundled).kind == "bundled"
    assert "one of the streams" in fails("start_stream", project.slug, "nothing")
    assert "no import 9999" in fails("change_stream", project.slug, 9999, "--pause")
