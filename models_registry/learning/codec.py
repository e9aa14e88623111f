"""Learner states as signed bytes: written by this portal, read back only if they are exactly what it wrote.

The layout is a fixed header, a signature, and the body:

    magic "OPL" | format version (1 byte) | packing (1 byte) | 3 zero bytes | HMAC-SHA256 of header and body | body

The signature is checked before a byte of the body is unpacked. Unpickling then goes through an allow-list of the names
that learner states really hold, so that even a leaked key does not make a loaded state run whatever it likes.
"""

from __future__ import annotations

import copyreg
import gc
import hashlib
import hmac
import io
import pickle
import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zstandard

from .errors import ArtifactRejected

MAGIC = b"OPL"
VERSION = 1
MAX_BYTES = 2**30
_HEADER = struct.Struct(">3sBB3x")
_SIGNATURE = 32
_RAW, _ZSTD = 0, 1
_TRIAL = 256 * 1024
_WORTH = 0.8
_WORDS = struct.Struct("<625I")

_RIVER = frozenset(
    {
        "_river_rust",
        "bandit",
        "base",
        "compose",
        "covariance",
        "drift",
        "dummy",
        "ensemble",
        "facto",
        "feature_extraction",
        "feature_selection",
        "forest",
        "imblearn",
        "linear_model",
        "metrics",
        "model_selection",
        "multiclass",
        "naive_bayes",
        "neighbors",
        "optim",
        "preprocessing",
        "proba",
        "rules",
        "sketch",
        "stats",
        "tree",
        "utils",
    }
)
"""Any class defined in these parts of River may stand in a state: a tree grows kinds of nodes no sample would show."""
_OWN = "models_registry.learning."

# Functions of River that its models hold, and what everything is made of. A test dumps every entry of the catalogue.
_NAMES = frozenset(
    tuple(line.split())
    for line in """
    _codecs encode
    builtins bool
    builtins bytearray
    builtins complex
    builtins dict
    builtins float
    builtins frozenset
    builtins int
    builtins iter
    builtins list
    builtins object
    builtins range
    builtins set
    builtins slice
    builtins str
    builtins tuple
    collections Counter
    collections OrderedDict
    collections defaultdict
    collections deque
    copy deepcopy
    copyreg _reconstructor
    datetime date
    datetime datetime
    datetime timedelta
    functools partial
    numpy array
    numpy dtype
    numpy ndarray
    numpy ones
    numpy._core.multiarray _reconstruct
    numpy._core.multiarray scalar
    numpy._core.numeric _frombuffer
    numpy.random._generator Generator
    numpy.random._mt19937 MT19937
    numpy.random._pcg64 PCG64
    numpy.random._pickle __bit_generator_ctor
    numpy.random._pickle __generator_ctor
    numpy.random._pickle __randomstate_ctor
    numpy.random.bit_generator SeedSequence
    numpy.random.bit_generator __pyx_unpickle_SeedSequence
    numpy.random.mtrand RandomState
    operator itemgetter
    random Random
    statistics NormalDist
    river._river_rust.vectordict euclidean_distance_dict
    river._river_rust.vectordict euclidean_distance_tuple
    river.feature_extraction.vectorize strip_accents_unicode
    river.feature_extraction.vectorize tokenize_using_regex_pattern
    river.forest.online_extra_trees ExtraTrees._detection_mode_all
    river.forest.online_extra_trees ExtraTrees._detection_mode_drop
    river.forest.online_extra_trees ExtraTrees._detection_mode_off
    river.naive_bayes.gaussian GaussianNB._make_gaussian
    river.tree.splitter.ebst_splitter EBSTNode._update_estimator_multivariate
    river.tree.splitter.ebst_splitter EBSTNode._update_estimator_univariate
    river.tree.splitter.nominal_splitter_reg NominalSplitterReg._update_estimator_multivariate
    river.tree.splitter.nominal_splitter_reg NominalSplitterReg._update_estimator_univariate
    """.strip().splitlines()
)


def dump(obj: object, key: bytes) -> bytes:
    """Return `obj` as signed bytes.

    Parameters
    ----------
    obj
        A learner, or anything made of what learners hold.
    key
        The signing key; at least 16 bytes.
    """
    with no_collection():
        packing, body = _pack(_pickle(obj))
    header = _HEADER.pack(MAGIC, VERSION, packing)
    return header + _sign(header, body, key) + body


