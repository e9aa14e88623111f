"""Static files that live inside installed packages: an allow-list, so that nothing else of them is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage

#: Name under STATIC_URL -> package, and the file inside it.
PACKAGE_ASSETS = {
    "vendor/htmx.min.js": ("django_htmx", "static/django_htmx/htmx-2.min.js"),
    "vendor/plotly.min.js": ("plotly", "package_data/plotly.min.js"),
}


def locate_asset(name: str) -> Path | None:
    """The file behind `name`, found without importing its package (importing plotly takes seconds)."""
    package, inside = PACKAGE_ASSETS.get(name, ("", ""))
    spec = find_spec(package) if package else None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / inside).is_file():
            return path
    return None


class PackageStorage(FileSystemStorage):
    """Read-only view of the allow-list: a name leads to the file in its package."""

    def path(self, name: str) -> str:
        found = locate_asset(name)
        if found is None:
            raise FileNotFoundError(name)
        return str(found)


class PackageAssetsFinder(BaseFinder):
    """Lets collectstatic and WhiteNoise find the files of `PACKAGE_ASSETS`."""

    storage = PackageStorage()

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return [
            Error(
                f"The package file behind {name} is missing.", hint="Install the pinned requirements.", id="assets.E001"
            )
            for name in PACKAGE_ASSETS
            if locate_asset(name) is None
        ]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = locate_asset(path)
        if find_all or kwargs.get("all"):
            return [str(found)] if found else []
        return str(found) if found else None

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in PACKAGE_ASSETS:
            if not matches_patterns(name, list(ignore_patterns or ())):
                yield name, self.storage
