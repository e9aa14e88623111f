"""Keeping scope profiles: each change is a new row, so every earlier profile can be read again. Or only trying them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from assessments.evidence import MeasuredScope, gather, measure_scope
from assessments.models import ScopeProfile
from assessments.scoring.scope import FACTORS
from assessments.selectors.editions import catalogue_for
from assessments.selectors.recommendation import Recommendation, compare, recommend_for
from assessments.selectors.scope import describe_changes, newest_profile, read_profiles, scope_state
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record

FIRST_VERSION = "first_version"


@dataclass(frozen=True)
class ProfileDraft:
    """What somebody says about the scope; a factor that is left out is unknown (in a plan: as now)."""

    values: Mapping[str, float] = field(default_factory=dict)
    first_version: bool | None = None


@dataclass(frozen=True)
class Preview:
    """What would be recommended and what is recommended now; None where nothing is known about the scope."""

    typed: Recommendation | None
    kept: Recommendation | None

    @property
    def compared(self) -> Recommendation | None:
        """What would be recommended, with each principle's former verdict where it would move."""
        return compare(self.typed, self.kept) if self.typed and self.kept else self.typed


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
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").get()
    before = newest_profile(project, kind)
    profile = profile_after(project=project, kind=kind, draft=draft, measured=measured, before=before)
    if profile is None or profile is before:
        return None
    profile.created_by_id = actor.pk
    profile.save()
    changes = "; ".join(describe_changes(before, profile)) or "nothing known"
    record(
        actor=actor,
        verb="scope.changed",
        summary=f"set the {'planned' if kind == ScopeProfile.Kind.PLANNED else 'current'} scope: {changes}",
        project=project,
        profile=profile.pk,
    )
    return profile


@transaction.atomic
def save_profiles(
    *, project: Project, drafts: Mapping[str, ProfileDraft], measured: MeasuredScope, actor: AbstractBaseUser
) -> list[ScopeProfile]:
    """Keep what is said about each kind of scope, all or nothing; a kind left out stays. Returns what is new."""
    kept = [
        save_profile(project=project, kind=kind, draft=draft, measured=_measured_for(kind, measured), actor=actor)
        for kind, draft in drafts.items()
    ]
    return [profile for profile in kept if profile]


def preview_profiles(*, project: Project, drafts: Mapping[str, ProfileDraft]) -> Preview:
    """Work out what would be recommended if `drafts` were kept, and keep nothing: 11 queries, 8 read the records."""
    records = gather(project)
    measured = measure_scope(records)
    current, planned = read_profiles(project)
    kept = {ScopeProfile.Kind.CURRENT.value: current, ScopeProfile.Kind.PLANNED.value: planned}
    typed = kept | {
        kind: profile_after(
            project=project, kind=kind, draft=draft, measured=_measured_for(kind, measured), before=kept[kind]
        )
        for kind, draft in drafts.items()
    }
    catalogue = catalogue_for(project)
    said, says = (
        recommend_for(
            scope_state(each[ScopeProfile.Kind.CURRENT], each[ScopeProfile.Kind.PLANNED], measured),
            catalogue=catalogue,
            settings=records.assumptions,
        )
        for each in (typed, kept)
    )
    return Preview(said, says)


def profile_after(
    *,
    project: Project,
    kind: str,
    draft: ProfileDraft,
    measured: MeasuredScope | None,
    before: ScopeProfile | None,
) -> ScopeProfile | None:
    """Return the profile that would hold with `draft`, not kept yet: `before` itself where that says the same."""
    _check(draft)
    values = {factor.name: draft.values[factor.name] for factor in FACTORS if factor.name in draft.values}
    if before is None and not values and draft.first_version is None:
        return None
    if before and before.values == values and before.first_version == draft.first_version:
        return before
    taken = [name for name, value in values.items() if measured and _is_measured(measured, name, value)]
    origins = {name: ScopeProfile.Origin.MEASURED if name in taken else ScopeProfile.Origin.DECLARED for name in values}
    if draft.first_version is not None:
        same = measured is not None and measured.first_version == draft.first_version
        origins[FIRST_VERSION] = ScopeProfile.Origin.MEASURED if same else ScopeProfile.Origin.DECLARED
    return ScopeProfile(
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
    )


def _measured_for(kind: str, measured: MeasuredScope) -> MeasuredScope | None:
    """The records tell of now, not of a plan."""
    return measured if kind == ScopeProfile.Kind.CURRENT else None


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
