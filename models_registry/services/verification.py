"""Concluding a verification: the replay has reached the version's position; is it the same model?"""

from __future__ import annotations

from models_registry.models import MetricPoint, Run, Verification
from models_registry.selectors.environments import describe_change
from projects.services.activity import record


def conclude(*, run: Run, digest: str) -> Verification:
    """Record what a verifying run found, in the transaction that ends it.

    Parameters
    ----------
    run
        The run that replayed `run.verifies` up to its position.
    digest
        The digest of the model it arrived at, of the series that the version keeps.

    """
    version = run.verifies
    assert version is not None, "a verifying run names the version it verifies"
    # Series that were added since the version was learned say nothing about it.
    found = {name: run.summary.get(name) for name in version.metrics}
    identical = digest == version.digest and found == version.metrics
    since = None if identical else _first_difference(version.run_id, run.pk, version.position)
    verification = Verification.objects.create(version=version, run=run, identical=identical, differs_since=since)
    said = "the same model" if identical else "a different model"
    said += f", different since position {since:,}" if since else ""
    change = "" if identical else describe_change(version.environment, run.environment)
    record(
        actor=None,
        verb="version.verified",
        summary=f"replayed {version} in run {run.number}: {said}" + (f" ({change})" if change else ""),
        project=run.project,
        version=version.pk,
        run=run.pk,
        identical=identical,
    )
    return verification


def _first_difference(original: int, replay: int, upto: int) -> int | None:
    """The first position at which two runs' metric points differ; where they were thinned apart, only shared ones."""
    points = MetricPoint.objects.filter(position__lte=upto).order_by("position")
    before = dict(points.filter(run_id=original).values_list("position", "values"))
    for position, values in points.filter(run_id=replay).values_list("position", "values"):
        known = before.get(position)
        if known and any(known[name][0] != series[0] for name, series in values.items() if name in known):
            return position
    return None
