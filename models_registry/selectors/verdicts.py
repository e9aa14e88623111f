"""Whether runs really differ on the events that both predicted, from the outcomes they keep."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.core.cache import cache

from models_registry.learning.compare import BLOCK_METRICS, Verdict, compare_pairs
from models_registry.learning.outcomes import Pair
from models_registry.models import OutcomeSegment, Run

#: While runs are at work, a verdict is worked out at most so often.
SECONDS = 10.0
KEPT_SECONDS = 3_600


def tested_metric(task: str, metric: str) -> str:
    """Return the metric a test can be made for: this one where single outcomes are enough for it, else the simplest."""
    offered = BLOCK_METRICS[task]
    return metric if metric in offered else offered[0]


def judge(champion: Run, challengers: Sequence[Run], names: Mapping[int, str], task: str, metric: str) -> list[Verdict]:
    """Compare a champion with its challengers, in their order. One query, none while nothing has changed.

    Working it out takes some tenths of a second for a dozen challengers, so what was found is remembered; of runs that
    are at work it is found anew every few seconds.
    """
    runs = [champion, *challengers]
    key = "-".join(["verdicts", metric, *(str(run.pk) for run in runs)])
    positions = [run.position for run in runs]
    kept = cache.get(key)
    if kept and (kept[0] == positions or (any(run.active for run in runs) and time.time() - kept[1] < SECONDS)):
        verdicts: list[Verdict] = kept[2]
        return verdicts
    segments: dict[int, dict[int, bytes]] = defaultdict(dict)
    rows = OutcomeSegment.objects.filter(run__in=runs).values_list("run_id", "number", "data")
    for run_id, number, data in rows:
        segments[run_id][number] = bytes(data)
    pairs = {
        names[run.pk]: Pair(task, (names[champion.pk], names[run.pk]), segments[champion.pk], segments[run.pk])
        for run in challengers
    }
    verdicts = compare_pairs(names[champion.pk], pairs, task, metric)
    cache.set(key, (positions, time.time(), verdicts), KEPT_SECONDS)
    return verdicts
