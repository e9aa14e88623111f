"""The client as its own package: built from this repository without the network, in an environment of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import ops_portal_client
import pytest
from packaging.requirements import Requirement

from projects.models import Event
from tests.factories import make_token
from tests.portal import ROOT

SCRIPT = """
import sys
from importlib.util import find_spec
from ops_portal_client import Client

assert sys.prefix in sys.modules["ops_portal_client"].__file__, "the installed one"
there = [name for name in ("django", "river", "numpy", "projects", "ops_portal") if find_spec(name)]
assert not there, there
with Client(*sys.argv[1:]) as portal:
    print(portal.send({"id": str(number), "features": {"x": number}, "label": True} for number in range(3)).accepted)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    alone = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check"]
    run(sys.executable, "-m", "pip", "wheel", *alone, "--wheel-dir", target, ROOT / "client")
    return next(target.glob("*.whl"))


def run(*command: object) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed_by(name: str) -> set[str]:
    """A distribution and all that it requires, as installed here."""
    required = map(Requirement, distribution(name).requires or [])
    here = [one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {name}.union(*map(needed_by, here))


def test_it_is_installed_alone_and_talks_to_a_portal(wheel, live_server, project, owner, tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for name in needed_by("httpx"):
        found = distribution(name)
        for file in found.files or []:
            if ".." not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found.locate_file(file), site / file)
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel)
    token = make_token(project, actor=owner)
    assert run(python, "-I", "-c", SCRIPT, live_server.url, project.slug, token) == "3\n"
    assert Event.objects.filter(project=project).count() == 3


def test_what_its_page_shows_is_there():
    shown = set(re.findall(r"portal\.(\w+)\(", (ROOT / "client" / "README.md").read_text()))
    assert {"predict", "label", "send", "runs", "deploy", "rollback", "challengers", "approve"} <= shown
    assert all(callable(getattr(ops_portal_client.Client, name)) for name in shown)