def load(data: bytes, key: bytes) -> Any:
    """Return the object in `data`.

    Raises
    ------
    ArtifactRejected
        If the bytes are not a state, are of a format this version cannot read, were not signed with `key`, or hold a
        name that no state holds.
    """
    start = _HEADER.size + _SIGNATURE
    if len(data) < start:
        raise ArtifactRejected("it is too short to be a stored state")
    magic, version, packing = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ArtifactRejected("it is not a stored state")
    header, signature, body = data[: _HEADER.size], data[_HEADER.size : start], data[start:]
    if not hmac.compare_digest(signature, _sign(header, body, key)):
        raise ArtifactRejected("its signature is wrong: it was changed, or signed with another key")
    if version != VERSION or packing not in (_RAW, _ZSTD):
        raise ArtifactRejected(f"it has format {version}.{packing}; this version reads {VERSION}.0 and {VERSION}.1")
    try:
        with no_collection():
            return _Unpickler(io.BytesIO(_unpack(body) if packing == _ZSTD else body)).load()
    except ArtifactRejected:
        raise
    except Exception as error:
        raise ArtifactRejected(f"it cannot be read back: {error}") from error


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector out: it would go through a growing forest again and again, and find nothing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _pickle(obj: object) -> bytes:
    """Pickle `obj`, random generators packed: each leaf of a forest has one, and they are most of what it holds."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol=5)
    pickler.dispatch_table = copyreg.dispatch_table | {random.Random: _reduce_random}
    pickler.dump(obj)
    return file.getvalue()


def _reduce_random(generator: random.Random) -> tuple[Any, ...]:
    version, words, gauss = generator.getstate()
    return restore_random, (version, _WORDS.pack(*words), gauss)


def restore_random(version: int, words: bytes, gauss: float | None) -> random.Random:
    """Return the random generator that was packed so."""
    generator = random.Random.__new__(random.Random, 0)  # type: ignore[call-arg]  # a seed to be overwritten
    generator.setstate((version, _WORDS.unpack(words), gauss))
    return generator


def _pack(body: bytes) -> tuple[int, bytes]:
    """Compress where it pays: a tree's pickle is packed numbers and shrinks by little, at a price per checkpoint."""
    sample = body[:_TRIAL]
    fast = zstandard.ZstdCompressor(level=1)
    if len(body) < 512 or len(fast.compress(sample)) > _WORTH * len(sample):
        return _RAW, body
    return _ZSTD, zstandard.ZstdCompressor(level=3 if len(body) < 4 * 2**20 else 1).compress(body)


def _unpack(body: bytes) -> bytes:
    if zstandard.frame_content_size(body) > MAX_BYTES:
        raise ArtifactRejected(f"it would be larger than {MAX_BYTES // 2**20} MB")
    return zstandard.ZstdDecompressor().decompress(body)


def _sign(header: bytes, body: bytes, key: bytes) -> bytes:
    if len(key) < 16:
        raise ValueError("the signing key has to be at least 16 bytes long")
    signature = hmac.new(key, header, hashlib.sha256)
    signature.update(body)
    return signature.digest()


def _get_method(owner: object, name: str) -> Any:
    """Stand in for `getattr`, by which pickle writes a bound method: those of River's own objects, nothing else."""
    if owner is str and name == "lower":
        return str.lower
    if type(owner).__module__.partition(".")[0] != "river" or name.startswith("__"):
        raise ArtifactRejected(f"it holds {type(owner).__name__}.{name}, which no stored state does")
    return getattr(owner, name)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("builtins", "getattr"):
            return _get_method
        if (module, name) == (__name__, restore_random.__name__):
            return restore_random
        if (module, name) in _NAMES:
            return super().find_class(module, name)
        top, _, rest = module.partition(".")
        if module.startswith(_OWN) or (top == "river" and rest.partition(".")[0] in _RIVER):
            found = super().find_class(module, name)
            if isinstance(found, type) and str(found.__module__).partition(".")[0] in ("river", "models_registry"):
                return found
        raise ArtifactRejected(f"it holds {module}.{name}, which no stored state does")
