"""Digests that name what a run did, whatever process did it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_RECORD = np.dtype([("position", "<i8"), ("label", "<i8"), ("value", "<f8")])
_BLOCK = 64 * _RECORD.itemsize


class RunningDigest:
    r"""A digest over one record per event that can be pickled midway, which a hash object cannot.

    Records are chained in blocks of a fixed number of events counted from the run's start:
    $h_k = H(h_{k-1}, \text{block}_k)$. So it does not matter how the stream was cut.
    """

    def __init__(self) -> None:
        self._chain = b""
        self._pending = b""

    def add(self, positions: npt.ArrayLike, labels: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Take what was predicted at some events: a class number and a probability or value each."""
        records = np.empty(len(positions), dtype=_RECORD)  # type: ignore[arg-type]
        records["position"], records["label"], records["value"] = positions, labels, values
        pending = self._pending + records.tobytes()
        done = 0
        while len(pending) - done >= _BLOCK:
            self._chain = _hash(self._chain + pending[done : done + _BLOCK])
            done += _BLOCK
        self._pending = pending[done:]

    def finish(self, *more: object) -> str:
        """Return the digest so far, with some more facts hashed in; adding may go on afterwards."""
        return _hash(self._chain + self._pending + canonical(more)).hex()


def digest_of(value: object) -> str:
    """Return the digest of plain data."""
    return _hash(canonical(value)).hex()


def canonical(value: object) -> bytes:
    """Return one byte form of plain data; floats keep every bit."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    return list(value)


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()
