"""Artifacts: what is read back is exactly what was written here, and nothing else."""

import gc
import os
import pickle
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import datasets

from models_registry.learning import codec
from models_registry.learning.digests import digest_of
from models_registry.learning.errors import ArtifactRejected
from models_registry.learning.progressive import Learner
from models_registry.learning.templates import find_template

KEY = b"a key that only tests sign with"
BODY = 8 + 32


class Trap:
    """A pickle that would run something when it is read."""

    ran = False

    def __init__(self, call: object, *args: object) -> None:
        self.call, self.args = call, args

    def __reduce__(self) -> object:
        return self.call, self.args


def spring() -> None:
    Trap.ran = True


def sign(body: bytes, key: bytes = KEY, header: bytes = struct.pack(">3sBB3x", b"OPL", 1, 0)) -> bytes:
    return header + codec._sign(header, body, key) + body


def test_round_trip_of_a_learner() -> None:
    learner = Learner.create(find_template("logistic-regression").spec, "binary", seed=1)
    learner.learn((i, x, y) for i, (x, y) in enumerate(datasets.Phishing().take(200), start=1))
    data = codec.dump(learner, KEY)
    assert data[:5] == b"OPL\x01\x01", "a linear model compresses well"
    again = codec.load(data, KEY)
    assert again.digest() == learner.digest()
    assert again.model_digest() == learner.model_digest()


@pytest.mark.parametrize("used", [0, 1, 700])
def test_random_generators_are_packed_and_go_on_where_they_stood(used: int) -> None:
    generator = random.Random(3)
    for _ in range(used):
        generator.gauss()
    data = codec.dump(generator, KEY)
    assert len(data) < 2_700, "625 words of four bytes"
    again = codec.load(data, KEY)
    assert [again.gauss() for _ in range(9)] == [generator.gauss() for _ in range(9)]


def test_the_garbage_collector_is_left_as_it_was() -> None:
    data = codec.dump([1], KEY)
    assert gc.isenabled()
    gc.disable()
    try:
        codec.load(data, KEY)
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(ArtifactRejected):
        codec.load(sign(b"no pickle"), KEY)
    assert gc.isenabled()


def test_what_does_not_shrink_is_not_compressed() -> None:
    noise = os.urandom(100_000)
    assert codec.dump(noise, KEY)[4] == 0
    assert codec.load(codec.dump(noise, KEY), KEY) == noise
    text = b"abc" * 100_000
    assert codec.dump(text, KEY)[4] == 1
    assert len(codec.dump(text, KEY)) < 1_000
    assert codec.load(codec.dump(text, KEY), KEY) == text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_from_outside_are_read(data: bytes) -> None:
    with pytest.raises(ArtifactRejected):
        codec.load(data, KEY)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(codec.dump({"a": list(range(50)), "b": "text"}, KEY))
    data[place % len(data)] ^= change
    with pytest.raises(ArtifactRejected):
        codec.load(bytes(data), KEY)


def test_another_key_is_refused_before_anything_is_unpickled() -> None:
    body = pickle.dumps(Trap(spring), protocol=5)
    with pytest.raises(ArtifactRejected, match="signature is wrong: it was changed, or signed with another key"):
        codec.load(sign(body, b"another key, just as long"), KEY)
    assert not Trap.ran


@pytest.mark.parametrize(
    ("trap", "name"),
    [
        (Trap(spring), "test_learning_codec.spring"),
        (Trap(os.system, "true"), "posix.system"),
        (Trap(eval, "1"), "builtins.eval"),
        (Trap(getattr, dict, "__subclasses__"), "type.__subclasses__"),
        (Trap(getattr, str, "format"), "type.format"),
        (Trap(__import__, "os"), "builtins.__import__"),
        (pickle.loads, "_pickle.loads"),
        (datasets.Phishing, "river.datasets"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_even_signed_bytes_may_not_name_anything_else(trap: object, name: str) -> None:
    with pytest.raises(ArtifactRejected) as caught:
        codec.load(sign(pickle.dumps(trap, protocol=5)), KEY)
    assert name in str(caught.value)
    assert not Trap.ran


def test_modules_reached_through_river_are_not_river() -> None:
    """`river.base.base` imports sys and copy; naming them through it must not get them."""
    for module, name in (
        ("river.base.base", "sys"),
        ("river.base.base", "copy"),
        ("models_registry.learning.codec", "io"),
    ):
        body = pickle.PROTO + b"\x04" + b"\x8c" + bytes([len(module)]) + module.encode()
        body += b"\x8c" + bytes([len(name)]) + name.encode() + b"\x93."
        with pytest.raises(ArtifactRejected, match=f"it holds {module}.{name}, which no stored state does"):
            codec.load(sign(body), KEY)


def test_the_format_is_numbered_anew_when_what_is_stored_changes() -> None:
    """A state written before a change would be read back without its new parts: raise `codec.VERSION` then."""
    learner = Learner.create(find_template("logistic-regression").spec, "binary", seed=1)
    found: dict[str, list[str]] = {}
    waiting: list[object] = [learner]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif type(item).__module__.startswith("models_registry.learning") and hasattr(item, "__dict__"):
            found[type(item).__name__] = sorted(vars(item))
            waiting.extend(vars(item).values())
    assert (codec.VERSION, digest_of(found)[:12]) == (1, "a9989b7232e9")


def test_other_formats_and_broken_bodies_are_told_apart() -> None:
    with pytest.raises(ArtifactRejected, match="too short"):
        codec.load(b"OPL", KEY)
    with pytest.raises(ArtifactRejected, match="it is not a stored state"):
        codec.load(b"x" * 100, KEY)
    with pytest.raises(ArtifactRejected, match=r"it has format 9\.0; this version reads 1\.0 and 1\.1"):
        codec.load(sign(b"", header=struct.pack(">3sBB3x", b"OPL", 9, 0)), KEY)
    with pytest.raises(ArtifactRejected, match="it cannot be read back"):
        codec.load(sign(b"not a pickle"), KEY)
    with pytest.raises(ArtifactRejected, match="it cannot be read back"):
        codec.load(sign(b"not zstd", header=struct.pack(">3sBB3x", b"OPL", 1, 1)), KEY)
    with pytest.raises(ValueError, match="at least 16 bytes"):
        codec.dump(1, b"short")


def test_a_small_file_may_not_unpack_to_a_huge_one(monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.dump(b"a" * 1_000_000, KEY)
    assert len(data) < 1_000
    monkeypatch.setattr(codec, "MAX_BYTES", 100_000)
    with pytest.raises(ArtifactRejected, match="it would be larger than"):
        codec.load(data, KEY)
