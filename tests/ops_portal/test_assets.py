"""Static files out of packages, and templates that keep to the content security policy."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from ops_portal.assets import PACKAGE_ASSETS, PackageAssetsFinder

TEMPLATES = Path(settings.BASE_DIR) / "templates"
STYLES = Path(settings.BASE_DIR) / "ops_portal" / "static"


@pytest.mark.parametrize("name", sorted(PACKAGE_ASSETS))
def test_every_listed_file_is_found(name: str) -> None:
    found = finders.find(name)
    assert isinstance(found, str)
    assert Path(found).stat().st_size > 10_000


def test_only_listed_files_are_published() -> None:
    finder = PackageAssetsFinder()
    assert {name for name, _ in finder.list([])} == set(PACKAGE_ASSETS)
    assert finder.find("vendor/other.js") is None
    assert finder.find("../plotly/__init__.py") is None
    assert finder.find("vendor/other.js", find_all=True) == []
    assert finder.check() == []


def test_ignored_patterns_are_left_out() -> None:
    assert [name for name, _ in PackageAssetsFinder().list(["vendor/plotly*"])] == ["vendor/htmx.min.js"]


def test_the_storage_opens_what_the_finder_lists() -> None:
    for name, storage in PackageAssetsFinder().list(None):
        with storage.open(name) as opened:
            assert opened.read(10)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_needs_what_the_policy_refuses(path: Path) -> None:
    source = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.S)
    source = re.sub(r"{% include .*?%}", "", source)  # its arguments are no attributes
    assert not re.search(r"\sstyle=", source), "inline style"
    assert not re.search(r"\son[a-z]+=", source), "inline event handler"
    assert not re.search(r"hx-on|js:", source), "htmx that needs eval"
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", source, flags=re.S):
        assert "src=" in attributes, "inline script"
        assert not body.strip()
    assert not re.search(r"(src|href)=[\"']https?://[^\"']*\.(js|css)", source), "file from another host"


def test_the_500_page_needs_nothing_but_itself() -> None:
    source = (TEMPLATES / "500.html").read_text()
    assert "{%" not in source
    assert "{{" not in source
    assert not re.search(r"<(link|script)", source)


def test_the_policy_allows_the_style_of_the_500_page() -> None:
    found = re.search(r"<style>(.*?)</style>", (TEMPLATES / "500.html").read_text(), flags=re.S)
    assert found
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["style-src"]


def test_style_sheets_take_their_colours_from_the_tokens() -> None:
    for path in STYLES.rglob("*.css"):
        if path.name == "tokens.css":
            continue
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b", path.read_text()), path.name
