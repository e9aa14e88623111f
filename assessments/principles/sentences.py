"""Which sentence of one edition is which of another. Sentences have no ids, so their words say it.

The same words, whatever their case, spacing and punctuation, are the same sentence; of what is left, two that are much
alike are one that was reworded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

Sentence = Mapping[str, Any]

#: Share of words two sentences have in common, in order, from which one counts as the other reworded.
ALIKE = 0.6


def words_of(text: str) -> str:
    """The words of a sentence without case, spacing and punctuation.

    Examples
    --------
    >>> words_of("  Quick  rollback, and audits. ")
    'quick rollback and audits'

    """
    return " ".join(re.findall(r"\w+", text.casefold()))


def identify(sentence: Sentence) -> str:
    """A short name of a sentence that stays the same as long as its words do."""
    return hashlib.sha256(words_of(sentence["text"]).encode()).hexdigest()[:10]


def counterparts(before: Sequence[Sentence], after: Sequence[Sentence]) -> dict[int, int]:
    """Which sentence of `before` is which of `after`, by their places; what has no counterpart is left out.

    Examples
    --------
    >>> before = [{"text": "Artifacts are large."}, {"text": "It costs memory, disk and nerves."}]
    >>> after = [{"text": "It costs memory, disk and time."}, {"text": "artifacts are large"}, {"text": "New."}]
    >>> counterparts(before, after)
    {0: 1, 1: 0}

    """
    found: dict[int, int] = {}
    for i, one in enumerate(before):
        same = [j for j, other in enumerate(after) if words_of(one["text"]) == words_of(other["text"])]
        if same and same[0] not in found.values():
            found[i] = same[0]
    left = [
        (_likeness(before[i], after[j]), i, j)
        for i in range(len(before))
        for j in range(len(after))
        if i not in found and j not in found.values()
    ]
    # The most alike first; of two that are equally alike, the one that stands first.
    for likeness, i, j in sorted(left, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if likeness >= ALIKE and i not in found and j not in found.values():
            found[i] = j
    return found


def _likeness(one: Sentence, other: Sentence) -> float:
    return SequenceMatcher(None, words_of(one["text"]).split(), words_of(other["text"]).split(), autojunk=False).ratio()
