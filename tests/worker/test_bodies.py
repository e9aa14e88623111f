"""Bodies as a web process gets them: without a length, cut off on their way, or of refused calls."""

from __future__ import annotations

import http.client
import json
import socket

import pytest

from models_registry.models import Deployment
from projects.models import Event
from tests.factories import make_token
from tests.models_registry.serving_records import serve

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(project, web):
    """Make a call on a connection of its own, with the body in pieces or whole; return status and answer."""

    def send(path, body, *, chunked=False, content_type="application/json"):
        link = http.client.HTTPConnection("127.0.0.1", web[0], timeout=60)
        pieces = iter([body[:5], body[5:]]) if chunked else body
        headers = {"Authorization": f"Bearer {make_token(project, 'manage', 'ingest')}", "Content-Type": content_type}
        link.request("POST", f"/api/v1/projects/{project.slug}/{path}", pieces, headers, encode_chunked=chunked)
        answer = link.getresponse()
        told = json.loads(answer.read())
        link.close()
        return answer.status, told

    return send


def test_a_body_in_pieces_is_read_like_a_whole_one(call, project):
    serve(project)
    wrong = json.dumps({"version": 1, "expected": 999, "reason": "r"}).encode()
    whole = call("deployments/", wrong)
    assert whole[0] == 409 and whole[1]["error"]["code"] == "conflict"
    assert call("deployments/", wrong, chunked=True) == whole
    assert call("events/", b'{"id": "a", "features": {"x": 1}}', chunked=True)[1]["accepted"] == 1
    status, told = call("deployments/", b" " * (3 * 2**20), chunked=True)
    assert (status, told["error"]["code"]) == (411, "length_required")
    assert Deployment.objects.count() == 1


def raw(port, project, path, body, length, token, content_type="application/json"):
    """Send less than was promised, then nothing more, and return the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        head += f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
        link.sendall(head.encode() + body)
        link.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: link.recv(65_536), b""))
    head, _, told = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(told)


def test_a_body_that_is_cut_off_is_never_taken_for_a_whole_one(web, project):
    token = make_token(project, "ingest", "predict", "manage")
    line = json.dumps({"features": {"x": 1.5}}).encode() + b"\n"
    ndjson = "application/x-ndjson"
    where = f"/api/v1/projects/{project.slug}"
    status, told = raw(web[0], project, f"{where}/events/", line * 10, len(line) * 20, token, ndjson)
    assert status == 400 and "ended before it was complete" in told["error"]["message"]
    assert (told["accepted"], Event.objects.count()) == (0, 0)
    status, told = raw(web[0], project, f"{where}/events/", line * 30_000, len(line) * 30_001, token, ndjson)
    assert status == 400 and 0 < told["accepted"] == Event.objects.count() < 30_000
    for path in ("events/", "predict/", "models/"):
        status, told = raw(web[0], project, f"{where}/{path}", b'{"features"', 100, token)
        assert status == 400 and "ended before it was complete" in told["error"]["message"], path
    status, told = raw(web[0], project, f"{where}/predict/", line, len(line) * 2, token, ndjson)
    assert status == 400


@pytest.mark.parametrize("size", [10, 200_000])
@pytest.mark.parametrize("call", ["predict/", "runs/"], ids=["lean", "by Django"])
def test_a_refused_call_keeps_the_connection(web, project, call, size):
    link = http.client.HTTPConnection("127.0.0.1", web[0], timeout=60)
    for _ in range(40):
        link.request("POST", f"/api/v1/projects/{project.slug}/{call}", b"a" * size, {"Authorization": "Bearer x"})
        answer = link.getresponse()
        assert answer.read() and answer.status in {401, 415}
        assert link.sock is not None, "the server closed it"
    link.close()
