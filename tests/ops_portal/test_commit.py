"""The commit that learned something is told where there is one, and its absence harms nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_portal.commit import code_commit


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    code_commit.cache_clear()
    yield
    code_commit.cache_clear()


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True).stdout


def test_a_checkout_names_its_commit_and_says_when_files_differ(settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("a = 1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "-m", "First")
    git(tmp_path, "tag", "-a", "v1", "-m", "a tag does not stand in for it")
    head = git(tmp_path, "rev-parse", "HEAD")[:12]
    assert code_commit() == head
    (tmp_path / "code.py").write_text("a = 2\n")
    assert code_commit() == head, "asked once per process"
    code_commit.cache_clear()
    assert code_commit() == f"{head}+changes"


def test_without_a_checkout_or_without_git_there_is_none(settings, tmp_path: Path, monkeypatch) -> None:
    settings.BASE_DIR = tmp_path
    assert code_commit() == ""
    (tmp_path / ".git").write_text("not what git expects")
    code_commit.cache_clear()
    assert code_commit() == ""
    monkeypatch.setenv("PATH", "")
    code_commit.cache_clear()
    assert code_commit() == ""
