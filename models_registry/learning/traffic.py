"""Which side of a canary an event falls on: by its id alone, so that asking again asks the same model."""

from __future__ import annotations

from hashlib import blake2b

_PARTS = 10_000


def falls_into(key: str, salt: int, share: int) -> bool:
    r"""Say whether an event belongs to the share of the traffic that a canary answers.

    The id is hashed to a place $h \in [0, 10^4)$; the event belongs to the share $s$ (in per cent) if $h < 100 s$. A
    wider share therefore holds every event of a narrower one.

    Parameters
    ----------
    key
        The id of the event.
    salt
        Number of the canary, so that it is not always the same ids that try what is new.
    share
        Per cent of the traffic.

    Examples
    --------
    >>> sum(falls_into(f"event-{i}", 7, 10) for i in range(10_000))
    1037
    >>> all(falls_into(f"event-{i}", 7, 20) for i in range(1_000) if falls_into(f"event-{i}", 7, 10))
    True
    """
    digest = blake2b(f"{salt}:{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % _PARTS < share * (_PARTS // 100)
