"""Keeping scope profiles: each change is a new row, so every earlier profile can be read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from assessments.evidence import MeasuredScope
from assessments.models import ScopeProfile
from assessments.scoring.scope import FACTORS
from assessments.selectors.scope import describe_changes, newest_profile
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record

FIRST_VERSION = "first_version"


@dataclass(frozen=True)
class ProfileDraft:
    """What somebody says about the scope; a factor that is left out is unknown (in a plan: as now)."""

    values: Mapping[str, float] = field(default_factory=dict)
    first_version: bool | None = None


@transaction.atomic
def save_profile(
    *,
    project: Project,
    kind: str,
    draft: ProfileDraft,
    measured: MeasuredScope | None,
    actor: AbstractBaseUser,
) -> ScopeProfile | None:
    """Keep `draft` as the newest profile of its kind; None when it says what the newest one says already.

    A value that equals what the records say is marked as measured, any other as declared.
    """
    _check(draft)
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()
    before = newest_profile(project, kind)
    values = {factor.name: draft.values[factor.name] for factor in FACTORS if factor.name in draft.values}
    if before is None and not values and draft.first_version is None:
        return None
    if before and before.values == values and before.first_version == draft.first_version:
        return None
    taken = [name for name, value in values.items() if measured and _is_measured(measured, name, value)]
    origins = {name: ScopeProfile.Origin.MEASURED if name in taken else ScopeProfile.Origin.DECLARED for name in values}
    if draft.first_version is not None:
        same = measured is not None and measured.first_version == draft.first_version
        origins[FIRST_VERSION] = ScopeProfile.Origin.MEASURED if same else ScopeProfile.Origin.DECLARED
    profile = ScopeProfile.objects.create(
        project=project,
        kind=kind,
        values=values,
        origins={name: str(origin) for name, origin in origins.items()},
        measurements={
            name: asdict(measurement)
            for name in taken
            if measured and (measurement := measured.factors[name].measurement)
        },
        first_version=draft.first_version,
        created_by_id=actor.pk,
    )
    changes = "; ".join(describe_changes(before, profile)) or "nothing known"
    record(
        actor=actor,
        verb="scope.changed",
        summary=f"set the {'planned' if kind == ScopeProfile.Kind.PLANNED else 'current'} scope: {changes}",
        project=project,
        profile=profile.pk,
    )
    return profile


def _is_measured(measured: MeasuredScope, name: str, value: float) -> bool:
    return name in measured.factors and measured.factors[name].value == value


def _check(draft: ProfileDraft) -> None:
    factors = {factor.name: factor for factor in FACTORS}
    wrong = {}
    for name, value in draft.values.items():
        if name not in factors:
            wrong[name] = "There is no such scope factor."
            continue
        try:
            factors[name].check(value)
        except ValueError as fault:
            wrong[name] = str(fault).partition(": ")[2] or str(fault)
    if wrong:
        raise UserError("Some scope factors cannot be right.", fields=wrong)
