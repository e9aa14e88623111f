"""Working out the result of a closed round, in a worker: a few seconds of arithmetic, kept with the round."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from assessments.models import Round
from assessments.scoring.recommend import recommend_from_panel
from assessments.selectors.panel_inputs import read_inputs


def work_out(round_id: int) -> bool:
    """Work out and keep the result of a closed round; say whether there was something to do.

    The inputs are sealed, so whoever comes first writes what anybody else would have written.
    """
    found = Round.objects.filter(pk=round_id, state=Round.State.CLOSED, result__isnull=True).first()
    if found is None:
        return False
    inputs = read_inputs(found)
    result = recommend_from_panel(inputs.panel, inputs.scope, inputs.planned, inputs.settings)
    with transaction.atomic():
        kept = Round.objects.filter(pk=round_id, result__isnull=True).update(
            result=result.to_json(), result_at=timezone.now()
        )
    return bool(kept)
