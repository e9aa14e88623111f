"""Comparing models fairly and cheaply: their runs learn the same events in one pass."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry.learning.errors import SpecError
from models_registry.learning.sweeps import draw_specs, make_grid
from models_registry.models import Comparison, RegisteredModel, Run
from models_registry.services.judging import USUAL, Judging
from models_registry.services.numbering import next_number
from models_registry.services.runs import PUBLISH_EVERY, register_model, start_run
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record

MOST_CANDIDATES = 16


@transaction.atomic
def start_comparison(
    *,
    project: Project,
    name: str,
    models: Sequence[RegisteredModel],
    actor: AbstractBaseUser | None,
    mode: str = Run.Mode.REPLAY,
    seed: int | None = None,
    publish_every: int = PUBLISH_EVERY,
    judging: Judging = USUAL,
    kind: str = Comparison.Kind.COMPARE,
) -> Comparison:
    """Start one run per model, all with the same seed, that learn the project's events in one pass."""
    if not 2 <= len(models) <= MOST_CANDIDATES:
        raise UserError(
            f"Choose 2 to {MOST_CANDIDATES} models; {len(models)} were given.", fields={"models": "2 to 16 models."}
        )
    if len({model.pk for model in models}) < len(models):
        raise UserError("Choose each model once.", fields={"models": "One model is there twice."})
    if any(model.project_id != project.pk for model in models):
        raise UserError("Choose models of this project.", code="not_found", status=404)
    name = name.strip()[:80] or " against ".join(model.name for model in models)[:80]
    comparison = Comparison.objects.create(
        project=project,
        number=next_number(Comparison, project.pk),
        name=name,
        kind=kind,
        created_by_id=actor.pk if actor else None,
    )
    seed = secrets.randbelow(2**31) if seed is None else seed
    for model in models:
        start_run(
            model=model,
            mode=mode,
            actor=actor,
            seed=seed,
            publish_every=publish_every,
            judging=judging,
            trigger=f"{kind} {comparison.number}",
            comparison=comparison,
        )
    record(
        actor=actor,
        verb="comparison.started",
        summary=f"started comparing {len(models)} models: {name}",
        project=project,
        comparison=comparison.pk,
    )
    return comparison


@transaction.atomic
def start_sweep(
    *,
    base: RegisteredModel,
    specs: Mapping[str, dict[str, Any]],
    actor: AbstractBaseUser | None,
    seed: int | None = None,
    mode: str = Run.Mode.REPLAY,
    publish_every: int = PUBLISH_EVERY,
    judging: Judging = USUAL,
) -> Comparison:
    """Compare variants of one model, each registered under the model's name and what is different in it.

    Parameters
    ----------
    base
        The model that they vary.
    specs
        The variants by what is different: `{"l2=0.1": spec, ...}`, as `learning.sweeps` makes them.
    actor
        Who starts it.
    seed, mode, publish_every, judging
        As for any comparison.
    """
    if not 2 <= len(specs) <= MOST_CANDIDATES:
        raise UserError(say_how_many(len(specs)), code="wrong_count", fields={"sweep": f"{len(specs)} candidates."})
    variants = [_variant(base, difference, spec, actor) for difference, spec in specs.items()]
    return start_comparison(
        project=base.project,
        name=f"{base.name[:60]}, {len(specs)} variants",
        models=variants,
        actor=actor,
        mode=mode,
        seed=seed,
        publish_every=publish_every,
        judging=judging,
        kind=Comparison.Kind.SWEEP,
    )


def plan_sweep(
    *,
    spec: dict[str, Any],
    values: Mapping[str, Sequence[Any]] | None = None,
    ranges: Mapping[str, Mapping[str, Any]] | None = None,
    draws: int | None = None,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return the candidates of a sweep by what is different in them; nothing starts.

    Every combination of `values`, by place in the spec; or so many `draws` from values and ranges.
    """
    values, ranges = values or {}, ranges or {}
    if not values and not ranges:
        raise UserError("Give at least one place more than one value.", fields={"sweep": "Nothing to vary."})
    if ranges and draws is None:
        raise UserError("A range needs a number of draws.", fields={"draws": "How many candidates to draw."})
    try:
        if draws is not None:
            return draw_specs(
                spec, {**ranges, **{place: {"values": [*some]} for place, some in values.items()}}, draws, seed=seed
            )
        total = math.prod(len(some) for some in values.values())
        if not 2 <= total <= MOST_CANDIDATES:
            raise UserError(say_how_many(total), code="wrong_count", fields={"sweep": f"{total} candidates."})
        return make_grid(spec, values)
    except SpecError as wrong:
        raise UserError(
            f"The sweep is not valid: {wrong}", code="invalid_spec", fields={wrong.place or "sweep": wrong.message}
        ) from wrong


def say_how_many(count: int) -> str:
    """Say why so many candidates are not taken."""
    if count < 2:
        return f"That makes {count} candidate{'' if count == 1 else 's'}; a sweep needs at least 2."
    return (
        f"That makes {count:,} candidates; at most {MOST_CANDIDATES} learn in one pass. "
        "Give fewer values, or draw some of them at random."
    )


def _variant(
    base: RegisteredModel, difference: str, spec: dict[str, Any], actor: AbstractBaseUser | None
) -> RegisteredModel:
    """The model of this spec, registered unless it is there already."""
    name = f"{base.name} · {difference}"[:80]
    known = RegisteredModel.objects.filter(project=base.project, name=name).first()
    if known is not None and known.spec == spec:
        return known
    if known is not None:
        # Another spec has this name already: two long names may be cut to the same.
        taken = RegisteredModel.objects.filter(project=base.project, name__startswith=name[:70]).count()
        name = f"{name[:70]} · {taken + 1}"
    return register_model(project=base.project, name=name, spec=spec, actor=actor)
