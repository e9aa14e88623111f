"""Artifacts: signed, compressed states of a learner, kept as files named by the sha256 of their bytes.

A file is written before the row that names it commits, so a row never points at nothing; files that no row names
are orphans of a crash or of an overtaken worker and are swept once they are old enough.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from ops_portal.errors import UserError

#: No chunk of learning lasts this long, so an older file without a row will never get one.
ORPHAN_AGE = timedelta(hours=6)


def storage() -> Storage:
    """Where artifacts are kept: local disk by default, any Django storage by setting."""
    return storages["artifacts"]


def path_of(sha: str) -> str:
    """Where in the storage the artifact called `sha` lies."""
    return f"{sha[:2]}/{sha}"


def save(data: bytes) -> str:
    """Keep `data` and return its sha256; saving the same bytes twice keeps one file."""
    sha = hashlib.sha256(data).hexdigest()
    if not storage().exists(path_of(sha)):
        storage().save(path_of(sha), ContentFile(data))
    return sha


def read(sha: str) -> bytes:
    """Return the bytes called `sha`.

    Raises
    ------
    UserError
        The file is gone, or its bytes are no longer those it was named after.

    """
    try:
        with storage().open(path_of(sha)) as file:
            data: bytes = file.read()
    except FileNotFoundError as gone:
        raise UserError(f"The artifact {sha[:12]} is no longer in the storage.", code="artifact_gone") from gone
    if hashlib.sha256(data).hexdigest() != sha:
        raise UserError(f"The artifact {sha[:12]} was changed in the storage; it is not used.", code="artifact_changed")
    return data


def discard(sha: str) -> None:
    """Remove the file called `sha`, if it is there."""
    storage().delete(path_of(sha))


def older_than(limit: datetime) -> Iterator[str]:
    """Yield the sha256 of every file last written before `limit`."""
    folders, _ = _listing("")
    for folder in folders:
        for name in _listing(folder)[1]:
            if storage().get_modified_time(f"{folder}/{name}") < limit:
                yield name


def _listing(folder: str) -> tuple[list[str], list[str]]:
    try:
        return storage().listdir(folder)
    except FileNotFoundError:
        return [], []
