"""Setting rows aside: what was not taken is kept with its reason, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from projects.models import DataImport, RejectedRow
from projects.services.events import Rejection
from projects.texts import storable

#: Rejected rows kept for reading; the ones beyond are counted.
KEPT = 10_000
REASON_KEPT = 300
RAW_KEPT = 500


def set_aside(*, data_import: DataImport, rejected: Sequence[Rejection], raw: Mapping[int, str]) -> None:
    """Keep rejected rows with their reasons; `raw` has the row of a line as it was."""
    room = max(0, KEPT - data_import.rejected)
    RejectedRow.objects.bulk_create(
        RejectedRow(
            data_import=data_import,
            line=one.line,
            reason=storable(one.error[:REASON_KEPT]),
            raw=storable(raw.get(one.line, "")[:RAW_KEPT]),
        )
        for one in rejected[:room]
    )
