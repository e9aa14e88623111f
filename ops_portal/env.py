"""What the environment decides: where data lives, which secrets and servers are used.

Everything has an embedded default, so that a fresh machine needs no configuration; production sets
the same names as environment variables.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from environs import Env

ROOT = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(str(ROOT / ".env"), recurse=False)

#: Everything the portal writes on disk by default: database, artifacts, secrets, the bundled broker.
DATA_DIR = Path(env.str("OPS_PORTAL_DATA", default="") or ROOT / "var").resolve()

# A Unix socket's path may hold 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 100


def secret(name: str, filename: str) -> str:
    """The secret called `name`, from the environment or from a file made once, readable by its owner only."""
    given = env.str(name, default="")
    if given:
        return given
    path = DATA_DIR / "secrets" / filename
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written aside and linked into place: of two processes that start at once, both read the first one's secret.
        aside = path.with_name(f"{filename}.{os.getpid()}.{secrets.token_hex(4)}")
        aside.touch(mode=0o600)
        aside.write_text(secrets.token_urlsafe(48))
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
        return path.read_text().strip()


def broker_socket() -> Path:
    """Where the bundled broker listens when no `REDIS_URL` is given."""
    return DATA_DIR / "broker" / "broker.sock"


def broker_url() -> str:
    """`REDIS_URL`, else the bundled broker: by socket, or by a loopback port where the path is too long for one."""
    given = env.str("REDIS_URL", default="")
    if given:
        return given
    path = broker_socket()
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return f"redis+socket://{path}"
    return f"redis://127.0.0.1:{env.int('OPS_PORTAL_BROKER_PORT', default=16379)}/0"


def redis_url() -> str:
    """The broker's address as redis-py writes it; Celery has a form of its own for sockets."""
    return broker_url().replace("redis+socket://", "unix://", 1).replace("?virtual_host=", "?db=", 1)
