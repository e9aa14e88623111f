"""What is answered without a model, by the project's rule: its newest label, or its most frequent one or their mean.

Read from the newest labels at the moment it is needed; nothing is kept that could be stale.
"""

from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import Any

import msgspec

from ops_portal.raw_sql import fetch_all
from projects.models import Fallback, Task

#: Labels that "most frequent" and "mean" look at.
RECENT = 1_000

_LABELS = (
    "SELECT label FROM projects_event WHERE project_id = %s AND position IS NOT NULL AND label IS NOT NULL"
    " ORDER BY position DESC LIMIT %s"
)
_decode = msgspec.json.Decoder().decode


class NoLabelError(LookupError):
    """There is no label yet to fall back on."""


def stand_in(*, project_id: int, task: str, rule: str) -> Any:
    """Return what `rule` answers: one query.

    Raises
    ------
    NoLabelError
        The project has no label yet.

    """
    labels = [label for (label,) in fetch_all(_LABELS, [project_id, 1 if rule == Fallback.LAST else RECENT])]
    if not labels:
        raise NoLabelError
    if rule == Fallback.LAST:
        return _decode(labels[0])
    if task == Task.REGRESSION:
        return fmean(map(_decode, labels))
    # Of labels that are equally frequent, the newest.
    return _decode(Counter(labels).most_common(1)[0][0])
