"""A load generator for the portal's own benchmarks and tests: some kept-alive clients, each waiting for its answer.

Run as `python -m bench.load < job.json` in a process of its own; the job says where to and for how long, and one line
of JSON comes back. Raw sockets and one thread: it must not cost more than what it measures.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MARK = "@"


@dataclass
class Job:
    """What to send.

    Parameters
    ----------
    port, path, token
        Where to, and as whom.
    bodies
        JSON bodies, sent in turn; `@` in one is replaced by a number that no other request has.
    clients, seconds, warm
        Connections, how long to measure, and how long to send before that.
    keep
        Whether to return every answer with the times of its request.
    content_type
        That of the bodies.
    prefix
        Begins the numbers, so that two loads do not use the same.
    """

    port: int
    path: str
    token: str
    bodies: list[str]
    clients: int = 8
    seconds: float = 5.0
    warm: float = 1.0
    keep: bool = False
    content_type: str = "application/json"
    prefix: str = "l"


@dataclass
class Load:
    """What came back: counts, latencies in milliseconds; with `keep` also (sent, answered, status, body)."""

    requests: int
    errors: int
    statuses: dict[str, int]
    rate: float
    p50: float
    p99: float
    longest: float
    accepted: int
    first_error: str = ""
    answers: list[tuple[float, float, int, str]] = field(default_factory=list)


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0.0
        self.got = b""

    def send(self, head: bytes, body: bytes) -> None:
        self.got = b""
        self.sent = time.perf_counter()
        self.socket.sendall(head % len(body) + body)

    def receive(self) -> tuple[int, bytes] | None:
        """Return status and body once the answer is complete."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed by the server")
        self.got += piece
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        return (int(head[9:12]), body) if len(body) >= length else None


def run(job: Job) -> Load:
    """Send for the time given and count."""
    head = (
        f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\nAuthorization: Bearer {job.token}\r\n"
        f"Content-Type: {job.content_type}\r\nContent-Length: %d\r\n\r\n"
    ).encode()
    bodies = [body.split(MARK) for body in job.bodies]
    number = 0

    def next_body() -> bytes:
        nonlocal number
        number += 1
        pieces = bodies[number % len(bodies)]
        if len(pieces) == 1:
            return pieces[0].encode()
        text = pieces[0]
        for place, piece in enumerate(pieces[1:]):
            text += f"{job.prefix}{number}-{place}{piece}"
        return text.encode()

    selector = selectors.DefaultSelector()
    for _ in range(job.clients):
        client = Client(job.port)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(head, next_body())
    begin = time.perf_counter() + job.warm
    end = begin + job.seconds
    taken: list[float] = []
    statuses: dict[str, int] = {}
    answers: list[tuple[float, float, int, str]] = []
    errors = accepted = 0
    first_error = ""
    open_ = job.clients
    while open_:
        for key, _ in selector.select(timeout=30) or _silent():
            client = key.data
            try:
                answer = client.receive()
            except OSError as error:
                answer = (0, str(error).encode())
            if answer is None:
                continue
            now = time.perf_counter()
            status, body = answer
            if status == 200 and b'"accepted":' in body:
                accepted += json.loads(body)["accepted"]
            if now >= begin:
                taken.append(now - client.sent)
                statuses[str(status)] = statuses.get(str(status), 0) + 1
            if status != 200:
                errors += 1
                first_error = first_error or f"{status} {body[:300].decode(errors='replace')}"
            if job.keep:
                # Wall-clock times, to be compared with those of other processes.
                shift = time.time() - now
                answers.append((client.sent + shift, now + shift, status, body.decode()))
            if now >= end or status == 0:
                selector.unregister(client.socket)
                client.socket.close()
                open_ -= 1
            else:
                client.send(head, next_body())
    taken.sort()
    count = len(taken)
    return Load(
        requests=count,
        errors=errors,
        statuses=statuses,
        rate=count / job.seconds,
        p50=taken[count // 2] * 1000 if taken else 0.0,
        p99=taken[int(count * 0.99)] * 1000 if taken else 0.0,
        longest=taken[-1] * 1000 if taken else 0.0,
        accepted=accepted,
        first_error=first_error,
        answers=answers,
    )


def _silent() -> Any:
    raise TimeoutError("no answer for 30 seconds")


def start(job: Job) -> subprocess.Popen[str]:
    """Start a load in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(job)))
    process.stdin.close()
    process.stdin = None  # so that communicate() does not flush it again
    return process


def finish(process: subprocess.Popen[str]) -> Load:
    """Wait for a load that was started and return what came back."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the load generator ended with {process.returncode}")
    return Load(**json.loads(output))


if __name__ == "__main__":
    print(json.dumps(asdict(run(Job(**json.load(sys.stdin))))))
