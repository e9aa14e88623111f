"""Comparing models fairly and cheaply: their runs learn the same events in one pass."""

from __future__ import annotations

import copy
import itertools
import json
import random
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from models_registry.models import Comparison, RegisteredModel, Run
from models_registry.services.numbering import next_number
from models_registry.services.runs import PUBLISH_EVERY, WINDOW, register_model, start_run
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import record

MOST_CANDIDATES = 16
_PART = re.compile(r"\.?([A-Za-z_]\w*)|\[(\d+)\]")


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
    window: int = WINDOW,
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
        run = start_run(
            model=model,
            mode=mode,
            actor=actor,
            seed=seed,
            publish_every=publish_every,
            window=window,
            trigger=f"{kind} {comparison.number}",
        )
        Run.objects.filter(pk=run.pk).update(comparison=comparison)
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
    grid: Mapping[str, Sequence[Any]],
    actor: AbstractBaseUser | None,
    sample: int | None = None,
    seed: int | None = None,
    mode: str = Run.Mode.REPLAY,
    publish_every: int = PUBLISH_EVERY,
) -> Comparison:
    """Compare variants of one model: every combination of `grid`, or `sample` of them drawn at random.

    Parameters
    ----------
    base
        The model to vary.
    grid
        Values by place in the spec, as errors name it: `{"steps[1].params.l2": [0.0, 0.01, 0.1]}`.
    actor
        Who starts it.
    sample
        How many combinations to draw (with `seed`, always the same ones); None takes all.
    seed
        Seed of the drawing and of every run.
    mode, publish_every
        As for any run.

    """
    seed = secrets.randbelow(2**31) if seed is None else seed
    places = list(grid)
    combinations = list(itertools.product(*(grid[place] for place in places)))
    if sample is not None and sample < len(combinations):
        combinations = random.Random(seed).sample(combinations, sample)  # noqa: S311 - reproducible, not secret
    if not 2 <= len(combinations) <= MOST_CANDIDATES:
        raise UserError(
            f"That makes {len(combinations)} variants; compare 2 to {MOST_CANDIDATES}, or draw a sample.",
            fields={"grid": f"{len(combinations)} variants."},
        )
    variants = [_variant(base, dict(zip(places, values, strict=True)), actor) for values in combinations]
    return start_comparison(
        project=base.project,
        name=f"{base.name} over {', '.join(place.rsplit('.', 1)[-1] for place in places)}",
        models=variants,
        actor=actor,
        mode=mode,
        seed=seed,
        publish_every=publish_every,
        kind=Comparison.Kind.SWEEP,
    )


def _variant(base: RegisteredModel, values: Mapping[str, Any], actor: AbstractBaseUser | None) -> RegisteredModel:
    """The model with these values in its spec, registered unless it is there already."""
    spec = copy.deepcopy(base.spec)
    for place, value in values.items():
        _put(spec, place, value)
    said = ", ".join(f"{place.rsplit('.', 1)[-1]}={json.dumps(value)}" for place, value in values.items())
    name = f"{base.name} · {said}"[:80]
    known = RegisteredModel.objects.filter(project=base.project, name=name).first()
    if known is not None and known.spec == spec:
        return known
    return register_model(project=base.project, name=name, spec=spec, actor=actor)


def _put(spec: Any, place: str, value: Any) -> None:
    """Set what stands at `place` of a spec; `params` are made where they are missing."""
    parts = [int(index) if index else word for word, index in _PART.findall(place)]
    if not parts or "".join(match[0] for match in _PART.finditer(place)) != place:
        raise UserError(f"“{place}” is no place in a spec; write it like steps[1].params.l2.", fields={"grid": place})
    at = spec
    try:
        for part in parts[:-1]:
            at = at.setdefault(part, {}) if part == "params" else at[part]
        at[parts[-1]] = value
    except (KeyError, IndexError, TypeError, AttributeError) as missing:
        raise UserError(f"The spec has no place “{place}”.", fields={"grid": place}) from missing
