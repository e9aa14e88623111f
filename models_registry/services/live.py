"""What is deployed in a project at this moment: asked of the database each time, so that a rollback is live at once."""

from __future__ import annotations

from dataclasses import dataclass

from models_registry.learning.traffic import falls_into
from models_registry.models import Deployment
from ops_portal.raw_sql import Row, fetch_all
from projects.api_auth import Beside
from projects.services.archived import refuse

_COLUMNS = (
    "p.archived_at IS NOT NULL, d.id, d.number, d.mode, v.id, v.number, v.artifact, r.checkpoint, d.canary_share,"
    " c.id, c.number, c.artifact"
)
_JOINS = (
    " LEFT JOIN models_registry_deployment d ON d.project_id = p.id AND d.number ="
    " (SELECT max(newest.number) FROM models_registry_deployment newest WHERE newest.project_id = p.id)"
    " LEFT JOIN models_registry_version v ON v.id = d.version_id LEFT JOIN models_registry_run r ON r.id = v.run_id"
    " LEFT JOIN models_registry_version c ON c.id = d.canary_id"
)
_LIVE = f"SELECT {_COLUMNS} FROM projects_project p{_JOINS} WHERE p.id = %s"  # noqa: S608 - constants only

#: Reads what is deployed in the query of an API call's token; `read_serving` makes sense of it.
BESIDE_TOKEN = Beside(f", {_COLUMNS}", _JOINS)


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers for a project at this moment."""

    deployment_id: int
    deployment: int
    version_id: int
    version: int
    artifact: str
    #: What answers a share of the traffic instead, in per cent.
    canary: Serving | None = None
    share: int = 0

    def side_of(self, key: str) -> Serving:
        """Return what answers for this event: the canary for its share of the ids."""
        if self.canary is not None and falls_into(key, self.canary.version, self.share):
            return self.canary
        return self


def serving(project_id: int) -> Serving | None:
    """Return what is deployed now, None when nothing is: one query.

    Raises
    ------
    UserError
        The project is archived.

    """
    rows = fetch_all(_LIVE, [project_id], plan_once=True)
    return read_serving(rows[0]) if rows else None


def read_serving(row: Row) -> Serving | None:
    """Return what is deployed as a row of these columns says; `UserError` when the project is archived."""
    archived, pk, number, mode, version_id, version, artifact, checkpoint, share, *canary = row
    if archived:
        raise refuse()
    if pk is None:
        return None
    follows = mode == Deployment.Mode.FOLLOW and checkpoint
    beside = Serving(pk, number, *canary) if canary[0] is not None else None
    return Serving(pk, number, version_id, version, checkpoint if follows else artifact, beside, share)
